"""`redrive watch`: a window with the road from above and what the camera sees; or a film of it."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from redrive import terminal
from redrive.command import parse
from redrive.models.settings import suggest
from redrive.sim.any_world import open_world
from redrive.sim.appearance import Appearance
from redrive.sim.memory_tasks import TASKS
from redrive.sim.task import LANE_FOLLOWING, RACETRACK, Task
from redrive.video import check_film_name, write_video

if TYPE_CHECKING:
    from redrive.watch_session import Session

FILM_RATE = 30.0  # pictures a second
LARGEST = 8192  # [px]
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tga")


@dataclass(frozen=True)
class WatchOptions:
    """Watch somebody drive: the road from above, what the camera sees, speed and steering.

    In the window: space pauses, the right arrow then goes one step; R is the same episode again,
    N the next one; the arrow keys take the wheel, H gives it back; F1 shows all keys, Q quits.
    Without a window system: --headless with --video, --screenshot, or both.
    """

    driver: Positional[str]
    """expert, human (that is you), or the folder of a trained run."""
    world: str | None = None
    """None: the task's own, mostly procedural. Roads: procedural, procedural:SEED, procedural:A-B, a circuit's .csv or a folder of them."""
    seed: int = 0
    """Of the sequence of episodes; roads, starts and weather follow from it."""
    task: str | None = None
    """What an episode asks, one of `redrive list`; if not given, racetrack on circuits, else lane-following."""
    speed: float = 1.0
    """Simulated seconds per second."""
    appearance: float = 1.0
    """How much light, colours, wear and weather differ between episodes, 0 to 2."""
    dt: float = 0.1
    """Seconds between two steps; a trained driver wants the one it was trained with."""
    size: tuple[int, int] = (1280, 720)
    """Width and height of the picture, in pixels."""
    steps: int | None = None
    """Stop after so many steps; without a window also at the end of the episode."""
    headless: bool = False
    """Open no window."""
    video: Path | None = None
    """With --headless: the film to write, a .webm file."""
    screenshot: Path | None = None
    """Where the key S saves the picture; with --headless, the last picture goes there."""


def run(options: WatchOptions) -> Session:
    """Show the drive until the window is closed, or film it; what it was like at the end."""
    _check(options)
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    if options.headless:
        return _without_window(options, _session(options))
    from redrive.watch_window import keep_open, open_window

    title = f"redrive: {options.driver} on {options.world or _task(options).world}"
    open_window(options.size, title)
    try:
        session, pace = keep_open(_session(options), options.steps, options.screenshot)
    finally:
        import pygame

        pygame.display.quit()
    late = 100.0 * pace.late / max(pace.pictures, 1)
    terminal.say(
        f"{session.steps} steps, {session.completed} of {session.episodes} routes completed; "
        f"{pace.pictures} pictures, {late:.1f} % of them late"
        + (f"; {session.dropped:.1f} s left out to keep up" if session.dropped else "")
    )
    return session


def main(argv: Sequence[str]) -> int:
    """The command."""
    run(parse(WatchOptions, argv, "watch"))
    return 0


def _check(options: WatchOptions) -> None:
    """What can be said before anything is loaded."""
    if not 0.01 <= options.speed <= 1000.0:
        raise ValueError(f"--speed is 0.01 to 1000 times real time, got {options.speed:g}")
    if options.steps is not None and options.steps < 1:
        raise ValueError(f"--steps is at least 1, got {options.steps}")
    if options.seed < 0:
        raise ValueError(f"--seed is a whole number from 0, got {options.seed}")
    if not all(64 <= side <= LARGEST for side in options.size):
        raise ValueError(f"--size is 64 to {LARGEST} px each way, got {options.size}")
    if options.screenshot and options.screenshot.suffix.lower() not in PICTURES:
        raise ValueError(
            f"--screenshot writes {', '.join(PICTURES)}; got {options.screenshot.name!r}"
        )
    if not options.headless:
        if options.video:
            raise ValueError("--video films without a window: add --headless")
        return
    if options.driver == "human":
        raise ValueError("nobody can drive without a window: leave out --headless")
    if not (options.video or options.screenshot):
        raise ValueError("--headless makes a film or a picture: add --video FILE.webm, or "
                         "--screenshot FILE.png")  # fmt: skip
    if options.video:
        check_film_name(options.video)


def _task(options: WatchOptions) -> Task:
    if options.task is not None:
        if options.task not in TASKS:
            raise ValueError(
                f"--task: unknown task {options.task!r}; {suggest(options.task, TASKS)}"
            )
        return TASKS[options.task]
    on_circuit = options.world is not None and Path(options.world).exists()
    return RACETRACK if on_circuit else LANE_FOLLOWING


def _session(options: WatchOptions) -> Session:
    """The drive at its beginning."""
    from redrive.agents.agent import Agent
    from redrive.agents.drivers import driver_name, make_driver
    from redrive.agents.human import Human
    from redrive.watch_drive import begin
    from redrive.watch_session import Session, notify

    task = _task(options)
    world = open_world(
        options.world or task.world,
        task=task,
        appearance=Appearance(randomise=options.appearance),
        dt=options.dt,
    )
    human = Human(world.vehicle, world.dt)
    agent: Agent = human
    if options.driver != "human":
        agent = make_driver(options.driver, world)
        if "torch" in sys.modules:  # for one car, threads only wait for each other
            sys.modules["torch"].set_num_threads(1)
    drive = begin(world, agent, options.seed, driver=driver_name(options.driver))
    session = Session(drive, human, speed=options.speed)
    if agent is human:  # who needs a moment to find the keys
        session = replace(notify(session, "the arrow keys drive"), paused=True)
    return session


def _without_window(options: WatchOptions, session: Session) -> Session:
    from redrive.watch_film import film_frames, film_sessions
    from redrive.watch_paint import save_picture
    from redrive.watch_view import render

    shown = session
    most = options.steps or round(session.drive.world.task.time_limit / options.dt)
    with terminal.progress("driving", total=most) as tick:

        def told() -> Iterator[Session]:
            nonlocal shown
            for now in film_sessions(session, options.steps, FILM_RATE):
                if now.steps > shown.steps:
                    tick(now.steps - shown.steps)
                shown = now
                yield now

        if options.video:
            frames = write_video(options.video, film_frames(told(), options.size), FILM_RATE)
        else:
            deque(told(), maxlen=0)  # to the end, undrawn
    if options.video:
        terminal.say(f"{options.video}: {frames / FILM_RATE:.1f} s")
    if options.screenshot:
        save_picture(render(shown, options.size), options.screenshot)
        terminal.say(f"{options.screenshot}: after {shown.steps} steps")
    return shown
