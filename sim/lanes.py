"""Where a car is along its lane, and back: exact, for the compiled core and for arrays.

Between two nodes the centre line is the cubic (Hermite) curve through both with their headings,
and an offset goes along that curve's own normal. Point to (arc length, lateral offset) looks for
the arc length at which the point lies on the normal, so the two directions are inverse to each
other to rounding wherever the point is closer than the centre of the bend.
"""

from typing import NamedTuple

import numpy as np

from .compiled import compiled
from .road import Lane, Road
from .speed_plan import plan_speed

_STEPS = 12  # of Newton's method; two or three are usual
_CLOSE = 1e-10  # [m]


class LaneTable(NamedTuple):
    """Every lane of one road or of many, one after the other."""

    x: np.ndarray  # (N,) [m]
    y: np.ndarray  # (N,) [m]
    cos: np.ndarray  # (N,) of the heading
    sin: np.ndarray  # (N,)
    curvature: np.ndarray  # (N,) [1/m]
    left: np.ndarray  # (N,) to the lane's bounds [m]
    right: np.ndarray  # (N,)
    target_speed: np.ndarray  # (N,) that a careful driver drives here [m/s]
    first: np.ndarray  # (L,) int64: the node at which a lane begins
    count: np.ndarray  # (L,) int64: its nodes
    spacing: np.ndarray  # (L,) [m]
    closed: np.ndarray  # (L,) bool
    successor: np.ndarray  # (L,) int64: the lane that follows, or -1
    road_first: np.ndarray  # (R + 1,) int64: the lanes of each road


def make_table(road: Road) -> LaneTable:
    """The table of one road."""
    lanes = road.lanes
    counts = np.array([len(lane.x) for lane in lanes], np.int64)
    headings = np.concatenate([lane.heading for lane in lanes])
    return LaneTable(
        x=np.concatenate([lane.x for lane in lanes]),
        y=np.concatenate([lane.y for lane in lanes]),
        cos=np.cos(headings),
        sin=np.sin(headings),
        curvature=np.concatenate([lane.curvature for lane in lanes]),
        left=np.concatenate([lane.left for lane in lanes]),
        right=np.concatenate([lane.right for lane in lanes]),
        target_speed=np.concatenate([plan_speed(lane, road.speed_limit) for lane in lanes]),
        first=np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64),
        count=counts,
        spacing=np.array([lane.spacing for lane in lanes]),
        closed=np.array([lane.closed for lane in lanes]),
        successor=np.array([(*lane.successors, -1)[0] for lane in lanes], np.int64),
        road_first=np.array([0, len(lanes)], np.int64),
    )


@compiled
def lane_length(table, lane):  # type: ignore[no-untyped-def]
    """[m]"""
    steps = table.count[lane] if table.closed[lane] else table.count[lane] - 1
    return table.spacing[lane] * steps


@compiled
def between(table, lane, s):  # type: ignore[no-untyped-def]
    """The nodes before and after arc length `s`, and the share of the way between them.

    Outside an open lane the share is below 0 or above 1.
    """
    first, count = table.first[lane], table.count[lane]
    at = s / table.spacing[lane]
    step = np.int64(np.floor(at))
    if table.closed[lane]:
        part = at - step
        step %= count
        after = step + 1 if step + 1 < count else 0
        return first + step, first + after, part
    step = min(max(step, 0), count - 2)
    return first + step, first + step + 1, at - step


@compiled
def value_at(column, i, j, part):  # type: ignore[no-untyped-def]
    """A column between its nodes i and j; the end's value beyond the end."""
    part = min(max(part, 0.0), 1.0)
    return column[i] + part * (column[j] - column[i])


@compiled
def curve_at(table, lane, s):  # type: ignore[no-untyped-def]
    """Point, first and second derivative of the centre line by arc length `s`."""
    i, j, u = between(table, lane, s)
    h = table.spacing[lane]
    x0, y0, x1, y1 = table.x[i], table.y[i], table.x[j], table.y[j]
    mx0, my0 = h * table.cos[i], h * table.sin[i]
    mx1, my1 = h * table.cos[j], h * table.sin[j]
    if u < 0.0:  # before the start of an open lane: straight on, backwards
        return x0 + u * mx0, y0 + u * my0, mx0 / h, my0 / h, 0.0, 0.0
    if u > 1.0:
        return x1 + (u - 1.0) * mx1, y1 + (u - 1.0) * my1, mx1 / h, my1 / h, 0.0, 0.0
    ax, ay = 2.0 * (x0 - x1) + mx0 + mx1, 2.0 * (y0 - y1) + my0 + my1
    bx, by = -3.0 * (x0 - x1) - 2.0 * mx0 - mx1, -3.0 * (y0 - y1) - 2.0 * my0 - my1
    x = ((ax * u + bx) * u + mx0) * u + x0
    y = ((ay * u + by) * u + my0) * u + y0
    dx = ((3.0 * ax * u + 2.0 * bx) * u + mx0) / h
    dy = ((3.0 * ay * u + 2.0 * by) * u + my0) / h
    return x, y, dx, dy, (6.0 * ax * u + 2.0 * bx) / (h * h), (6.0 * ay * u + 2.0 * by) / (h * h)


