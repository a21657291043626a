"""The camera is the pinhole that the books describe."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.sim.sensors.camera import Camera, ground_at, project_ground

LEVEL = Camera(pitch=0.0, mount_forward=0.0)  # fx = fy = 48, centre (48, 32), 1.4 m high


def test_a_point_ahead_lands_where_similar_triangles_say() -> None:
    # 14 m ahead of a level camera 1.4 m high: a tenth of a radian down, 48 / 10 px below the centre.
    pixels, in_front = project_ground(LEVEL, np.array([[14.0, 0.0], [14.0, 3.5], [14.0, -3.5]]))
    np.testing.assert_allclose(pixels, [[48.0, 36.8], [36.0, 36.8], [60.0, 36.8]])
    assert in_front.all()


def test_the_mount_shifts_what_is_seen() -> None:
    ahead, _ = project_ground(Camera(pitch=0.0, mount_forward=2.0), np.array([16.0, 1.0]))
    np.testing.assert_allclose(ahead, project_ground(LEVEL, np.array([14.0, 1.0]))[0])


def test_the_optical_axis_of_a_pitched_camera_meets_the_road_at_height_over_tangent() -> None:
    camera = Camera(pitch=0.1, mount_forward=0.0)
    axis = np.array([1.4 / np.tan(0.1), 0.0])
    np.testing.assert_allclose(project_ground(camera, axis)[0], [48.0, 32.0], atol=1e-9)
    np.testing.assert_allclose(ground_at(camera, np.array([48.0, 32.0])), axis)


def test_the_horizon_is_where_the_far_road_goes() -> None:
    camera = Camera()
    far, _ = project_ground(camera, np.array([1e9, 0.0]))
    assert far[1] == pytest.approx(camera.horizon, abs=1e-6)
    assert camera.horizon == pytest.approx(32.0 - 48.0 * np.tan(np.deg2rad(8.0)))


def test_what_is_behind_has_no_pixel_and_the_sky_no_ground() -> None:
    pixels, in_front = project_ground(Camera(), np.array([[-5.0, 0.0], [5.0, 0.0]]))
    np.testing.assert_array_equal(in_front, [False, True])
    assert np.isnan(pixels[0]).all()
    assert np.isnan(ground_at(Camera(), np.array([48.0, Camera().horizon - 0.01]))).all()


@given(
    st.floats(0.5, 150.0),
    st.floats(-60.0, 60.0),
    st.floats(-0.3, 1.0),
    st.floats(0.2, 5.0),
    st.floats(-1.0, 3.0),
)
def test_pixels_and_ground_are_inverse(
    ahead: float, left: float, pitch: float, height: float, forward: float
) -> None:
    camera = Camera(cy=8.0, pitch=pitch, mount_height=height, mount_forward=forward)
    point = np.array([ahead + forward, left])
    pixel, in_front = project_ground(camera, point)
    assert in_front
    np.testing.assert_allclose(ground_at(camera, pixel), point, rtol=1e-6, atol=1e-6)


def test_left_is_left_and_near_is_low() -> None:
    pixels, _ = project_ground(Camera(), np.array([[10.0, 2.0], [10.0, -2.0], [5.0, 0.0]]))
    assert pixels[0, 0] < pixels[1, 0]
    assert pixels[2, 1] > pixels[0, 1]


def test_a_field_of_view_fills_the_width() -> None:
    camera = Camera.with_field_of_view(200, 100, np.deg2rad(60.0), pitch=0.0)
    edge = np.tan(np.deg2rad(30.0)) * 10.0
    pixels, _ = project_ground(camera, np.array([[10.0, edge], [10.0, -edge]]) + [1.0, 0.0])
    np.testing.assert_allclose(pixels[:, 0], [0.0, 200.0], atol=1e-9)


def test_a_scaled_camera_sees_the_same() -> None:
    point = np.array([7.0, -1.0])
    small, _ = project_ground(Camera(), point)
    large, _ = project_ground(Camera().scaled(5.0), point)
    np.testing.assert_allclose(large, 5.0 * small)


def test_settings_survive_json() -> None:
    camera = Camera(width=97, height=63, pitch=0.2)
    assert Camera.from_json(json.loads(json.dumps(camera.to_json()))) == camera


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"pitch": 8.0}, "is it in degrees"),
        ({"mount_height": 140.0}, "is it in metres"),
        ({"fx": 0.0}, "focal lengths must be positive"),
        ({"width": 4}, "8 to 4096 px"),
        ({"cy": float("nan")}, "camera cy must be a finite number"),
        ({"pitch": -0.59}, "sees no ground"),
    ],
)
def test_an_impossible_camera_is_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Camera(**settings)  # type: ignore[arg-type]


def test_degrees_as_a_field_of_view_are_refused() -> None:
    with pytest.raises(ValueError, match="Use np.deg2rad"):
        Camera.with_field_of_view(96, 64, 90.0)


def test_misspelt_settings_are_refused() -> None:
    data = Camera().to_json()
    data["focal"] = data.pop("fx")
    with pytest.raises(ValueError, match=r"missing \['fx'\], unknown \['focal'\]"):
        Camera.from_json(data)


def test_points_without_two_coordinates_are_refused() -> None:
    with pytest.raises(ValueError, match="got shape"):
        project_ground(Camera(), np.zeros((4, 3)))
