"""Clothoids against closed forms and against a reference a thousand times as fine."""

import numpy as np
import pytest

from redrive.sim.roads import clothoid


def fine_reference(curvature: np.ndarray, spacing: float, fineness: int) -> np.ndarray:
    """(M, 4) x, y, heading and curvature at `fineness` steps for each of the line's, by midpoints."""
    along = spacing * np.arange(len(curvature))
    fine = np.linspace(0.0, along[-1], fineness * (len(curvature) - 1) + 1)
    step = fine[1] - fine[0]
    kappa = np.interp(fine, along, curvature)
    heading = np.concatenate([[0.0], np.cumsum(0.5 * (kappa[1:] + kappa[:-1]) * step)])
    middle = heading[:-1] + 0.5 * step * (0.75 * kappa[:-1] + 0.25 * kappa[1:])
    x = np.concatenate([[0.0], np.cumsum(step * np.cos(middle))])
    y = np.concatenate([[0.0], np.cumsum(step * np.sin(middle))])
    return np.column_stack([x, y, heading, kappa])


def wiggly_curvature() -> np.ndarray:
    return np.interp(
        np.arange(301.0),
        [0, 30, 55, 80, 105, 140, 170, 230, 300],
        [0.0, 0.0, 1 / 15, 1 / 15, 0.0, -1 / 25, -1 / 25, 1 / 60, 0.0],
    )


@pytest.mark.parametrize("curvature", [1 / 15, -1 / 40, 1 / 400])
def test_constant_curvature_is_a_circle(curvature: float) -> None:
    line = clothoid.from_curvature(np.full(101, curvature), 1.0)
    angle = curvature * np.arange(101.0)
    np.testing.assert_allclose(line.x, np.sin(angle) / curvature, atol=1e-10)
    np.testing.assert_allclose(line.y, (1.0 - np.cos(angle)) / curvature, atol=1e-10)
    np.testing.assert_allclose(line.heading, angle, atol=1e-12)


def test_linear_curvature_is_cornus_spiral() -> None:
    rate = 0.002
    line = clothoid.from_curvature(rate * np.arange(51.0), 1.0)
    # Power series of the Fresnel integrals, x = sum of (-1)^n a^2n s^(4n+1) / ((2n)! (4n+1)).
    a, s = 0.5 * rate, np.arange(51.0)
    x, y, term = np.zeros(51), np.zeros(51), np.ones(51)
    for n in range(40):
        sign = (-1) ** (n // 2)
        if n % 2 == 0:
            x += sign * term * s / (2 * n + 1)
        else:
            y += sign * term * s / (2 * n + 1)
        term = term * a * s**2 / (n + 1)
    np.testing.assert_allclose(line.x, x, atol=1e-9)
    np.testing.assert_allclose(line.y, y, atol=1e-9)


def test_a_line_agrees_with_a_much_finer_one() -> None:
    curvature = wiggly_curvature()
    line = clothoid.from_curvature(curvature, 1.0)
    reference = fine_reference(curvature, 1.0, 1000)[::1000]
    np.testing.assert_allclose(np.column_stack([line.x, line.y]), reference[:, :2], atol=1e-6)
    np.testing.assert_allclose(line.heading, reference[:, 2], atol=1e-9)


def test_the_start_heading_turns_the_whole_line() -> None:
    straight = clothoid.from_curvature(np.zeros(11), 2.0, heading=np.pi / 2.0)
    np.testing.assert_allclose(straight.x, 0.0, atol=1e-12)
    np.testing.assert_allclose(straight.y, 2.0 * np.arange(11.0), atol=1e-12)


@pytest.mark.parametrize("distance", [3.0, -3.0, 12.0])
def test_the_parallel_of_a_circle_is_a_circle(distance: float) -> None:
    radius = 20.0
    line = clothoid.offset(clothoid.from_curvature(np.full(64, 1.0 / radius), 1.0), distance)
    np.testing.assert_allclose(np.hypot(line.x, line.y - radius), radius - distance, atol=1e-10)
    np.testing.assert_allclose(line.curvature, 1.0 / (radius - distance), atol=1e-12)
    assert line.spacing * (len(line.x) - 1) == pytest.approx(63.0 * (radius - distance) / radius)


@pytest.mark.parametrize("distance", [5.5, -1.7, -14.0])
def test_a_parallel_agrees_with_a_much_finer_one(distance: float) -> None:
    curvature = wiggly_curvature()
    line = clothoid.offset(clothoid.from_curvature(curvature, 1.0), distance)
    x, y, heading, kappa = fine_reference(curvature, 1.0, 1000).T
    x, y = x - distance * np.sin(heading), y + distance * np.cos(heading)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    nodes = line.spacing * np.arange(len(line.x))
    assert nodes[-1] == pytest.approx(along[-1], abs=1e-5)
    assert line.spacing == pytest.approx(1.0, abs=0.01)
    np.testing.assert_allclose(line.x, np.interp(nodes, along, x), atol=2e-6)
    np.testing.assert_allclose(line.y, np.interp(nodes, along, y), atol=2e-6)
    np.testing.assert_allclose(line.heading, np.interp(nodes, along, heading), atol=1e-5)
    bent = kappa / (1.0 - distance * kappa)
    np.testing.assert_allclose(line.curvature, np.interp(nodes, along, bent), atol=1e-5)


def test_there_and_back_is_where_it_began() -> None:
    line = clothoid.from_curvature(wiggly_curvature(), 1.0)
    back = clothoid.offset(clothoid.offset(line, 4.0, spacing=0.05), -4.0)
    np.testing.assert_allclose(back.x, line.x, atol=1e-5)
    np.testing.assert_allclose(back.y, line.y, atol=1e-5)


def test_a_parallel_that_folds_over_is_refused() -> None:
    line = clothoid.from_curvature(np.full(20, 1.0 / 10.0), 1.0)
    with pytest.raises(ValueError, match="12 m to the left folds over"):
        clothoid.offset(line, 12.0)
    clothoid.offset(line, -12.0)
