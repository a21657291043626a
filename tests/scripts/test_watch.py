import gc
import warnings
from collections.abc import Sequence
from pathlib import Path

import pygame
import pytest

from redrive import cli, watch_window
from redrive.watch import WatchOptions, run


@pytest.fixture
def pretended_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window of SDL's dummy driver goes for a real one."""

    def open_window(size: tuple[int, int], title: str) -> pygame.Surface:
        pygame.display.init()
        return pygame.display.set_mode(size, pygame.RESIZABLE)

    monkeypatch.setattr(watch_window, "open_window", open_window)


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
        ("", "who shall drive?"),
        ("human human", "name human once"),
        ("expert " * 10, "at most 9 drivers"),
        ("expert --task wandering", "unknown task 'wandering'"),
        ("expert --episode -1", "--episode"),
        ("expert --replay a.json --seed 3", "leave out --seed"),
        ("human --replay a.json", "shows who drove"),
        ("--replay a.json --headless --screenshot a.png", "no results at a.json"),
        ("expert --headless --record r --video a.webm", "--record is for the window"),
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


def test_a_window_goes_on_for_the_steps_that_were_asked_for(
    pretended_window: None, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "expert --world procedural:7 --speed 50 --steps 30"
    status, error = said(words.split(), capsys)
    assert status == 0
    assert 30 <= int(error.split()[0]) < 80
    assert "steps; expert: 0 of 0 episodes completed; " in error
    assert not pygame.display.get_init()


def test_a_person_begins_in_a_pause(pretended_window: None) -> None:
    pygame.display.init()
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    session = run(WatchOptions(("human",), world="procedural:7"))
    assert session.paused
    assert session.at_the_wheel


def test_circuits_are_driven_for_a_minute(pretended_window: None, shared_data: Path) -> None:
    folder = shared_data / "tum_racetracks" / "tracks"
    for options, task in (
        (WatchOptions(("expert",), world=str(folder)), "racetrack"),
        (WatchOptions(("expert",), world=str(folder / "Spa.csv"), task="recovery"), "recovery"),
        (WatchOptions(("expert",), world="procedural:7"), "lane-following"),
    ):
        pygame.display.init()
        pygame.event.post(pygame.event.Event(pygame.QUIT))
        assert run(options).drive.world.task.name == task


@pytest.mark.parametrize("words", ["expert", "expert --headless --video file/a.webm"])
def test_the_log_is_closed_where_nothing_can_be_shown(
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")  # so a film cannot be written below it
    with warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always")
        assert said([*words.split(), "--log", "log.jsonl"], capsys)[0] == 2
        gc.collect()
    assert not [one for one in left_open if one.category is ResourceWarning]
