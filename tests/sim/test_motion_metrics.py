"""Figures of comfort and steering: closed forms, and scipy's derivative."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.sim import motion_metrics as metrics
from redrive.sim.lane_metrics import mean_absolute, root_mean_square
from redrive.sim.motion_metrics import COMFORT

DT = 0.1
TIME = DT * np.arange(601)


def test_the_bounds_of_comfort_are_nuplans() -> None:
    bounds = {name: (low, high) for name, (low, high, _) in COMFORT.items()}
    assert bounds == {
        "lon_accel": (-4.05, 2.40),
        "lat_accel": (-4.89, 4.89),
        "yaw_rate": (-0.95, 0.95),
        "yaw_accel": (-1.93, 1.93),
        "lon_jerk": (-4.13, 4.13),
        "jerk": (0.0, 8.37),
    }


@pytest.mark.parametrize("name", sorted(COMFORT))
def test_each_bound_is_felt_alone(name: str) -> None:
    """A way that goes just beyond one bound, and just stays within it."""
    bound = COMFORT[name].high
    speed, curvature = np.full_like(TIME, 10.0), np.zeros_like(TIME)
    for factor, kept in ((0.98, True), (1.02, False)):
        much = factor * bound
        time = TIME[:31]
        v, k = speed[:31].copy(), curvature[:31].copy()
        if name == "lon_accel":
            v = 1.0 + much * time
        elif name == "lat_accel":
            k = np.full(31, much / 100.0)
        elif name == "yaw_rate":  # slowly, so that the sideways pull stays small
            v, k = np.full(31, 2.0), np.full(31, much / 2.0)
        elif name == "yaw_accel":
            v, k = np.full(31, 1.0), much * (time - 1.5) / 4.0 * 4.0
            v, k = v[11:20], k[11:20]
        elif name == "lon_jerk":
            v = 10.0 + 0.5 * much * (time - 0.3) ** 2
            v, k = v[:9], k[:9]
        else:  # sideways jerk
            k = much * (time - 0.4) / 100.0
            v, k = v[:9], k[:9]
        within = metrics.within_comfort(metrics.motion(v, k, DT))
        assert within[name].all() == kept, factor
        assert all(flags.all() for other, flags in within.items() if other != name)


def test_turning_points_are_counted_when_they_are_far_enough_apart() -> None:
    weave = 0.01 * np.sin(2.0 * np.pi * TIME / 6.0)  # ten periods: two turning points in each
    assert metrics.reversals(weave) in (19, 20)
    assert metrics.reversals(-weave) in (19, 20)
    assert metrics.reversals(0.2 * weave) == 0  # 0.004 1/m from one turning point to the next
    assert metrics.reversals(0.001 * TIME) == metrics.reversals(np.zeros(1)) == 0


@given(st.lists(st.integers(-8, 8), min_size=1, max_size=40))
def test_reversals_are_those_of_the_turning_points(steps: list[int]) -> None:
    """Counted in another way: strike out the smallest swing below the gap until none is left."""
    values = np.cumsum(steps).astype(float)
    points = [values[0]]
    for value in values[1:]:
        if value == points[-1]:
            continue
        if len(points) > 1 and (points[-1] - points[-2]) * (value - points[-1]) > 0:
            points[-1] = value
        else:
            points.append(value)
    while True:
        swings = [abs(b - a) for a, b in itertools.pairwise(points)]
        small = [k for k, swing in enumerate(swings) if swing < 3.0]
        if not small:
            break
        k = min(small, key=lambda k: swings[k])
        if k == 0:
            del points[0]
        elif k == len(swings) - 1:
            del points[-1]
        else:
            del points[k : k + 2]
    assert metrics.reversals(values, gap=3.0) == max(0, len(points) - 2)


def test_a_sine_weave_is_known_in_closed_form() -> None:
    size, period = 0.4, 6.0  # [m], [s]; ten whole periods in the log
    weave = size * np.sin(2.0 * np.pi * TIME[:-1] / period)
    assert mean_absolute(weave) == pytest.approx(size * 2.0 / np.pi, rel=2e-3)
    assert root_mean_square(weave) == pytest.approx(size / np.sqrt(2.0))
    rate = 2.0 * np.pi / period
    assert metrics.whiteness(weave, DT) == pytest.approx(size * rate / np.sqrt(2.0), rel=2e-3)
    assert metrics.derivative(weave, DT) == pytest.approx(
        size * rate * np.cos(rate * TIME[:-1]), abs=0.04 * size * rate
    )


def test_braking_to_a_stop_is_comfortable_when_it_is_gentle() -> None:
    def stop(braking: float) -> np.ndarray:
        return np.maximum(0.0, 12.0 - braking * TIME)

    straight = np.zeros_like(TIME)
    gentle = metrics.motion(stop(2.0), straight, DT)
    assert gentle["lon_accel"][5:50] == pytest.approx(-2.0)
    assert gentle["lon_accel"][70:] == pytest.approx(0.0, abs=1e-9)
    assert metrics.comfortable(stop(2.0), straight, DT)[:50].all()
    harsh = metrics.comfortable(stop(6.0), straight, DT)
    assert not harsh[:15].any()
    assert harsh[40:].all()


@pytest.mark.parametrize("steps", [2, 3, 4, 6, 7, 8, 30])
def test_the_derivative_of_a_parabola_is_exact(steps: int) -> None:
    time = DT * np.arange(steps)
    order = min(2, steps - 1)
    values = 1.0 + 2.0 * time + (3.0 * time**2 if order == 2 else 0.0)
    slope = 2.0 + (6.0 * time if order == 2 else 0.0 * time)
    assert metrics.derivative(values, DT) == pytest.approx(slope)
    assert metrics.derivative(values[:1], DT).tolist() == [0.0]


@pytest.mark.parametrize("dt", [0.05, 0.1, 0.2])
def test_the_derivative_is_scipys(dt: float) -> None:
    signal = pytest.importorskip("scipy.signal")
    values = np.random.default_rng(0).normal(size=60)
    window = {0.05: 15, 0.1: 7, 0.2: 3}[dt]
    expected = signal.savgol_filter(values, window, 2, deriv=1, delta=dt, mode="interp")
    assert metrics.derivative(values, dt) == pytest.approx(expected)
