from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.sim.imports import filmed, store
from redrive.sim.imports.drive import Drive
from redrive.sim.imports.store import View, segments_of
from redrive.sim.recording import Recording, describe, validate
from redrive.sim.sensors.camera import Camera


@pytest.fixture
def drive(made_up: ModuleType, tmp_path: Path) -> Drive:
    """40 images around a circle."""
    time, x, y, yaw = made_up.circle()
    made_up.write_images(tmp_path / "images", yaw, ".jpg")
    table = made_up.write_table(tmp_path / "poses.csv", t=time, x=x, y=y, yaw=yaw)
    camera = made_up.write_camera(tmp_path / "camera.json")
    return filmed.read(tmp_path / "images", table, camera)


@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_segments_add_up_to_all_rows_for_any_gaps(starts: list[bool]) -> None:
    segments = segments_of(np.array(starts))
    np.testing.assert_array_equal(np.concatenate(segments), np.arange(len(starts)))
    assert len(segments) == 1 + sum(starts[1:])


@given(st.sets(st.integers(1, 39)), st.integers(1, 7))
def test_every_nth_row_is_counted_from_the_start_of_its_segment(gaps: set[int], every: int) -> None:
    starts = np.isin(np.arange(40), sorted(gaps))
    whole, some = segments_of(starts), segments_of(starts, every)
    for part, kept in zip(whole, some, strict=True):
        np.testing.assert_array_equal(kept, part[::every])


def test_a_recording_says_what_the_drive_was(drive: Drive, tmp_path: Path) -> None:
    done = store.write(drive, tmp_path / "rec")
    assert validate(tmp_path / "rec") == []
    recording = Recording.open(tmp_path / "rec")
    assert [episode.steps for episode in recording] == [40]
    rows = {name: recording.read(0, name) for name in recording.header.features}
    assert rows["x"][0] == rows["y"][0] == rows["yaw"][0] == rows["time"][0] == 0.0
    np.testing.assert_allclose(rows["odometry"][:, 0], rows["speed"], rtol=1e-6)
    np.testing.assert_allclose(rows["command"][3:-3, 0], 0.02, rtol=0.01)
    np.testing.assert_array_equal(rows["command"], rows["expert_command"])
    np.testing.assert_array_equal(rows["camera_state_id"], rows["label_state_id"])
    assert rows["camera"].shape == (40, 64, 96, 3)
    assert recording.header.camera is not None
    camera = Camera.from_json(dict(recording.header.camera))
    assert (camera.cx, camera.mount_height, camera.pitch) == (48.0, 1.5, 0.05)
    told = describe(tmp_path / "rec")
    assert told["licence"] == "not stated"
    assert told["about"]["reference_point"] == "rear axle"
    assert told["about"]["turning"]["correlation"] > 0.9
    assert abs(done.metres - 39.0) < 0.1


@pytest.mark.parametrize("bad", [(13,), (0,), (39,), (5, 6, 7, 20), tuple(range(1, 30, 2))])
def test_a_picture_that_cannot_be_read_splits_the_drive(
    bad: tuple[int, ...], drive: Drive, tmp_path: Path
) -> None:
    for number in bad:
        path = tmp_path / "images" / f"{number:06d}.jpg"
        path.write_bytes(path.read_bytes()[:-100])
    again = replace(drive)
    done = store.write(again, tmp_path / "rec")
    assert done.left_out["bad-picture"] == len(bad)
    assert done.kept + sum(done.left_out.values()) == 40
    assert "bad-picture" in [note.name for note in done.notes]
    for episode in Recording.open(tmp_path / "rec"):
        np.testing.assert_array_equal(np.diff(episode.read("state_id")), 1)
    assert validate(tmp_path / "rec") == []


def test_a_picture_stays_with_its_pose(drive: Drive, tmp_path: Path) -> None:
    (tmp_path / "images" / "000013.jpg").write_bytes(b"")
    whole = store.write(drive, tmp_path / "rec", View(every=3))
    pictures = np.concatenate([item.read("camera") for item in Recording.open(whole.folder)])
    ids = np.concatenate([item.read("state_id") for item in Recording.open(whole.folder)])
    assert drive.eye is not None
    for picture, number in zip(pictures, ids, strict=True):
        (source,) = drive.eye.pictures.read([int(number)])
        assert source is not None
        np.testing.assert_array_equal(picture, source[..., ::-1])


def test_what_cannot_be_finished_leaves_nothing(drive: Drive, tmp_path: Path) -> None:
    for path in (tmp_path / "images").iterdir():
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="no stretch of 2 rows was left"):
        store.write(drive, tmp_path / "rec")
    assert not (tmp_path / "rec").exists()


def test_a_recording_is_not_written_over(drive: Drive, tmp_path: Path) -> None:
    store.write(drive, tmp_path / "rec")
    with pytest.raises(FileExistsError, match="holds a recording already"):
        store.write(drive, tmp_path / "rec")
    assert len(Recording.open(tmp_path / "rec")) == 1


def test_size_and_crop_choose_what_is_kept(drive: Drive, tmp_path: Path) -> None:
    store.write(drive, tmp_path / "rec", View(size=(40, None), crop=(8, 4, 8, 12)))
    header = Recording.open(tmp_path / "rec").header
    assert header.features["camera"].shape == (24, 40, 3)
    with pytest.raises(ValueError, match="every must be 1"):
        View(every=0)


def test_the_same_drive_gives_the_same_recording(drive: Drive, tmp_path: Path) -> None:
    identities = set()
    for name in ("a", "b"):
        store.write(drive, tmp_path / name)
        identities.add(Recording.open(tmp_path / name).identity)
    assert len(identities) == 1
