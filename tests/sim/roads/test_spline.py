"""Closed curves through points: a circle stays a circle, noise goes, the start does not show."""

import numpy as np
import pytest

from redrive.sim.roads.spline import PeriodicSpline

RADIUS = 100.0


def ring(count: int, wave: float = 0.0, waves: int = 0) -> np.ndarray:
    """Points round the origin, their distance from it RADIUS plus a wave."""
    angle = 2.0 * np.pi * np.arange(count) / count
    distance = RADIUS + wave * np.cos(waves * angle)
    return distance[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])


def fitted(points: np.ndarray, wavelength: float = 18.0) -> PeriodicSpline:
    return PeriodicSpline.fit(points, points, wavelength)


def test_a_circle_stays_a_circle() -> None:
    spline = fitted(ring(126))
    parameters, spacing = spline.equal_steps(1.0)
    place = spline.at(parameters)
    np.testing.assert_allclose(np.hypot(*place.T), RADIUS, atol=2e-3)
    np.testing.assert_allclose(spline.curvature(parameters), 1.0 / RADIUS, rtol=2e-3)
    assert spacing * len(parameters) == pytest.approx(2.0 * np.pi * RADIUS, rel=1e-4)


def test_steps_are_equal_in_arc_length() -> None:
    spline = fitted(ring(126, wave=5.0, waves=6))
    parameters, spacing = spline.equal_steps(1.0)
    fine = np.linspace(0.0, spline.period, 400_001)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(spline.at(fine), axis=0).T))])
    assert spacing == pytest.approx(along[-1] / len(parameters), rel=1e-9)
    np.testing.assert_allclose(
        np.interp(parameters, fine, along), spacing * np.arange(len(parameters)), atol=1e-6
    )


@pytest.mark.parametrize(("length", "kept"), [(90.0, 1.0), (18.0, 0.5), (9.0, 0.02)])
def test_long_waves_stay_and_short_ones_go(length: float, kept: float) -> None:
    waves = round(2.0 * np.pi * RADIUS / length)
    spline = fitted(ring(1260, wave=0.1, waves=waves))
    angle = 2.0 * np.pi * np.arange(5000) / 5000
    place = spline.at(spline.period * np.arange(5000) / 5000)
    left_over = 2.0 * np.mean((np.hypot(*place.T) - RADIUS) * np.cos(waves * angle))
    assert left_over / 0.1 == pytest.approx(kept, abs=0.03)


def test_the_curve_does_not_show_where_its_points_begin() -> None:
    points = ring(126, wave=3.0, waves=9)
    place = fitted(points).at(np.array([0.0]))
    turned = fitted(np.roll(points, 40, axis=0))
    step = np.hypot(*(points[1] - points[0]))
    near = turned.at(np.linspace(35.0 * step, 45.0 * step, 20_001))
    assert np.hypot(*(near - place).T).min() < 2e-3


def test_noise_does_not_reach_the_curvature() -> None:
    noisy = ring(126) + np.random.default_rng(0).normal(0.0, 0.05, (126, 2))
    spline = fitted(noisy)
    parameters = np.arange(0.0, spline.period)
    assert np.abs(spline.curvature(parameters) - 1.0 / RADIUS).max() < 0.01


def test_further_columns_follow_along() -> None:
    points = ring(126)
    columns = np.column_stack([points, np.full(126, 4.0), 5.0 + points[:, 0] / RADIUS])
    value = PeriodicSpline.fit(points, columns, 18.0).at(np.arange(0.0, 600.0))
    np.testing.assert_allclose(value[:, 2], 4.0, atol=1e-6)
    np.testing.assert_allclose(value[:, 3], 5.0 + value[:, 0] / RADIUS, atol=1e-3)


def test_derivatives_are_those_of_the_curve() -> None:
    spline = fitted(ring(126, wave=3.0, waves=9))
    where, h = np.arange(3.0, 600.0, 7.3), 1e-4
    slope = (spline.at(where + h) - spline.at(where - h)) / (2.0 * h)
    np.testing.assert_allclose(spline.at(where, 1), slope, atol=1e-6)


def test_few_points_will_do() -> None:
    spline = fitted(ring(12))
    np.testing.assert_allclose(np.hypot(*spline.at(np.arange(0.0, 600.0)).T), RADIUS, atol=1.0)
