"""Rewards, ends and `info`: the compiled core against numpy, an array at a time, bit for bit."""

from collections.abc import Callable

import numpy as np
import pytest

from redrive.sim.actions import to_action, to_command
from redrive.sim.guidance import guide
from redrive.sim.gym_info import describe, score
from redrive.sim.task import RECOVERY, Ended, Task
from redrive.sim.vehicle import Vehicle
from redrive.sim.world import CarState, RoadWorld

CARS, STEPS = 24, 60
SHORT = Task("short", route_length=25.0, time_limit=3.0, start_lateral=0.9, start_yaw=0.2)
ROUND = Task("round", route_length=0.0, time_limit=2.5, start_lateral=0.9, start_yaw=0.2)
LATE = Vehicle(steer_lag=0.2, accel_lag=0.1, delay_steps=2, max_curvature=0.1)

Steps = list[tuple[RoadWorld, CarState, CarState]]


@pytest.fixture(params=["short", "round", "recovery"])
def steps(request: pytest.FixtureRequest) -> Steps:
    """Pairs of states before and after a step, of cars that are driven badly and start anew."""
    task = {"short": SHORT, "round": ROUND, "recovery": RECOVERY}[request.param]
    vehicle = LATE if request.param == "short" else Vehicle()
    world = RoadWorld("procedural:0-6", sensors={}, task=task, vehicle=vehicle)
    rng = np.random.default_rng(0)
    state = world.reset(np.arange(CARS))
    pairs: Steps = []
    for _ in range(STEPS):
        action = rng.uniform(-0.2, 0.2, (CARS, 2)) + to_action(
            world.vehicle, guide(world.lane_view(state))
        )
        action[::2, 0] = 0.6  # off to the left, sooner or later
        after = world.step_or_restart(state, to_command(world.vehicle, action))
        pairs.append((world, state, after))
        state = after
    return pairs


def test_the_reward_is_progress_less_what_is_lost_beside_the_centre_and_at_a_failure(
    steps: Steps,
) -> None:
    for world, before, after in steps:
        usual = np.maximum(after.route_length / world.task.time_limit, 10.0)
        failed = (after.ended == Ended.OFF_LANE) | (after.ended == Ended.WRONG_WAY)
        expected = (after.progress - before.progress) / usual
        expected -= 0.1 * np.minimum(np.abs(after.lateral_offset), 2.0) * world.dt
        expected = np.where(before.ended == 0, expected - 5.0 * failed, 0.0)
        np.testing.assert_array_equal(score(world, before, after)[0], expected)


def test_only_the_step_that_ends_an_episode_says_so(steps: Steps) -> None:
    ends = 0
    for world, before, after in steps:
        _, terminated, truncated = score(world, before, after)
        late = after.ended == Ended.TIME_UP
        drove = before.ended == 0
        np.testing.assert_array_equal(truncated, drove & late)
        np.testing.assert_array_equal(terminated, drove & (after.ended != 0) & ~late)
        ends += int((terminated | truncated).sum())
    assert ends > CARS


def test_info_is_what_arrays_give(steps: Steps) -> None:
    kinds = set()
    for world, _, state in steps:
        view = world.lane_view(state)
        told = describe(world, state)
        completed = state.ended == Ended.ROUTE_COMPLETED
        if world.task.route_length == 0.0:
            spent = (state.ended == Ended.END_OF_ROAD) | (state.ended == Ended.TIME_UP)
            completed = spent & (state.progress >= 0.5 * state.route_length)
        expected = {
            "lateral_offset": state.lateral_offset,
            "heading_error": state.heading_error,
            "road_curvature": view.curvature,
            "target_speed": view.target_speed,
            "margin": state.margin,
            "arc_length": state.arc_length,
            "route_completion": np.minimum(state.progress / state.route_length, 1.0),
            "expert_action": to_action(world.vehicle, guide(view)),
            "off_lane_free_margin": state.margin < 0.0,
            "off_lane_centre_2m": np.abs(state.lateral_offset) > 2.0,
            "ended": state.ended,
            "is_success": completed,
        }
        assert list(told) == list(expected)
        for name, values in expected.items():
            assert told[name].dtype == values.dtype
            np.testing.assert_array_equal(told[name], values, err_msg=name)
        kinds |= set(state.ended.tolist())
    assert len(kinds) > 1


def test_a_new_step_leaves_what_was_told_before_as_it_is(
    world_of: Callable[..., RoadWorld], lane_of_curvature: Callable[..., object]
) -> None:
    world = world_of(lane_of_curvature(np.full(300, 0.01)))
    before = world.reset(np.arange(3))
    told = describe(world, before)
    kept = {name: values.copy() for name, values in told.items()}
    after = world.step(before, guide(world.lane_view(before)))
    describe(world, after)
    score(world, before, after)
    for name, values in kept.items():
        np.testing.assert_array_equal(told[name], values)
