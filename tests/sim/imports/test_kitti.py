from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from redrive.sim.imports import kitti, motion, store
from redrive.sim.imports.lens import Mounting
from redrive.sim.recording import Recording, validate

DOWN = 0.03


@pytest.fixture
def folder(made_up: ModuleType, tmp_path: Path) -> Path:
    """A camera 0.9 m ahead of an axle that goes around a circle, pitched down a little."""
    time, x, y, yaw = made_up.circle()
    cos, sin = np.cos(yaw), np.sin(yaw)
    poses = made_up.kitti_poses(x + 0.9 * cos, y + 0.9 * sin, yaw, down=DOWN)
    drive: Path = made_up.write_kitti(tmp_path / "drive", poses, time)
    made_up.write_images(drive / "image_l", yaw)
    return drive


def test_the_axle_drives_the_circle_that_the_camera_was_taken_around(
    folder: Path, made_up: ModuleType
) -> None:
    drive = kitti.read(folder)
    time, x, y, yaw = made_up.circle()
    got = motion.to_local(drive.x, drive.y, drive.yaw)
    for mine, true in zip(got, (x, y, yaw), strict=True):
        np.testing.assert_allclose(mine, true, atol=1e-6)
    np.testing.assert_allclose(drive.time, time)
    np.testing.assert_allclose(drive.curvature[3:-3], 0.02, rtol=0.01)
    assert not drive.starts.any()


def test_the_pitch_is_where_the_camera_travels(folder: Path) -> None:
    drive = kitti.read(folder)
    assert drive.eye is not None
    np.testing.assert_allclose(drive.eye.lens.pitch, DOWN, atol=1e-3)
    given = kitti.read(folder, mounting=Mounting(pitch=0.1))
    assert given.eye is not None
    assert given.eye.lens.pitch == 0.1


def test_a_second_camera_is_kept_where_it_has_pictures(
    folder: Path, made_up: ModuleType, tmp_path: Path
) -> None:
    made_up.write_images(folder / "image_r", np.zeros(40))
    for number in range(40):
        if number % 3:
            (folder / "image_r" / f"{number:06d}.png").unlink()
    store.write(kitti.read(folder), tmp_path / "rec")
    recording = Recording.open(tmp_path / "rec")
    assert recording.header.camera_right is not None
    np.testing.assert_allclose(recording.header.camera_right["baseline"], 0.5)
    ids = recording.read(0, "camera_right_state_id")
    np.testing.assert_array_equal(ids, np.where(np.arange(40) % 3, -1, np.arange(40)))
    right = recording.read(0, "camera_right")
    assert not right[ids < 0].any()
    assert right[ids >= 0].any(axis=(1, 2, 3)).all()
    assert validate(tmp_path / "rec") == []


def test_without_times_the_period_is_assumed_and_said(folder: Path) -> None:
    (folder / "times.txt").unlink()
    drive = kitti.read(folder)
    assert [note.name for note in drive.notes] == ["no-times"]
    np.testing.assert_allclose(np.diff(drive.time), kitti.read(folder, period=0.1031).time[1])


def test_poses_without_pictures_are_a_path(folder: Path) -> None:
    for path in (folder / "image_l").iterdir():
        path.unlink()
    (folder / "image_l").rmdir()
    assert kitti.read(folder).eye is None


def test_a_jump_splits_the_drive_and_is_named(folder: Path, tmp_path: Path) -> None:
    poses = np.loadtxt(folder / "poses.txt")
    poses[25:, 11] += 30.0
    np.savetxt(folder / "poses.txt", poses)
    drive = kitti.read(folder)
    assert [note.name for note in drive.notes] == ["pose-jump"]
    assert store.write(drive, tmp_path / "rec").segments == (25, 15)


