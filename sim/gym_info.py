"""What the environment tells beside its observation: `info`, the reward, and which ends are which.

One car at a time in the compiled core, a batch in two calls: at 256 cars numpy's own time for
thirty small arrays would be longer than driving takes.
"""

import numpy as np

from .actions import pedal_of, steering_of, to_action
from .any_world import World
from .car_state import Cars, CarState, cars_of, columns
from .compiled import compiled, inlined
from .guidance import guide, hold_speed, steer_to_centre
from .lanes import between, mix
from .success import has_figures, is_success, route_is_all, task_figures
from .task import CENTRE_LIMIT, Ended
from .trig import small_sin_cos

CENTRE_COST = 0.1  # of the reward, at the lane's edge
FAILURE_COST = 5.0
USUAL_SPEED = 10.0  # the least that a task can expect [m/s]

_OFF_LANE, _WRONG_WAY, _TIME_UP = int(Ended.OFF_LANE), int(Ended.WRONG_WAY), int(Ended.TIME_UP)
_COMPLETED = int(Ended.ROUTE_COMPLETED)


@compiled
def _reward(before, after, length, lateral, ended, time_limit, dt):  # type: ignore[no-untyped-def]
    """Progress at the careful speed earns about 1 a second times dt.

    Minus a small cost for being off the centre, minus FAILURE_COST where the lane was left.

    Args:
        before, after: progress [m]. length: of the route [m].
    """
    gained = (after - before) / max(length / time_limit, USUAL_SPEED)
    value = gained - CENTRE_COST * min(abs(lateral), 2.0) * dt
    if ended == _OFF_LANE or ended == _WRONG_WAY:
        value -= FAILURE_COST
    return value


@inlined
def _steer_all(steering, lateral, heading, curvature, ahead, speed, late, most):  # type: ignore[no-untyped-def]
    """Fill the expert's steering; nothing but arithmetic, for vector instructions."""
    for i in range(steering.size):
        sin, cos = small_sin_cos(heading[i])
        bend = steer_to_centre(lateral[i], cos, sin, curvature[i], ahead[i], speed[i], late)
        steering[i] = steering_of(bend, most)


@inlined
def _pedal_all(pedal, speed, target, most, most_brake):  # type: ignore[no-untyped-def]
    """Fill the expert's pedal; the same."""
    for i in range(pedal.size):
        pedal[i] = pedal_of(hold_speed(speed[i], target[i]), most, most_brake)


@compiled
def describe_all(  # type: ignore[no-untyped-def]
    block, ahead, nodes, lanes, preview, limits, told, action, found
):
    """Fill what `describe` adds to the state.

    Args:
        block: of the cars. ahead: of where a command that is given now will act.
        limits: (4,) of curvature, acceleration and braking, and the speed that is held where the
            plan allows more [m/s].
        told: (3, B) curvature, target speed, route completion; or more rows.
        found: (3, B) over the line, far off the centre, route completed; or more rows.
    """
    late, later = preview[0], preview[1]
    max_curvature, max_accel, max_brake, most = limits[0], limits[1], limits[2], limits[3]
    now, then = columns(block), columns(ahead)
    curvature, target, completion = told[0], told[1], told[2]
    over_line, far_off, completed = found[0], found[1], found[2]
    count = curvature.size
    room = np.empty((3, count))
    bends, steering, pedal = room[0], room[1], room[2]
    for i in range(count):  # loops of their own: many cars wait for memory at once
        m, n, part = between(lanes[then.lane[i]], then.arc_length[i] + then.speed[i] * later)
        target[i] = min(mix(nodes[m].target_speed, nodes[n].target_speed, part), most)
    for i in range(count):
        m, n, part = between(lanes[then.lane[i]], then.arc_length[i])
        curvature[i] = mix(nodes[m].curvature, nodes[n].curvature, part)
        m, n, part = between(lanes[then.lane[i]], then.arc_length[i] + then.speed[i] * late)
        bends[i] = mix(nodes[m].curvature, nodes[n].curvature, part)
    _steer_all(
        steering, then.lateral_offset, then.heading_error, curvature, bends, then.speed, late,
        max_curvature,
    )  # fmt: skip
    _pedal_all(pedal, then.speed, target, max_accel, max_brake)
    for i in range(count):
        action[i, 0], action[i, 1] = steering[i], pedal[i]
        completion[i] = min(now.progress[i] / now.route_length[i], 1.0)
        over_line[i] = now.margin[i] < 0.0
        far_off[i] = abs(now.lateral_offset[i]) > CENTRE_LIMIT
        completed[i] = now.ended[i] == _COMPLETED


