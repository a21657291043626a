"""One step of every car: its actuators, its arc, where it is on its lane, whether that ends it.

Scalar functions on one car, and the loop over a batch that every step of every environment takes.
"""

from typing import NamedTuple

import numpy as np

from .car_state import KEPT, columns, delay_of
from .compiled import compiled, inlined
from .gait import SLICE, aim, find_feet, found, go_along, make_gait
from .lanes import LaneTable, between, follower, foot_of, mix, outline_margin
from .task import CENTRE_LIMIT, Ended
from .trig import LARGE, angle_of, sure_angle_of
from .vehicle import approach, move, way_of, wrapped

_MAX_LANES_PASSED = 4  # lanes that a car can pass in one step
_COMPLETED, _OFF_LANE = int(Ended.ROUTE_COMPLETED), int(Ended.OFF_LANE)
_WRONG_WAY, _TIME_UP = int(Ended.WRONG_WAY), int(Ended.TIME_UP)
_END_OF_ROAD = int(Ended.END_OF_ROAD)
_FIRST_KEPT, _AFTER_KEPT = KEPT
NOT_FINITE, SOME_ENDED = 1, 2  # what `advance` found, added up


@compiled
def _follow(table, number, route, x, y, guess):  # type: ignore[no-untyped-def]
    """Where a point is on a lane, or on those that follow on a route.

    Returns:
        lane number, and `foot_of` that lane with a closed one's arc length in [0, length); whether
        the point is beyond the end of the last lane.
    """
    nodes, lanes = table.nodes, table.lanes
    s, lateral, cos, sin, i, j, part = foot_of(nodes, lanes[number], x, y, guess)
    at_end = False
    if lanes[number].closed:
        if not 0.0 <= s < lanes[number].length:
            s = s % lanes[number].length
    else:
        for _ in range(_MAX_LANES_PASSED):
            length = lanes[number].length
            if s < length:
                break
            after = follower(lanes[number], route)
            if after < 0:
                at_end = True
                break
            number = after
            s, lateral, cos, sin, i, j, part = foot_of(nodes, lanes[number], x, y, s - length)
    return number, s, lateral, cos, sin, i, j, part, at_end


@inlined
def _against_lane(a, b, part, lane_cos, lane_sin, cos, sin):  # type: ignore[no-untyped-def]
    """A car's direction against the lane's, and the lane there, a part of the way between two nodes.

    Returns:
        cos_error, sin_error, curvature, left, right: as `Stance` has them.
    """
    return (
        cos * lane_cos + sin * lane_sin, sin * lane_cos - cos * lane_sin,
        mix(a.curvature, b.curvature, part), mix(a.left, b.left, part),
        mix(a.right, b.right, part),
    )  # fmt: skip


class Stance(NamedTuple):
    """How cars stand in their lanes, (B,) float64: what margin and heading error follow from."""

    cos_error: np.ndarray
    sin_error: np.ndarray
    lateral: np.ndarray
    curvature: np.ndarray
    left: np.ndarray
    right: np.ndarray


@inlined
def _judge_all(of, margin, error, count, front, rear, half_width):  # type: ignore[no-untyped-def]
    """Heading errors [rad] and margins [m] of many cars, in loops that the compiler turns into vector instructions."""
    for k in range(count):
        margin[k] = outline_margin(
            of.lateral[k], of.cos_error[k], of.sin_error[k], of.curvature[k], of.left[k],
            of.right[k], front, rear, half_width,
        )  # fmt: skip
    for k in range(count):
        error[k] = sure_angle_of(of.sin_error[k], of.cos_error[k])