@compiled
def locate(table, lane, x, y, guess):  # type: ignore[no-untyped-def]
    """Where a point is, seen from a lane.

    Args:
        guess: an arc length near the answer [m]; Newton's method starts there.

    Returns:
        s: arc length [m]; not wrapped, and beyond the ends of an open lane where the point is.
        lateral_offset: left is positive [m].
        cos, sin: the lane's direction there.
    """
    s = guess
    cx = cy = dx = dy = 0.0
    for _ in range(_STEPS):
        cx, cy, dx, dy, ddx, ddy = curve_at(table, lane, s)
        along = (x - cx) * dx + (y - cy) * dy
        slope = dx * dx + dy * dy - ((x - cx) * ddx + (y - cy) * ddy)
        change = along / max(slope, 0.2)
        change = min(max(change, -5.0), 5.0)
        s += change
        if abs(change) < _CLOSE:
            break
        if abs(change) < 1e-5:  # the next step would change less than rounding does
            cx, cy, dx, dy, ddx, ddy = curve_at(table, lane, s)
            break
    scale = 1.0 / np.sqrt(dx * dx + dy * dy)
    dx *= scale
    dy *= scale
    return s, (y - cy) * dx - (x - cx) * dy, dx, dy


@compiled
def nearest_node(table, lane, x, y):  # type: ignore[no-untyped-def]
    """Arc length of the node that is nearest to a point: a guess for `locate`."""
    first = table.first[lane]
    best, best_distance = 0, np.inf
    for i in range(table.count[lane]):
        dx, dy = x - table.x[first + i], y - table.y[first + i]
        distance = dx * dx + dy * dy
        if distance < best_distance:
            best, best_distance = i, distance
    return best * table.spacing[lane]


@compiled
def outline_margin(  # type: ignore[no-untyped-def]
    lateral, cos_error, sin_error, curvature, left, right, front, rear, half_width
):
    """Free space between a car's outline and the nearer bound of its lane [m]; < 0 is over it.

    Measured at the four corners, on the circle that the lane follows at the car.
    """
    margin = np.inf
    for corner in range(4):
        a = front if corner < 2 else -rear
        b = half_width if corner % 2 == 0 else -half_width
        along = a * cos_error - b * sin_error
        side = lateral + a * sin_error + b * cos_error
        # Distance from a circle of curvature k, written so that k = 0 is no special case.
        inner = 1.0 - curvature * side
        root = np.sqrt(inner * inner + curvature * curvature * along * along)
        offset = (2.0 * side - curvature * (side * side + along * along)) / (1.0 + root)
        margin = min(margin, left - offset, right + offset)
    return margin


@compiled
def _to_lane(table, x, y, s, offset):  # type: ignore[no-untyped-def]
    length = lane_length(table, 0)
    for i in range(x.size):
        guess = nearest_node(table, 0, x[i], y[i])
        at, lateral, _, _ = locate(table, 0, x[i], y[i], guess)
        s[i] = at % length if table.closed[0] else at
        offset[i] = lateral


@compiled
def _to_world(table, s, offset, x, y):  # type: ignore[no-untyped-def]
    for i in range(s.size):
        cx, cy, dx, dy, _, _ = curve_at(table, 0, s[i])
        scale = offset[i] / np.sqrt(dx * dx + dy * dy)
        x[i] = cx - dy * scale
        y[i] = cy + dx * scale


def world_to_lane(lane: Lane, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Arc length and lateral offset of world points.

    Args:
        points: (..., 2) world frame [m].

    Returns:
        s: (...) [m], in [0, length) on a closed lane; lateral_offset: (...) left positive [m].
    """
    points = np.asarray(points, np.float64)
    x, y = (
        np.ascontiguousarray(points[..., 0]).ravel(),
        np.ascontiguousarray(points[..., 1]).ravel(),
    )
    s, offset = np.empty_like(x), np.empty_like(x)
    _to_lane(_lane_table(lane), x, y, s, offset)
    return s.reshape(points.shape[:-1]), offset.reshape(points.shape[:-1])


def lane_to_world(lane: Lane, s: np.ndarray, lateral_offset: np.ndarray) -> np.ndarray:
    """World points (..., 2) at arc lengths and lateral offsets; the inverse of `world_to_lane`."""
    s, offset = np.broadcast_arrays(np.asarray(s, np.float64), np.asarray(lateral_offset, float))
    x, y = np.empty(s.size), np.empty(s.size)
    _to_world(_lane_table(lane), s.ravel(), offset.ravel(), x, y)
    return np.stack([x, y], axis=-1).reshape(*s.shape, 2)


def _lane_table(lane: Lane) -> LaneTable:
    from dataclasses import replace

    alone = replace(lane, successors=(), left_neighbour=None, right_neighbour=None)
    return make_table(Road("lane", (alone,), (), lane.closed, speed_limit=20.0))
