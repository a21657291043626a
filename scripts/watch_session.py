"""What happens when while somebody watches: time goes on, keys do things. No window here."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from redrive.agents.human import Human
from redrive.sim.task import Ended
from redrive.watch_drive import (
    Drive,
    advance,
    again,
    give_back,
    next_episode,
    story,
    take_wheel,
)

REST = 2.0  # for which the end of an episode is shown [s]
NOTICE = 2.5  # for which a notice is [s]
PATIENCE = 0.03  # computing longer than this for one picture drops simulated time [s]
ROUNDING = 1e-9
SLOWEST, FASTEST = 0.125, 64.0  # times real time


class Action(Enum):
    """What a person can ask of the window, driving apart."""

    PAUSE = auto()
    STEP = auto()
    AGAIN = auto()
    NEXT = auto()
    WHEEL = auto()  # take it, or give it back
    TAKE_WHEEL = auto()
    FASTER = auto()
    SLOWER = auto()
    ZOOM = auto()
    HELP = auto()
    SCREENSHOT = auto()
    QUIT = auto()


@dataclass(frozen=True)
class Session:
    """A drive that is being watched."""

    drive: Drive
    human: Human  # whom the keys belong to
    part: float = 0.0  # share of the step that is over
    speed: float = 1.0  # simulated seconds per second
    paused: bool = False
    help: bool = False
    zoom: int = 0  # which of the zoom levels
    rested: float = 0.0  # since the episode ended [s]
    steps: int = 0  # driven in all
    dropped: float = 0.0  # simulated time that the computer was too slow for [s]
    last_end: str = ""  # how the last episode went
    completed: int = 0  # of the episodes that ended
    episodes: int = 0  # that ended
    notice: str = ""
    notice_left: float = 0.0  # for which it is still shown [s]
    quit: bool = False
    screenshot: bool = False  # the next picture is to be kept
    patience: float = PATIENCE

    @property
    def at_the_wheel(self) -> bool:
        """Whether the keys drive."""
        return self.drive.by_hand or self.drive.agent is self.human

    @property
    def over(self) -> bool:
        """Whether the episode has ended, as far as is shown."""
        return self.drive.over and self.part >= 1.0


def tick(session: Session, seconds: float) -> Session:
    """So much later."""
    session = _fade(session, seconds)
    if session.paused:
        return session
    if session.over:
        rested = session.rested + seconds * max(1.0, session.speed)
        return replace(session, rested=rested) if rested < REST else _go_on(session)
    part = session.part + seconds * session.speed / session.drive.world.dt
    drive, steps, dropped = session.drive, session.steps, session.dropped
    started = time.perf_counter()
    while part >= 1.0 - ROUNDING and not drive.over:
        if time.perf_counter() - started > session.patience:
            dropped += int(part) * drive.world.dt
            part -= int(part)
            break
        drive = advance(drive)
        part = max(part - 1.0, 0.0)
        steps += 1
    session = replace(session, drive=drive, steps=steps, dropped=dropped)
    return _moved(session, min(part, 1.0))


def act(session: Session, action: Action) -> Session:
    """What an action makes of the session."""
    if action is Action.PAUSE:
        return replace(session, paused=not session.paused)
    if action is Action.STEP:
        return _single_step(session)
    if action is Action.AGAIN:
        return _restarted(session, again)
    if action is Action.NEXT:
        return _restarted(session, next_episode)
    if action is Action.WHEEL and session.drive.by_hand:
        session = replace(session, drive=give_back(session.drive))
        return notify(session, f"{session.drive.driver} drives again")
    if action in (Action.WHEEL, Action.TAKE_WHEEL):
        return _take_wheel(session)
    if action is Action.FASTER:
        return replace(session, speed=min(2.0 * session.speed, FASTEST))
    if action is Action.SLOWER:
        return replace(session, speed=max(0.5 * session.speed, SLOWEST))
    if action is Action.ZOOM:
        return replace(session, zoom=session.zoom + 1)
    if action is Action.HELP:
        return replace(session, help=not session.help)
    if action is Action.SCREENSHOT:
        return replace(session, screenshot=True)
    return replace(session, quit=True)


def notify(session: Session, text: str) -> Session:
    """Shows a line for a while."""
    return replace(session, notice=text, notice_left=NOTICE)


def _single_step(session: Session) -> Session:
    """To the beginning of the next step, or to the end of the last."""
    if session.over:
        return _go_on(session)
    if session.drive.over:
        return _moved(session, 1.0)
    return _moved(replace(session, drive=advance(session.drive), steps=session.steps + 1), part=0.0)


def _moved(session: Session, part: float) -> Session:
    """The session with this share of its step over; an episode that has just ended is counted."""
    before, session = session, replace(session, part=part)
    if before.over or not session.over:
        return session
    return replace(
        session,
        rested=0.0,
        last_end=story(session.drive),
        episodes=session.episodes + 1,
        completed=session.completed + (session.drive.ended is Ended.ROUTE_COMPLETED),
    )


def _go_on(session: Session) -> Session:
    return _restarted(session, next_episode)


def _restarted(session: Session, restart: Callable[[Drive], Drive]) -> Session:
    session.human.controls.let_go()  # what the hands did meanwhile is not for the first step
    return replace(session, drive=restart(session.drive), part=0.0, rested=0.0)


def _take_wheel(session: Session) -> Session:
    if session.at_the_wheel:
        return session
    after = session.drive.after
    hands = session.human.grasp(after.curvature, after.accel)
    session = replace(session, drive=take_wheel(session.drive, session.human, hands))
    return notify(session, "you drive: arrow keys steer, H gives the wheel back")


def _fade(session: Session, seconds: float) -> Session:
    left = session.notice_left - seconds
    if left <= 0.0:
        return replace(session, notice="", notice_left=0.0) if session.notice else session
    return replace(session, notice_left=left)
