from types import ModuleType

import numpy as np
import pytest

from redrive.sim.imports import motion

NO_STARTS = np.zeros(40, bool)


def test_a_circle_has_the_speed_and_curvature_it_was_driven_with(made_up: ModuleType) -> None:
    time, x, y, yaw = made_up.circle()
    got = motion.motion_of(time, x, y, yaw, NO_STARTS)
    np.testing.assert_allclose(got.speed[3:-3], 10.0, rtol=0.01)
    np.testing.assert_allclose(got.yaw_rate, 0.2, rtol=1e-9)
    np.testing.assert_allclose(got.curvature[3:-3], 0.02, rtol=0.01)


def test_speed_and_yaw_rate_lead_back_to_the_circle(made_up: ModuleType) -> None:
    time, x, y, yaw = made_up.circle()
    got = motion.integrate(time, np.full(40, 10.0), np.full(40, 0.2))
    for mine, true in zip(got, (x, y, yaw), strict=True):
        np.testing.assert_allclose(mine, true, atol=1e-9)


def test_no_slope_is_taken_across_a_gap() -> None:
    starts = np.zeros(10, bool)
    starts[5] = True
    values = np.where(np.arange(10) < 5, 0.0, 100.0) + np.arange(10)
    np.testing.assert_allclose(motion.slope(np.arange(10.0), values, starts), 1.0, atol=1e-9)


def test_a_noisy_speed_makes_no_wild_acceleration() -> None:
    time = np.arange(200) * 0.04
    speed = 20.0 + 1.5 * time + np.random.default_rng(0).normal(0.0, 0.2, 200)
    got = motion.acceleration(time, speed, np.zeros(200, bool))
    assert np.abs(got - 1.5).mean() < 0.5
    exact = motion.acceleration(time, 20.0 + 1.5 * time, np.zeros(200, bool))
    np.testing.assert_allclose(exact, 1.5)


def test_a_car_that_stands_keeps_its_curvature() -> None:
    speed = np.array([5.0, 5.0, 0.0, 0.0, 5.0])
    got = motion.curvature_of(speed, np.array([0.5, 0.5, 0.3, -0.3, 0.5]))
    np.testing.assert_allclose(got, 0.1)


def test_thirty_metres_between_two_frames_are_a_jump(made_up: ModuleType) -> None:
    _, x, y, yaw = made_up.circle()
    x[20:] += 30.0
    assert np.flatnonzero(motion.find_jumps(x, y, yaw)).tolist() == [20]


@pytest.mark.parametrize("speed", [0.0, 0.5, 30.0])
def test_no_ordinary_drive_jumps(speed: float) -> None:
    x = np.cumsum(np.full(100, speed * 0.1)) + np.random.default_rng(0).normal(0, 0.02, 100)
    assert not motion.find_jumps(x, np.zeros(100), np.zeros(100)).any()


def test_a_clock_that_waits_is_a_gap() -> None:
    time = np.arange(20) * 0.1
    time[12:] += 1.0
    assert np.flatnonzero(motion.find_gaps(time)).tolist() == [12]


def test_a_clock_must_grow() -> None:
    with pytest.raises(ValueError, match=r"time does not grow after row 2 \(0.2 s, then 0.1 s\)"):
        motion.check_time(np.array([0.0, 0.1, 0.2, 0.1]), "a.csv")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda yaw: np.rad2deg(yaw), "in degrees"),
        (lambda yaw: -yaw, "left and right are swapped"),
        (lambda yaw: yaw + np.pi, "backwards"),
        (lambda yaw: 0.5 * np.pi - yaw, "a compass"),
        (lambda yaw: yaw * 0.0 + 1.0, "degrees apart"),
    ],
)
def test_a_yaw_of_another_kind_is_refused(change: object, said: str, made_up: ModuleType) -> None:
    assert callable(change)
    _, x, y, yaw = made_up.circle(rows=200)
    starts = np.zeros(200, bool)
    motion.check_yaw(x, y, yaw, starts, "a.csv")
    with pytest.raises(ValueError, match=said):
        motion.check_yaw(x, y, change(yaw), starts, "a.csv")


def test_speed_in_kmh_is_refused() -> None:
    measured = np.full(20, 10.0)
    motion.check_speed(measured * 1.05, measured, "a.csv")
    with pytest.raises(ValueError, match="3.6 times.*km/h"):
        motion.check_speed(measured * 3.6, measured, "a.csv")


def test_a_yaw_rate_in_degrees_is_refused() -> None:
    speed, rate = np.full(50, 20.0), np.full(50, 0.2)
    motion.check_yaw_rate(speed, rate, "a.csv")
    with pytest.raises(ValueError, match="in degrees"):
        motion.check_yaw_rate(speed, np.rad2deg(rate), "a.csv")


def test_a_local_path_begins_at_nothing_and_keeps_its_shape(made_up: ModuleType) -> None:
    _, x, y, yaw = made_up.circle()
    cos, sin = np.cos(2.0), np.sin(2.0)
    got = motion.to_local(100.0 + cos * x - sin * y, -50.0 + sin * x + cos * y, yaw + 2.0)
    for mine, true in zip(got, (x, y, yaw), strict=True):
        np.testing.assert_allclose(mine, true, atol=1e-9)


def test_what_is_mounted_ahead_is_put_back_to_the_axle() -> None:
    x, y = motion.from_mount(np.array([2.0]), np.array([1.0]), np.array([0.5 * np.pi]), 1.5, 0.5)
    np.testing.assert_allclose([x[0], y[0]], [2.5, -0.5], atol=1e-12)


def test_springs_shake_and_hills_do_not() -> None:
    arc = np.arange(200) * 0.5
    hill = 0.05 * np.sin(arc / 40.0)
    bump = np.zeros(200)
    bump[100] = 0.01
    shaken = motion.shaking(arc, hill + bump)
    assert abs(shaken[100] - 0.01) < 0.001
    assert np.abs(np.delete(shaken, 100)).max() < 0.0015
