"""A driver that keeps its lane, but not its centre."""

import numpy as np
import pytest

from redrive.agents.rollout import rollout
from redrive.agents.wandering import SETTLES, WanderingDriver
from redrive.sim.task import Task
from redrive.sim.world import RoadWorld

KEYS = np.arange(3000, dtype=np.uint64) * np.uint64(7919)


def test_the_wander_has_the_spread_that_was_asked_for_and_no_side() -> None:
    wander = WanderingDriver(0.1, spread=0.3).wander(KEYS, np.full(3000, 200.0))
    assert wander.std() == pytest.approx(0.3, rel=0.05)
    assert abs(wander.mean()) < 0.02
    assert np.abs(wander).max() <= 0.3 * np.sqrt(8.0) + 1e-9  # four waves, all at their crests


def test_it_begins_in_the_centre_and_moves_slowly() -> None:
    driver, time = WanderingDriver(0.1), np.arange(0.0, 60.0, 0.1)
    course = np.stack([driver.wander(KEYS[:200], np.full(200, t)) for t in time])
    assert (course[0] == 0.0).all()
    aside_per_second = np.abs(np.diff(course, axis=0)) / 0.1
    assert np.sqrt((aside_per_second**2).mean()) < 0.1  # [m/s]
    assert course[time > 4 * SETTLES].std() > 2.0 * course[time < 0.5 * SETTLES].std()


def test_the_car_is_where_its_driver_wants_to_be() -> None:
    world = RoadWorld(
        "procedural:0-20", sensors={}, task=Task(route_length=0.0, time_limit=20.0, off_lane="none")
    )
    driver = WanderingDriver(world.dt)
    frames = list(rollout(world, driver, world.reset(np.arange(16))))
    offset = np.stack([f.state.lateral_offset for f in frames])
    wanted = np.stack([driver.wander(f.view["chance"], f.state.steps * world.dt) for f in frames])
    assert np.abs(offset).max() > 0.2
    late = 10  # steps: the expert's law comes to its line within about a second
    assert np.corrcoef(offset[late:].ravel(), wanted[:-late].ravel())[0, 1] > 0.95
    assert np.abs(offset[late:] - wanted[:-late]).max() < 0.15


def test_without_spread_it_is_the_expert() -> None:
    from redrive.agents.expert import Expert

    world = RoadWorld("procedural:3", sensors={}, task=Task(route_length=0.0, time_limit=2.0))
    ends = [
        list(rollout(world, driver, world.reset(np.arange(2))))[-1].after.x
        for driver in (WanderingDriver(world.dt, spread=0.0), Expert())
    ]
    assert ends[0].tobytes() == ends[1].tobytes()
