"""A drive that somebody recorded, on its way into a recording."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .lens import Lens
from .note import Note
from .pictures import Pictures


@dataclass(frozen=True, eq=False)
class Eye:
    """The pictures of one camera, and how they were taken."""

    pictures: Pictures
    lens: Lens


@dataclass(frozen=True, eq=False)
class Drive:
    """Where a car was and what it saw, a row for every moment; all arrays are (N,).

    Poses are of the middle of the rear axle in any right-handed frame (x, y, yaw
    counter-clockwise). `frame` numbers the picture of a row as the source does.
    """

    name: str  # of the world that this drive will be
    time: np.ndarray  # [s], growing
    x: np.ndarray  # [m]
    y: np.ndarray  # [m]
    yaw: np.ndarray  # [rad]
    speed: np.ndarray  # [m/s], along the car's x axis
    yaw_rate: np.ndarray  # [rad/s]
    curvature: np.ndarray  # [1/m], left is positive
    accel: np.ndarray  # [m/s²]
    starts: np.ndarray  # bool: nothing connects this row with the one before
    frame: np.ndarray  # int64
    source: str
    licence: str
    eye: Eye | None = None  # None for a path without pictures
    right_eye: Eye | None = None
    # How much further down than usual the cameras looked, and how far their right side hung down,
    # (N, 2) [rad]: bumps and brakes, that pictures are freed of. None where nobody knows.
    tilt: np.ndarray | None = None
    baseline: float = 0.0  # how far the right eye is to the right of the other [m]
    notes: tuple[Note, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)  # assumptions and estimates, as JSON

    def __post_init__(self) -> None:
        rows = len(self.time)
        if rows < 2:
            raise ValueError(f"{self.name} has {rows} usable rows; a drive needs at least 2")
        for name in ("time", "x", "y", "yaw", "speed", "yaw_rate", "curvature", "accel"):
            values = getattr(self, name)
            if values.shape != (rows,) or not np.isfinite(values).all():
                raise ValueError(f"{self.name}: {name} must be {rows} finite numbers")


def starts_of(rows: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Where stretches begin when only `rows` are kept: a row left out is a gap, too."""
    segment = np.cumsum(starts)[rows]
    return np.concatenate([[False], (np.diff(rows) > 1) | (np.diff(segment) > 0)])


def gap_notes(jumps: np.ndarray, gaps: np.ndarray) -> list[Note]:
    """Notes for rows, (N,) bool each, before which the pose or the clock jumps."""
    return [
        Note(name, f"{what} before row {', '.join(map(str, rows[:5]))}; the drive is split there")
        for name, what, rows in (
            ("pose-jump", "the pose jumps", np.flatnonzero(jumps & ~gaps)),
            ("time-gap", "the clock jumps", np.flatnonzero(gaps)),
        )
        if rows.size
    ]
