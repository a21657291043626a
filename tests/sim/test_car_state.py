"""Cars by name and cars in a block: the same memory, whatever is done with it."""

import copy
import pickle

import numpy as np
import pytest

from redrive.sim.car_state import CarState, cars_of, copy_of, new_block, state_of
from redrive.sim.vehicle import Command, Vehicle
from redrive.sim.world import RoadWorld

B = 5


@pytest.fixture(params=[0, 2])
def world(request: pytest.FixtureRequest) -> RoadWorld:
    return RoadWorld("procedural:0-3", sensors={}, vehicle=Vehicle(delay_steps=request.param))


def assert_same(one: CarState, other: CarState) -> None:
    for name, left, right in zip(CarState._fields, one, other, strict=True):
        assert left.dtype == right.dtype, name
        np.testing.assert_array_equal(left, right, err_msg=name)


def test_every_array_has_a_place_of_its_own_in_the_block() -> None:
    looks = RoadWorld("procedural:0", sensors={}).reset(np.arange(B)).look
    block = new_block(B, delay=3)
    state = state_of(block, looks)
    for number, column in enumerate(state):
        if column is not looks:
            assert np.shares_memory(column, block)
            column[...] = number
    for number, column in enumerate(state):
        assert column is looks or (column == number).all()
    assert state.command.shape == (B, 2) and state.pending.shape == (B, 3, 2)
    assert state.seed.dtype == np.uint64 and state.steps.dtype == np.int64


def test_a_state_that_the_world_made_is_in_a_block_already(world: RoadWorld) -> None:
    state = world.reset(np.arange(B))
    assert cars_of(state).state is state
    assert np.shares_memory(cars_of(state).block, state.speed)
    cars = cars_of(state)
    np.testing.assert_array_equal(cars.ended, state.ended)
    np.testing.assert_array_equal(cars.road, state.road)
    np.testing.assert_array_equal(cars.motion, [state.speed, state.curvature])
    stance = [state.arc_length, state.lateral_offset, state.heading_error, state.margin]
    np.testing.assert_array_equal(cars.stance, stance)


def test_a_state_with_other_arrays_drives_as_they_say(world: RoadWorld) -> None:
    state, standing = world.reset(np.arange(B)), np.zeros(B)
    slow = state._replace(speed=standing)
    assert_same(cars_of(slow).state, slow)
    assert not np.shares_memory(cars_of(slow).block, state.x)
    after = world.step(slow, Command(np.zeros(B), np.zeros(B)))
    np.testing.assert_array_equal(after.distance, 0.0)
    np.testing.assert_array_equal(state.speed > 0.0, True)


def test_copies_share_nothing_that_moves(world: RoadWorld) -> None:
    state = world.reset(np.arange(B))
    for other in (copy_of(state), copy.deepcopy(state), pickle.loads(pickle.dumps(state))):
        assert_same(other, state)
        assert not any(
            np.shares_memory(one, two)
            for name, one, two in zip(CarState._fields, state, other, strict=True)
            if name != "look"
        )
        other.speed[:] = 0.0
        assert world.step(other, Command(np.zeros(B), np.zeros(B))).distance.max() == 0.0
        assert (state.speed > 0.0).all()
