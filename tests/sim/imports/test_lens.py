from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from redrive.sim.imports.lens import Lens, Mounting, Straightener
from redrive.sim.imports.lens_file import read_lens
from redrive.sim.sensors.camera import project_ground

SIZE = (96, 64)


def lens(**changes: Any) -> Lens:
    values: dict[str, Any] = {
        "width": 640, "height": 360, "fx": 400.0, "fy": 400.0, "cx": 319.5, "cy": 179.5,
        "mount_height": 1.5, "mount_forward": 0.0, "pitch": 0.05,
    }  # fmt: skip
    return Lens(**(values | changes))


def project(given: Lens, points: np.ndarray) -> np.ndarray:
    """Where road points (x forward, y left) appear in the source picture, by OpenCV."""
    pitch, yaw = given.pitch, given.yaw
    ahead = points[:, 0] * np.cos(yaw) + points[:, 1] * np.sin(yaw)
    left = points[:, 1] * np.cos(yaw) - points[:, 0] * np.sin(yaw)
    down = np.full(len(points), given.mount_height)
    camera = np.stack(
        [-left, down * np.cos(pitch) - ahead * np.sin(pitch),
         ahead * np.cos(pitch) + down * np.sin(pitch)], axis=1,
    )  # fmt: skip
    matrix = np.array([[given.fx, 0, given.cx], [0, given.fy, given.cy], [0, 0, 1.0]])
    numbers = np.array(given.distortion or (0.0,) * 4)
    if given.model == "fisheye":
        pixels, _ = cv2.fisheye.projectPoints(
            camera[:, None], np.zeros(3), np.zeros(3), matrix, numbers
        )
    else:
        pixels, _ = cv2.projectPoints(camera[:, None], np.zeros(3), np.zeros(3), matrix, numbers)
    return pixels.reshape(-1, 2)


@pytest.mark.parametrize(
    ("changes", "size", "crop"),
    [
        ({}, None, (0, 0, 0, 0)),
        ({}, (320, None), (10, 20, 30, 40)),
        ({"yaw": -0.05}, None, (0, 0, 0, 0)),
        ({"distortion": (-0.25, 0.05, 0.001, 0.0005, 0.0), "yaw": 0.03}, None, (0, 40, 0, 20)),
        ({"model": "fisheye", "fx": 300.0, "fy": 300.0}, (480, 270), (0, 0, 0, 0)),
    ],
)
def test_a_spot_on_the_road_lands_where_the_straight_camera_sees_it(
    changes: dict[str, Any], size: tuple[int, int | None] | None, crop: tuple[int, int, int, int]
) -> None:
    given = lens(**changes)
    straighten = Straightener(given, size, crop)
    for spot in ([8.0, 0.0], [7.0, 1.5], [9.0, -2.0]):
        u, v = project(given, np.array([spot]))[0]
        grid_v, grid_u = np.mgrid[0:360, 0:640]
        blot = 255.0 * np.exp(-((grid_u - u) ** 2 + (grid_v - v) ** 2) / (2 * 4.0**2))
        seen = straighten(blot.astype(np.uint8))[..., 0].astype(float)
        rows, columns = np.mgrid[0 : seen.shape[0], 0 : seen.shape[1]] + 0.5
        found = np.array([(columns * seen).sum(), (rows * seen).sum()]) / seen.sum()
        expected, _ = project_ground(straighten.camera, np.array(spot))
        np.testing.assert_allclose(found, expected, atol=0.35)


@pytest.mark.parametrize("tilt", [(0.01, 0.0), (0.0, 0.01), (-0.008, 0.006)])
def test_a_shaken_picture_shows_what_a_steady_one_would(tilt: tuple[float, float]) -> None:
    steady = lens()
    straighten = Straightener(steady, None, (0, 0, 0, 0), (0.012, 0.012))
    pitch, roll = tilt
    spot = np.array([8.0, 1.0])
    shaken = project(lens(pitch=0.05 + pitch), spot[None])[0] - (steady.cx, steady.cy)
    cos, sin = np.cos(roll), np.sin(roll)  # the right side hangs down: the picture turns left
    u, v = np.array([[cos, sin], [-sin, cos]]) @ shaken + (steady.cx, steady.cy)
    grid_v, grid_u = np.mgrid[0:360, 0:640]
    blot = 255.0 * np.exp(-((grid_u - u) ** 2 + (grid_v - v) ** 2) / (2 * 4.0**2))
    seen = straighten(blot.astype(np.uint8), tilt)[..., 0].astype(float)
    rows, columns = np.mgrid[0 : seen.shape[0], 0 : seen.shape[1]] + 0.5
    found = np.array([(columns * seen).sum(), (rows * seen).sum()]) / seen.sum()
    expected, _ = project_ground(straighten.camera, spot)
    np.testing.assert_allclose(found, expected, atol=0.2)


