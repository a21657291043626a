"""What the window leaves behind: pictures, films, recordings, a log. Nothing of it gets lost at the end."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pygame

from redrive import terminal
from redrive.watch_log import Log
from redrive.watch_paint import picture, save_picture
from redrive.watch_record import Recorder, free_name
from redrive.watch_reel import Reel
from redrive.watch_session import Session, close_take, notify


class Outputs:
    """Where the window puts what it was asked to keep.

    Args:
        recorder: of what is driven.
        screenshot: where pictures go.
        film: where films go.
        log: of every step.
    """

    def __init__(
        self,
        recorder: Recorder,
        screenshot: Path | None = None,
        film: Path | None = None,
        log: Path | None = None,
    ) -> None:
        self.recorder = recorder
        self._screenshot, self._film = screenshot, film
        self._log = Log(log) if log else None
        self._reel: Reel | None = None

    def keep_steps(self, session: Session) -> Session:
        """After time has gone on: the log, and takes that are finished."""
        if self._log is not None:
            self._log.see(session)
        try:
            return self._save_takes(session)
        except (
            OSError,
            ValueError,
        ) as error:  # nothing is thrown away: it is tried again at the end
            return notify(replace(session, recording=False), f"not recorded: {error}")

    def keep_picture(self, session: Session, canvas: pygame.Surface, seconds: float) -> Session:
        """After drawing, so much later than the picture before: what shall be kept of it."""
        if session.screenshot:
            session = self._save_picture(replace(session, screenshot=False), canvas)
        if session.filming or self._reel is not None:
            session = self._roll(session, canvas, seconds)
        if self._log is not None:
            self._log.see_window(session, canvas.get_size())
        return session

    def close(self, session: Session) -> None:
        """Keep what is not kept yet, also of an episode that is not over.

        Raises:
            OSError, ValueError: something could not be kept; the rest was.
        """
        with contextlib.ExitStack() as stack:  # each of them, whatever happens to the others
            stack.callback(self.release)
            stack.callback(self.recorder.close)
            stack.callback(self._save_takes, close_take(session))
            if self._reel is not None:
                stack.callback(self._end_film)

    def release(self) -> None:
        """Close the log, also where nothing was ever driven. A second time does nothing."""
        if self._log is not None:
            self._log.close()

    def _save_takes(self, session: Session) -> Session:
        while session.takes:
            steps = self.recorder.save(session.takes[0])
            session = replace(session, takes=session.takes[1:])
            where = f"{self.recorder.folder}: drive {self.recorder.saved}, {steps} steps"
            session = notify(session, f"recorded in {where}")
        return session

    def _save_picture(self, session: Session, canvas: pygame.Surface) -> Session:
        """Keeps the picture; nothing that is there is overwritten."""
        name = free_name(self._screenshot or Path(f"redrive-{_road(session)}.png"))
        try:
            save_picture(canvas, name)
        except OSError as error:
            return notify(session, str(error))
        return notify(session, f"saved {name}")

    def _roll(self, session: Session, canvas: pygame.Surface, seconds: float) -> Session:
        try:
            if self._reel is None:
                self._reel = Reel(free_name(self._film or Path(f"redrive-{_road(session)}.webm")))
                session = notify(session, f"filming {self._reel.path}; V stops it")
                seconds = 0.0
            if not session.filming:
                path, seconds = self._end_film()
                return notify(session, f"saved {path}, {seconds:.1f} s")
            if self._reel.wants(seconds):
                self._reel.add(picture(canvas))
        except (OSError, ValueError) as error:
            self._reel = None
            return notify(replace(session, filming=False), f"not filmed: {error}")
        return session

    def _end_film(self) -> tuple[Path, float]:
        assert self._reel is not None
        reel, self._reel = self._reel, None
        seconds = reel.close()
        terminal.say(f"{reel.path}: {seconds:.1f} s")
        return reel.path, seconds


def _road(session: Session) -> str:
    name = session.drive.road.name
    return "".join(letter if letter.isalnum() else "-" for letter in name)
