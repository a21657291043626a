"""Where a car is along its lane, and back: exact, for the compiled core and for arrays.

Between two nodes the centre line is the cubic (Hermite) curve through both with their headings,
and an offset goes along that curve's own normal. Point to (arc length, lateral offset) looks for
the arc length at which the point lies on the normal, so the two directions are inverse to each
other to rounding wherever the point is closer than the centre of the bend.
"""

from typing import NamedTuple

import numpy as np

from .compiled import compiled, inlined
from .road import Lane, Road
from .speed_plan import plan_speed

_STEPS = 12  # of Newton's method; two or three are usual
CLOSE = 1e-6  # [m]; a step this small leaves an error of its square


NODE = np.dtype(  # one cache line; float64 each
    [
        ("x", float),  # [m]
        ("y", float),
        ("cos", float),  # of the heading
        ("sin", float),
        ("curvature", float),  # [1/m]
        ("left", float),  # to the lane's bounds [m]
        ("right", float),
        ("target_speed", float),  # that a careful driver drives here [m/s]
    ]
)
LANE = np.dtype(
    [
        ("first", np.int64),  # node at which it begins
        ("count", np.int64),  # of its nodes
        ("spacing", float),  # of its nodes [m]
        ("length", float),  # [m]
        ("closed", np.int64),
        ("successor", np.int64),  # the lane that follows, the first of them at a fork, or -1
        ("branches", np.int64),  # lanes that follow, numbered one after the other
        ("stop", float),  # arc length of its stop line, inf without one [m]
    ]
)


class LaneTable(NamedTuple):
    """Every lane of one road or of many, one after the other."""

    nodes: np.ndarray  # (N,) NODE
    lanes: np.ndarray  # (L,) LANE
    road_first: np.ndarray  # (R + 1,) int64: the lanes of each road


def make_table(road: Road) -> LaneTable:
    """The table of one road."""
    lanes = np.zeros(len(road.lanes), LANE)
    parts = []
    first = 0
    for entry, lane in zip(lanes, road.lanes, strict=True):
        nodes = np.zeros(len(lane.x), NODE)
        nodes["x"], nodes["y"] = lane.x, lane.y
        nodes["cos"], nodes["sin"] = np.cos(lane.heading), np.sin(lane.heading)
        nodes["curvature"], nodes["left"], nodes["right"] = lane.curvature, lane.left, lane.right
        nodes["target_speed"] = plan_speed(lane, road.speed_limit)
        parts.append(nodes)
        entry["first"], entry["count"], entry["spacing"] = first, len(nodes), lane.spacing
        entry["length"], entry["closed"] = lane.length, lane.closed
        if lane.successors != tuple(
            np.arange(len(lane.successors)) + min(lane.successors, default=0)
        ):
            raise ValueError(
                f"road {road.name!r}: the lanes after a fork are numbered one after the other, "
                f"the leftmost first; got {lane.successors}"
            )
        entry["successor"] = (*lane.successors, -1)[0]
        entry["branches"] = len(lane.successors)
        entry["stop"] = np.inf if lane.stop is None else lane.stop
        first += len(nodes)
    return LaneTable(np.concatenate(parts), lanes, np.array([0, len(lanes)], np.int64))


@inlined
def follower(lane, route):  # type: ignore[no-untyped-def]
    """The lane that a route takes after this one, -1: none. Routes count branches from the left."""
    if lane.branches <= 1:
        return lane.successor
    return lane.successor + min(route, lane.branches - 1)


@inlined
def between(lane, s):  # type: ignore[no-untyped-def]
    """The nodes before and after arc length `s`, and the share of the way between them.

    Outside an open lane the share is below 0 or above 1.
    """
    at = s / lane.spacing
    step = np.int64(np.floor(at))
    part = at - step
    if lane.closed:
        if step >= lane.count or step < 0:
            step %= lane.count
        after = step + 1 if step + 1 < lane.count else 0
        return lane.first + step, lane.first + after, part
    if step < 0 or step > lane.count - 2:
        step = min(max(step, np.int64(0)), lane.count - 2)
        part = at - step
    return lane.first + step, lane.first + step + 1, part


@inlined
def mix(a, b, part):  # type: ignore[no-untyped-def]
    """The value a part of the way from `a` to `b`; the end's value beyond the end."""
    return a + min(max(part, 0.0), 1.0) * (b - a)


@inlined
def curvature_at(nodes, lane, s):  # type: ignore[no-untyped-def]
    """Of a lane [1/m]; the end's value beyond the end."""
    i, j, part = between(lane, s)
    return mix(nodes[i].curvature, nodes[j].curvature, part)


