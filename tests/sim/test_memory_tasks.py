"""The tasks that need a memory: what they hide is hidden, and the expert can do them."""

import numpy as np
import pytest

from redrive.sim.any_world import open_world
from redrive.sim.appearance import Appearance
from redrive.sim.guidance import guide
from redrive.sim.memory_tasks import (
    MEMORY_TASKS,
    blackout_task,
    latency_task,
    recall_task,
    stop_sign_task,
    unseen_speed_task,
)
from redrive.sim.sensors.route import Route
from redrive.sim.success import is_success, task_figures
from redrive.sim.task import LANE_FOLLOWING, Task
from redrive.sim.vehicle import Command
from redrive.sim.world import DEFAULT_SENSORS, CarState, RoadWorld


def road_world(task: Task, sensors: bool = False) -> RoadWorld:
    world = open_world(task.world, None if sensors else {}, task)
    assert isinstance(world, RoadWorld)
    return world


def drive(world: RoadWorld, cars: int) -> CarState:
    """The expert's episodes, to their ends."""
    state = world.reset(np.arange(cars))
    while (state.ended == 0).any():
        state = world.step(state, guide(world.lane_view(state)))
    return state


@pytest.mark.parametrize(
    "task",
    [
        *MEMORY_TASKS.values(),
        latency_task(8),
        blackout_task(0.75, 16),
        recall_task(4, branches=3, boards=4),
        recall_task(128),
        stop_sign_task(wait=0.5),
        stop_sign_task(wait=8.0),
    ],
    ids=lambda task: task.name,
)
def test_the_expert_does_every_task(task: Task) -> None:
    world = road_world(task)
    state = drive(world, 24)
    assert is_success(task, state, world.dt).all()


def test_black_frames_are_black_and_the_others_are_as_ever() -> None:
    world, plain = road_world(blackout_task(0.5), sensors=True), road_world(LANE_FOLLOWING, True)
    plain.reset(np.arange(64))  # the same roads
    state = world.reset(np.arange(64))
    for _ in range(3):
        state = world.step(state, guide(world.lane_view(state)))
    seen, whole = world.observe(state), plain.observe(state)
    dark = ~seen["camera"].any(axis=(1, 2, 3))
    assert 16 < dark.sum() < 48
    np.testing.assert_array_equal(seen["camera"][~dark], whole["camera"][~dark])
    np.testing.assert_array_equal(seen["odometry"], whole["odometry"])


def test_black_frames_do_not_change_how_the_expert_drives() -> None:
    before = drive(road_world(LANE_FOLLOWING), 8)
    after = drive(road_world(blackout_task(0.75, 8)), 8)
    np.testing.assert_array_equal(before.x, after.x)


def test_commands_act_so_many_steps_later() -> None:
    world = road_world(latency_task(5))
    state = world.reset(np.zeros(1, int))
    speeds = [float(state.speed[0])]
    for step in range(8):
        push = Command(state.curvature, np.array([2.0 if step == 0 else 0.0]))
        state = world.step(state, push)
        speeds.append(float(state.speed[0]))
    gained = np.diff(speeds)
    np.testing.assert_allclose(gained, [0, 0, 0, 0, 0, 0.2, 0, 0], atol=1e-12)


def test_the_lane_is_seen_from_where_a_late_command_will_act() -> None:
    world = road_world(latency_task(4))
    state = world.reset(np.arange(5))
    for _ in range(6):
        state = world.step(state, guide(world.lane_view(state)))
    foreseen = world.lane_view(state)
    assert (foreseen.state_id == state.state_id).all()
    later = state
    for _ in range(4):  # whatever is commanded now, these four steps are settled
        later = world.step(later, Command(np.zeros(5), np.zeros(5)))
    np.testing.assert_allclose(foreseen.lateral_offset, later.lateral_offset, atol=1e-12)
    np.testing.assert_allclose(foreseen.speed, later.speed, atol=1e-12)


def test_a_driver_who_ignores_latency_swings() -> None:
    """What is hidden matters: the same law without foresight leaves the lane."""
    task, cars = latency_task(8), np.arange(24)
    world = RoadWorld("procedural:3", {}, task)
    blind = RoadWorld("procedural:3", {}, LANE_FOLLOWING)  # sees the same lanes as they are now
    blind.reset(cars)
    state = world.reset(cars)
    while (state.ended == 0).any():
        state = world.step(state, guide(blind.lane_view(state)))
    assert is_success(task, state).mean() < 0.7


