"""The window: keys in, time on, picture out. What they do is in other files; here they take turns."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pygame

from redrive.agents.human import Desk, Pad, find_pad
from redrive.video import silence
from redrive.watch_keys import action_of
from redrive.watch_paint import save_picture, surface
from redrive.watch_session import Action, Session, act, notify, tick
from redrive.watch_view import draw

PICTURES_A_SECOND = 60
LONGEST = (
    0.1  # that one picture may move the world on: a window that was dragged goes on gently [s]
)
LATE = 0.033  # [s]


@dataclass
class Pace:
    """How smoothly a window went."""

    pictures: int = 0
    late: int = 0  # that came more than 33 ms after the one before

    def count(self, seconds: float) -> None:
        """One more, so long after the one before."""
        self.pictures += 1
        self.late += seconds > LATE


def open_window(size: tuple[int, int], title: str) -> pygame.Surface:
    """A resizable window; no sound is touched.

    Raises:
        OSError: there is no window system.
    """
    remedy = (
        "use --headless --video FILE.webm for a film or --headless --screenshot FILE.png for a "
        "picture, or start it where windows can be shown"
    )
    try:
        with silence():  # of SDL, which tells what it tries
            pygame.display.init()
    except pygame.error as error:
        raise OSError(f"no window system answers ({error}); {remedy}") from None
    driver = pygame.display.get_driver()
    if driver in {"dummy", "offscreen"}:
        pygame.display.quit()
        raise OSError(f"there is no window system here, only SDL's {driver!r} driver; {remedy}")
    if driver == "x11":  # else SDL sends every picture through OpenGL, in software ten times slower
        os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")
    pygame.display.set_caption(title)
    try:
        return pygame.display.set_mode(size, pygame.RESIZABLE)
    except pygame.error as error:
        pygame.display.quit()
        raise OSError(f"the window cannot be opened ({error}); {remedy}") from None


def keep_open(
    session: Session, steps: int | None = None, screenshot: Path | None = None
) -> tuple[Session, Pace]:
    """Shows the session in pygame's window until it is quit, or for so many steps.

    Args:
        screenshot: where the pictures that are asked for go.
    """
    pace = Pace()
    canvas = surface(pygame.display.get_window_size())
    desk = Desk(_pad())
    clock = pygame.time.Clock()
    before = time.perf_counter()
    while not session.quit and (steps is None or session.steps < steps):
        clock.tick(PICTURES_A_SECOND)
        now = time.perf_counter()
        seconds, before = now - before, now
        pace.count(seconds)
        session = _listen(session, desk)
        session = _feel(session, desk, min(seconds, LONGEST))
        session = tick(session, min(seconds, LONGEST))
        size = pygame.display.get_window_size()
        if canvas.get_size() != size:
            canvas = surface(size)
        draw(session, canvas)
        if session.screenshot:
            session = _save(replace(session, screenshot=False), canvas, screenshot)
        pygame.display.get_surface().blit(canvas, (0, 0))
        pygame.display.flip()
    return session, pace


def free_name(wanted: Path, taken: Callable[[Path], bool] = Path.exists) -> Path:
    """The name, or the first of `name-2`, `name-3`, ... that no file has."""
    if not taken(wanted):
        return wanted
    number = 2
    while taken(wanted.with_stem(f"{wanted.stem}-{number}")):
        number += 1
    return wanted.with_stem(f"{wanted.stem}-{number}")


def _listen(session: Session, desk: Desk) -> Session:
    """What was done since the last picture."""
    for event in pygame.event.get():
        if event.type in (pygame.CONTROLLERDEVICEADDED, pygame.CONTROLLERDEVICEREMOVED):
            desk.pad = _pad()
        action = action_of(event, session.paused, session.at_the_wheel, session.help)
        if action is not None:
            session = act(session, action)
    return session


def _feel(session: Session, desk: Desk, seconds: float) -> Session:
    """Hands on the controls."""
    wish = desk.wish(pygame.key.get_pressed())
    if wish.stick and wish.firm and not session.at_the_wheel and not session.paused:
        session = act(session, Action.TAKE_WHEEL)
    session.human.controls.feel(wish, 0.0 if session.paused else seconds)
    return session


def _pad() -> Pad | None:
    with contextlib.suppress(pygame.error, ImportError):  # no gamepads on this system
        return find_pad()
    return None


def _save(session: Session, canvas: pygame.Surface, wanted: Path | None) -> Session:
    """Keeps the picture; nothing that is there is overwritten."""
    road = "".join(letter if letter.isalnum() else "-" for letter in session.drive.road.name)
    name = free_name(wanted or Path(f"redrive-{road}.png"))
    try:
        save_picture(canvas, name)
    except OSError as error:
        return notify(session, str(error))
    return notify(session, f"saved {name}")
