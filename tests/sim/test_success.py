"""Success of tasks, and what they count."""

import numpy as np

from redrive.sim.guidance import guide
from redrive.sim.memory_tasks import recall_task, stop_sign_task
from redrive.sim.success import decision, is_success, task_figures
from redrive.sim.task import LANE_FOLLOWING, Ended
from redrive.sim.vehicle import Command
from redrive.sim.world import CarState, RoadWorld


def drive(world: RoadWorld, state: CarState) -> CarState:
    """The expert's episodes to their ends."""
    while (state.ended == 0).any():
        state = world.step(state, guide(world.lane_view(state)))
    return state


def take(world: RoadWorld, state: CarState, route: np.ndarray) -> CarState:
    """Drive along another route than the one that was asked for, then say how that was judged."""
    mind = state._replace(route=route)
    while (state.ended == 0).any():
        command = guide(world.lane_view(mind))
        state, mind = world.step(state, command), world.step(mind, command)
    return state


def test_whoever_takes_another_branch_has_decided_wrongly_and_failed() -> None:
    task = recall_task(4)
    world = RoadWorld(task.world, {}, task)
    start = world.reset(np.arange(16))
    end = take(world, start, 1 - start.route)
    assert (end.ended == Ended.OFF_LANE).all()
    assert not is_success(task, end).any()
    figures = task_figures(task, world.pool.lanes, end, world.dt)
    np.testing.assert_array_equal(figures["decision"], 1 - start.route)
    assert not figures["decision_correct"].any()


def test_whoever_drives_straight_into_the_gore_has_not_decided() -> None:
    task = recall_task(4, kick=0.0)
    world = RoadWorld(task.world, {}, task)
    state = world.reset(np.arange(16))
    while (state.ended == 0).any():
        state = world.step(state, Command(np.zeros(16), np.zeros(16)))
    assert (decision(world.pool.lanes, state) == -1).all()
    assert not is_success(task, state).any()


def test_before_the_fork_nobody_has_decided() -> None:
    task = recall_task(8)
    world = RoadWorld(task.world, {}, task)
    state = world.reset(np.arange(8))
    assert (decision(world.pool.lanes, state) == -1).all()
    plain = RoadWorld("procedural:0", {}, LANE_FOLLOWING)
    state = plain.reset(np.arange(3))
    assert (decision(plain.pool.lanes, state) == -1).all()


def test_whoever_does_not_wait_or_waits_too_long_fails() -> None:
    task = stop_sign_task(wait=2.0, tolerance=0.5)
    world = RoadWorld(task.world, {}, task)
    free = RoadWorld(task.world, {}, LANE_FOLLOWING)  # knows of no stop line
    free.reset(np.arange(8))
    state = world.reset(np.arange(8))
    while (state.ended == 0).any():
        state = world.step(state, guide(free.lane_view(state)))
    assert (state.ended == Ended.ROUTE_COMPLETED).all()
    assert not is_success(task, state, world.dt).any()
    assert (task_figures(task, world.pool.lanes, state, world.dt)["waited_s"] == 0.0).all()
    for wait, succeeds in ((1.4, False), (1.6, True), (2.4, True), (2.7, False)):
        other = RoadWorld(task.world, {}, stop_sign_task(wait=wait))
        end = drive(other, other.reset(np.arange(8)))
        assert is_success(task, end, world.dt).all() == succeeds, wait
        assert is_success(task, end, world.dt).any() == succeeds, wait


def test_standing_somewhere_else_is_no_stop() -> None:
    task = stop_sign_task()
    world = RoadWorld(task.world, {}, task)
    state = world.reset(np.arange(4))
    for _ in range(60):
        state = world.step(state, Command(np.zeros(4), np.full(4, -3.0)))
    assert (state.speed == 0.0).all() and (state.tally == 0).all()
