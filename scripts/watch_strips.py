"""What a road looks like from above: its strips, cut to what is in sight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from redrive.sim.road import Material, Ribbon, Road

ORDER = (Material.SHOULDER, Material.ASPHALT, Material.ACCENT, Material.WHITE)
OVERLAP = 3  # sections that a closed strip goes on beyond its start: no seam shows there
TUFT_CELL = 5.0  # [m]


@dataclass(frozen=True)
class Sight:
    """From where the road is looked at: straight down, the car always at the same place."""

    x: float  # of the car [m]
    y: float
    up: float  # the direction that is up in the picture [rad]
    scale: float  # [px/m]
    across: float  # where the car is in the picture [px]
    down: float
    reach: float  # beyond this distance from the car nothing is in the picture [m]

    def to_screen(self, points_world: np.ndarray) -> np.ndarray:
        """(..., 2) in the picture [px]."""
        cos, sin = self.scale * np.cos(self.up), self.scale * np.sin(self.up)
        turn = np.array([[sin, -cos], [-cos, -sin]])
        found: np.ndarray = (points_world - (self.x, self.y)) @ turn + (self.across, self.down)
        return found


class Strips(NamedTuple):
    """Every strip of a road, a dash being one, in the order in which they are painted."""

    left: np.ndarray  # (P, 2) world points [m]
    right: np.ndarray  # (P, 2)
    strip: np.ndarray  # (P,) int64, which strip a cross-section belongs to
    material: np.ndarray  # (S,) Material of each strip
    middle: np.ndarray  # (P, 2) between left and right
    half: np.ndarray  # (P,) from there to either [m]


@lru_cache(maxsize=8)
def strips_of(road: Road) -> Strips:
    """The strips of a road."""
    left: list[np.ndarray] = []
    right: list[np.ndarray] = []
    materials: list[int] = []
    for material in ORDER:
        for ribbon in road.ribbons:
            if ribbon.material != material:
                continue
            for one_left, one_right in _cut(ribbon):
                left.append(one_left)
                right.append(one_right)
                materials.append(int(material))
    if not left:
        nothing = np.empty((0, 2))
        none = np.empty(0, np.int64)
        return Strips(nothing, nothing, none, none, nothing, np.empty(0))
    numbers = np.repeat(np.arange(len(left)), [len(part) for part in left])
    one, other = np.concatenate(left), np.concatenate(right)
    middle, half = 0.5 * (one + other), 0.5 * np.hypot(*(one - other).T)
    return Strips(one, other, numbers, np.array(materials), middle, half)


def strips_in_sight(strips: Strips, sight: Sight) -> Iterator[tuple[Material, np.ndarray]]:
    """Material and outline (N, 2) [px] of all that is in sight, in the order of painting."""
    away = strips.middle - (sight.x, sight.y)
    near = np.flatnonzero(np.hypot(away[:, 0], away[:, 1]) - strips.half < sight.reach)
    if not len(near):
        return
    left, right = sight.to_screen(strips.left[near]), sight.to_screen(strips.right[near])
    numbers = strips.strip[near]
    ends = np.flatnonzero((np.diff(near) > 1) | (np.diff(numbers) != 0)) + 1
    for first, stop in zip([0, *ends], [*ends, len(near)], strict=True):
        if stop - first > 1:
            outline = np.concatenate([left[first:stop], right[first:stop][::-1]])
            yield Material(strips.material[numbers[first]]), outline


def tufts_in_sight(sight: Sight) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grass beside the road: what shows that an empty plain moves. The same at every visit.

    Returns:
        points: (N, 2) [px]; radius: (N,) [m]; shade: (N,) in 0..1.
    """
    corners = (np.array([[sight.x, sight.y]]) + sight.reach * np.array([[-1, -1], [1, 1]])) // (
        TUFT_CELL
    )
    (x0, y0), (x1, y1) = corners.astype(np.int64).tolist()
    points, radius, shade = _tufts(x0, y0, x1, y1)
    return sight.to_screen(points), radius, shade


@lru_cache(maxsize=4)  # the car needs a while to the next cells
def _tufts(x0: int, y0: int, x1: int, y1: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Those of the cells from one corner to the other: (N, 2) points [m], radius [m], shade."""
    i, j = (cells.ravel() for cells in np.mgrid[x0 : x1 + 1, y0 : y1 + 1])
    dice = _scatter(i, j)
    points = np.stack([i + 0.15 + 0.7 * dice[0], j + 0.15 + 0.7 * dice[1]], axis=-1) * TUFT_CELL
    there = dice[2] < 0.75
    radius = 0.10 + 0.30 * dice[3] ** 4
    return points[there], radius[there], dice[2][there] / 0.75


def runs(marked: np.ndarray) -> list[tuple[int, int]]:
    """First and one past the last of every unbroken run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _scatter(i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """(4, N) in [0, 1): the same for the same cell."""
    key = i.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + j.astype(np.uint64) * np.uint64(
        0xC2B2AE3D27D4EB4F
    )
    for _ in range(2):  # the mixing step of SplitMix64
        key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        key = key ^ (key >> np.uint64(27))
    parts = [(key >> np.uint64(16 * k)) & np.uint64(0xFFFF) for k in range(4)]
    return np.stack(parts).astype(float) / 65536.0


def _cut(ribbon: Ribbon) -> list[tuple[np.ndarray, np.ndarray]]:
    """Left and right edge of a ribbon's unbroken strips."""
    left, right = ribbon.left, ribbon.right
    if ribbon.closed:
        left = np.concatenate([left, left[:OVERLAP]])
        right = np.concatenate([right, right[:OVERLAP]])
    if ribbon.gap == 0.0:
        return [(left, right)]
    step = 0.5 * np.diff(left + right, axis=0)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])
    parts = []
    for start in np.arange(0.0, along[-1], ribbon.dash + ribbon.gap):
        stop = min(start + ribbon.dash, along[-1])
        at = np.linspace(start, stop, max(2, 1 + int(np.ceil(stop - start))))
        edges = [
            np.column_stack([np.interp(at, along, edge[:, 0]), np.interp(at, along, edge[:, 1])])
            for edge in (left, right)
        ]
        parts.append((edges[0], edges[1]))
    return parts
