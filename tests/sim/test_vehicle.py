"""How cars move: on circles that geometry predicts, with actuators that lag as they say."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from redrive.sim import vehicle as vehicles
from redrive.sim.vehicle import Command, Vehicle
from redrive.sim.world import RoadWorld

DT = 0.1
Playground = Callable[..., RoadWorld]

speeds = st.floats(0.0, 60.0)
yaws = st.floats(-3.14, 3.14)
bends = st.one_of(st.floats(1e-3, 0.2), st.floats(-0.2, -1e-3))


class Motion(NamedTuple):
    x: float
    y: float
    yaw: float
    speed: float
    distance: float
    cos: float
    sin: float


def move(
    speed: float,
    curvature: float = 0.0,
    accel: float = 0.0,
    dt: float = DT,
    pose: tuple[float, float, float] = (0.0, 0.0, 0.0),
    max_speed: float = 60.0,
) -> Motion:
    return Motion(*vehicles.move(*pose, speed, curvature, accel, dt, max_speed))


def same_direction(one: float, other: float) -> None:
    assert np.cos(one - other) == pytest.approx(1.0, abs=1e-12)


@given(speed=speeds, curvature=bends, yaw=yaws, dt=st.floats(0.001, 1.0))
def test_held_curvature_drives_the_circle_that_geometry_predicts(
    speed: float, curvature: float, yaw: float, dt: float
) -> None:
    start_x, start_y = 12.0, -7.0
    end = move(speed, curvature, dt=dt, pose=(start_x, start_y, yaw))
    # The centre lies a radius to the left; the car turns by distance / radius around it.
    centre_x, centre_y = start_x - np.sin(yaw) / curvature, start_y + np.cos(yaw) / curvature
    heading = yaw + speed * dt * curvature
    assert end.x == pytest.approx(centre_x + np.sin(heading) / curvature, abs=1e-9)
    assert end.y == pytest.approx(centre_y - np.cos(heading) / curvature, abs=1e-9)
    same_direction(end.yaw, heading)
    assert end.distance == pytest.approx(speed * dt, abs=1e-12)


@given(speed=speeds, curvature=st.floats(-1e-4, 1e-4), dt=st.floats(0.001, 1.0))
def test_a_bend_that_is_almost_straight_keeps_its_digits(
    speed: float, curvature: float, dt: float
) -> None:
    end = move(speed, curvature, dt=dt)
    way = speed * dt
    assert end.x == pytest.approx(way * (1.0 - (curvature * way) ** 2 / 6.0), abs=1e-9)
    assert end.y == pytest.approx(0.5 * curvature * way**2, rel=1e-5, abs=1e-300)


@given(
    speed=speeds,
    curvature=st.floats(-0.2, 0.2),
    accel=st.floats(-6.0, 3.0),
    dt=st.floats(0.01, 1.0),
    pieces=st.integers(2, 9),
)
def test_many_small_steps_equal_a_large_one(
    speed: float, curvature: float, accel: float, dt: float, pieces: int
) -> None:
    whole = move(speed, curvature, accel, dt, max_speed=50.0 if speed <= 50.0 else 60.0)
    part = Motion(0.0, 0.0, 0.0, speed, 0.0, 1.0, 0.0)
    for _ in range(pieces):
        part = move(
            part.speed, curvature, accel, dt / pieces, part[:3], 50.0 if speed <= 50.0 else 60.0
        )
    assert part.x == pytest.approx(whole.x, abs=1e-8)
    assert part.y == pytest.approx(whole.y, abs=1e-8)
    assert part.speed == pytest.approx(whole.speed, abs=1e-9)
    same_direction(part.yaw, whole.yaw)


@given(speed=speeds, brake=st.floats(0.1, 6.0), dt=st.floats(0.01, 1.0))
def test_braking_to_a_stop_covers_the_braking_distance_and_stays(
    speed: float, brake: float, dt: float
) -> None:
    x, now = 0.0, speed
    for _ in range(int(speed / (brake * dt)) + 2):
        end = move(now, 0.0, -brake, dt, (x, 0.0, 0.0))
        x, now = end.x, end.speed
        assert now >= 0.0
    assert now == 0.0
    assert x == pytest.approx(speed**2 / (2.0 * brake), rel=1e-9, abs=1e-9)
    assert move(0.0, 0.1, -brake, dt, (x, 0.0, 0.3))[:5] == (x, 0.0, 0.3, 0.0, 0.0)


def test_a_car_at_its_fastest_goes_no_faster_and_not_a_metre_too_far() -> None:
    end = move(speed=19.0, accel=2.0, dt=1.0, max_speed=20.0)
    assert end.speed == 20.0
    assert end.distance == pytest.approx(19.5 * 0.5 + 20.0 * 0.5)
    assert move(speed=20.0, accel=2.0, dt=1.0, max_speed=20.0).distance == pytest.approx(20.0)


@given(speed=speeds, curvature=st.floats(-0.2, 0.2), yaw=yaws, dt=st.floats(0.001, 1.0))
@example(speed=60.0, curvature=0.2, yaw=3.0, dt=1.0)
@example(speed=60.0, curvature=-0.2, yaw=-3.0, dt=1.0)
def test_yaw_stays_within_half_a_turn(
    speed: float, curvature: float, yaw: float, dt: float
) -> None:
    end = move(speed, curvature, dt=dt, pose=(0.0, 0.0, yaw))
    assert -np.pi <= end.yaw < np.pi
    same_direction(end.yaw, yaw + speed * dt * curvature)
    assert (end.cos, end.sin) == pytest.approx((np.cos(end.yaw), np.sin(end.yaw)), abs=1e-14)


@given(speed=st.floats(1.0, 60.0), curvature=st.floats(1e-3, 0.05))
def test_left_is_left_and_right_its_mirror(speed: float, curvature: float) -> None:
    left, right = move(speed, curvature), move(speed, -curvature)
    assert left.y > 0.0 and left.yaw > 0.0
    assert right == (
        left.x, -left.y, -left.yaw, left.speed, left.distance, left.cos, -left.sin
    )  # fmt: skip


def drive(world: RoadWorld, commands: np.ndarray) -> dict[str, np.ndarray]:
    """What one car does under (T, 2) commands, from 10 m/s on: columns over T + 1 states."""
    state = world.reset(np.array([0]))._replace(speed=np.array([10.0]))
    states = [state]
    for command in commands:
        states.append(world.step(states[-1], Command(command[None, 0], command[None, 1])))
    names = ("x", "y", "yaw", "speed", "curvature", "accel")
    return {name: np.concatenate([getattr(s, name) for s in states]) for name in names}


def wiggle(steps: int) -> np.ndarray:
    t = np.arange(steps) * DT
    return np.stack([0.03 * np.sin(2.0 * t), 1.5 * np.cos(1.3 * t)], axis=-1)


def test_actuators_that_are_off_give_exactly_what_was_commanded(playground: Playground) -> None:
    commands = wiggle(50)
    driven = drive(playground(Vehicle()), commands)
    np.testing.assert_array_equal(driven["curvature"][1:], commands[:, 0])
    np.testing.assert_array_equal(driven["accel"][1:], commands[:, 1])


@pytest.mark.parametrize("dt", [0.02, 0.1, 0.5])
def test_a_lag_answers_a_jump_with_the_exponential(playground: Playground, dt: float) -> None:
    world = playground(Vehicle(steer_lag=0.3, accel_lag=0.6), dt)
    driven = drive(world, np.tile([0.05, 1.0], (40, 1)))
    t = dt * np.arange(41)
    np.testing.assert_allclose(driven["curvature"], 0.05 * (1.0 - np.exp(-t / 0.3)), atol=1e-12)
    np.testing.assert_allclose(driven["accel"], 1.0 - np.exp(-t / 0.6), atol=1e-12)


@pytest.mark.parametrize("delay", [1, 2, 5])
def test_a_delay_shifts_what_happens_by_exactly_its_steps(
    playground: Playground, delay: int
) -> None:
    commands = wiggle(30)
    at_once = drive(playground(Vehicle()), commands)
    later = drive(playground(Vehicle(delay_steps=delay)), commands)
    for name in ("curvature", "accel", "speed"):
        np.testing.assert_array_equal(later[name][delay:], at_once[name][:-delay], err_msg=name)
    way = 10.0 * delay * DT  # driven straight on before the first command acts
    np.testing.assert_allclose(later["x"][delay:], at_once["x"][:-delay] + way, atol=1e-9)
    np.testing.assert_allclose(later["y"][delay:], at_once["y"][:-delay], atol=1e-9)


def test_a_rate_limit_turns_the_wheel_no_faster_and_gets_there(playground: Playground) -> None:
    world = playground(Vehicle(max_curvature_rate=0.04))
    driven = drive(world, np.tile([0.05, 0.0], (20, 1)))
    expected = np.minimum(0.004 * np.arange(21), 0.05)
    np.testing.assert_allclose(driven["curvature"], expected, atol=1e-12)
    back = drive(world, np.tile([-0.05, 0.0], (20, 1)))
    np.testing.assert_allclose(back["curvature"], -expected, atol=1e-12)


@pytest.mark.parametrize(
    ("asked", "given"),
    [((9.0, 9.0), (0.1, 2.0)), ((-9.0, -9.0), (-0.1, -5.0)), ((0.1, -5.0), (0.1, -5.0))],
)
def test_commands_beyond_the_limits_give_the_limits(
    playground: Playground, asked: tuple[float, float], given: tuple[float, float]
) -> None:
    world = playground(Vehicle(max_curvature=0.1, max_accel=2.0, max_brake=5.0))
    driven = drive(world, np.array([asked]))
    assert (driven["curvature"][1], driven["accel"][1]) == given


def test_the_world_moves_a_car_along_the_exact_arc(playground: Playground) -> None:
    driven = drive(playground(Vehicle()), np.tile([0.05, 0.0], (100, 1)))
    angle = 0.05 * 10.0 * DT * np.arange(101)
    start = driven["x"][0]
    np.testing.assert_allclose(driven["x"], start + 20.0 * np.sin(angle), atol=1e-9)
    np.testing.assert_allclose(driven["y"], 20.0 * (1.0 - np.cos(angle)), atol=1e-9)


@pytest.mark.parametrize("name", sorted(asdict(Vehicle())))
def test_settings_that_mean_nothing_are_refused(name: str) -> None:
    for value in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"vehicle {name} must be .* and finite, got {value}"):
            replace(Vehicle(), **{name: value})  # type: ignore[arg-type]


def test_a_car_has_no_negative_front() -> None:
    with pytest.raises(ValueError, match="rear_overhang 5.0 m leaves nothing of a car"):
        Vehicle(rear_overhang=5.0)


def test_a_command_within_the_limits_is_what_the_car_follows(playground: Playground) -> None:
    vehicle = Vehicle(max_curvature=0.1, max_accel=2.0, max_brake=5.0)
    wild = 4.0 * wiggle(40) * [1.3, 1.0]
    tame = np.stack(vehicle.within_limits(Command(wild[:, 0], wild[:, 1])), axis=-1)
    assert (tame != wild).any(axis=0).all()
    world = playground(vehicle)
    driven, same = drive(world, wild), drive(world, tame)
    for name, column in driven.items():
        np.testing.assert_array_equal(column, same[name], err_msg=name)
