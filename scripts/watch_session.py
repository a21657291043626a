"""What happens while somebody watches: drivers side by side on one episode, and time that goes on.

No window here. What the keys do with a session is in `watch_actions.py`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from redrive.agents.human import Human
from redrive.sim.any_world import World
from redrive.sim.success import is_success
from redrive.watch_drive import Drive, Step, advance, next_episode, restart, story

REST = 2.0  # for which the end of an episode is shown [s]
NOTICE = 2.5  # for which a notice is [s]
PATIENCE = 0.03  # computing longer than this for one picture drops simulated time [s]
HURRY = 0.014  # for one picture, where it goes as fast as it can [s]
ROUNDING = 1e-9
LEAST_TAKE = 2  # steps that are worth keeping


class Layer(Enum):
    """What can be left out of the picture, with its name."""

    TRAIL = "trail"
    PATHS = "paths of the command and of the expert's"
    GHOSTS = "the other drivers"
    MAP = "map of the whole road"
    SCORE = "score"
    SALIENCY = "what moved the command"
    MEMORY = "memory"
    PLOTS = "plots"


LAYERS = tuple(Layer)


class Score(NamedTuple):
    """How one driver has done so far."""

    episodes: int = 0  # that ended
    completed: int = 0  # of them
    last_end: str = ""  # how the last one went


class Take(NamedTuple):
    """A stretch of an episode that is to be kept."""

    world: World
    driver: str
    person: bool  # whether the driver is a person anyway
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Session:
    """Drives that are being watched: the same episode, a driver each. One of them is followed."""

    drives: tuple[Drive, ...]
    human: Human  # whom the keys belong to
    shown: int = 0  # which one is followed
    phase: float = 0.0  # share of the step that is over
    speed: float = 1.0  # simulated seconds per second; infinite: as fast as it goes
    paused: bool = False
    help: bool = False
    menu: bool = False  # of the layers
    off: frozenset[Layer] = frozenset({Layer.SALIENCY})  # layers that are not drawn
    zoom: int = 0  # which of the zoom levels
    rested: float = 0.0  # since the last drive ended [s]
    steps: int = 0  # driven in all
    dropped: float = 0.0  # simulated time that the computer was too slow for [s]
    scores: tuple[Score, ...] = ()  # of each driver; filled in when empty
    notice: str = ""
    notice_left: float = 0.0  # for which it is still shown [s]
    quit: bool = False
    screenshot: bool = False  # the next picture is to be kept
    filming: bool = False
    recording: bool = False
    taken_from: int = 0  # the first step of the followed drive that belongs to the take
    takes: tuple[Take, ...] = ()  # finished, not yet saved
    patience: float = PATIENCE

    def __post_init__(self) -> None:
        if not self.scores:
            object.__setattr__(self, "scores", (Score(),) * len(self.drives))

    @property
    def drive(self) -> Drive:
        """The one that is followed."""
        return self.drives[self.shown]

    @property
    def part(self) -> float:
        """Share of the followed drive's step that is over."""
        return self.part_of(self.drive)

    @property
    def score(self) -> Score:
        """Of the driver that is followed."""
        return self.scores[self.shown]

    @property
    def at_the_wheel(self) -> bool:
        """Whether the keys drive."""
        return self.drive.by_hand or self.person_drives

    @property
    def person_drives(self) -> bool:
        """Whether the driver that is followed is a person anyway."""
        return self.drive.agent is self.human

    @property
    def finished(self) -> bool:
        """Whether the followed drive has ended, as far as is shown."""
        return self.drive.over and self.part >= 1.0

    @property
    def over(self) -> bool:
        """Whether all have ended, as far as is shown."""
        return self.phase >= 1.0 and all(drive.over for drive in self.drives)

    def part_of(self, drive: Drive) -> float:
        """Share of a drive's step that is over; who ended before the others stands still."""
        latest = max(int(other.state.steps[0]) for other in self.drives)
        return self.phase if int(drive.state.steps[0]) == latest else 1.0


