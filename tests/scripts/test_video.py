import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from redrive.agents.expert import Expert
from redrive.sim.world import RoadWorld
from redrive.video import driving_film, silence, write_video


def stripes(count: int, height: int = 48, width: int = 64) -> Iterator[np.ndarray]:
    """Red to the left, blue to the right, and a white bar that goes down."""
    for k in range(count):
        frame = np.zeros((height, width, 3), np.uint8)
        frame[:, : width // 2, 0] = 200
        frame[:, width // 2 :, 2] = 200
        frame[4 * k : 4 * k + 4] = 255
        yield frame


def read(path: Path) -> tuple[list[np.ndarray], float]:
    """Frames, RGB, and how many a second."""
    film = cv2.VideoCapture(str(path))
    rate = film.get(cv2.CAP_PROP_FPS)
    frames: list[np.ndarray] = []
    while True:
        there, frame = film.read()
        if not there:
            return frames, rate
        frames.append(frame[..., ::-1])


def test_a_film_shows_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "film.webm"
    assert write_video(path, stripes(10), fps=25.0) == 10
    frames, rate = read(path)
    assert rate == 25.0
    assert len(frames) == 10
    for k, (shown, written) in enumerate(zip(frames, stripes(10), strict=True)):
        assert np.abs(shown.astype(int) - written)[:, 8:24].mean() < 20, k
        assert shown[4 * k + 1].min() > 200
        assert shown[-3, 8, 0] > 150 > shown[-3, 8, 2]  # red is red
    assert [entry.name for entry in path.parent.iterdir()] == ["film.webm"]


def test_nothing_is_said_about_a_film_that_went_well(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_video(tmp_path / "film.webm", stripes(3), fps=10.0)
    assert capfd.readouterr() == ("", "")


def test_a_film_of_one_frame_is_a_film(tmp_path: Path) -> None:
    assert write_video(tmp_path / "film.webm", stripes(1), fps=10.0) == 1
    assert len(read(tmp_path / "film.webm")[0]) == 1


def test_an_odd_row_and_column_are_cut_off(tmp_path: Path) -> None:
    write_video(tmp_path / "film.webm", stripes(4, height=49, width=65), fps=10.0)
    assert read(tmp_path / "film.webm")[0][0].shape == (48, 64, 3)


def test_a_film_that_fails_leaves_the_older_one_alone(tmp_path: Path) -> None:
    path = tmp_path / "film.webm"
    path.write_bytes(b"an older film")

    def broken() -> Iterator[np.ndarray]:
        yield from stripes(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(path, broken(), fps=10.0)
    assert path.read_bytes() == b"an older film"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "frames", "fps", "message"),
    [
        ("film.mp4", [np.zeros((8, 8, 3), np.uint8)], 10.0, "name it film.webm"),
        ("film.webm", [], 10.0, "at least one frame"),
        ("film.webm", [np.zeros((8, 8), np.uint8)], 10.0, r"\(H, W, 3\)"),
        ("film.webm", [np.zeros((8, 8, 3))], 10.0, "float64"),
        ("film.webm", [np.zeros((k, 16, 3), np.uint8) for k in (16, 32)], 10.0, "frame 2"),
        ("film.webm", [np.zeros((8, 8, 3), np.uint8)], 0.0, "frames a second"),
    ],
)
def test_what_is_no_film_is_refused(
    tmp_path: Path, name: str, frames: list[np.ndarray], fps: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_video(tmp_path / name, frames, fps)
    assert not list(tmp_path.iterdir())


def test_an_opencv_without_the_codec_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closed:
        fourcc = staticmethod(cv2.VideoWriter.fourcc)

        def __init__(self, *settings: object) -> None: ...

        def isOpened(self) -> bool:
            return False

    monkeypatch.setattr(cv2, "VideoWriter", Closed)
    with pytest.raises(OSError, match="pip install .*opencv-python-headless"):
        write_video(tmp_path / "film.webm", stripes(3), fps=10.0)


FULL_DISK = """
import resource, sys
import numpy as np
from redrive.video import write_video
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
rng = np.random.default_rng(0)
try:
    write_video("film.webm", (rng.integers(0, 255, (96, 128, 3), np.uint8) for _ in range(30)), 9)
except OSError as error:
    sys.exit(str(error))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_full_disk_is_told_and_nothing_half_done_stays(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "the disk may be full" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_drive_is_filmed_without_a_window(tmp_path: Path) -> None:
    import pygame

    path = tmp_path / "drive.webm"
    world = RoadWorld(world="procedural:7")
    count = driving_film(
        world, Expert(), 3, path, steps=6, driver="expert", size=(480, 300), fps=20.0
    )
    assert count == 13  # two for each step, and where it began
    assert not pygame.display.get_init()
    frames, rate = read(path)
    assert rate == 20.0
    assert [frame.shape for frame in frames] == 13 * [(300, 480, 3)]
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 1.0  # it moves


def test_a_film_goes_on_for_a_moment_when_the_episode_is_over(tmp_path: Path) -> None:
    class Astray:
        def begin(self, batch_size: int) -> tuple[()]:
            return ()

        def act(self, view: object, memory: tuple[()]) -> tuple[object, tuple[()]]:
            command, _ = Expert().act(view, ())  # type: ignore[arg-type]
            return command._replace(curvature=command.curvature + 0.15), memory

    world = RoadWorld(world="procedural:7")
    count = driving_film(world, Astray(), 3, tmp_path / "a.webm", size=(480, 300), fps=10.0)  # type: ignore[arg-type]
    assert 12 < count < 40


def test_a_wrong_ending_is_told_before_the_drive_begins(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.webm"):
        driving_film(RoadWorld(world="procedural:7"), Expert(), 0, tmp_path / "film.avi")


def test_silence_ends(capfd: pytest.CaptureFixture[str]) -> None:
    with silence():
        subprocess.run([sys.executable, "-c", "import os; os.write(2, b'noise')"], check=True)
    subprocess.run([sys.executable, "-c", "import os; os.write(2, b'words')"], check=True)
    assert capfd.readouterr().err == "words"
