import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from redrive import cli
from redrive.import_drive import PATH_FILE, SHEET_FILE, parse_size
from redrive.sim.recording import Recording


@pytest.fixture
def film(tmp_path: Path) -> list[str]:
    """A short drive straight ahead, as the words of a command."""
    images = tmp_path / "images"
    images.mkdir()
    rows = ["t,x,y,yaw,speed"]
    for row in range(12):
        picture = np.full((48, 64, 3), 90 + row, np.uint8)
        picture[:20] = (200, 160, 120)
        assert cv2.imwrite(str(images / f"{row:03d}.png"), picture)
        rows.append(f"{row * 0.1:.1f},{row * 0.8:.1f},0,0,8")
    (tmp_path / "poses.csv").write_text("\n".join(rows))
    camera = {"fx": 40, "fy": 40, "cx": 31.5, "cy": 19.5, "height": 1.4, "pitch": 0.0}
    (tmp_path / "camera.json").write_text(json.dumps(camera))
    return [
        "import", "video", str(images), "--poses", str(tmp_path / "poses.csv"),
        "--camera", str(tmp_path / "camera.json"), "--out", str(tmp_path / "rec"),
    ]  # fmt: skip


def test_a_film_becomes_a_recording_with_its_pictures(
    film: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*film, "--licence", "MIT", "--source", "my yard"]) == 0
    said = capsys.readouterr().err
    assert "12 frames of 12 in 1 stretch, 0.009 km" in said
    for name, width in ((SHEET_FILE, 4 * 320), (PATH_FILE, 1100)):
        picture = cv2.imread(str(tmp_path / "rec" / name))
        assert picture is not None
        assert picture.shape[1] == width
    header = Recording.open(tmp_path / "rec").header
    assert (header.licence, header.source) == ("MIT", "my yard")
    assert header.dt == pytest.approx(0.1)
    assert cli.main(["validate", str(tmp_path / "rec")]) == 0
    capsys.readouterr()
    assert cli.main(["info", str(tmp_path / "rec")]) == 0
    shown = capsys.readouterr().out
    for word in ("my yard", "MIT", "rear axle", "pitch 0"):
        assert word in shown


def test_what_is_kept_can_be_chosen(film: list[str], tmp_path: Path) -> None:
    words = [
        "--size",
        "32x20",
        "--crop",
        "0",
        "0",
        "0",
        "8",
        "--every",
        "2",
        "--pitch-deg",
        "2",
        "--mount-height",
        "1.6",
    ]
    assert cli.main([*film, *words]) == 0
    recording = Recording.open(tmp_path / "rec")
    camera = recording.header.camera
    assert camera is not None
    assert (camera["width"], camera["height"], camera["mount_height"]) == (32, 20, 1.6)
    assert camera["pitch"] == pytest.approx(np.deg2rad(2.0))
    assert recording.steps == 6


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--size", "big"], "--size is a width, or WIDTHxHEIGHT"),
        (["--mount-height", "0"], "mount_height must lie between"),
        (["--every", "0"], "every must be 1"),
        (["--pitch-deg", "80"], "pitch must lie between"),
        (["--crop", "0", "40", "0", "8"], "leave at least 16 px"),
    ],
)
def test_a_wrong_option_is_one_line(
    more: list[str], said: str, film: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*film, *more]) == 2
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 1
    assert said in shown[0]
    assert not (tmp_path / "rec").exists()


def test_a_kind_that_is_not_there_is_answered_with_the_near_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["import", "kiti", "x"]) == 2
    assert "did you mean 'kitti'?" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["kitti", "comma2k19", "donkeycar", "video"])
