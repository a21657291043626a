"""One step of every car: its actuators, its arc, where it is on its lane, whether that ends it.

Scalar functions on one car, and the loop over a batch that every step of every environment takes.
"""

from typing import NamedTuple

import numpy as np

from .compiled import compiled, inlined
from .lanes import between, follower, foot_between, foot_of, mix, outline_margin
from .task import CENTRE_LIMIT, Ended
from .trig import angle_of, sure_angle_of
from .vehicle import approach, move

_MAX_LANES_PASSED = 4  # lanes that a car can pass in one step
_COMPLETED, _OFF_LANE = int(Ended.ROUTE_COMPLETED), int(Ended.OFF_LANE)
_WRONG_WAY, _TIME_UP = int(Ended.WRONG_WAY), int(Ended.TIME_UP)
_END_OF_ROAD = int(Ended.END_OF_ROAD)


class Measures(NamedTuple):
    """Columns of a `CarState` that a step sets, (B,) float64; they live in one block of memory."""

    x: np.ndarray
    y: np.ndarray
    yaw: np.ndarray
    speed: np.ndarray
    curvature: np.ndarray
    accel: np.ndarray
    arc_length: np.ndarray
    lateral_offset: np.ndarray
    heading_error: np.ndarray
    margin: np.ndarray
    progress: np.ndarray
    distance: np.ndarray