def test_without_odometry_the_speed_is_in_no_observation() -> None:
    world = road_world(unseen_speed_task(), sensors=True)
    assert set(world.sensors) == {"camera"}
    state = world.reset(np.arange(4))
    faster = state._replace(speed=state.speed + 5.0)
    np.testing.assert_array_equal(world.observe(state)["camera"], world.observe(faster)["camera"])


def test_a_driver_who_never_touches_the_pedal_misses_the_speed() -> None:
    task = unseen_speed_task()
    world = road_world(task)
    state = world.reset(np.arange(48))
    while (state.ended == 0).any():
        steer = guide(world.lane_view(state)).curvature
        state = world.step(state, Command(steer, np.zeros(48)))
    assert is_success(task, state, world.dt).mean() < 0.2  # a start near the speed, and luck
    share = task_figures(task, world.pool.lanes, state, world.dt)["wrong_speed_share"]
    assert np.median(share) > 0.5 and (share <= 1.0).all()


def test_pushes_change_the_speed_but_not_the_command() -> None:
    world, calm = road_world(unseen_speed_task(push=0.8)), road_world(unseen_speed_task(push=0.0))
    state = world.reset(np.arange(16))
    still = Command(state.curvature, np.zeros(16))
    after = world.step(state, still)
    pushed = after.speed - state.speed
    np.testing.assert_array_equal(after.command, np.stack(still, axis=-1))
    assert (np.abs(pushed) <= 0.08 + 1e-12).all() and np.abs(pushed).max() > 0.04
    state = calm.reset(np.arange(16))
    np.testing.assert_array_equal(calm.step(state, still).speed, state.speed)


def test_signs_show_the_route_for_as_long_as_the_task_says_and_then_nothing() -> None:
    task = recall_task(16)
    world = road_world(task, sensors=True)
    state = world.reset(np.arange(8))
    other = state._replace(route=1 - state.route)
    for step in range(6):
        same = world.observe(state)["camera"] == world.observe(other)["camera"]
        assert same.all() == (step >= task.sign_steps)
        still = Command(np.zeros(8), np.zeros(8))
        state, other = world.step(state, still), world.step(other, still)


def test_the_route_sensor_gives_the_number_of_the_branch() -> None:
    task = recall_task(8, branches=3)
    world = RoadWorld(task.world, {"route": Route(choices=3)}, task)
    state = world.reset(np.arange(300))
    route = world.observe(state)["route"]
    assert route.dtype == np.int64 and route.shape == (300,)
    np.testing.assert_array_equal(route, state.route)
    assert (np.bincount(route, minlength=3) > 70).all()
    assert (RoadWorld("procedural:0", {}).reset(np.arange(9)).route == 0).all()


def test_a_car_in_a_batch_sees_the_same_signs_as_the_same_car_alone() -> None:
    task = recall_task(16, boards=3)
    many, one = road_world(task, sensors=True), road_world(task, sensors=True)
    batch, alone = many.reset(np.arange(6)), one.reset(np.array([4]))
    for _ in range(5):
        np.testing.assert_array_equal(
            many.observe(batch)["camera"][4], one.observe(alone)["camera"][0]
        )
        batch = many.step(batch, guide(many.lane_view(batch)))
        alone = one.step(alone, guide(one.lane_view(alone)))


@pytest.mark.parametrize("threads", [1, 2])
def test_signs_are_drawn_under_the_sensor_s_noise(threads: int) -> None:
    task = recall_task(8)
    world = RoadWorld(task.world, dict(DEFAULT_SENSORS), task, threads=threads)
    noisy = RoadWorld(
        task.world, dict(DEFAULT_SENSORS), task, appearance=Appearance(sensor_noise=6.0)
    )
    state, rough = world.reset(np.arange(8)), noisy.reset(np.arange(8))
    clean, grainy = world.observe(state)["camera"], noisy.observe(rough)["camera"]
    error = grainy.astype(int) - clean
    inside = (slice(None), slice(24, 31), slice(60, 68))  # where the board stands
    assert 3.0 < error[inside].std() < 9.0


def test_while_a_car_waits_at_the_stop_line_nothing_changes() -> None:
    task = stop_sign_task(wait=3.0)
    world = road_world(task, sensors=True)
    state = world.reset(np.arange(4))
    frames, speeds = [], []
    for _ in range(130):
        frames.append(world.observe(state)["camera"][0])
        speeds.append(float(state.speed[0]))
        state = world.step(state, guide(world.lane_view(state)))
    stood = np.flatnonzero(np.array(speeds) == 0.0)
    assert len(stood) == 30 or len(stood) == 31
    assert all((frames[t] == frames[stood[0]]).all() for t in stood)