def test_nothing_is_touched_where_nothing_needs_to_be() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (360, 640, 3), np.uint8)
    np.testing.assert_array_equal(Straightener(lens())(picture), picture[..., ::-1])


def test_no_empty_border_is_left() -> None:
    bulging = lens(distortion=(0.2, 0.0, 0.0, 0.0), yaw=0.1)
    straighten = Straightener(bulging)
    white = np.full((360, 640), 255, np.uint8)
    assert straighten(white).min() >= 254
    assert straighten.camera.width < 640


def test_a_picture_of_another_size_is_refused(made_up: ModuleType, tmp_path: Path) -> None:
    path = made_up.write_camera(tmp_path / "camera.json")
    with pytest.raises(ValueError, match="1280 x 720 px, the camera was calibrated for 96 x 64"):
        read_lens(path, (1280, 720))


def test_a_crop_must_leave_something() -> None:
    with pytest.raises(ValueError, match="leave at least 16 px"):
        Straightener(lens(), None, (0, 200, 0, 160))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"fx": None}, "missing calibration fx"),
        ({"mount_height": None}, "missing calibration mount_height"),
        ({"mount_height": 0}, "mount_height must lie between"),
        ({"mount_height": None, "image_height": 64, "height": 0}, "mount_height must lie"),
        ({"pitch": 4.0}, "in degrees"),
        ({"yaw": 3.0}, "in degrees"),
        ({"fy": -1}, "focal lengths must be positive"),
        ({"distortion": [1, 2, 3]}, "distortion numbers, got 3"),
        ({"fx": "wide"}, 'fx must be a number, got "wide"'),
        ({"model": "mirror"}, "pinhole or fisheye"),
    ],
)
def test_a_wrong_camera_file_is_refused(
    changes: dict[str, Any], said: str, made_up: ModuleType, tmp_path: Path
) -> None:
    path = made_up.write_camera(tmp_path / "camera.json", **changes)
    with pytest.raises(ValueError, match=said):
        read_lens(path, SIZE)


def test_a_camera_file_may_call_things_otherwise(made_up: ModuleType, tmp_path: Path) -> None:
    plain, _ = read_lens(made_up.write_camera(tmp_path / "a.json"), SIZE)
    other = made_up.write_camera(
        tmp_path / "b.json",
        fx=None, fy=None, cx=None, cy=None, mount_height=None, pitch=None, width=None,
        K=[[60.0, 0, 47.5], [0, 60.0, 31.5], [0, 0, 1]],
        image_width=96, image_height=64, height=1.5,
        pitch_up_deg=float(-np.rad2deg(0.05)), note="by hand",
    )  # fmt: skip
    read, notes = read_lens(other, SIZE)
    np.testing.assert_allclose(read.pitch, plain.pitch)
    assert (read.fx, read.cx, read.mount_height, read.height) == (60.0, 47.5, 1.5, 64)
    assert [note.name for note in notes] == ["ignored"]


def test_the_height_alone_is_the_cameras_when_no_picture_is_that_low(
    made_up: ModuleType, tmp_path: Path
) -> None:
    path = made_up.write_camera(tmp_path / "a.json", mount_height=None, height=1.22, pitch=None)
    read, notes = read_lens(path, SIZE)
    assert (read.mount_height, read.height) == (1.22, 64)
    assert [note.name for note in notes] == ["no-pitch"]


def test_what_is_known_better_wins() -> None:
    mounted = Mounting(mount_height=2.0, yaw=0.1).applied(lens())
    assert (mounted.mount_height, mounted.yaw, mounted.pitch) == (2.0, 0.1, 0.05)
