"""The window: keys in, time on, picture out. What they do is in other files; here they take turns."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

import pygame

from redrive import terminal
from redrive.agents.human import Desk, Pad, find_pad
from redrive.video import silence
from redrive.watch_actions import Action, act
from redrive.watch_ahead import Ahead
from redrive.watch_display import told_of_a_lost_display
from redrive.watch_keys import asked
from redrive.watch_outputs import Outputs
from redrive.watch_paint import is_canvas, surface
from redrive.watch_session import Session, tick
from redrive.watch_view import draw

PICTURES_A_SECOND = 60
LONGEST = 0.1  # that one picture moves the world on: a window that was dragged goes on gently [s]
LATE = 0.033  # [s]
SWITCH = 0.001  # after which a thread lets another one go on [s]; Python's own is five times that


@dataclass
class Pace:
    """How smoothly a window went."""

    gaps: list[float] = field(default_factory=list)  # from one picture to the next [s]
    work: list[float] = field(default_factory=list)  # for each picture, without waiting [s]

    @property
    def pictures(self) -> int:
        """How many there were."""
        return len(self.gaps)

    @property
    def late(self) -> int:
        """How many came more than 33 ms after the one before."""
        return sum(gap > LATE for gap in self.gaps)

    def told(self) -> str:
        """In a line."""
        late = 100.0 * self.late / max(self.pictures, 1)
        rate = self.pictures / max(sum(self.gaps), 1e-9)
        work = 1000.0 * sum(self.work) / max(len(self.work), 1)
        return (
            f"{self.pictures} pictures, {rate:.1f} a second, {late:.1f} % of them late "
            f"(over {1000 * LATE:.0f} ms, the longest {1000 * max(self.gaps, default=0.0):.0f} ms); "
            f"{work:.1f} ms of work each"
        )


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


def show(
    begin: Callable[[], Session],
    outputs: Outputs,
    size: tuple[int, int],
    title: str,
    *,
    steps: int | None = None,
    takes: int | None = None,
) -> Session:
    """Opens a window, then begins, and says at the end how it was.

    Args:
        begin: makes the session; drivers are loaded only where there is a window.
        steps, takes: see `keep_open`.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(outputs.release)
        open_window(size, title)
        stack.callback(pygame.display.quit)
        with ends_gently():
            session, pace = keep_open(begin(), outputs, steps, takes)
    told = "".join(
        f"{drive.driver}: {score.completed} of {score.episodes} episodes completed; "
        for drive, score in zip(session.drives, session.scores, strict=True)
    )
    left_out = f"; {session.dropped:.1f} s left out to keep up" if session.dropped else ""
    terminal.say(f"{session.steps} steps; {told}{pace.told()}{left_out}")
    return session


@contextlib.contextmanager
def ends_gently() -> Iterator[None]:
    """A terminal that is closed, or `kill`, ends the window as Ctrl-C does: everything is kept."""

    def stop(number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        names = []  # Python's rule
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


@contextlib.contextmanager
def without_hitches() -> Iterator[None]:
    """Python does not make a picture late that is ready to be drawn.

    What is loaded by now stays, so it is not searched for garbage again and again, which takes
    50 ms with a network library. And the thread that computes the next step hands over sooner.
    """
    before = sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
        gc.unfreeze()


def keep_open(
    session: Session, outputs: Outputs, steps: int | None = None, takes: int | None = None
) -> tuple[Session, Pace]:
    """Shows the session in pygame's window until it is quit.

    Whatever ends it, also an error or a display that is gone: what was recorded is kept.

    Args:
        steps: close the window after so many.
        takes: close it when so many have been recorded.
    """
    pace = Pace()
    latest = session

    def keep() -> None:
        outputs.close(latest)

    with told_of_a_lost_display(keep), without_hitches():
        try:
            with contextlib.closing(_pictures(session, outputs, pace)) as pictures:
                for latest in pictures:
                    if latest.quit or (steps is not None and latest.steps >= steps):
                        break
                    if takes is not None and outputs.recorder.saved >= takes:
                        break
        finally:
            keep()
    return latest, pace


def _pictures(session: Session, outputs: Outputs, pace: Pace) -> Generator[Session, None, None]:
    """The session as it was drawn, picture after picture."""
    desk = Desk(_pad())
    canvas: pygame.Surface | None = None
    clock = pygame.time.Clock()
    ahead = Ahead()
    before = time.perf_counter()
    try:
        while True:
            clock.tick(PICTURES_A_SECOND)
            now = time.perf_counter()
            seconds, before = now - before, now
            pace.gaps.append(seconds)
            session = _listen(session, desk, ahead)
            session = _feel(session, desk, min(seconds, LONGEST))
            session = tick(session, min(seconds, LONGEST), ahead.step)
            if session.speed > 1.0:  # steps are in a hurry, pictures are not
                ahead.prepare(session)
            session = outputs.keep_steps(session)
            window = pygame.display.get_surface()
            canvas = canvas_for(window, canvas)
            draw(session, canvas)
            session = outputs.keep_picture(session, canvas, seconds)
            if canvas is not window:
                window.blit(canvas, (0, 0))
            pygame.display.flip()
            ahead.prepare(session)  # not beside the picture of a new step, which takes longest
            pace.work.append(time.perf_counter() - now)
            yield session
    finally:
        ahead.close()


def canvas_for(window: pygame.Surface, before: pygame.Surface | None) -> pygame.Surface:
    """What to draw on: the window itself where its pixels are ours, else a canvas of its size.

    Args:
        before: what was drawn on last; used again where it fits.
    """
    if is_canvas(window):
        return window
    if before is not None and before.get_size() == window.get_size():
        return before
    return surface(window.get_size())


def _listen(session: Session, desk: Desk, ahead: Ahead) -> Session:
    """What was done since the last picture."""
    for event in pygame.event.get():
        if event.type in (pygame.CONTROLLERDEVICEADDED, pygame.CONTROLLERDEVICEREMOVED):
            desk.pad = _pad()
        card_shown = session.help or session.menu
        wanted = asked(event, session.paused, session.at_the_wheel, card_shown)
        if wanted is not None:
            ahead.wait()
            session = act(session, *wanted)
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
