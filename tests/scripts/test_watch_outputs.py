"""What the window leaves behind: nothing is lost, whatever ends it."""

import errno
import json
import math
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from redrive.agents.expert import Expert
from redrive.agents.human import Human
from redrive.sim.recording import Recording, validate
from redrive.sim.world import RoadWorld
from redrive.watch_actions import Action, act
from redrive.watch_drive import begin
from redrive.watch_log import Log
from redrive.watch_outputs import Outputs
from redrive.watch_paint import save_picture, surface
from redrive.watch_record import Recorder, Seeds
from redrive.watch_reel import RATE, Reel
from redrive.watch_session import Session, tick
from redrive.watch_view import render


@pytest.fixture(scope="module")
def world() -> RoadWorld:
    return RoadWorld(world="procedural:7")


@pytest.fixture
def session(world: RoadWorld) -> Session:
    return Session((begin(world, Expert(), 3, driver="expert"),), Human(world.vehicle, world.dt))


def later(session: Session, seconds: float) -> Session:
    for _ in range(round(seconds / 0.05)):
        session = tick(session, 0.05)
    return session


def frames_of(path: Path) -> int:
    film = cv2.VideoCapture(str(path))
    count = 0
    while film.grab():
        count += 1
    return count


def test_takes_are_saved_as_they_end_and_the_open_one_at_the_end(
    session: Session, tmp_path: Path
) -> None:
    outputs = Outputs(Recorder(tmp_path / "r", 1.0))
    shown = later(act(session, Action.RECORD), 1.0)
    shown = outputs.keep_steps(act(shown, Action.RECORD))
    assert not shown.takes and "drive 1, 10 steps" in shown.notice
    shown = later(act(shown, Action.RECORD), 1.0)
    outputs.close(shown)  # in the middle of an episode
    assert not validate(tmp_path / "r")
    recording = Recording.open(tmp_path / "r")
    assert [episode.steps for episode in recording.episodes] == [10, 10]
    assert [episode.sidecar["regime"] for episode in recording.episodes] == ["log", "log"]
    assert recording.episodes[0].sidecar["driver"] == "expert"


def test_a_recording_that_is_there_is_added_to(session: Session, tmp_path: Path) -> None:
    for count in (1, 2):
        Outputs(Recorder(tmp_path / "r", 1.0)).close(later(act(session, Action.RECORD), 1.0))
        assert len(Recording.open(tmp_path / "r")) == count


def test_what_cannot_be_saved_is_said_and_tried_again_at_the_end(
    session: Session, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    outputs = Outputs(Recorder(blocked / "r", 1.0))
    shown = act(later(act(session, Action.RECORD), 1.0), Action.RECORD)
    shown = outputs.keep_steps(shown)
    assert "not recorded" in shown.notice and len(shown.takes) == 1
    with pytest.raises(OSError):
        outputs.close(shown)
    blocked.unlink()
    outputs.close(shown)
    assert len(Recording.open(blocked / "r")) == 1


def test_a_film_of_the_window_goes_at_the_clocks_pace(session: Session, tmp_path: Path) -> None:
    outputs = Outputs(Recorder(tmp_path / "r", 1.0), film=tmp_path / "a.webm")
    canvas = render(session, (320, 200))
    shown = outputs.keep_picture(act(session, Action.FILM), canvas, 0.0)
    assert "filming" in shown.notice
    for _ in range(60):  # pictures that take 1/30 s each: two seconds
        shown = outputs.keep_picture(shown, canvas, 1 / 30)
    shown = outputs.keep_picture(act(shown, Action.FILM), canvas, 1 / 30)
    assert "saved" in shown.notice
    assert frames_of(tmp_path / "a.webm") == pytest.approx(2.0 * RATE, abs=2)
    outputs.close(shown)


def test_a_film_is_finished_when_the_window_is_closed(session: Session, tmp_path: Path) -> None:
    outputs = Outputs(Recorder(tmp_path / "r", 1.0), film=tmp_path / "a.webm")
    canvas = render(session, (320, 200))
    shown = act(session, Action.FILM)
    for _ in range(10):
        shown = outputs.keep_picture(shown, canvas, 0.05)
    outputs.close(shown)
    assert frames_of(tmp_path / "a.webm") >= 9
    assert [path.name for path in tmp_path.iterdir()] == ["a.webm"]


def test_a_slow_picture_is_shown_for_as_long_as_it_took(tmp_path: Path) -> None:
    reel = Reel(tmp_path / "a.webm")
    for seconds in (0.0, 0.5, 0.05):
        if reel.wants(seconds):
            reel.add(np.full((48, 64, 3), 90, np.uint8))
    assert reel.close() == pytest.approx(0.6, abs=1.5 / RATE)


def test_a_window_that_is_resized_keeps_its_film(tmp_path: Path) -> None:
    reel = Reel(tmp_path / "a.webm")
    for height in (48, 96, 30):
        assert reel.wants(1.0 / RATE)
        reel.add(np.zeros((height, 2 * height, 3), np.uint8))
    reel.close()
    assert frames_of(tmp_path / "a.webm") == 4


def test_a_film_that_cannot_be_written_is_said_in_the_window(
    session: Session, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    outputs = Outputs(Recorder(tmp_path / "r", 1.0), film=tmp_path / "file" / "a.webm")
    shown = outputs.keep_picture(act(session, Action.FILM), render(session, (320, 200)), 0.1)
    assert "not filmed" in shown.notice and not shown.filming
    outputs.close(shown)


def test_the_log_has_every_step_once_and_at_once(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "new" / "log.jsonl"
    log = Log(path)
    shown = replace(session, patience=10.0)
    for _ in range(6):
        shown = tick(shown, 0.25)  # two and three steps at a time
        log.see(shown)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(len(shown.drive.steps)))
    for line, step in zip(lines, shown.drive.steps, strict=True):
        assert line["x"] == pytest.approx(step.frame.state.x[0], abs=1e-6)
    assert {line["driver"] for line in lines} == {"expert"}
    log.see(act(act(shown, Action.NEXT), Action.TAKE_WHEEL))
    log.close()
    last = json.loads(path.read_text().splitlines()[-1])
    assert (last["episode"], last["step"], last["ended"]) == (1, 0, "")


def test_the_log_says_what_the_window_is_like_when_that_has_changed(
    session: Session, tmp_path: Path
) -> None:
    outputs = Outputs(Recorder(tmp_path / "r", 1.0), log=tmp_path / "log.jsonl")
    canvas = render(session, (320, 200))
    shown = replace(session, speed=math.inf)
    for action in (Action.ZOOM, Action.PAUSE, Action.HELP):
        shown = act(outputs.keep_picture(shown, canvas, 0.1), action)
        shown = outputs.keep_picture(shown, canvas, 0.1)
    outputs.close(shown)
    said = [
        json.loads(line)["window"] for line in (tmp_path / "log.jsonl").read_text().splitlines()
    ]
    told = [(one["zoom"], one["paused"], one["help"]) for one in said]
    assert told == [(0, False, False), (1, False, False), (1, True, False), (1, True, True)]
    assert said[0]["size"] == [320, 200] and said[0]["speed"] is None


def test_seeds_are_numbered_as_record_numbers_them(world: RoadWorld) -> None:
    _, state = Seeds(world, 5).start(2)
    assert (int(state.seed[0]), int(state.episode[0])) == (7, 0)


def test_a_picture_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is simulated where bytes go to it."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for name in ("a.png", "a.jpg"):
        with pytest.raises(OSError, match="No space left"):
            save_picture(surface((64, 48)), tmp_path / name)
    assert not list(tmp_path.iterdir())