def test_every_kind_explains_itself(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["import", kind, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: redrive import {kind}")
    assert "--mount-height" in shown


def test_nothing_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("kitti", "comma2k19", "donkeycar"):
        words = ["import", kind, str(tmp_path / "none"), "--out", str(tmp_path / "rec")]
        assert cli.main(words) == 2
        assert capsys.readouterr().err.startswith("redrive: error: ")


def test_a_size_is_a_width_or_both() -> None:
    assert parse_size("") is None
    assert parse_size("640") == (640, None)
    assert parse_size("640x360") == (640, 360)


def test_a_path_without_pictures_says_so(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["import", "comma2k19", str(shared_data / "comma2k19"), "--out", str(tmp_path / "rec")]
    assert cli.main(words) == 0
    said = capsys.readouterr().err
    assert "no-pictures: no video.hevc" in said
    assert "1200 poses without pictures" in said
    assert not (tmp_path / "rec" / SHEET_FILE).exists()
    assert cli.main(["info", str(tmp_path / "rec")]) == 0
    assert "none: frames are not stored" in capsys.readouterr().out


def _table(folder: Path, change: Callable[[list[list[str]]], None]) -> None:
    """Spoil the rows of the table."""
    lines = [line.split(",") for line in (folder / "poses.csv").read_text().splitlines()]
    change(lines)
    (folder / "poses.csv").write_text("\n".join(",".join(line) for line in lines))


def _cell(row: int, column: int, text: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        _table(folder, lambda lines: lines[row].__setitem__(column, text))

    return spoil


def _bend(lines: list[list[str]], yaw: Callable[[float], float]) -> None:
    """The drive on a circle to the left of 12 m radius, with a yaw of some kind."""
    for row, line in enumerate(lines[1:]):
        angle = row * 0.8 / 12.0
        line[1:4] = [
            f"{12 * np.sin(angle):.4f}",
            f"{12 - 12 * np.cos(angle):.4f}",
            f"{yaw(angle):.5f}",
        ]


def _camera(**changes: float | None) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        entries = json.loads((folder / "camera.json").read_text()) | changes
        kept = {name: value for name, value in entries.items() if value is not None}
        (folder / "camera.json").write_text(json.dumps(kept))

    return spoil


def _empty_video(folder: Path) -> None:
    for image in (folder / "images").iterdir():
        image.unlink()
    (folder / "images").rmdir()
    (folder / "images").write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(_camera(fx=None), "missing calibration fx", id="missing calibration"),
        pytest.param(
            lambda folder: (folder / "images" / "011.png").unlink(),
            "has 11 images, .* has 12 rows",
            id="counts",
        ),
        pytest.param(_cell(5, 0, "0.1"), "time does not grow", id="clock"),
        pytest.param(_cell(5, 1, "nan"), "(?i)nan|finite", id="NaN pose"),
        pytest.param(_empty_video, "no frame that can be decoded", id="empty video"),
        pytest.param(
            lambda folder: _table(folder, lambda lines: _bend(lines, lambda a: -a)),
            "left and right are swapped",
            id="left and right",
        ),
        pytest.param(
            lambda folder: _table(folder, lambda lines: _bend(lines, lambda a: np.rad2deg(a))),
            "in degrees",
            id="degrees",
        ),
        pytest.param(
            _camera(height=None, mount_height=0.0), "mount_height must lie", id="height 0"
        ),
    ],
)
def test_bad_input_is_one_clear_line_and_leaves_nothing(
    spoil: Callable[[Path], None],
    said: str,
    film: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(tmp_path)
    assert cli.main(film) == 2
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 1
    assert re.search(said, shown[0])
    assert not (tmp_path / "rec").exists()


def test_a_jump_of_thirty_metres_is_a_named_note_and_splits_the_drive(
    film: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def jump(lines: list[list[str]]) -> None:
        for line in lines[7:]:
            line[1] = f"{float(line[1]) + 30.0:.1f}"

    _table(tmp_path, jump)
    assert cli.main(film) == 0
    assert "pose-jump" in capsys.readouterr().err
    assert sorted(e.steps for e in Recording.open(tmp_path / "rec")) == [6, 6]


def test_a_corrupt_image_is_a_named_note_and_splits_the_drive(
    film: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = tmp_path / "images" / "005.png"
    image.write_bytes(image.read_bytes()[:60])
    assert cli.main(film) == 0
    assert "bad-picture" in capsys.readouterr().err
    assert sorted(e.steps for e in Recording.open(tmp_path / "rec")) == [5, 6]
