"""`redrive watch`: a window with the road from above and what the camera sees; or a film of it."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from redrive import kernels, terminal
from redrive.command import parse, unknown
from redrive.sim.memory_tasks import TASKS
from redrive.video import check_film_name, write_video

if TYPE_CHECKING:
    from redrive.watch_session import Session

FILM_RATE = 30.0  # pictures a second
LARGEST = 8192  # [px]
MOST_DRIVERS = 9  # there are so many digits
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tga")
RECORDINGS = Path("recordings") / "watched"


@dataclass(frozen=True)
class WatchOptions:
    """Watch somebody drive: the road from above, what the camera sees, what the driver remembers.

    Several drivers drive the same episode; the one that is followed is solid, the others are ghosts.
    In the window: space pauses, the right arrow then goes one step; R is the same episode again,
    N the next one; 1 to 9 follow another driver; the arrow keys take the wheel, H gives it back;
    F1 shows all keys, Q quits. Without a window system: --headless with --video, --screenshot, or
    both.
    """

    drivers: Positional[tuple[str, ...]] = ()
    """expert, human (that is you), or folders of trained runs; with --replay, those of the results
    that are to be seen (all, if none is named)."""
    world: str | None = None
    """Roads: procedural, procedural:SEED, procedural:A-B, a circuit's .csv or a folder of them; or
    a recording to drive in. If not given, the task's own: mostly procedural."""
    seed: int = 0
    """Of the sequence of episodes; roads, starts and weather follow from it."""
    episode: int = 0
    """Which one of the sequence, or of the results, is the first; from 0."""
    replay: Path | None = None
    """Results of `redrive evaluate`: an episode of them again, exactly."""
    task: str | None = None
    """What an episode asks (redrive list names them); if not given, racetrack on circuits, else
    lane-following."""
    speed: float = 1.0
    """Simulated seconds per second."""
    appearance: float = 1.0
    """How much light, colours, wear and weather differ between episodes, 0 to 2."""
    dt: float = 0.1
    """Seconds between two steps; a trained driver wants the one it was trained with."""
    size: tuple[int, int] = (1280, 720)
    """Width and height of the picture, in pixels."""
    saliency: bool = False
    """Begin with what in the picture moved the command, as the key A shows it."""
    steps: int | None = None
    """Stop after so many steps; without a window also at the end of the episode."""
    headless: bool = False
    """Open no window."""
    video: Path | None = None
    """The film to write, a .webm file. With a window: what is seen there, until V or the end."""
    screenshot: Path | None = None
    """Where the key S saves the picture; with --headless, the last picture goes there."""
    record: Path | None = None
    """Record from the beginning, into this folder; added to, where it is a recording already.
    Without it, shift+R begins, in recordings/watched."""
    log: Path | None = None
    """Write every step as a line of JSON, as it happens: for scripts beside the window."""


def run(options: WatchOptions) -> Session:
    """Show the drive until the window is closed, or film it; what it was like at the end."""
    _check(options)
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    from redrive.watch_begin import watched

    if options.headless:
        return _compared(options, _without_window(options, watched(options)))
    from redrive.watch_outputs import Outputs
    from redrive.watch_record import Recorder, free_name
    from redrive.watch_window import show

    recorder = Recorder(options.record or free_name(RECORDINGS), options.appearance)
    outputs = Outputs(recorder, options.screenshot, options.video, options.log)
    title = f"redrive: {', '.join(options.drivers) or options.replay}"
    session = show(lambda: watched(options), outputs, options.size, title, steps=options.steps)
    return _compared(options, session)


def main(argv: Sequence[str]) -> int:
    """The command."""
    options = parse(WatchOptions, argv, "watch")
    kernels.ready()
    run(options)
    return 0


def _check(options: WatchOptions) -> None:
    """What can be said before anything is loaded."""
    if not options.drivers and options.replay is None:
        raise ValueError(
            "who shall drive? Name expert, human, or the folder of a trained run; "
            "or give --replay RESULTS.json"
        )
    if len(options.drivers) > MOST_DRIVERS:
        raise ValueError(f"at most {MOST_DRIVERS} drivers at once, got {len(options.drivers)}")
    if options.drivers.count("human") > 1:
        raise ValueError("there is one person at the keys: name human once")
    if not 0.01 <= options.speed <= 1000.0:
        raise ValueError(f"--speed is 0.01 to 1000 times real time, got {options.speed:g}")
    if options.steps is not None and options.steps < 1:
        raise ValueError(f"--steps is at least 1, got {options.steps}")
    for name in ("seed", "episode"):
        if getattr(options, name) < 0:
            raise ValueError(f"--{name} is a whole number from 0, got {getattr(options, name)}")
    if not all(64 <= side <= LARGEST for side in options.size):
        raise ValueError(f"--size is 64 to {LARGEST} px each way, got {options.size}")
    if options.task is not None and options.task not in TASKS:
        raise ValueError(unknown("task", options.task, TASKS))
    if options.screenshot and options.screenshot.suffix.lower() not in PICTURES:
        raise ValueError(
            f"--screenshot writes {', '.join(PICTURES)}; got {options.screenshot.name!r}"
        )
    if options.video:
        check_film_name(options.video)
    if options.replay is not None:
        _check_replay(options)
    if not options.headless:
        return
    if "human" in options.drivers:
        raise ValueError("nobody can drive without a window: leave out --headless")
    if options.record:
        raise ValueError("--record is for the window; without one, `redrive record` records")
    if not (options.video or options.screenshot):
        raise ValueError("--headless makes a film or a picture: add --video FILE.webm, or "
                         "--screenshot FILE.png")  # fmt: skip


def _check_replay(options: WatchOptions) -> None:
    """An episode of some results says itself where and how it was driven."""
    for name in ("world", "task", "seed", "appearance", "dt"):
        given = getattr(options, name)
        if given != WatchOptions.__dataclass_fields__[name].default:
            raise ValueError(
                f"--replay drives what the results say: leave out --{name}, got {given}"
            )
    if "human" in options.drivers:
        raise ValueError("--replay shows who drove; take the wheel in the window with an arrow key")


def _compared(options: WatchOptions, session: Session) -> Session:
    """Says of a replay whether it was what the evaluation saw."""
    if options.replay is not None:
        from redrive.watch_replay import compare

        for line in compare(session, options.replay):
            terminal.say(line)
    return session


def _without_window(options: WatchOptions, session: Session) -> Session:
    from redrive.watch_film import film_frames, film_sessions
    from redrive.watch_log import Log
    from redrive.watch_paint import save_picture
    from redrive.watch_view import render

    shown = session
    most = options.steps or round(session.drive.world.task.time_limit / session.drive.world.dt)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(contextlib.closing(Log(options.log))) if options.log else None
        tick = stack.enter_context(terminal.progress("driving", total=most))

        def told() -> Iterator[Session]:
            nonlocal shown
            for now in film_sessions(session, options.steps, FILM_RATE):
                if now.steps > shown.steps:
                    tick(now.steps - shown.steps)
                if log is not None:
                    log.see(now)
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
