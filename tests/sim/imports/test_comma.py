from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from redrive.sim.imports import comma, motion, store
from redrive.sim.recording import Recording

MOUNT_YAW, DOWN = 0.05, 0.04  # the device looks left and down


def quaternion(matrix: np.ndarray) -> np.ndarray:
    """w x y z of a rotation with a positive trace or not (Shepperd's method)."""
    diagonal = np.append(np.trace(matrix), np.diag(matrix))
    most = int(np.argmax(diagonal))
    if most == 0:
        w = 0.5 * np.sqrt(1 + diagonal[0])
        x, y, z = (
            matrix[2, 1] - matrix[1, 2],
            matrix[0, 2] - matrix[2, 0],
            matrix[1, 0] - matrix[0, 1],
        )
        return np.array([w, *(np.array([x, y, z]) / (4 * w))])
    i = most - 1
    j, k = (i + 1) % 3, (i + 2) % 3
    q = np.empty(4)
    root = np.sqrt(1 + matrix[i, i] - matrix[j, j] - matrix[k, k])
    q[1 + i] = 0.5 * root
    q[0] = (matrix[k, j] - matrix[j, k]) / (2 * root)
    q[1 + j] = (matrix[j, i] + matrix[i, j]) / (2 * root)
    q[1 + k] = (matrix[k, i] + matrix[i, k]) / (2 * root)
    return q


@pytest.fixture
def segment(made_up: ModuleType, tmp_path: Path) -> Path:
    """A car on an S of circles, somewhere in California."""
    time = np.arange(400) * 0.05
    speed, rate = np.full(400, 15.0), 0.1 * np.sin(0.8 * time)
    x, y, yaw = motion.integrate(time, speed, rate)
    folder = tmp_path / "route" / "7"
    latitude, longitude = np.deg2rad(37.5), np.deg2rad(-122.5)
    up = np.array(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude),
         np.sin(latitude)]
    )  # fmt: skip
    place = 6_371_000.0 * up
    level = comma.enu_axes(place)
    heading = yaw + 0.7
    ahead = np.stack([np.cos(heading), np.sin(heading)])
    cos, sin = np.cos(0.7), np.sin(0.7)
    east = cos * x - sin * y + comma.MOUNT_FORWARD * ahead[0]
    north = sin * x + cos * y + comma.MOUNT_FORWARD * ahead[1]
    positions = place + np.stack([east, north, np.zeros(400)], axis=1) @ level
    looks = heading + MOUNT_YAW
    quaternions = []
    for angle in looks:
        forward = np.array(
            [np.cos(angle) * np.cos(DOWN), np.sin(angle) * np.cos(DOWN), -np.sin(DOWN)]
        )
        right = np.array([np.sin(angle), -np.cos(angle), 0.0])
        device = np.stack([forward, right, np.cross(forward, right)], axis=1)
        quaternions.append(quaternion(level.T @ device))
    (folder / "global_pose").mkdir(parents=True)
    for name, values in (
        ("frame_times", time + 1000.0),
        ("frame_positions", positions),
        ("frame_orientations", np.array(quaternions)),
    ):
        with open(folder / "global_pose" / name, "wb") as handle:
            np.save(handle, values)
    hand = np.rad2deg(np.arctan(rate / speed * comma.WHEELBASE)) * comma.STEER_RATIO + 2.0
    for name, signal in (("speed", speed[:, None]), ("steering_angle", hand)):
        can = folder / "processed_log" / "CAN" / name
        can.mkdir(parents=True)
        for part, values in (("t", time + 1000.0), ("value", signal)):
            with open(can / part, "wb") as handle:
                np.save(handle, values)
    return folder


