"""Frames in the plane: there and back, and left is left."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.sim.geometry import ego_to_world, world_to_ego, wrap_angle

metres = st.floats(-1e4, 1e4)
radians = st.floats(-10.0, 10.0)


@given(angle=st.floats(-1e6, 1e6))
def test_a_wrapped_angle_is_the_same_direction_within_half_a_turn(angle: float) -> None:
    wrapped = float(wrap_angle(np.array(angle)))
    assert -np.pi <= wrapped < np.pi
    turns = (angle - wrapped) / (2.0 * np.pi)
    assert turns == pytest.approx(round(turns), abs=1e-9)


@pytest.mark.parametrize(
    ("angle", "wrapped"),
    [
        (0.0, 0.0),
        (np.pi, -np.pi),
        (-np.pi, -np.pi),
        (2.0 * np.pi + 0.5, 0.5),
        (-3.5, 2 * np.pi - 3.5),
    ],
)
def test_angles_wrap_at_half_a_turn(angle: float, wrapped: float) -> None:
    np.testing.assert_allclose(wrap_angle(np.array(angle)), wrapped, atol=1e-15)


def test_an_angle_that_rounding_puts_on_the_border_stays_inside() -> None:
    just_below = np.nextafter(-np.pi, -4.0)
    assert -np.pi <= wrap_angle(np.array(just_below)) < np.pi


@given(x=metres, y=metres, yaw=radians, px=metres, py=metres)
def test_world_to_ego_and_back_is_the_same_point(
    x: float, y: float, yaw: float, px: float, py: float
) -> None:
    pose = (np.array(x), np.array(y), np.array(yaw))
    points = np.array([[px, py], [x, y]])
    there = world_to_ego(*pose, points)
    np.testing.assert_allclose(ego_to_world(*pose, there), points, atol=1e-8)
    np.testing.assert_allclose(world_to_ego(*pose, ego_to_world(*pose, points)), points, atol=1e-8)


@given(x=metres, y=metres, yaw=radians)
def test_the_translation_is_turned_with_the_frame(x: float, y: float, yaw: float) -> None:
    ahead = np.array([x + 5.0 * np.cos(yaw), y + 5.0 * np.sin(yaw)])
    seen = world_to_ego(np.array(x), np.array(y), np.array(yaw), ahead)
    np.testing.assert_allclose(seen, [5.0, 0.0], atol=1e-8)


def test_left_of_a_car_that_drives_north_is_west() -> None:
    north = np.array(0.5 * np.pi)
    west = ego_to_world(np.array(100.0), np.array(50.0), north, np.array([0.0, 2.0]))
    np.testing.assert_allclose(west, [98.0, 50.0], atol=1e-12)


def test_a_batch_of_poses_sees_a_point_each() -> None:
    yaw = np.array([0.0, 0.5 * np.pi, np.pi])
    seen = world_to_ego(np.zeros(3), np.zeros(3), yaw, np.tile([3.0, 0.0], (3, 1)))
    np.testing.assert_allclose(seen, [[3.0, 0.0], [0.0, -3.0], [-3.0, 0.0]], atol=1e-12)