class Counts(NamedTuple):
    """The same, (B,) int64."""

    lane: np.ndarray
    steps: np.ndarray
    ended: np.ndarray
    tally: np.ndarray


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
def _judge_all(of, margin, error, front, rear, half_width):  # type: ignore[no-untyped-def]
    """Heading errors [rad] and margins [m] of many cars, in loops that the compiler turns into vector instructions."""
    for k in range(margin.size):
        margin[k] = outline_margin(
            of.lateral[k], of.cos_error[k], of.sin_error[k], of.curvature[k], of.left[k],
            of.right[k], front, rear, half_width,
        )  # fmt: skip
    for k in range(error.size):
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
    state, measures, counts, command, pending, table, numbers, limits, curvature, accel,
    first, stop,
):  # fmt: skip
    """One step of cars first..stop: fills what comes after `state`.

    Args:
        measures, counts, command, pending: to be filled, all rows of `Measures` and `Counts` and
            two columns of a `CarState`; `pending` may be the state's own.
        curvature, accel: (B,) commands.
    """
    dt, top_speed = numbers[0], numbers[4]
    most_bend, most_push, most_brake = numbers[1], numbers[2], numbers[3]
    bend_share, push_share, bend_step = numbers[5], numbers[6], numbers[7]
    front, rear, half_width = numbers[8], numbers[9], numbers[10]
    time_limit, heading_limit, rule, ends_route = limits[0], limits[1], limits[2], limits[3] > 0.0
    nodes, lanes = table.nodes, table.lanes
    delay = pending.shape[1]
    to = Measures(
        measures[0], measures[1], measures[2], measures[3], measures[4], measures[5],
        measures[6], measures[7], measures[8], measures[9], measures[10], measures[11],
    )  # fmt: skip
    lane_to, steps_to, ended_to, tally_to = counts[0], counts[1], counts[2], counts[3]
    room = np.empty((8, stop - first))
    of = Stance(room[0], room[1], room[2], room[3], room[4], room[5])
    margins, errors = room[6], room[7]
    for i in range(first, stop):
        tally_to[i] = state.tally[i]
        if state.ended[i] != 0:
            to.x[i], to.y[i], to.yaw[i] = state.x[i], state.y[i], state.yaw[i]
            to.speed[i], to.curvature[i] = state.speed[i], state.curvature[i]
            to.accel[i], to.arc_length[i] = state.accel[i], state.arc_length[i]
            to.lateral_offset[i] = state.lateral_offset[i]
            to.heading_error[i], to.margin[i] = state.heading_error[i], state.margin[i]
            to.progress[i], to.distance[i] = state.progress[i], state.distance[i]
            lane_to[i], steps_to[i], ended_to[i] = state.lane[i], state.steps[i], state.ended[i]
            command[i, 0], command[i, 1] = state.command[i, 0], state.command[i, 1]
            for k in range(delay):
                pending[i, k, 0] = state.pending[i, k, 0]
                pending[i, k, 1] = state.pending[i, k, 1]
            room[:, i - first] = 1.0  # anything
            continue
        bend, push = curvature[i], accel[i]
        command[i, 0] = min(max(bend, -most_bend), most_bend)
        command[i, 1] = min(max(push, -most_brake), most_push)
        if delay > 0:
            bend, push = state.pending[i, 0, 0], state.pending[i, 0, 1]
            for k in range(delay - 1):
                pending[i, k, 0] = state.pending[i, k + 1, 0]
                pending[i, k, 1] = state.pending[i, k + 1, 1]
            pending[i, delay - 1, 0], pending[i, delay - 1, 1] = curvature[i], accel[i]
        bend, push = min(max(bend, -most_bend), most_bend), min(max(push, -most_brake), most_push)
        bend = approach(state.curvature[i], bend, bend_share, bend_step)
        push = approach(state.accel[i], push, push_share, np.inf)
        x, y, yaw, speed, distance, cos, sin = move(
            state.x[i], state.y[i], state.yaw[i], state.speed[i], bend, push, dt, top_speed
        )
        before_lane, before = state.lane[i], state.arc_length[i]
        lane, at_end, guess = before_lane, False, before + distance
        spacing, length = lanes[lane].spacing, lanes[lane].length
        m, n, part = between(lanes[lane], guess)
        found, s, lateral, lane_cos, lane_sin, part = foot_between(
            nodes[m], nodes[n], spacing, x, y, guess, part
        )
        if not (found and s < length and s >= 0.0):  # on another piece, or another lane
            lane, s, lateral, lane_cos, lane_sin, m, n, part, at_end = _follow(
                table, lane, state.route[i], x, y, guess
            )
        k = i - first
        of.lateral[k] = lateral
        of.cos_error[k], of.sin_error[k], of.curvature[k], of.left[k], of.right[k] = _against_lane(
            nodes[m], nodes[n], part, lane_cos, lane_sin, cos, sin
        )
        gained = s - before
        if lane != before_lane:
            gained += lanes[before_lane].length
        elif lanes[lane].closed:
            if gained > 0.5 * length:
                gained -= length
            elif gained < -0.5 * length:
                gained += length
        progress, steps = state.progress[i] + gained, state.steps[i] + 1
        to.x[i], to.y[i], to.yaw[i], to.speed[i] = x, y, yaw, speed
        to.curvature[i], to.accel[i] = bend, push
        to.arc_length[i], to.lateral_offset[i], to.progress[i] = s, lateral, progress
        to.distance[i] = state.distance[i] + distance
        lane_to[i], steps_to[i] = lane, steps
        if ends_route and (at_end or progress >= state.route_length[i]):
            ended_to[i] = _COMPLETED  # a route goes on at most to the end of the road
        else:
            ended_to[i] = _END_OF_ROAD if at_end else 0
    _judge_all(of, margins, errors, front, rear, half_width)
    for i in range(first, stop):
        if state.ended[i] != 0:
            continue
        margin, error = margins[i - first], errors[i - first]
        to.margin[i], to.heading_error[i] = margin, error
        if abs(error) > heading_limit:
            ended_to[i] = _WRONG_WAY
        elif (rule == 0.0 and margin < 0.0) or (
            rule == 1.0 and abs(to.lateral_offset[i]) > CENTRE_LIMIT
        ):
            ended_to[i] = _OFF_LANE
        elif ended_to[i] == 0 and steps_to[i] * dt >= time_limit - 1e-9:
            ended_to[i] = _TIME_UP