def with_drive(session: Session, drive: Drive) -> Session:
    """The session with the followed drive changed."""
    drives = list(session.drives)
    drives[session.shown] = drive
    return replace(session, drives=tuple(drives))


def tick(session: Session, seconds: float, step: Callable[[Drive], Drive] = advance) -> Session:
    """So much later.

    Args:
        step: gives what `advance` gives, perhaps sooner.
    """
    session = _fade(session, seconds)
    if session.paused:
        return session
    if session.over:
        rested = session.rested + seconds * max(1.0, session.speed)
        return replace(session, rested=rested) if rested < REST else go_on(session)
    if math.isinf(session.speed):
        return _hurry(session, step)
    phase = session.phase + seconds * session.speed / session.drive.world.dt
    drives, steps, dropped = session.drives, session.steps, session.dropped
    started = time.perf_counter()
    while phase >= 1.0 - ROUNDING and not all(drive.over for drive in drives):
        if time.perf_counter() - started > session.patience:
            dropped += int(phase) * session.drive.world.dt
            phase -= int(phase)
            break
        drives = tuple(step(drive) for drive in drives)
        phase = max(phase - 1.0, 0.0)
        steps += 1
    session_after = replace(session, drives=drives, steps=steps, dropped=dropped)
    return moved(session, session_after, min(phase, 1.0))


def _hurry(session: Session, step: Callable[[Drive], Drive]) -> Session:
    """As many steps as fit into a picture, at least one."""
    drives, steps = session.drives, session.steps
    started = time.perf_counter()
    while not all(drive.over for drive in drives):
        drives = tuple(step(drive) for drive in drives)
        steps += 1
        if time.perf_counter() - started > HURRY:
            break
    after = replace(session, drives=drives, steps=steps)
    return moved(session, after, 1.0)


def moved(before: Session, session: Session, phase: float) -> Session:
    """The session with this share of its step over; drives that have just ended are counted."""
    session = replace(session, phase=phase)
    scores = list(session.scores)
    for k, (old, new) in enumerate(zip(before.drives, session.drives, strict=True)):
        if new.over and session.part_of(new) >= 1.0:
            if old.over and before.part_of(old) >= 1.0:
                continue
            succeeded = bool(is_success(new.world.task, new.after, new.world.dt)[0])
            scores[k] = Score(scores[k].episodes + 1, scores[k].completed + succeeded, story(new))
            if k == session.shown:
                session = close_take(session)
    rested = 0.0 if session.over and not before.over else session.rested
    return replace(session, scores=tuple(scores), rested=rested)


def go_on(session: Session) -> Session:
    """The next episode; what is recorded of this one is kept."""
    return restarted(close_take(session), next_episode)


def jump(session: Session, episode: int) -> Session:
    """An episode of the course, by its number."""
    return restarted(close_take(session), lambda drive: restart(drive, episode))


def restarted(session: Session, change: Callable[[Drive], Drive]) -> Session:
    """All drives at the start of an episode."""
    session.human.controls.let_go()  # what the hands did meanwhile is not for the first step
    drives = tuple(change(drive) for drive in session.drives)
    return replace(session, drives=drives, phase=0.0, rested=0.0, taken_from=0)


def close_take(session: Session) -> Session:
    """What has been recorded so far goes to those who save it."""
    steps = session.drive.steps[session.taken_from :]
    session = replace(session, taken_from=len(session.drive.steps))
    if not session.recording or len(steps) < LEAST_TAKE:
        return session
    drive = session.drive
    take = Take(drive.world, drive.driver, session.person_drives, steps)
    return replace(session, takes=(*session.takes, take))


def notify(session: Session, text: str) -> Session:
    """Shows a line for a while."""
    return replace(session, notice=text, notice_left=NOTICE)


def _fade(session: Session, seconds: float) -> Session:
    left = session.notice_left - seconds
    if left <= 0.0:
        return replace(session, notice="", notice_left=0.0) if session.notice else session
    return replace(session, notice_left=left)
