"""The same picture without a window: for films, for servers, for reports."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from redrive.watch_paint import picture, surface
from redrive.watch_session import Session, tick
from redrive.watch_view import draw

LAST_LOOK = 1.2  # for which the end of an episode is filmed [s]


def film_sessions(session: Session, steps: int | None, fps: float) -> Iterator[Session]:
    """What is shown in each frame, to the end of the episode or for so many steps.

    No simulated time is dropped, however slow the computer: the same film every time.
    """
    session = replace(session, patience=math.inf)
    yield session
    while session.rested < LAST_LOOK and (steps is None or session.steps + session.phase < steps):
        session = tick(session, 1.0 / fps)
        yield session


def film_frames(sessions: Iterable[Session], size: tuple[int, int]) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 RGB, one for each session."""
    target = surface(size)
    for session in sessions:
        draw(session, target)
        yield picture(target)
