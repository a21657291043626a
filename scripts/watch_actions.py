"""What the keys do with a session."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from enum import Enum, auto

from redrive.watch_drive import advance, again, give_back, take_wheel
from redrive.watch_session import (
    LAYERS,
    Layer,
    Session,
    close_take,
    go_on,
    moved,
    notify,
    restarted,
    with_drive,
)

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, math.inf)  # times real time


class Action(Enum):
    """What a person can ask of the window, driving apart."""

    PAUSE = auto()
    STEP = auto()
    AGAIN = auto()
    NEXT = auto()
    WHEEL = auto()  # take it, or give it back
    TAKE_WHEEL = auto()
    NUMBER = auto()  # a driver, or where the menu is open a layer, by its number
    FASTER = auto()
    SLOWER = auto()
    ZOOM = auto()
    SALIENCY = auto()
    MEMORY = auto()
    MENU = auto()  # of the layers
    HELP = auto()
    CLOSE = auto()  # the help, the menu
    SCREENSHOT = auto()
    FILM = auto()
    RECORD = auto()
    QUIT = auto()


def act(session: Session, action: Action, number: int = 0) -> Session:
    """What an action makes of the session.

    Args:
        number: of `Action.NUMBER`, from 1.
    """
    if action is Action.NUMBER:
        return _layer(session, number) if session.menu else _follow(session, number)
    return _DO[action](session)


def _pause(session: Session) -> Session:
    return replace(session, paused=not session.paused)


def _single_step(session: Session) -> Session:
    """To the beginning of the next step, or to the end of the last."""
    if session.over:
        return go_on(session)
    if all(drive.over for drive in session.drives):
        return moved(session, session, 1.0)
    drives = tuple(advance(drive) for drive in session.drives)
    return moved(session, replace(session, drives=drives, steps=session.steps + 1), 0.0)


def _again(session: Session) -> Session:
    if session.recording and session.drive.steps[session.taken_from :]:
        session = notify(session, "from the start again; this take is thrown away")
    return restarted(session, again)


def _wheel(session: Session) -> Session:
    if not session.drive.by_hand:
        return _take_wheel(session)
    session = with_drive(session, give_back(session.drive))
    session.human.controls.let_go()
    return notify(session, f"{session.drive.driver} drives again")


def _take_wheel(session: Session) -> Session:
    if session.at_the_wheel or session.drive.over:
        return session
    people = [k for k, drive in enumerate(session.drives) if drive.agent is session.human]
    if people:
        return notify(session, f"you drive already: {people[0] + 1} follows your car")
    after = session.drive.after
    hands = session.human.grasp(after.curvature, after.accel)
    session = with_drive(session, take_wheel(session.drive, session.human, hands))
    return notify(session, "you drive: arrow keys steer, H gives the wheel back")


def _follow(session: Session, number: int) -> Session:
    """Follow another driver; a wheel that was taken is given back."""
    count = len(session.drives)
    if not 1 <= number <= count:
        there = "there is one driver" if count == 1 else f"there are {count} drivers"
        return notify(session, f"no driver {number}: {there}")
    if number == session.shown + 1:
        return session
    session = close_take(session)
    if session.drive.by_hand:
        session = with_drive(session, give_back(session.drive))
    session.human.controls.let_go()
    session = replace(session, shown=number - 1)
    session = replace(session, taken_from=len(session.drive.steps))
    return notify(session, f"{number}: {session.drive.driver}")


def _layer(session: Session, number: int) -> Session:
    return _switch(session, LAYERS[number - 1]) if 1 <= number <= len(LAYERS) else session


def _switch(session: Session, layer: Layer) -> Session:
    return replace(session, off=session.off ^ {layer})


def _faster(session: Session) -> Session:
    return replace(session, speed=min((s for s in SPEEDS if s > session.speed), default=math.inf))


def _slower(session: Session) -> Session:
    slower = max((s for s in SPEEDS if s < session.speed), default=session.speed)
    return replace(session, speed=slower)


def _film(session: Session) -> Session:
    return replace(session, filming=not session.filming)


def _record(session: Session) -> Session:
    if session.recording:
        return replace(close_take(session), recording=False)
    # The step under way was decided before the key was pressed: it is the first that is not kept.
    return notify(
        replace(session, recording=True, taken_from=len(session.drive.steps)),
        "recording; shift+R stops it",
    )


_DO: dict[Action, Callable[[Session], Session]] = {
    Action.PAUSE: _pause,
    Action.STEP: _single_step,
    Action.AGAIN: _again,
    Action.NEXT: go_on,
    Action.WHEEL: _wheel,
    Action.TAKE_WHEEL: _take_wheel,
    Action.FASTER: _faster,
    Action.SLOWER: _slower,
    Action.ZOOM: lambda session: replace(session, zoom=session.zoom + 1),
    Action.SALIENCY: lambda session: _switch(session, Layer.SALIENCY),
    Action.MEMORY: lambda session: _switch(session, Layer.MEMORY),
    Action.MENU: lambda session: replace(session, menu=not session.menu, help=False),
    Action.HELP: lambda session: replace(session, help=not session.help, menu=False),
    Action.CLOSE: lambda session: replace(session, help=False, menu=False),
    Action.SCREENSHOT: lambda session: replace(session, screenshot=True),
    Action.FILM: _film,
    Action.RECORD: _record,
    Action.QUIT: lambda session: replace(close_take(session), quit=True),
}