@compiled
def score_all(before, after, time_limit, dt, reward, over):  # type: ignore[no-untyped-def]
    """Fill what `score` gives.

    Args:
        before, after: blocks of cars. over: (2, B) terminated, truncated.
    """
    was, now = columns(before), columns(after)
    terminated, truncated = over[0], over[1]
    for i in range(reward.size):
        drove = was.ended[i] == 0
        reward[i] = (
            _reward(
                was.progress[i], now.progress[i], now.route_length[i], now.lateral_offset[i],
                now.ended[i], time_limit, dt,
            )
            if drove
            else 0.0
        )  # fmt: skip
        late = now.ended[i] == _TIME_UP
        truncated[i] = drove and late
        terminated[i] = drove and now.ended[i] != 0 and not late


def describe(world: World, state: CarState) -> dict[str, np.ndarray]:
    """The privileged part: lane state, the expert's action and how things stand; (B, ...) each."""
    return describe_cars(world, cars_of(state))


def describe_cars(world: World, cars: Cars) -> dict[str, np.ndarray]:
    """The same, of cars as the compiled core has them."""
    batch, task = len(cars), world.task
    told, found = np.empty((3, batch)), np.empty((3, batch), np.bool_)
    action = np.empty((batch, 2), np.float32)
    block = ahead = cars.block
    if world.delay_steps:
        ahead = cars_of(world.foresee(cars.state)).block
    nodes, lanes, _ = world.pool.lanes
    describe_all(
        block, ahead, nodes, lanes, world.preview, world.action_limits, told, action, found
    )
    info = info_of(cars, told, found, action)
    if task.wait > 0.0:  # the stop is no matter of the lane alone
        info["expert_action"] = to_action(world.vehicle, guide(world.lane_view(cars.state)))
    if not route_is_all(task):
        info["is_success"] = is_success(task, cars.state, world.dt)
    if has_figures(task):
        info |= task_figures(task, world.pool.lanes, cars.state, world.dt)
    return info


def info_of(
    cars: Cars, told: np.ndarray, found: np.ndarray, action: np.ndarray
) -> dict[str, np.ndarray]:
    """What `describe_all` filled, and what the state says itself, by name."""
    arc_length, lateral, error, margin = cars.stance
    return {
        "lateral_offset": lateral,
        "heading_error": error,
        "road_curvature": told[0],
        "target_speed": told[1],
        "margin": margin,
        "arc_length": arc_length,
        "route_completion": told[2],
        "expert_action": action,
        "off_lane_free_margin": found[0],
        "off_lane_centre_2m": found[1],
        "ended": cars.ended,
        "is_success": found[2],
    }


def score(
    world: World, before: CarState, after: CarState
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a step earned, and which cars it ended; see `score_cars`."""
    return score_cars(world, cars_of(before), cars_of(after))


def score_cars(
    world: World, before: Cars, after: Cars
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a step earned, and which cars it ended.

    Returns:
        reward: (B,) float64, see `_reward`; 0 where the episode was over before the step.
        terminated, truncated: (B,) bool, by the task and by its time; True in the step of the end.
    """
    reward, over = np.empty(len(after)), np.empty((2, len(after)), np.bool_)
    score_all(before.block, after.block, world.task.time_limit, world.dt, reward, over)
    terminated, truncated = over
    return reward, terminated, truncated
