"""A path with its motion, as a table gives it."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from . import motion
from .drive import gap_notes, starts_of
from .note import Note
from .table import Table

OPPOSED = -0.3  # a correlation below it: two signals turn opposite ways


@dataclass(frozen=True, eq=False)
class Track:
    """Where a car was, (N,) arrays; SI units."""

    time: np.ndarray
    x: np.ndarray
    y: np.ndarray
    yaw: np.ndarray
    speed: np.ndarray
    yaw_rate: np.ndarray
    starts: np.ndarray  # bool: nothing connects this row with the one before

    def at(self, rows: np.ndarray) -> Self:
        """Only these rows; a row left out is a gap."""
        starts = starts_of(rows, self.starts)
        arrays = {
            name: getattr(self, name)[rows]
            for name in ("time", "x", "y", "yaw", "speed", "yaw_rate")
        }
        return replace(self, **arrays, starts=starts)

    def split(self, starts: np.ndarray) -> Self:
        """With more starts."""
        return replace(self, starts=self.starts | starts)

    def moved(self, forward: float) -> Self:
        """The path of the rear axle, when this is that of a point `forward` of it."""
        x, y = motion.from_mount(self.x, self.y, self.yaw, forward)
        return replace(self, x=x, y=y)

    def resampled(self, at: np.ndarray) -> tuple[np.ndarray, Self]:
        """Which of these times lie inside the path, and the path at those.

        Between two rows that nothing connects there is no path.
        """
        right = np.searchsorted(self.time, at, side="left")
        within = (at >= self.time[0]) & (at <= self.time[-1])
        right = np.clip(right, 1, len(self.time) - 1)
        exact = at == self.time[right]
        inside = within & (~self.starts[right] | exact)
        times = at[inside]
        yaw = np.unwrap(self.yaw)
        segment = np.cumsum(self.starts)[np.where(exact, right, right - 1)[inside]]
        kept = np.flatnonzero(inside)
        starts = np.concatenate([[False], (np.diff(kept) > 1) | (np.diff(segment) > 0)])
        return inside, replace(
            self,
            time=times,
            x=np.interp(times, self.time, self.x),
            y=np.interp(times, self.time, self.y),
            yaw=np.interp(times, self.time, yaw),
            speed=np.interp(times, self.time, self.speed),
            yaw_rate=np.interp(times, self.time, self.yaw_rate),
            starts=starts[: len(kept)],
        )


def track_of(table: Table, what: str) -> tuple[Track, list[Note]]:
    """The path in a table, with its gaps; units and signs are checked.

    Raises:
        ValueError: yaw, speed or yaw rate cannot be what they are called.
    """
    time = table["t"]
    gaps = motion.find_gaps(time)
    if "x" not in table:
        speed, yaw_rate = table["speed"], table["yaw_rate"]
        motion.check_yaw_rate(speed, yaw_rate, what)
        x, y, yaw = motion.integrate(time, speed, yaw_rate)
        return Track(time, x, y, yaw, speed, yaw_rate, gaps), gap_notes(np.zeros_like(gaps), gaps)
    x, y, yaw = table["x"], table["y"], table["yaw"]
    jumps = _place_jumps(x, y)
    motion.check_yaw(x, y, yaw, gaps | jumps, what)
    jumps = motion.find_jumps(x, y, yaw)
    starts = gaps | jumps
    moved = motion.motion_of(time, x, y, yaw, starts)
    if "yaw_rate" in table:
        motion.check_yaw_rate(moved.speed, table["yaw_rate"], what)
        agreement = motion.correlation(table["yaw_rate"], moved.yaw_rate)
        if agreement < OPPOSED:
            raise ValueError(
                f"{what}: yaw and yaw_rate turn opposite ways (correlation {agreement:.2f}); both "
                "are positive to the left"
            )
    speed = moved.speed
    if "speed" in table:
        motion.check_speed(table["speed"], moved.speed, what)
        speed = table["speed"]
    return Track(time, x, y, yaw, speed, moved.yaw_rate, starts), gap_notes(jumps, gaps)


def _place_jumps(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Jumps of the place alone: yaw is not trusted yet."""
    return motion.find_jumps(x, y, np.zeros_like(x))
