"""Filming the window: pictures go to a thread that packs them, so that the window stays smooth."""

from __future__ import annotations

import queue
import threading
from pathlib import Path

import numpy as np

from redrive.video import Film

RATE = 20.0  # pictures a second
ROOM = 60  # pictures that may wait; while there are more, the last one is shown for longer


class Reel:
    """A film of what the window shows, at the clock's pace. Its size is that of the first picture."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._film = Film(path, RATE)
        self._waiting: queue.Queue[np.ndarray | None] = queue.Queue(ROOM)
        self._error: Exception | None = None
        self._seconds = 0.0  # since the beginning
        self._shot = 0  # pictures asked for so far
        self._size: tuple[int, ...] = ()
        self._last: np.ndarray | None = None
        self._thread = threading.Thread(target=self._pack, name="redrive-film", daemon=True)
        self._thread.start()

    def wants(self, seconds: float) -> bool:
        """Whether it is time for a picture, so much later than at the last question."""
        self._seconds += seconds
        return self._shot <= self._seconds * RATE

    def add(self, picture: np.ndarray) -> None:
        """(H, W, 3) uint8 RGB, shown until the next one.

        Raises:
            OSError, ValueError: the film cannot be written.
        """
        if self._error is not None:
            raise self._error
        if not self._size:
            self._size = picture.shape
        if picture.shape != self._size:  # the window was resized: a film keeps its size
            picture = _fitted(picture, self._size)
        due = int(self._seconds * RATE) + 1 - self._shot
        for _ in range(due):
            try:
                self._waiting.put_nowait(picture)
            except queue.Full:
                return
            self._shot += 1

    def close(self) -> float:
        """The film is on the disk; how long it is [s]."""
        self._waiting.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._film.count / RATE

    def _pack(self) -> None:
        try:
            while (picture := self._waiting.get()) is not None:
                self._film.add(picture)
            self._film.close()
        except (OSError, ValueError) as error:
            self._error = error
            self._film.discard()
            while self._waiting.get() is not None:  # nobody waits for room that never comes
                pass


def _fitted(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    import cv2

    return cv2.resize(picture, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
