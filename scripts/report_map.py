"""Roads seen from above, for the report: what is drawn of a road, and a drive on it as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from redrive.report_course import Course
from redrive.report_study import Study
from redrive.sim.pool import open_source
from redrive.sim.road import Material, Road

REACH = 15.0  # of the road beyond where a car was [m]
EXACT = 0.04  # how far a drawn line may be from the true one [m]
AGREES = 0.1  # a course and its road agree when offsets differ by less than this [m]
PAINTED = {Material.WHITE: "white", Material.ACCENT: "accent"}


@dataclass(frozen=True, eq=False)
class Paint:
    """A painted line: its middle (N, 2) [m], and how it is painted."""

    points: np.ndarray
    width: float  # [m]
    dash: float  # painted length [m]; 0 where it is solid
    gap: float  # [m]
    material: str  # "white" or "accent"


@dataclass(frozen=True, eq=False)
class Drawing:
    """The part of a road that is drawn."""

    surfaces: tuple[np.ndarray, ...]  # outlines of the asphalt, (N, 2) each [m]
    paints: tuple[Paint, ...]


def find_road(study: Study, name: str) -> Road | None:
    """The road of that name; None where its file is not here."""
    settings = study.results.settings
    for world in (name, settings.get("roads"), settings.get("world")):
        if not isinstance(world, str):
            continue
        try:
            source = open_source(world)
            numbers = (i for i in range(source.count) if source.name(i) == name)
            if (number := next(numbers, None)) is not None:
                return source.road(number)
        except (OSError, ValueError):
            continue  # another computer's file
    return None


def draw_road(road: Road, courses: Sequence[Course]) -> Drawing | None:
    """What is drawn of a road around the places where cars were.

    None where the courses tell of another road: its file has changed, or the roads of a seed have.
    """
    places = [points for course in courses if (points := course.points) is not None]
    if not places or not all(_is_on(road, course) for course in courses):
        return None
    near = np.concatenate(places)
    low, high = near.min(axis=0) - REACH, near.max(axis=0) + REACH
    surfaces: list[np.ndarray] = []
    paints: list[Paint] = []
    for ribbon in road.ribbons:
        middle = 0.5 * (ribbon.left + ribbon.right)
        inside = ((middle >= low) & (middle <= high)).all(axis=1)
        for stretch in _stretches(inside):
            whole = ribbon.closed and bool(inside.all())
            some = (
                np.append(np.arange(len(inside)), 0) if whole else np.arange(len(inside))[stretch]
            )
            if len(some) < 2:
                continue
            left, right = ribbon.left[some], ribbon.right[some]
            if ribbon.material == Material.ASPHALT:
                edges = simplify(left), simplify(right)[::-1]
                surfaces.append(np.concatenate(edges))
            elif ribbon.material in PAINTED:
                width = float(np.median(np.hypot(*(left - right).T)))
                line = simplify(0.5 * (left + right))
                paints.append(Paint(line, width, ribbon.dash, ribbon.gap, PAINTED[ribbon.material]))
    return Drawing(tuple(surfaces), tuple(paints))


def simplify(points: np.ndarray, within: float = EXACT) -> np.ndarray:
    """Fewer points (M, 2) of a line that stays within a distance of the old one.

    Source:
        Douglas and Peucker, Algorithms for the reduction of the number of points, 1973.
    """
    keep = np.zeros(len(points), bool)
    keep[[0, -1]] = True
    waiting = [(0, len(points) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        chord = points[last] - points[first]
        between = points[first + 1 : last] - points[first]
        length = float(np.hypot(*chord))
        if length > 0.0:
            away = np.abs(chord[0] * between[:, 1] - chord[1] * between[:, 0]) / length
        else:
            away = np.hypot(*between.T)
        worst = int(away.argmax())
        if away[worst] > within:
            middle = first + 1 + worst
            keep[middle] = True
            waiting += [(first, middle), (middle, last)]
    return points[keep]


def along_axis(points: np.ndarray) -> np.ndarray:
    """(2, 2) rotation that lays the long side of a path across the picture."""
    centred = points - points.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    across = axes[0] * (1.0 if (points[-1] - points[0]) @ axes[0] >= 0.0 else -1.0)
    return np.array([across, [-across[1], across[0]]])


def map_of(drawing: Drawing | None, course: Course, sign: int, failed: bool, label: str) -> Markup:
    """A drive on its road, from above; it begins at the left. The drive alone without a drawing."""
    points = course.points
    assert points is not None
    turn, origin = along_axis(points), points.mean(axis=0)

    def place(some: np.ndarray) -> np.ndarray:
        placed: np.ndarray = (some - origin) @ turn.T * [1.0, -1.0]
        return placed

    path = place(points)
    low, high = path.min(axis=0) - 8.0, path.max(axis=0) + 8.0
    size = np.maximum(high - low, [40.0, 20.0])
    low = 0.5 * (low + high) - 0.5 * size
    surfaces = Markup("").join(
        Markup('<polygon class="asphalt" points="{}"/>').format(_text(place(surface)))
        for surface in (drawing.surfaces if drawing else ())
    )
    over = Markup("").join(
        Markup('<polyline class="over" points="{}"/>').format(
            _text(path[max(0, some.start - 1) : some.stop])
        )
        for some in _stretches(course.over_bound)
    )
    mark = 0.012 * max(size)
    cross = f"M{-mark:.2f},{-mark:.2f}L{mark:.2f},{mark:.2f}M{-mark:.2f},{mark:.2f}L{mark:.2f},{-mark:.2f}"
    end = (
        Markup('<path class="end" transform="translate({:.1f} {:.1f})" d="{}"/>').format(*path[-1], cross)
        if failed
        else Markup('<circle class="end" cx="{:.1f}" cy="{:.1f}" r="{:.2f}"/>').format(*path[-1], mark)
    )  # fmt: skip
    bar = 100.0 if size[0] > 250.0 else 50.0 if size[0] > 120.0 else 10.0
    return Markup(
        '<div class="map c{colour}"><svg viewBox="{x:.1f} {y:.1f} {w:.1f} {h:.1f}" role="img" aria-label="{label}">'
        '{surfaces}<polyline class="path" points="{path}"/>{over}{end}</svg>'
        '<div class="bar"><span style="width:{share:.2f}%"></span>{bar:.0f} m</div></div>'
    ).format(
        colour=sign, x=low[0], y=low[1], w=size[0], h=size[1], label=label, surfaces=surfaces,
        path=_text(simplify(path, 0.1)), over=over, end=end, share=100.0 * bar / size[0], bar=bar,
    )  # fmt: skip


def _is_on(road: Road, course: Course) -> bool:
    """Whether a course's offsets are those of a lane of the road."""
    points = course.points
    if points is None:
        return False
    some = np.unique(np.linspace(0, len(points) - 1, 20).astype(int))
    offsets = np.abs(course.columns["lateral_offset"][some])
    best = np.full(len(some), np.inf)
    for lane in road.lanes:
        line = np.stack([lane.x, lane.y], axis=1)
        away = np.array([_distance(line, place) for place in points[some]])
        best = np.minimum(best, np.abs(away - offsets))
    return bool(np.median(best) < AGREES)


def _distance(line: np.ndarray, place: np.ndarray) -> float:
    """From a place to a polyline [m]."""
    start, step = line[:-1], np.diff(line, axis=0)
    share = ((place - start) * step).sum(axis=1) / np.maximum((step**2).sum(axis=1), 1e-12)
    nearest = start + np.clip(share, 0.0, 1.0)[:, None] * step
    return float(np.hypot(*(nearest - place).T).min())


def _stretches(inside: np.ndarray) -> list[slice]:
    """Where neighbours are all inside."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
    return [slice(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _text(points: np.ndarray) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
