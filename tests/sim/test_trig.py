"""Our own sine, cosine and angle are those of numpy, over wide ranges and at the ends."""

import numpy as np
import pytest

from redrive.sim.trig import LARGE, angle_of, angles_of, sin_cos, sines_cosines

PLACES = 2.0  # units of the last place that a result may be off


def places(found: np.ndarray, true: np.ndarray) -> float:
    """How far off the worst result is, in units of its last place."""
    return float(np.max(np.abs(found - true) / np.spacing(np.abs(found))))


def angles(largest: float) -> np.ndarray:
    """Angles up to a size, and those around every multiple of an eighth of a turn."""
    rng = np.random.default_rng(0)
    eighths = np.arange(-40, 41) * 0.25 * np.pi
    near = eighths[:, None] + np.array([-1e-3, -1e-9, 0.0, 1e-9, 1e-3])
    near = near[np.abs(near) <= largest]
    return np.concatenate([rng.uniform(-largest, largest, 20000), near])


@pytest.mark.parametrize("largest", [1e-300, 1e-9, 1e-3, 0.8, 3.2, 40.0, 0.999 * LARGE])
def test_sine_and_cosine_are_right_to_their_last_places(largest: float) -> None:
    angle = angles(largest)
    sin, cos = np.empty_like(angle), np.empty_like(angle)
    sines_cosines(angle, sin, cos)
    exact = angle.astype(np.longdouble)  # its own functions are a thousand times as exact
    assert places(sin, np.sin(exact)) < PLACES
    assert places(cos, np.cos(exact)) < PLACES


@pytest.mark.parametrize("angle", [2.0 * LARGE, 1e22, -1e9])
def test_huge_angles_are_numpys(angle: float) -> None:
    assert sin_cos(angle) == (np.sin(angle), np.cos(angle))


@pytest.mark.parametrize("angle", [np.nan, np.inf, -np.inf])
def test_what_is_no_angle_has_no_sine(angle: float) -> None:
    assert np.isnan(sin_cos(angle)).all()


def test_nothing_turned_is_exactly_straight_on() -> None:
    assert sin_cos(0.0) == (0.0, 1.0)


def test_left_and_right_are_exact_mirror_images() -> None:
    for angle in angles(40.0)[:2000]:
        sin, cos = sin_cos(angle)
        assert sin_cos(-angle) == (-sin, cos)


@pytest.mark.parametrize("widest", [1e-300, 1e-9, 1e-3, 0.5, np.pi])
def test_angles_of_directions_are_right_to_their_last_places(widest: float) -> None:
    angle = angles(widest)
    length = np.exp(np.random.default_rng(1).uniform(-20.0, 20.0, angle.size))
    sin, cos = length * np.sin(angle), length * np.cos(angle)
    found = np.empty_like(angle)
    angles_of(sin, cos, found)
    exact = np.arctan2(sin.astype(np.longdouble), cos.astype(np.longdouble))
    some = found != 0.0  # zero's last place is smaller than any number
    assert places(found[some], exact[some]) < PLACES
    assert (exact[~some] == 0.0).all()


def test_the_axes_and_their_signs_are_numpys() -> None:
    values = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan]
    for sin in values:
        for cos in values:
            found, expected = angle_of(sin, cos), np.arctan2(sin, cos)
            np.testing.assert_array_equal(found, expected)
            if not np.isnan(expected):
                assert np.signbit(found) == np.signbit(expected)
