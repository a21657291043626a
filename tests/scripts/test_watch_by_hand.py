"""A person at real keys: in a real window on a screen of its own, where there is Xvfb."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pygame
import pytest

from redrive.cli import main
from redrive.sim.any_world import open_world
from redrive.sim.recording import Recording, validate
from redrive.watch_paint import PERSON

from . import finger
from .screen import Screen, lines, screens, until

WORLD = "procedural:7"


@pytest.fixture
def screen() -> Iterator[Screen]:
    yield from screens()


def wait_for(folder: Path, steps: int) -> None:
    until(lambda: len(lines(folder)) >= steps, 60.0)


@pytest.mark.slow
def test_a_drive_by_hand_is_recorded(screen: Screen, tmp_path: Path) -> None:
    """With real keys, for ten seconds; the car stays in its lane because of them."""
    words = ["record", "--agent", "human", "--world", WORLD, "--out", "r", "--seed", "3"]
    process = screen.start([*words, "--steps", "100", "--episodes", "1"], tmp_path)
    try:
        assert len(lines(tmp_path)) == 1  # it waits for somebody to begin
        with finger.Keys(screen.env) as keys:
            time.sleep(0.5)
            keys.press("space")
            assert finger.drive(tmp_path / "log.jsonl", open_world(WORLD), keys, still=process)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, error
    assert "r: 1 episodes" in error
    assert not validate(tmp_path / "r")
    (episode,) = Recording.open(tmp_path / "r").episodes
    assert (episode.sidecar["driver"], episode.sidecar["regime"]) == ("human", "by-hand")
    assert (episode.sidecar["result"], episode.steps) == ("time_up", 100)
    done, expert = episode.read("command"), episode.read("expert_command")
    assert (done != expert).any(axis=1).all()
    assert np.abs(episode.read("lateral_offset")).max() < 2.0


@pytest.mark.slow
def test_a_takeover_lasts_until_it_is_given_back(screen: Screen, tmp_path: Path) -> None:
    words = ["watch", "expert", "--world", WORLD, "--seed", "3", "--record", "r"]
    process = screen.start([*words, "--screenshot", "shot.png"], tmp_path)
    try:
        with finger.Keys(screen.env) as keys:
            time.sleep(0.5)
            keys.hold({"Up"})  # the wheel stays as it was taken
            time.sleep(0.3)
            keys.hold(set())
            taken = len(lines(tmp_path))
            wait_for(tmp_path, taken + 6)  # the key is up, it still is the person's
            assert lines(tmp_path)[-1]["driver"] == "human"
            keys.press("s")
            time.sleep(0.5)
            keys.press("h")
            wait_for(tmp_path, len(lines(tmp_path)) + 4)
            assert lines(tmp_path)[-1]["driver"] == "expert"
            keys.press("q")
            _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, error
    assert tuple(pygame.image.load(tmp_path / "shot.png").get_at((22, 21)))[:3] == PERSON
    (episode,) = Recording.open(tmp_path / "r").episodes
    assert (episode.sidecar["driver"], episode.sidecar["regime"]) == ("expert", "intervention")
    assert episode.sidecar["interventions"] == 1
    held = episode.read("by_hand").astype(bool)
    assert 6 <= held.sum() < len(held)
    assert not held[0] and not held[-1]


@pytest.mark.slow
@pytest.mark.parametrize("end", ["display", "terminal"])
def test_a_recording_is_kept_when_the_display_or_the_terminal_goes(
    screen: Screen, tmp_path: Path, end: str
) -> None:
    words = ["watch", "expert", "--world", WORLD, "--record", "r", "--video", "film.webm"]
    process = screen.start(words, tmp_path)
    try:
        wait_for(tmp_path, 15)
        if end == "display":
            screen.server.kill()
        else:
            process.send_signal(signal.SIGHUP)
        _, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == (2 if end == "display" else 130)
    assert ("the display is gone" if end == "display" else "stopped") in error
    assert "Traceback" not in error
    assert not validate(tmp_path / "r")
    assert Recording.open(tmp_path / "r").episodes[0].steps >= 14
    assert (tmp_path / "film.webm").stat().st_size > 1000


def test_the_finger_presses_towards_the_lane() -> None:
    world = open_world(WORLD)
    lane = world.pool.source.road(0).lanes[0]
    node = 60
    normal = -np.sin(lane.heading[node]), np.cos(lane.heading[node])
    seen = {
        "road": WORLD, "lane": 0, "speed": 8.0, "arc_length": node * lane.spacing,
        "yaw": lane.heading[node], "curvature": lane.curvature[node],
    }  # fmt: skip
    for side, key in ((-1.5, "Left"), (1.5, "Right")):
        x, y = lane.x[node] + side * normal[0], lane.y[node] + side * normal[1]
        keys = finger.wish(world, {**seen, "x": x, "y": y})
        assert key in keys and len(keys & {"Left", "Right"}) == 1
    assert "Up" in finger.wish(world, {**seen, "x": lane.x[node], "y": lane.y[node], "speed": 1.0})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--regime", "dagger"], "a person is recorded as they drive"),
        ([], "no window system"),
    ],
)
def test_what_cannot_be_recorded_by_hand_is_told(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["record", "--agent", "human", "--out", str(tmp_path / "r"), *words]
    assert main(given) == 2
    error = capsys.readouterr().err
    assert message in error and len(error.splitlines()) == 1
    assert not (tmp_path / "r").exists()
    tiny = ["--episodes", "1", "--steps", "5", "--world", WORLD]
    assert main(["record", "--out", str(tmp_path / "r"), *tiny]) == 0
    assert main(given[:5]) == 2
    assert "holds a recording already" in capsys.readouterr().err
