"""The main loop: each view goes with its state, memory is handed on, it stops when all is over."""

import itertools

import numpy as np

from redrive.agents.agent import View, keys_of, lane_of
from redrive.agents.expert import Expert
from redrive.agents.rollout import look, rollout
from redrive.sim.task import Task
from redrive.sim.vehicle import Command
from redrive.sim.world import CarState, RoadWorld


def short_world(**settings: object) -> RoadWorld:
    task = Task(route_length=40.0, time_limit=6.0, start_lateral=0.5)
    return RoadWorld("procedural:0-6", **{"sensors": {}, "task": task, **settings})  # type: ignore[arg-type]


class Counting:
    """Drives straight on and counts how often it was asked."""

    def begin(self, batch_size: int) -> int:
        return 0

    def act(self, view: View, memory: int) -> tuple[Command, int]:
        nothing = np.zeros(len(view["state_id"]))
        return Command(nothing + 1e-4 * memory, nothing), memory + 1


def test_each_state_follows_from_the_one_before_and_its_command() -> None:
    world = short_world()
    frames = list(rollout(world, Expert(), world.reset(np.arange(5))))
    for before, after in itertools.pairwise(frames):
        assert after.state is before.after
    for frame in frames:
        again = world.step(frame.state, frame.command)
        assert again.x.tobytes() == frame.after.x.tobytes()


def test_every_view_is_of_its_own_state() -> None:
    world = RoadWorld("procedural:0-6", task=Task(route_length=0.0, time_limit=1.0))
    for frame in rollout(world, Expert(), world.reset(np.arange(3))):
        np.testing.assert_array_equal(frame.view["state_id"], frame.state.state_id)
        np.testing.assert_array_equal(lane_of(frame.view).state_id, frame.state.state_id)
        np.testing.assert_array_equal(frame.view["camera"], world.observe(frame.state)["camera"])
        np.testing.assert_array_equal(lane_of(frame.view).speed, frame.state.speed)


def test_it_ends_with_the_last_car_and_not_before() -> None:
    world = short_world()
    frames = list(rollout(world, Expert(), world.reset(np.arange(8))))
    assert (frames[-1].after.ended != 0).all()
    assert (frames[-1].state.ended == 0).any()
    assert len(frames) == frames[-1].after.steps.max()
    assert len(set(frames[-1].after.steps.tolist())) > 1


def test_it_ends_after_as_many_steps_as_were_asked_for() -> None:
    world = short_world()
    start = world.reset(np.arange(3))
    assert len(list(rollout(world, Expert(), start, steps=7))) == 7
    assert not list(rollout(world, Expert(), start, steps=0))


def test_memory_is_handed_from_step_to_step() -> None:
    world = short_world()
    frames = list(rollout(world, Counting(), world.reset(np.arange(2)), steps=9))
    asked = [frame.command.curvature[0] for frame in frames]
    np.testing.assert_allclose(asked, 1e-4 * np.arange(9))


def test_what_happens_before_a_step_is_seen_in_that_step() -> None:
    world = short_world()

    def aside(state: CarState) -> CarState:
        there = np.where(state.steps == 3, 0.7, state.lateral_offset)
        return world.place(state, there, state.heading_error)

    for frame in rollout(world, Expert(), world.reset(np.arange(4)), steps=6, before=aside):
        np.testing.assert_array_equal(lane_of(frame.view).state_id, frame.state.state_id)
        np.testing.assert_array_equal(
            lane_of(frame.view).lateral_offset, frame.state.lateral_offset
        )
        if frame.state.steps[0] == 3:
            np.testing.assert_allclose(frame.state.lateral_offset, 0.7, atol=1e-6)


def test_a_driver_with_a_die_has_a_key_for_each_car_and_episode() -> None:
    world = short_world()
    state = world.reset(np.arange(50))
    after = world.step(state, Command(np.zeros(50), np.zeros(50)))
    following = world.restart(state, np.ones(50, bool))
    keys = keys_of(look(world, state))
    assert len(np.unique(keys)) == 50
    np.testing.assert_array_equal(keys, keys_of(look(world, after)))
    assert not np.isin(keys_of(look(world, following)), keys).any()
