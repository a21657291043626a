from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from redrive.sim.imports import filmed, motion, store


def test_a_video_and_its_poses(made_up: ModuleType, tmp_path: Path) -> None:
    time, x, y, yaw = made_up.circle()
    film = made_up.write_video(tmp_path / "a.mp4", yaw)
    table = made_up.write_table(
        tmp_path / "a.csv", t=time, x=x, y=y, yaw=yaw, speed=np.full(40, 10.0)
    )
    drive = filmed.read(film, table, made_up.write_camera(tmp_path / "c.json"))
    np.testing.assert_array_equal(drive.frame, np.arange(40))
    np.testing.assert_allclose(drive.x, x, atol=1e-6)
    done = store.write(drive, tmp_path / "rec")
    assert done.segments == (40,)
    assert [note.name for note in done.notes] == []


def test_speed_and_yaw_rate_are_enough(made_up: ModuleType, tmp_path: Path) -> None:
    _, x, y, yaw = made_up.circle()
    film = made_up.write_video(tmp_path / "a.mp4", yaw)
    fine = np.arange(0.0, 4.0, 0.02)
    table = made_up.write_table(
        tmp_path / "a.csv",
        t=fine,
        speed=np.full(len(fine), 10.0),
        yaw_rate=np.full(len(fine), 0.2),
    )
    drive = filmed.read(film, table, made_up.write_camera(tmp_path / "c.json"))
    np.testing.assert_allclose(drive.x, x, atol=1e-3)
    np.testing.assert_allclose(drive.y, y, atol=1e-3)


def test_pictures_outside_the_table_are_left_out_and_counted(
    made_up: ModuleType, tmp_path: Path
) -> None:
    time, x, y, yaw = made_up.circle()
    film = made_up.write_video(tmp_path / "a.mp4", yaw)
    camera = made_up.write_camera(tmp_path / "c.json")
    table = made_up.write_table(tmp_path / "a.csv", t=time + 5.0, x=x, y=y, yaw=yaw)
    with pytest.raises(ValueError, match="does not overlap the times .* --first-frame-time"):
        filmed.read(film, table, camera)
    drive = filmed.read(film, table, camera, first_frame_time=4.0)
    np.testing.assert_array_equal(drive.frame, np.arange(10, 40))
    assert "10 of 40 pictures" in drive.notes[0].text


def test_a_column_frame_ties_rows_to_pictures(made_up: ModuleType, tmp_path: Path) -> None:
    film = made_up.write_video(tmp_path / "a.mp4", np.zeros(40))
    rows = np.r_[5:20, 25:45]
    path = {
        "frame": rows, "t": rows * 0.1, "x": rows * 1.0, "y": 0.0 * rows, "yaw": 0.0 * rows
    }  # fmt: skip
    table = made_up.write_table(tmp_path / "a.csv", **path)
    drive = filmed.read(film, table, made_up.write_camera(tmp_path / "c.json"))
    np.testing.assert_array_equal(drive.frame, np.r_[5:20, 25:40])
    assert np.flatnonzero(drive.starts).tolist() == [15]
    assert [note.name for note in drive.notes] == ["time-gap", "no-picture", "no-pose"]


def test_a_folder_needs_a_row_for_each_image(made_up: ModuleType, tmp_path: Path) -> None:
    time, x, y, yaw = made_up.circle()
    made_up.write_images(tmp_path / "images", yaw[:30])
    table = made_up.write_table(tmp_path / "a.csv", t=time, x=x, y=y, yaw=yaw)
    camera = made_up.write_camera(tmp_path / "c.json")
    with pytest.raises(ValueError, match=r"has 30 images, .* has 40 rows"):
        filmed.read(tmp_path / "images", table, camera)
    drive = filmed.read(tmp_path / "images", table, camera, fps=10.0)
    assert len(drive.time) == 30


def test_poses_of_the_camera_are_put_back_to_the_axle(made_up: ModuleType, tmp_path: Path) -> None:
    time, x, y, yaw = made_up.circle()
    made_up.write_images(tmp_path / "images", yaw)
    ahead = {"x": x + 1.5 * np.cos(yaw), "y": y + 1.5 * np.sin(yaw)}
    table = made_up.write_table(tmp_path / "a.csv", t=time, **ahead, yaw=yaw)
    camera = made_up.write_camera(tmp_path / "c.json", mount_forward=1.5)
    drive = filmed.read(tmp_path / "images", table, camera, poses_of_camera=True)
    np.testing.assert_allclose(drive.x, x, atol=1e-6)


def test_a_missing_film_or_file_is_named(made_up: ModuleType, tmp_path: Path) -> None:
    camera = made_up.write_camera(tmp_path / "c.json")
    with pytest.raises(FileNotFoundError, match="a.mp4 is not there"):
        filmed.read(tmp_path / "a.mp4", tmp_path / "a.csv", camera)
    made_up.write_images(tmp_path / "images", np.zeros(3))
    with pytest.raises(FileNotFoundError, match="a.csv is not there"):
        filmed.read(tmp_path / "images", tmp_path / "a.csv", camera)
    with pytest.raises(FileNotFoundError, match="calibration as JSON"):
        filmed.read(tmp_path / "images", tmp_path / "a.csv", tmp_path / "none.json")


def test_the_motorway_is_read_whole(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "udacity_highway"
    derived = folder / "derived"
    film = folder / "project_video_0000-0799.mp4"
    drive = filmed.read(film, derived / "project_video_poses.csv", derived / "camera.json")
    assert len(drive.time) == 800
    assert not drive.starts.any()
    measured = motion.motion_of(drive.time, drive.x, drive.y, drive.yaw, drive.starts)
    assert motion.correlation(measured.speed, drive.speed) > 0.9
    assert drive.eye is not None
    np.testing.assert_allclose(np.rad2deg(drive.eye.lens.pitch), -1.58, atol=1e-6)
    few = store.write(drive, tmp_path / "rec", store.View(size=(160, None), every=40))
    assert few.segments == (20,)
