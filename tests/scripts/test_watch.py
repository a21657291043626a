from collections.abc import Sequence
from pathlib import Path

import pygame
import pytest

from redrive import cli


def said(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = cli.main(["watch", *words])
    return status, capsys.readouterr().err


def test_without_a_window_system_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    status, error = said(["expert"], capsys)
    assert status == 2
    assert error.startswith("redrive: error: there is no window system here")
    assert "--headless --video" in error
    assert not pygame.display.get_init()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("runs/nowhere --headless --video a.webm", "no driver 'runs/nowhere'"),
        ("expert --headless", "add --video FILE.webm"),
        ("expert --video a.webm", "add --headless"),
        ("human --headless --video a.webm", "nobody can drive without a window"),
        ("expert --headless --video a.mp4", "name it a.webm"),
        ("expert --headless --screenshot a.pdf", "--screenshot writes .png"),
        ("expert --speed 0", "--speed"),
        ("expert --steps 0", "--steps"),
        ("expert --seed -1", "--seed"),
        ("expert --size 10 10", "--size"),
        ("expert --world procedrual:7 --headless --screenshot a.png", "did you mean"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    words: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    status, error = said(words.split(), capsys)
    assert status == 2
    assert message in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_film_and_a_picture_without_a_window(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = "expert --world procedural:7 --headless --video a.webm --screenshot b/c.png --steps 5"
    status, error = said([*words.split(), "--size", "480", "300"], capsys)
    assert status == 0
    assert "a.webm: 0.5 s" in error.splitlines()
    assert pygame.image.load(tmp_path / "b" / "c.png").get_size() == (480, 300)
    assert (tmp_path / "a.webm").stat().st_size > 1000
