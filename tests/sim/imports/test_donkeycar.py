import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from redrive.sim.imports import donkeycar, motion, store
from redrive.sim.imports.lens import Mounting
from redrive.sim.recording import Recording

ROWS = 60


@pytest.fixture
def tub(made_up: ModuleType, tmp_path: Path) -> Path:
    """A car that steers to the right, with the time stamps of a conversion, 3 ms apart."""
    made: Path = made_up.write_tub(
        tmp_path / "tub",
        0.3 + 0.3 * np.sin(np.arange(ROWS) / 5.0),
        np.full(ROWS, 0.5),
        1_600_000_000_000 + 3 * np.arange(ROWS),
    )
    return made


def change_records(tub: Path, **changes: object) -> None:
    """Put values into record 5; None takes the entry out."""
    path = tub / "catalog_0.catalog"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    for name, value in changes.items():
        entry = {"angle": "user/angle", "image": "cam/image_array"}.get(name, name)
        if value is None:
            del records[5][entry]
        else:
            records[5][entry] = value
    path.write_text("\n".join(json.dumps(record) for record in records))


def test_plus_one_is_to_the_right(tub: Path) -> None:
    drive = donkeycar.read(tub)
    assert drive.curvature.min() < drive.curvature.max() <= 0.0
    assert drive.y[-1] < 0.0
    np.testing.assert_allclose(drive.curvature[0], -np.tan(np.deg2rad(7.5)) / 0.26)
    np.testing.assert_allclose(drive.speed, 0.75)
    np.testing.assert_allclose(np.diff(drive.time), 0.05)
    names = [note.name for note in drive.notes]
    assert names == ["time-stamps", "assumed-camera", "dead-reckoning"]


def test_held_steering_drives_a_circle(made_up: ModuleType, tmp_path: Path) -> None:
    stamps = 50 * np.arange(40)
    tub = made_up.write_tub(tmp_path / "tub", np.full(40, -0.4), np.full(40, 0.5), stamps)
    drive = donkeycar.read(tub)
    radius = 0.26 / np.tan(np.deg2rad(10.0))
    np.testing.assert_allclose(np.hypot(drive.x, drive.y - radius), radius, rtol=1e-9)
    assert "time-stamps" not in [note.name for note in drive.notes]


@pytest.mark.parametrize("deleted", [(), (10,), (0, 20, 21, 40), (59,), tuple(range(1, 60, 2))])
def test_deleted_records_split_the_drive_and_none_is_lost(
    deleted: tuple[int, ...], tub: Path, tmp_path: Path
) -> None:
    manifest = (tub / "manifest.json").read_text().splitlines()
    manifest[-1] = json.dumps({"paths": ["catalog_0.catalog"], "deleted_indexes": list(deleted)})
    (tub / "manifest.json").write_text("\n".join(manifest))
    drive = donkeycar.read(tub)
    if len(deleted) == 30:
        with pytest.raises(ValueError, match="no two rows are left together"):
            store.write(drive, tmp_path / "rec")
        assert not (tmp_path / "rec").exists()
        return
    done = store.write(drive, tmp_path / "rec")
    assert done.kept + sum(done.left_out.values()) == done.rows == ROWS - len(deleted)
    ids = np.concatenate([episode.read("state_id") for episode in Recording.open(done.folder)])
    assert not set(ids.tolist()) & set(deleted)


def test_mirrored_pictures_are_noticed(tub: Path, tmp_path: Path) -> None:
    import cv2

    done = store.write(donkeycar.read(tub), tmp_path / "right")
    assert "left-right" not in [note.name for note in done.notes]
    for path in (tub / "images").iterdir():
        picture = cv2.imread(str(path))
        assert picture is not None
        cv2.imwrite(str(path), np.ascontiguousarray(picture[:, ::-1]))
    done = store.write(donkeycar.read(tub), tmp_path / "wrong")
    assert "left-right" in [note.name for note in done.notes]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"angle": 25.0}, "user/angle reaches 25, it lies between -1 and 1; is it in degrees"),
        ({"angle": "left"}, "user/angle is not a number"),
        ({"angle": None}, "1 records have no user/angle"),
        ({"image": None}, "no cam/image_array"),
        ({"_index": 4}, "line 6: record 4 is there twice"),
        ({"_index": None}, "line 6: a record is an object with _index"),
    ],
)
def test_a_wrong_record_is_refused(changes: dict[str, object], said: str, tub: Path) -> None:
    change_records(tub, **changes)
    with pytest.raises(ValueError, match=said):
        donkeycar.read(tub)


def test_a_tub_needs_its_files(tub: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no tub"):
        donkeycar.read(tub / "images")
    (tub / "catalog_0.catalog").unlink()
    with pytest.raises(FileNotFoundError, match="manifest.json names it"):
        donkeycar.read(tub)
    (tub / "manifest.json").write_text("{}\n{")
    with pytest.raises(ValueError, match="line 2 is not JSON"):
        donkeycar.read(tub)


def test_degrees_for_radians_are_refused(tub: Path) -> None:
    with pytest.raises(ValueError, match="max_steer must lie .* degrees"):
        donkeycar.Chassis(max_steer=25.0)
    with pytest.raises(ValueError, match="mount_height must lie between"):
        donkeycar.read(tub, mounting=Mounting(mount_height=0.0))


def test_the_real_tub_turns_as_its_pictures_do(shared_data: Path, tmp_path: Path) -> None:
    drive = donkeycar.read(shared_data / "donkeycar_tub")
    assert len(drive.time) == 1000
    turned = motion.integrate(drive.time, drive.speed, drive.yaw_rate)[2][-1]
    assert -16.0 < turned < -10.0  # about two laps to the right
    done = store.write(drive, tmp_path / "rec", store.View(size=(80, 60), every=2))
    assert (done.kept, done.segments) == (500, (500,))
    about = Recording.open(done.folder).header.about
    assert about is not None
    assert about["turning"]["correlation"] > 0.5