@compiled
def find_on_lane(table, numbers, number, route, guess, x, y, cos, sin):  # type: ignore[no-untyped-def]
    """Where a car is on its lane; follows the lane into the successor on its route.

    Args:
        guess: an arc length near the answer [m]. cos, sin: of the car's yaw.

    Returns:
        lane number, arc length, lateral offset, heading error, margin.
    """
    number, s, lateral, lane_cos, lane_sin, i, j, part, _ = _follow(
        table, number, route, x, y, guess
    )
    cos_error, sin_error, curvature, left, right = _against_lane(
        table.nodes[i], table.nodes[j], part, lane_cos, lane_sin, cos, sin
    )
    margin = outline_margin(
        lateral, cos_error, sin_error, curvature, left, right, numbers[8], numbers[9], numbers[10]
    )
    return number, s, lateral, angle_of(sin_error, cos_error), margin


@compiled
def advance(  # type: ignore[no-untyped-def]
    before, after, nodes, lanes, road_first, numbers, limits, curvature, accel, first, stop
):
    """One step of cars first..stop: fills `after`.

    Args:
        before, after: blocks of cars; `after` may be one without commands on their way: then
            those that are given act at once.
        nodes, lanes, road_first: of a `LaneTable`.
        curvature, accel: (B,) commands.

    Returns:
        NOT_FINITE where a command is no number, SOME_ENDED where a car had ended before; or both.
    """
    dt, top_speed = numbers[0], numbers[4]
    most_bend, most_push, most_brake = numbers[1], numbers[2], numbers[3]
    bend_share, push_share, bend_step = numbers[5], numbers[6], numbers[7]
    front, rear, half_width = numbers[8], numbers[9], numbers[10]
    time_limit, heading_limit, rule, ends_route = limits[0], limits[1], limits[2], limits[3] > 0.0
    table = LaneTable(nodes, lanes, road_first)
    at, to, delay = columns(before), columns(after), delay_of(after)
    gait = make_gait()
    room = np.empty((8, SLICE))
    of = Stance(room[0], room[1], room[2], room[3], room[4], room[5])
    margins, errors = room[6], room[7]
    which, piece = np.empty(SLICE, np.int64), np.empty((2, SLICE), np.int64)
    for row in range(_FIRST_KEPT, _AFTER_KEPT):
        for i in range(first, stop):
            after[row, i] = before[row, i]
    worst, found_ended = 0.0, False
    for begin in range(first, stop, SLICE):
        count = 0
        for i in range(begin, min(begin + SLICE, stop)):
            bend, push = curvature[i], accel[i]
            worst += 0.0 * bend + 0.0 * push  # NaN from the first that is not finite
            if at.ended[i] != 0:
                found_ended = True
                for row in range(_FIRST_KEPT):
                    after[row, i] = before[row, i]
                to.lane[i], to.steps[i], to.ended[i] = at.lane[i], at.steps[i], at.ended[i]
                to.command[2 * i], to.command[2 * i + 1] = at.command[2 * i], at.command[2 * i + 1]
                for k in range(2 * delay * i, 2 * delay * (i + 1)):
                    to.pending[k] = at.pending[k]
                continue
            to.command[2 * i] = min(max(bend, -most_bend), most_bend)
            to.command[2 * i + 1] = min(max(push, -most_brake), most_push)
            if delay > 0:
                oldest, newest = 2 * delay * i, 2 * delay * (i + 1) - 2
                bend, push = at.pending[oldest], at.pending[oldest + 1]
                for k in range(oldest, newest):
                    to.pending[k] = at.pending[k + 2]
                to.pending[newest], to.pending[newest + 1] = curvature[i], accel[i]
            bend = min(max(bend, -most_bend), most_bend)
            push = min(max(push, -most_brake), most_push)
            bend = approach(at.curvature[i], bend, bend_share, bend_step)
            push = approach(at.accel[i], push, push_share, np.inf)
            to.curvature[i], to.accel[i] = bend, push
            to.speed[i], distance = way_of(at.speed[i], push, dt, top_speed)
            gait.x[count], gait.y[count], gait.yaw[count] = at.x[i], at.y[i], at.yaw[i]
            gait.distance[count], gait.half[count] = distance, 0.5 * bend * distance
            which[count] = i
            count += 1
        go_along(gait, count)
        for k in range(count):
            i = which[k]
            if not (abs(gait.half[k]) < LARGE and abs(at.yaw[i]) < LARGE):
                gait.x[k], gait.y[k], gait.yaw[k], _, _, gait.cos[k], gait.sin[k] = move(
                    at.x[i], at.y[i], at.yaw[i], at.speed[i], to.curvature[i], to.accel[i], dt,
                    top_speed,
                )  # fmt: skip
            gait.yaw[k] = wrapped(gait.yaw[k])
            lane, guess = at.lane[i], at.arc_length[i] + gait.distance[k]
            piece[0, k], piece[1, k], gait.u[k] = between(lanes[lane], guess)
            gait.s[k] = guess
            # A short loop: many cars wait for memory at once. The next one has it in the cache.
            gait.x0[k], gait.y0[k] = nodes[piece[0, k]].x, nodes[piece[1, k]].x
        for k in range(count):
            lane, m, n = at.lane[which[k]], piece[0, k], piece[1, k]
            aim(gait, k, nodes[m], nodes[n], lanes[lane].spacing, gait.u[k])
        find_feet(gait, count)
        for k in range(count):
            i, m, n = which[k], piece[0, k], piece[1, k]
            x, y, distance, s, lateral = (
                gait.x[k], gait.y[k], gait.distance[k], gait.s[k], gait.lateral[k],
            )  # fmt: skip
            lane_cos, lane_sin, part = gait.dx[k], gait.dy[k], min(max(gait.u[k], 0.0), 1.0)
            before_lane, before_s = at.lane[i], at.arc_length[i]
            lane, at_end, length = before_lane, False, lanes[before_lane].length
            if not (found(gait, k) and s < length and s >= 0.0):  # on another piece, or lane
                lane, s, lateral, lane_cos, lane_sin, m, n, part, at_end = _follow(
                    table, lane, at.route[i], x, y, before_s + distance
                )
            of.lateral[k] = lateral
            of.cos_error[k], of.sin_error[k], of.curvature[k], of.left[k], of.right[k] = (
                _against_lane(
                    nodes[m], nodes[n], part, lane_cos, lane_sin, gait.cos[k], gait.sin[k]
                )
            )
            gained = s - before_s
            if lane != before_lane:
                gained += lanes[before_lane].length
            elif lanes[lane].closed:
                if gained > 0.5 * length:
                    gained -= length
                elif gained < -0.5 * length:
                    gained += length
            progress, steps = at.progress[i] + gained, at.steps[i] + 1
            to.x[i], to.y[i], to.yaw[i] = x, y, gait.yaw[k]
            to.arc_length[i], to.lateral_offset[i], to.progress[i] = s, lateral, progress
            to.distance[i] = at.distance[i] + distance
            to.lane[i], to.steps[i] = lane, steps
            if ends_route and (at_end or progress >= at.route_length[i]):
                to.ended[i] = _COMPLETED  # a route goes on at most to the end of the road
            else:
                to.ended[i] = _END_OF_ROAD if at_end else 0
        _judge_all(of, margins, errors, count, front, rear, half_width)
        for k in range(count):
            i, margin, error = which[k], margins[k], errors[k]
            to.margin[i], to.heading_error[i] = margin, error
            if abs(error) > heading_limit:
                to.ended[i] = _WRONG_WAY
            elif (rule == 0.0 and margin < 0.0) or (
                rule == 1.0 and abs(to.lateral_offset[i]) > CENTRE_LIMIT
            ):
                to.ended[i] = _OFF_LANE
            elif to.ended[i] == 0 and to.steps[i] * dt >= time_limit - 1e-9:
                to.ended[i] = _TIME_UP
    return (0 if worst == 0.0 else NOT_FINITE) + (SOME_ENDED if found_ended else 0)
