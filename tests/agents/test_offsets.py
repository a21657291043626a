"""Offsets that come again: when, how far, and only for the cars whose turn it is."""

import numpy as np
import pytest

from redrive.agents.expert import Expert
from redrive.agents.offsets import Offsets, offset_steps, placing
from redrive.agents.rollout import rollout
from redrive.sim.task import Task
from redrive.sim.world import RoadWorld

OFFSETS = Offsets(lateral=1.2, yaw=0.15, every=(0.5, 1.5))
WORLD = RoadWorld(
    "procedural:0-6",
    sensors={},
    task=Task(route_length=0.0, time_limit=8.0, off_lane="none"),
)


def test_the_times_between_offsets_lie_between_the_least_and_the_greatest() -> None:
    seeds = np.arange(200, dtype=np.uint64)
    moved = offset_steps(OFFSETS, seeds, np.zeros(200, np.int64), dt=0.1, steps=100)
    assert not moved[:, 0].any()  # there the task starts the car
    between = np.concatenate([np.diff(np.flatnonzero(row), prepend=0) for row in moved])
    assert (between.min(), between.max()) == (5, 15)
    assert len(np.unique(between)) == 11  # nothing tells the moment in advance
    assert (np.flatnonzero(moved.any(axis=0))[-1]) == 99


def test_every_step_has_offsets_of_its_own_within_the_limits() -> None:
    start = WORLD.reset(np.arange(40))
    place = placing(WORLD, OFFSETS, start)
    lateral, yaw = [], []
    for step in range(1, 80):
        state = start._replace(steps=np.full(40, step))
        after = place(state)
        moved = after.lateral_offset != state.lateral_offset
        lateral.append(after.lateral_offset[moved])
        yaw.append(after.heading_error[moved])
    beside, askew = np.concatenate(lateral), np.concatenate(yaw)
    assert len(np.unique(beside)) == len(beside) > 100
    for found, limit in ((beside, 1.2), (askew, 0.15)):
        assert 0.9 * limit < np.abs(found).max() <= limit + 1e-6
        assert abs(found.mean()) < 0.2 * limit
    assert abs(np.corrcoef(beside, askew)[0, 1]) < 0.2


def test_cars_whose_turn_it_is_not_stay_as_they_are_bit_for_bit() -> None:
    start = WORLD.reset(np.arange(12))
    place = placing(WORLD, OFFSETS, start)
    step = int(np.flatnonzero(offset_steps(OFFSETS, start.seed, start.episode, 0.1, 80)[4])[0])
    state = start._replace(steps=np.full(12, step))
    after = place(state)
    turn = offset_steps(OFFSETS, start.seed, start.episode, 0.1, 80)[:, step]
    assert turn[4]
    for name, was, now in zip(state._fields, state, after, strict=True):
        np.testing.assert_array_equal(now[~turn], was[~turn], err_msg=name)
    assert (after.x[turn] != state.x[turn]).all()


def test_a_car_of_a_batch_is_put_where_it_is_put_alone() -> None:
    seeds = np.arange(7)

    def course(some: np.ndarray) -> np.ndarray:
        start = WORLD.reset(some)
        before = placing(WORLD, OFFSETS, start)
        return np.stack([f.after.y for f in rollout(WORLD, Expert(), start, before=before)])

    assert course(seeds)[:, 5].tobytes() == course(seeds[5:6])[:, 0].tobytes()


def test_a_car_that_has_ended_is_left_where_it_is() -> None:
    start = WORLD.reset(np.arange(30))
    place = placing(WORLD, OFFSETS, start)
    over = start._replace(steps=np.full(30, 8), ended=np.ones(30, np.int64))
    assert place(over) is over


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lateral": -1.0}, "within 0 to 5 m"),
        ({"yaw": 6.0}, "is it in degrees"),
        ({"every": (3.0, 2.0)}, "a least and a greatest"),
        ({"every": (0.0, 2.0)}, "from 0.1 s"),
    ],
)
def test_impossible_offsets_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Offsets(**settings)  # type: ignore[arg-type]