@inlined
def target_speed_at(nodes, lane, s):  # type: ignore[no-untyped-def]
    """Of the careful speed plan [m/s]; the end's value beyond the end."""
    i, j, part = between(lane, s)
    return mix(nodes[i].target_speed, nodes[j].target_speed, part)


@compiled
def lane_ahead(nodes, lane, s, speed, preview):  # type: ignore[no-untyped-def]
    """A lane's curvature here, its curvature and its target speed a little later.

    Args:
        preview: (2,) how much later, at this speed: for the curvature, for the target speed [s].
    """
    return (
        curvature_at(nodes, lane, s),
        curvature_at(nodes, lane, s + speed * preview[0]),
        target_speed_at(nodes, lane, s + speed * preview[1]),
    )


@inlined
def cubic(a, b, h, u):  # type: ignore[no-untyped-def]
    """The piece of a centre line between two nodes: a cubic of the share u of the way along it.

    Args:
        a, b: `NODE`s, `h` apart [m]. u: where; outside 0 to 1 the line goes straight on.

    Returns:
        low, high: the shares between which the piece holds.
        ax, bx, cx, x, ay, by, cy, y: the point is ((a u + b) u + c) u and (x, y) [m].
    """
    cx0, cy0, cx1, cy1 = h * a.cos, h * a.sin, h * b.cos, h * b.sin
    if u < 0.0:
        return -np.inf, 0.0, 0.0, 0.0, cx0, a.x, 0.0, 0.0, cy0, a.y
    if u > 1.0:
        return 1.0, np.inf, 0.0, 0.0, cx1, b.x - cx1, 0.0, 0.0, cy1, b.y - cy1
    gone_x, gone_y = a.x - b.x, a.y - b.y
    ax, ay = 2.0 * gone_x + cx0 + cx1, 2.0 * gone_y + cy0 + cy1
    bx, by = -3.0 * gone_x - 2.0 * cx0 - cx1, -3.0 * gone_y - 2.0 * cy0 - cy1
    return 0.0, 1.0, ax, bx, cx0, a.x, ay, by, cy0, a.y


@inlined
def curve_at(nodes, lane, s):  # type: ignore[no-untyped-def]
    """Point and first derivative of the centre line by arc length `s`."""
    i, j, u = between(lane, s)
    _, _, ax, bx, cx, x, ay, by, cy, y = cubic(nodes[i], nodes[j], lane.spacing, u)
    x += ((ax * u + bx) * u + cx) * u
    y += ((ay * u + by) * u + cy) * u
    dx = ((3.0 * ax * u + 2.0 * bx) * u + cx) / lane.spacing
    dy = ((3.0 * ay * u + 2.0 * by) * u + cy) / lane.spacing
    return x, y, dx, dy


@inlined
def towards_foot(ax, bx, cx, x0, ay, by, cy, y0, scale, x, y, u):  # type: ignore[no-untyped-def]
    """One step of Newton's method towards the foot of a point on a cubic, see `cubic`.

    Args:
        scale: one over the distance of the nodes [1/m]. x, y: the point. u: where the step begins.

    Returns:
        change: how far the foot is from there, along the line [m].
        away_x, away_y, dx, dy: from the line to the point [m], and the line's direction, there.
        ddx, ddy: how the direction changes [1/m].
    """
    away_x = x - (((ax * u + bx) * u + cx) * u + x0)
    away_y = y - (((ay * u + by) * u + cy) * u + y0)
    dx = ((3.0 * ax * u + 2.0 * bx) * u + cx) * scale
    dy = ((3.0 * ay * u + 2.0 * by) * u + cy) * scale
    ddx = (6.0 * ax * u + 2.0 * bx) * scale * scale
    ddy = (6.0 * ay * u + 2.0 * by) * scale * scale
    along = away_x * dx + away_y * dy
    slope = dx * dx + dy * dy - (away_x * ddx + away_y * ddy)
    change = along / max(slope, 0.2)
    return min(max(change, -5.0), 5.0), away_x, away_y, dx, dy, ddx, ddy


@inlined
def foot_between(a, b, h, x, y, s, u):  # type: ignore[no-untyped-def]
    """Where a point is, seen from the piece of a lane between two nodes.

    It takes no array: a kernel that hands one on counts its references, which costs more than this.

    Args:
        a, b: `NODE`s, `h` apart [m].
        s, u: where Newton's method starts: an arc length near the answer [m], and the share of
            the way from `a` to `b` that it is.

    Returns:
        found: whether the answer lies on this piece; if not, `s` is nearer to it.
        s, lateral_offset, cos, sin: as `locate`.
        part: the share of the way from `a` to `b`, in [0, 1].
    """
    low, high, ax, bx, cx, x0, ay, by, cy, y0 = cubic(a, b, h, u)
    scale = 1.0 / h
    away_x = away_y = dx = dy = 0.0
    found = True
    for _ in range(_STEPS):
        change, away_x, away_y, dx, dy, ddx, ddy = towards_foot(
            ax, bx, cx, x0, ay, by, cy, y0, scale, x, y, u
        )
        s += change
        u += change * scale
        if abs(change) < CLOSE:  # what is left is the square of this
            away_x -= change * dx
            away_y -= change * dy
            dx += change * ddx
            dy += change * ddy
            break
        if u < low or u > high:
            found = False
            break
    scale = 1.0 / np.sqrt(dx * dx + dy * dy)
    dx *= scale
    dy *= scale
    return found, s, away_y * dx - away_x * dy, dx, dy, min(max(u, 0.0), 1.0)