def test_the_labels_of_a_calibration_do_not_matter(folder: Path) -> None:
    plain = kitti.read(folder)
    lines = (folder / "calib.txt").read_text().splitlines()
    labelled = [f"P{number}: {line}" for number, line in enumerate(lines)] + ["Tr: 1 2 3"]
    (folder / "calib.txt").write_text("\n".join(labelled))
    again = kitti.read(folder)
    assert plain.eye is not None
    assert again.eye is not None
    assert again.eye.lens == plain.eye.lens


def break_it(folder: Path, what: str) -> None:
    poses = np.loadtxt(folder / "poses.txt")
    if what == "nan":
        poses[7, 3] = np.nan
    elif what == "mirrored":
        poses[:, [0, 4, 8]] *= -1.0
    elif what == "short":
        poses = poses[:, :11]
    elif what == "fewer poses":
        poses = poses[:-5]
        (folder / "times.txt").unlink()
    elif what == "fewer times":
        np.savetxt(folder / "times.txt", np.arange(30) * 0.1)
    elif what == "late":
        np.savetxt(folder / "times.txt", np.append(np.arange(39) * 0.1, 0.0))
    elif what == "no calibration":
        (folder / "calib.txt").unlink()
    elif what == "empty calibration":
        (folder / "calib.txt").write_text("P0: 1 2 3\n")
    np.savetxt(folder / "poses.txt", poses)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("nan", "a pose is not a finite number in row 7"),
        ("mirrored", "no rotation"),
        ("short", "11 numbers, a KITTI pose is 12"),
        ("fewer poses", "5 pictures beyond the 35 poses"),
        ("fewer times", "has 30 times, .* has 40 poses"),
        ("late", "time does not grow after row 38"),
        ("no calibration", "calib.txt is missing"),
        ("empty calibration", "no projection matrix"),
    ],
)
def test_what_is_wrong_is_said(what: str, said: str, folder: Path) -> None:
    break_it(folder, what)
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        kitti.read(folder)


def test_a_camera_on_the_ground_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match="mount_height must lie between"):
        kitti.read(folder, mounting=Mounting(mount_height=0.0))


def test_of_several_sequences_one_must_be_named(folder: Path, tmp_path: Path) -> None:
    poses = tmp_path / "dataset" / "poses"
    poses.mkdir(parents=True)
    for name in ("00", "01"):
        (poses / f"{name}.txt").write_bytes((folder / "poses.txt").read_bytes())
    with pytest.raises(ValueError, match="several sequences .00, 01."):
        kitti.read(tmp_path / "dataset")
    assert kitti.read(tmp_path / "dataset", "01").name == "kitti:01"
    with pytest.raises(FileNotFoundError, match="no KITTI drive"):
        kitti.read(folder / "image_l")


def test_sequence_03_is_read_whole(shared_data: Path) -> None:
    drive = kitti.read(shared_data / "kitti_odometry_03")
    assert len(drive.time) == 200
    assert drive.eye is not None
    assert -0.6 < np.rad2deg(drive.eye.lens.pitch) < 0.0  # travels below its axis
    yaw = np.unwrap(drive.yaw)
    assert -95.0 < np.rad2deg(yaw[100] - yaw[0]) < -70.0  # a right-hand bend
    assert drive.tilt is not None


def test_the_ramp_of_sequence_01_has_two_cameras(shared_data: Path) -> None:
    drive = kitti.read(shared_data / "kitti_vo_01")
    assert len(drive.time) == 51
    assert drive.right_eye is not None
    np.testing.assert_allclose(drive.baseline, 0.5372, atol=1e-4)
    assert drive.eye is not None
    assert 0.5 < np.rad2deg(drive.eye.lens.pitch) < 1.3


def test_sequence_00_is_a_path_of_kilometres(shared_data: Path) -> None:
    drive = kitti.read(shared_data / "kitti_poses")
    assert len(drive.time) == 4541
    assert drive.eye is None
    assert abs(np.hypot(np.diff(drive.x), np.diff(drive.y)).sum() - 3722.0) < 5.0
    assert not drive.starts.any()
