"""Keeping what a person drove in the window, as a recording to learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from redrive.agents.by_hand import by_hand_columns, by_hand_entries, by_hand_header
from redrive.sim.any_world import World
from redrive.sim.recording_header import HEADER_FILE
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.vehicle import Command
from redrive.sim.world import CarState
from redrive.watch_session import Take


@dataclass(frozen=True, eq=False)
class Seeds:
    """Episodes of consecutive seeds: as `redrive record` numbers them."""

    world: World
    first: int

    def start(self, episode: int) -> tuple[World, CarState]:
        """The episode of the seed `first + episode`."""
        return self.world, self.world.reset(np.array([self.first + episode]))

    def step(self, world: World, state: CarState, command: Command) -> CarState:
        """The world's."""
        return world.step(state, command)


class Recorder:
    """Adds takes to a recording; its folder is made with the first.

    Args:
        folder: the recording; one that is there is added to.
        appearance: how much looks differ between episodes, for the sidecars.
    """

    def __init__(self, folder: Path, appearance: float) -> None:
        self.folder = folder
        self.saved = 0  # takes
        self._appearance = appearance
        self._writer: RecordingWriter | None = None

    def save(self, take: Take) -> int:
        """Keep a take; when this returns it is on the disk. The number of its steps.

        Raises:
            OSError: the disk is full, ...
            ValueError: the folder holds a recording of another camera, another dt, ...
        """
        if self._writer is None:
            there = (self.folder / HEADER_FILE).exists()
            self._writer = RecordingWriter(self.folder, by_hand_header(take.world), append=there)
        frames = [step.frame for step in take.steps]
        held = [take.person or step.by_hand for step in take.steps]
        entries = by_hand_entries(take.world, frames, held)
        who = "human" if take.person else take.driver
        self._writer.add(
            by_hand_columns(take.world, frames, held),
            {**entries, "driver": who, "appearance": self._appearance},
        )
        self.saved += 1
        return len(frames)

    def close(self) -> None:
        """Let other writers in."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def free_name(wanted: Path, taken: Callable[[Path], bool] = Path.exists) -> Path:
    """The name, or the first of `name-2`, `name-3`, ... that no file has."""
    if not taken(wanted):
        return wanted
    number = 2
    while taken(wanted.with_stem(f"{wanted.stem}-{number}")):
        number += 1
    return wanted.with_stem(f"{wanted.stem}-{number}")