def test_the_path_and_the_mounting_are_found(segment: Path) -> None:
    drive = comma.read(segment.parent.parent)
    rate = 0.1 * np.sin(0.8 * (drive.time - drive.time[0]))
    x, y, yaw = motion.integrate(drive.time, np.full(400, 15.0), rate)
    got = motion.to_local(drive.x, drive.y, drive.yaw)
    np.testing.assert_allclose(got[0], x, atol=0.2)
    np.testing.assert_allclose(got[1], y, atol=0.3)
    np.testing.assert_allclose(got[2], yaw, atol=0.01)
    np.testing.assert_allclose(drive.about["mount_yaw"], MOUNT_YAW, atol=5e-3)
    np.testing.assert_allclose(drive.about["pitch_from_travel"], DOWN, atol=5e-3)
    np.testing.assert_allclose(drive.curvature, rate / 15.0, atol=1e-3)
    np.testing.assert_allclose(drive.about["steer_zero_deg"], 2.0, atol=0.5)
    assert [note.name for note in drive.notes] == ["no-pictures"]


def test_steering_to_the_right_is_refused_where_the_car_went_left(segment: Path) -> None:
    path = segment / "processed_log" / "CAN" / "steering_angle" / "value"
    values = np.load(path)
    with open(path, "wb") as handle:
        np.save(handle, -values)
    with pytest.raises(ValueError, match="steering and poses turn opposite ways"):
        comma.read(segment)


def test_a_video_makes_it_a_place_to_see(
    segment: Path, made_up: ModuleType, tmp_path: Path
) -> None:
    time = np.load(segment / "global_pose" / "frame_times")
    yaw = motion.integrate(time, np.full(400, 15.0), 0.1 * np.sin(0.8 * (time - 1000.0)))[2]
    made_up.write_video(segment / "video.hevc.mp4", yaw + MOUNT_YAW)
    (segment / "video.hevc.mp4").rename(segment / "video.hevc")
    drive = comma.read(segment)
    assert drive.eye is not None
    np.testing.assert_allclose(drive.eye.lens.yaw, MOUNT_YAW, atol=5e-3)
    done = store.write(drive, tmp_path / "rec")
    assert done.segments == (400,)
    assert done.notes == ()
    about = Recording.open(done.folder).header.about
    assert about is not None
    assert about["turning"]["correlation"] > 0.5


def test_a_video_of_another_segment_is_refused(segment: Path, made_up: ModuleType) -> None:
    made_up.write_video(segment / "video.mp4", np.zeros(20))
    with pytest.raises(ValueError, match="has 20 frames, the poses are of 400"):
        comma.read(segment)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("global_pose/frame_positions", np.zeros((399, 3)), "399 rows, its times have 400"),
        ("global_pose/frame_positions", np.ones((400, 3)), "not in metres from the Earth's centre"),
        ("global_pose/frame_orientations", np.ones((400, 4)), "unit quaternions"),
        ("global_pose/frame_times", np.zeros(400), "time does not grow"),
        ("processed_log/CAN/speed/value", np.full((400, 1), 54.0), "km/h"),
        ("processed_log/CAN/speed/t", np.arange(400.0), "of another segment"),
    ],
)
def test_what_is_wrong_is_said(name: str, values: np.ndarray, said: str, segment: Path) -> None:
    with open(segment / name, "wb") as handle:
        np.save(handle, values)
    with pytest.raises(ValueError, match=said):
        comma.read(segment)


def test_a_missing_file_is_named(segment: Path, tmp_path: Path) -> None:
    (segment / "global_pose" / "frame_orientations").unlink()
    with pytest.raises(FileNotFoundError, match="frame_orientations is missing"):
        comma.read(segment)
    with pytest.raises(FileNotFoundError, match="no comma2k19 segment"):
        comma.read(segment / "processed_log")


def test_the_example_segment_is_read_whole(shared_data: Path) -> None:
    drive = comma.read(shared_data / "comma2k19")
    assert len(drive.time) == 1200
    metres = np.hypot(np.diff(drive.x), np.diff(drive.y)).sum()
    assert abs(metres - 1012.0) < 3.0
    assert 7.5 < drive.speed.min() < drive.speed.max() < 20.5
    assert drive.about["steer_yaw_rate_correlation"] > 0.5
    assert abs(np.rad2deg(drive.yaw[-1] - drive.yaw[0])) < 3.0
    assert drive.eye is None
