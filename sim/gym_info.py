"""What the environment tells beside its observation: `info`, the reward, and which ends are which.

One car at a time in the compiled core, a batch in two calls: at 256 cars numpy's own time for
thirty small arrays would be longer than driving takes.
"""

import numpy as np

from .actions import pedal_of, steering_of, to_action
from .any_world import World
from .compiled import compiled, inlined
from .guidance import guide, hold_speed, steer_to_centre
from .lanes import between, mix
from .success import is_success, task_figures
from .task import CENTRE_LIMIT, Ended
from .trig import small_sin_cos
from .world import CarState

CENTRE_COST = 0.1  # of the reward, at the lane's edge
FAILURE_COST = 5.0
USUAL_SPEED = 10.0  # the least that a task can expect [m/s]

_OFF_LANE, _WRONG_WAY, _TIME_UP = int(Ended.OFF_LANE), int(Ended.WRONG_WAY), int(Ended.TIME_UP)


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
def _describe(  # type: ignore[no-untyped-def]
    lane, arc_length, speed, lateral, heading, table, preview, most,
    lateral_now, margin, progress, length, max_curvature, max_accel, max_brake,
    curvature, target, completion, action, over_line, far_off,
):  # fmt: skip
    """Fill what `describe` adds to the state.

    The columns that are used come one by one: numba needs 0.2 us to take over an array.

    Args:
        lane, arc_length, speed, lateral, heading: where a command that is given now will act.
        most: speed that is held where the plan allows more [m/s].
    """
    nodes, lanes = table.nodes, table.lanes
    late, later = preview[0], preview[1]
    room = np.empty((3, curvature.size))
    bends, steering, pedal = room[0], room[1], room[2]
    for i in range(curvature.size):  # loops of their own: many cars wait for memory at once
        m, n, part = between(lanes[lane[i]], arc_length[i] + speed[i] * later)
        target[i] = min(mix(nodes[m].target_speed, nodes[n].target_speed, part), most)
    for i in range(curvature.size):
        m, n, part = between(lanes[lane[i]], arc_length[i])
        curvature[i] = mix(nodes[m].curvature, nodes[n].curvature, part)
        m, n, part = between(lanes[lane[i]], arc_length[i] + speed[i] * late)
        bends[i] = mix(nodes[m].curvature, nodes[n].curvature, part)
    _steer_all(steering, lateral, heading, curvature, bends, speed, late, max_curvature)
    _pedal_all(pedal, speed, target, max_accel, max_brake)
    for i in range(curvature.size):
        action[i, 0], action[i, 1] = steering[i], pedal[i]
        completion[i] = min(progress[i] / length[i], 1.0)
        over_line[i] = margin[i] < 0.0
        far_off[i] = abs(lateral_now[i]) > CENTRE_LIMIT


@compiled
def _score(  # type: ignore[no-untyped-def]
    ended_before, before, ended, after, length, lateral, time_limit, dt,
    reward, terminated, truncated,
):  # fmt: skip
    """Fill what `score` gives."""
    for i in range(reward.size):
        drove = ended_before[i] == 0
        reward[i] = (
            _reward(before[i], after[i], length[i], lateral[i], ended[i], time_limit, dt)
            if drove
            else 0.0
        )
        late = ended[i] == _TIME_UP
        truncated[i] = drove and late
        terminated[i] = drove and ended[i] != 0 and not late


def describe(world: World, state: CarState) -> dict[str, np.ndarray]:
    """The privileged part: lane state, the expert's action and how things stand; (B, ...) each."""
    batch, vehicle, task = len(state.x), world.vehicle, world.task
    curvature, target, completion = np.empty((3, batch))
    over_line, far_off = np.empty((2, batch), np.bool_)
    action = np.empty((batch, 2), np.float32)
    ahead = world.foresee(state)
    _describe(
        ahead.lane, ahead.arc_length, ahead.speed, ahead.lateral_offset, ahead.heading_error,
        world.pool.lanes, world.preview, task.hold_speed or np.inf,
        state.lateral_offset, state.margin, state.progress, state.route_length,
        vehicle.max_curvature, vehicle.max_accel, vehicle.max_brake,
        curvature, target, completion, action, over_line, far_off,
    )  # fmt: skip
    if task.wait > 0.0:  # the stop is no matter of the lane alone
        action = to_action(vehicle, guide(world.lane_view(state)))
    return {
        "lateral_offset": state.lateral_offset,
        "heading_error": state.heading_error,
        "road_curvature": curvature,
        "target_speed": target,
        "margin": state.margin,
        "arc_length": state.arc_length,
        "route_completion": completion,
        "expert_action": action,
        "off_lane_free_margin": over_line,
        "off_lane_centre_2m": far_off,
        "ended": state.ended,
        "is_success": is_success(task, state, world.dt),
        **task_figures(task, world.pool.lanes, state, world.dt),
    }


def score(
    world: World, before: CarState, after: CarState
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a step earned, and which cars it ended.

    Returns:
        reward: (B,) float64, see `_reward`; 0 where the episode was over before the step.
        terminated, truncated: (B,) bool, by the task and by its time; True in the step of the end.
    """
    reward = np.empty(len(after.x))
    terminated, truncated = np.empty((2, len(reward)), np.bool_)
    _score(
        before.ended, before.progress, after.ended, after.progress, after.route_length,
        after.lateral_offset, world.task.time_limit, world.dt, reward, terminated, truncated,
    )  # fmt: skip
    return reward, terminated, truncated
