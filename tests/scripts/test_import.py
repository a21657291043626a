import json
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