@inlined
def foot_of(nodes, lane, x, y, guess):  # type: ignore[no-untyped-def]
    """Where a point is, seen from a lane, and the nodes on both sides of that.

    Args:
        guess: an arc length near the answer [m].

    Returns:
        s, lateral_offset, cos, sin: as `locate`.
        i, j, part: the nodes before and after, and the share of the way between them, in [0, 1].
    """
    i, j, u = between(lane, guess)
    found, s, lateral, cos, sin, part = foot_between(
        nodes[i], nodes[j], lane.spacing, x, y, guess, u
    )
    for _ in range(_STEPS):
        if found:
            break
        i, j, u = between(lane, s)
        found, s, lateral, cos, sin, part = foot_between(
            nodes[i], nodes[j], lane.spacing, x, y, s, u
        )
    return s, lateral, cos, sin, i, j, part


@compiled
def locate(nodes, lane, x, y, guess):  # type: ignore[no-untyped-def]
    """Where a point is, seen from a lane.

    Args:
        guess: an arc length near the answer [m].

    Returns:
        s: arc length [m]; not wrapped, and beyond the ends of an open lane where the point is.
        lateral_offset: left is positive [m].
        cos, sin: the lane's direction there.
    """
    s, lateral, cos, sin, _, _, _ = foot_of(nodes, lane, x, y, guess)
    return s, lateral, cos, sin


@compiled
def nearest_node(nodes, lane, x, y):  # type: ignore[no-untyped-def]
    """Arc length of the node that is nearest to a point: a guess for `locate`."""
    best, best_distance = 0, np.inf
    for i in range(lane.count):
        dx, dy = x - nodes[lane.first + i].x, y - nodes[lane.first + i].y
        distance = dx * dx + dy * dy
        if distance < best_distance:
            best, best_distance = i, distance
    return best * lane.spacing


@inlined
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
    lane = table.lanes[0]
    for i in range(x.size):
        guess = nearest_node(table.nodes, lane, x[i], y[i])
        at, lateral, _, _ = locate(table.nodes, lane, x[i], y[i], guess)
        s[i] = at % lane.length if lane.closed else at
        offset[i] = lateral


@compiled
def _along(table, x, y, s):  # type: ignore[no-untyped-def]
    lane = table.lanes[0]
    guess = 0.0
    for i in range(x.size):
        if i > 0:
            guess += np.hypot(x[i] - x[i - 1], y[i] - y[i - 1])
        guess, _, _, _ = locate(table.nodes, lane, x[i], y[i], guess)
        s[i] = guess


def follow_path(lane: Lane, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Arc lengths of points that follow each other along an open lane, from its beginning on.

    Where the lane comes by the same place again, each point is on the pass that it belongs to.

    Args:
        x, y: (N,) world frame [m].

    Returns:
        (N,) [m].
    """
    s = np.empty(len(x))
    _along(_lane_table(lane), np.asarray(x, np.float64), np.asarray(y, np.float64), s)
    return s


@compiled
def _to_world(table, s, offset, x, y):  # type: ignore[no-untyped-def]
    for i in range(s.size):
        cx, cy, dx, dy = curve_at(table.nodes, table.lanes[0], s[i])
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


def lane_to_world(
    lane: Lane, s: np.ndarray | float, lateral_offset: np.ndarray | float
) -> np.ndarray:
    """World points (..., 2) at arc lengths and lateral offsets; the inverse of `world_to_lane`."""
    s, offset = np.broadcast_arrays(np.asarray(s, np.float64), np.asarray(lateral_offset, float))
    x, y = np.empty(s.size), np.empty(s.size)
    _to_world(_lane_table(lane), s.ravel(), offset.ravel(), x, y)
    return np.stack([x, y], axis=-1).reshape(*s.shape, 2)


def _lane_table(lane: Lane) -> LaneTable:
    from dataclasses import replace

    alone = replace(lane, successors=(), left_neighbour=None, right_neighbour=None)
    return make_table(Road("lane", (alone,), (), lane.closed, speed_limit=20.0))
