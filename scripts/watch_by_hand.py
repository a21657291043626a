"""`redrive record --agent human`: the window, with a person at the wheel and the recording on."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from redrive.sim.any_world import World
from redrive.watch_begin import side_by_side
from redrive.watch_outputs import Outputs
from redrive.watch_record import Recorder, Seeds
from redrive.watch_session import Session, notify
from redrive.watch_window import show


def record_by_hand(
    world: World,
    folder: Path,
    first_seed: int,
    episodes: int,
    appearance: float,
    log: Path | None = None,
    size: tuple[int, int] = (1280, 720),
) -> int:
    """Let a person drive so many episodes, each kept as it ends; how many were.

    Raises:
        OSError: there is no window system.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    recorder = Recorder(folder, appearance)
    outputs = Outputs(recorder, log=log)
    title = f"redrive: you drive, into {folder}"
    show(lambda: recorded(world, first_seed, episodes), outputs, size, title, takes=episodes)
    return recorder.saved


def recorded(world: World, first_seed: int, episodes: int) -> Session:
    """A person at the wheel, waiting for them to begin."""
    session = side_by_side(world, Seeds(world, first_seed), ("human",))
    told = f"{episodes} drives are recorded: space begins, the arrow keys drive"
    return notify(replace(session, recording=True), told)
