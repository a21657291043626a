"""One step of every car: its actuators, its arc, where it is on its lane, whether that ends it.

Scalar functions on one car, and the loop over a batch that every step of every environment takes.
"""

from typing import NamedTuple

import numpy as np

from .compiled import compiled, inlined
from .lanes import between, follower, foot_between, foot_of, mix, outline_margin
from .task import CENTRE_LIMIT, Ended
from .trig import angle_of
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
def _judge(a, b, part, lateral, lane_cos, lane_sin, cos, sin, front, rear, half_width):  # type: ignore[no-untyped-def]
    """Heading error [rad] and margin [m] of a car that is a part of the way between two nodes."""
    cos_error = cos * lane_cos + sin * lane_sin
    sin_error = sin * lane_cos - cos * lane_sin
    margin = outline_margin(
        lateral, cos_error, sin_error, mix(a.curvature, b.curvature, part),
        mix(a.left, b.left, part), mix(a.right, b.right, part), front, rear, half_width,
    )  # fmt: skip
    return angle_of(sin_error, cos_error), margin


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
    error, margin = _judge(
        table.nodes[i], table.nodes[j], part, lateral, lane_cos, lane_sin, cos, sin,
        numbers[8], numbers[9], numbers[10],
    )  # fmt: skip
    return number, s, lateral, error, margin


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
        error, margin = _judge(
            nodes[m], nodes[n], part, lateral, lane_cos, lane_sin, cos, sin,
            front, rear, half_width,
        )  # fmt: skip
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
        to.arc_length[i], to.lateral_offset[i], to.heading_error[i] = s, lateral, error
        to.margin[i], to.progress[i] = margin, progress
        to.distance[i] = state.distance[i] + distance
        lane_to[i], steps_to[i] = lane, steps
        off = (rule == 0.0 and margin < 0.0) or (rule == 1.0 and abs(lateral) > CENTRE_LIMIT)
        ended = 0
        if abs(error) > heading_limit:
            ended = _WRONG_WAY
        elif off:
            ended = _OFF_LANE
        elif ends_route and (at_end or progress >= state.route_length[i]):
            ended = _COMPLETED  # a route goes on at most to the end of the road
        elif at_end:
            ended = _END_OF_ROAD
        elif steps * dt >= time_limit - 1e-9:
            ended = _TIME_UP
        ended_to[i] = ended
