"""The privileged driver: where it steers, and that it laps every circuit within its bounds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from redrive.sim.guidance import ACCEL_LIMIT, BRAKE_LIMIT, guide, hold_speed, steer_to_centre
from redrive.sim.road import Lane
from redrive.sim.sensors.lane import LaneView
from redrive.sim.task import LANE_FOLLOWING, RECOVERY, Ended, Task
from redrive.sim.vehicle import Vehicle
from redrive.sim.world import CarState, RoadWorld

LaneBuilder = Callable[..., Lane]
WorldBuilder = Callable[..., RoadWorld]
KEEPS_WITHIN = 0.25  # RMS [m]
LATERAL_LIMIT = 3.05  # [m/s²]
LATE = Vehicle(steer_lag=0.3, accel_lag=0.3, delay_steps=2)


def steer(
    lateral: float = 0.0, error: float = 0.0, curvature: float = 0.0, speed: float = 15.0
) -> float:
    """The commanded curvature [1/m]."""
    asked = steer_to_centre(
        lateral, np.cos(error), np.sin(error), curvature, curvature, speed, 0.05
    )
    return float(asked)


def drive(world: RoadWorld, state: CarState, steps: int) -> list[CarState]:
    """The states of an episode that the law drives."""
    states = [state]
    while len(states) <= steps and (states[-1].ended == 0).any():
        states.append(world.step(states[-1], guide(world.lane_view(states[-1]))))
    return states


@pytest.mark.parametrize("speed", [0.0, 5.0, 20.0])
def test_it_steers_back_from_either_side_and_by_as_much(speed: float) -> None:
    assert steer(lateral=0.5, speed=speed) < 0.0 < steer(lateral=-0.5, speed=speed)
    assert steer(error=0.1, speed=speed) < 0.0 < steer(error=-0.1, speed=speed)
    assert steer(0.5, 0.1, 0.02, speed) == pytest.approx(-steer(-0.5, -0.1, -0.02, speed))


@pytest.mark.parametrize("curvature", [-0.05, 0.0, 0.02])
def test_a_car_on_the_centre_line_is_asked_for_the_bend_itself(curvature: float) -> None:
    assert steer(curvature=curvature) == pytest.approx(curvature, abs=1e-12)


@pytest.mark.parametrize("curvature", [-0.05, 0.02])
@pytest.mark.parametrize("lateral", [-1.0, 2.0])
def test_beside_the_centre_the_bend_is_that_of_its_own_circle(
    lateral: float, curvature: float
) -> None:
    """At the angle of approach that it wants, nothing is to be corrected."""
    aim = 0.5 * 15.0
    wanted = -0.5 * lateral / aim
    circle = 1.0 / (1.0 / curvature - lateral)
    assert steer(lateral, wanted, curvature) == pytest.approx(circle * np.cos(wanted), rel=1e-9)


def test_a_car_that_faces_backwards_is_turned_around() -> None:
    assert steer(error=3.0) < -0.1
    assert steer(error=-3.0) > 0.1


def test_the_speed_is_held_where_it_is_right_and_changed_within_bounds() -> None:
    assert hold_speed(10.0, 10.0) == 0.0
    assert hold_speed(0.0, 20.0) == ACCEL_LIMIT
    assert hold_speed(20.0, 0.0) == -BRAKE_LIMIT
    assert 0.0 < hold_speed(10.0, 10.2) < ACCEL_LIMIT


def test_a_plan_of_constant_braking_is_braked_by_just_that() -> None:
    speed, braking = 15.0, 2.0
    ahead = speed * 0.5
    planned = np.sqrt(speed**2 - 2.0 * braking * ahead)
    assert hold_speed(speed, planned) == pytest.approx(-braking)


def test_a_batch_is_guided_as_each_of_its_cars() -> None:
    rng = np.random.default_rng(0)
    columns = {name: rng.uniform(-0.05, 0.05, 9) for name in LaneView._fields}
    columns |= {"speed": rng.uniform(0.0, 20.0, 9), "target_speed": rng.uniform(0.0, 20.0, 9)}
    view = LaneView(**columns)
    command = guide(view)
    for car in range(9):
        alone = guide(LaneView(*(column[car : car + 1] for column in view)))
        assert (alone.curvature[0], alone.accel[0]) == (command.curvature[car], command.accel[car])
        error = view.heading_error[car]
        steered = steer_to_centre(
            view.lateral_offset[car], np.cos(error), np.sin(error), view.curvature[car],
            view.curvature_ahead[car], view.speed[car], view.steering_delay[car],
        )  # fmt: skip
        assert command.curvature[car] == steered


@pytest.mark.parametrize("turn", [1.0, -1.0])
def test_a_circle_is_held_without_an_error_that_stays(
    circle_lane: LaneBuilder, world_of: WorldBuilder, turn: float
) -> None:
    world = world_of(circle_lane(40.0, turn))
    end = drive(world, world.reset(np.arange(4)), 200)[-1]
    np.testing.assert_allclose(end.lateral_offset, 0.0, atol=1e-3)
    np.testing.assert_allclose(end.curvature, turn / 40.0, rtol=1e-3)


@pytest.mark.parametrize(
    ("vehicle", "share"), [(Vehicle(), 1.0), (LATE, 0.5)], ids=["at-once", "late"]
)
def test_it_finds_back_from_beside_the_lane_and_askew(vehicle: Vehicle, share: float) -> None:
    """Half a second late, nobody keeps a car within 2 m that leaves 1.5 m beside the centre."""
    world = RoadWorld("procedural:0-20", sensors={}, task=RECOVERY, vehicle=vehicle)
    lateral = share * np.tile([-1.5, -0.7, 0.7, 1.5], 20)
    yaw = share * np.repeat([-0.17, 0.17, 0.0, 0.1], 20)
    states = drive(world, world.place(world.reset(np.arange(80)), lateral, yaw), 1000)
    assert set(states[-1].ended.tolist()) <= {Ended.TIME_UP, Ended.END_OF_ROAD}
    assert np.abs(states[-1].lateral_offset).max() < 0.3


def test_it_keeps_its_lane_on_procedural_roads() -> None:
    task = replace(LANE_FOLLOWING, route_length=0.0)
    world = RoadWorld("procedural:0-100", sensors={}, task=task)
    states = drive(world, world.reset(np.arange(100), roads=np.arange(100)), 1000)
    assert not np.isin(states[-1].ended, [Ended.OFF_LANE, Ended.WRONG_WAY]).any()
    offsets = np.stack([state.lateral_offset for state in states])
    assert np.sqrt((offsets**2).mean(axis=0)).max() < KEEPS_WITHIN
    pull = np.stack([state.speed**2 * np.abs(state.curvature) for state in states])
    assert pull.max() <= LATERAL_LIMIT


@pytest.mark.parametrize(
    ("vehicle", "lateral_limit"), [(Vehicle(), LATERAL_LIMIT), (LATE, 4.0)], ids=["at-once", "late"]
)
def test_it_laps_every_circuit_in_its_lane(
    shared_data: Path, vehicle: Vehicle, lateral_limit: float
) -> None:
    """All 25 of TUM side by side, from a lap's start over the start line; no end but the lap's."""
    task = Task("lap", route_length=1e9, time_limit=2000.0, start_speed=(0.9, 0.9))
    world = RoadWorld(
        str(shared_data / "tum_racetracks" / "tracks"), sensors={}, task=task, vehicle=vehicle
    )
    count = world.pool.source.count
    assert count == 25
    length = np.array([world.pool.source.road(i).length for i in range(count)])
    state = world.reset(np.zeros(count, int), roads=np.arange(count))
    squares, steps, pull = np.zeros(count), np.zeros(count), np.zeros(count)
    lapped = state.progress >= length
    while not lapped.all():
        state = world.step(state, guide(world.lane_view(state)))
        names = [world.road_name(int(r)) for r in np.flatnonzero(state.ended)]
        assert not names, (names, state.ended)
        lapped |= state.progress >= length
        squares += np.where(lapped, 0.0, state.lateral_offset**2)
        steps += ~lapped
        pull = np.maximum(pull, np.where(lapped, 0.0, state.speed**2 * np.abs(state.curvature)))
    within = np.sqrt(squares / steps)
    assert within.max() <= KEEPS_WITHIN, world.road_name(int(within.argmax()))
    assert pull.max() <= lateral_limit, world.road_name(int(pull.argmax()))
    mean_speed = length / (steps * world.dt)
    assert mean_speed.min() > 8.0  # careful, not creeping
