"""A display that goes away while a window is open: said in a line, with everything kept.

When the connection to an X server breaks, Xlib ends the whole process: no exception reaches Python,
nothing is saved. It calls a handler before that; ours saves, says what happened, and leaves.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable, Iterator

import pygame

FAILED = 2


@contextlib.contextmanager
def told_of_a_lost_display(keep: Callable[[], None]) -> Iterator[None]:
    """Where windows are X's: `keep` is called when the display is gone, then the process ends."""
    try:
        if pygame.display.get_driver() != "x11":
            yield
            return
        xlib = ctypes.CDLL("libX11.so.6")
    except (OSError, pygame.error):
        yield
        return

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
    def gone(_display: int | None) -> int:
        status = FAILED
        line = "the display is gone; what was recorded is kept"
        try:
            keep()
        except Exception as error:  # noqa: BLE001  nobody above us hears of it any more
            line = f"the display is gone, and not everything could be kept: {error}"
        print(f"redrive: error: {line}", file=sys.stderr, flush=True)
        os._exit(status)  # what Xlib would do now, without Python's threads waiting for it

    xlib.XSetIOErrorHandler.restype = ctypes.c_void_p
    xlib.XSetIOErrorHandler.argtypes = [ctypes.c_void_p]
    before = xlib.XSetIOErrorHandler(ctypes.cast(gone, ctypes.c_void_p))
    try:
        yield
    finally:
        xlib.XSetIOErrorHandler(before)
