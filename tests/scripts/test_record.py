"""`redrive record`: from the options to a recording, and what is said when they are wrong."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from redrive.agents.true_pictures import recorded_roads
from redrive.cli import main
from redrive.record import RecordOptions, run
from redrive.sim.recording import Recording, validate

TINY = ["--episodes", "3", "--steps", "12", "--world", "procedural:0-20"]


def episodes(folder: Path) -> dict[str, bytes]:
    """Every episode's files, by name."""
    return {
        path.name: path.read_bytes()
        for path in sorted((folder / "episodes").iterdir())
        if not path.name.startswith(".")
    }


@pytest.mark.parametrize("regime", ["log", "noise-injection"])
def test_the_experts_drives_are_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], regime: str
) -> None:
    folder = tmp_path / "r"
    assert main(["record", "--out", str(folder), "--regime", regime, *TINY]) == 0
    recording = Recording.open(folder)
    assert len(recording) == 3 and not validate(folder)
    for seed, episode in enumerate(recording.episodes):
        assert episode.steps == 12
        assert (episode.sidecar["seed"], episode.sidecar["regime"]) == (seed, regime)
        assert episode.sidecar["driver"] == "expert"
    said = capsys.readouterr().err
    assert "3 episodes, 36 pictures" in said and f"redrive train {folder}" in said


def test_the_same_options_record_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        assert main(["record", "--out", str(tmp_path / name), "--seed", "5", *TINY]) == 0
    assert episodes(tmp_path / "a") == episodes(tmp_path / "b")
    assert [e.sidecar["seed"] for e in Recording.open(tmp_path / "a").episodes] == [5, 6, 7]


def test_appended_episodes_are_those_that_a_longer_recording_has(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    usual = ["--steps", "12", "--world", "procedural:0-20", "--regime", "noise-injection"]
    assert main(["record", "--out", str(whole), "--episodes", "5", *usual]) == 0
    assert main(["record", "--out", str(parts), "--episodes", "2", *usual]) == 0
    assert main(["record", "--out", str(parts), "--episodes", "3", *usual, "--append"]) == 0
    assert episodes(parts) == episodes(whole)


def test_a_learner_drives_and_the_expert_labels(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    learner = untrained(tmp_path / "beginner")
    given = ["--agent", str(learner), "--regime", "dagger"]
    assert main(["record", "--out", str(folder), *given, *TINY]) == 0
    for episode in Recording.open(folder).episodes:
        assert episode.sidecar["driver"] == "beginner"
        assert (episode.read("label_state_id") == episode.read("state_id")).all()
    labels = np.concatenate([e.read("expert_command") for e in Recording.open(folder).episodes])
    done = np.concatenate([e.read("command") for e in Recording.open(folder).episodes])
    assert (labels != done).any(axis=1).all()


def untrained(folder: Path) -> Path:
    """The run of a policy that has learned nothing."""
    from redrive.agents.learned import observation_spec
    from redrive.models.checkpoint import save_policy
    from redrive.models.registry import make_policy
    from redrive.sim.world import RoadWorld

    spec = observation_spec(RoadWorld("procedural:1"))
    save_policy(folder, make_policy("perceptron", spec, command_scale=(0.02, 1.0)))
    return folder


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"episodes": 0}, "at least 1 episode of at least 2 steps, got --episodes 0"),
        ({"steps": 1}, "at least 2 steps, got --episodes 20 --steps 1"),
        ({"seed": -4}, "--seed is a whole number from 0, got -4"),
        ({"beta": 1.5, "regime": "dagger", "agent": "r"}, "--beta is a share of the episodes"),
        ({"beta": 0.5}, "--beta is for --regime dagger, the regime is log"),
        ({"regime": "dagger"}, "dagger needs a learner to drive: name a run"),
        ({"agent": "runs/none"}, "no driver 'runs/none': it is neither `expert` nor"),
        ({"world": "procedral:3"}, "did you mean 'procedural:3'"),
        ({"appearance": 3.0}, "randomise lies between 0 and 2, got 3.0"),
        ({"dt": 0.0}, "time_limit must be positive|dt must lie between"),
        ({"redraw": True, "world": "procedural:3"}, "--redraw is for driving in a recording again"),
        ({"append": True}, "holds no recording to append to; record one first"),
    ],
)
def test_wrong_values_are_told_and_nothing_is_left_behind(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run(RecordOptions(out=tmp_path / "r", **options))
    assert not (tmp_path / "r").exists()


def test_a_recording_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "r"
    assert main(["record", "--out", str(folder), *TINY]) == 0
    before = episodes(folder)
    assert main(["record", "--out", str(folder), *TINY]) == 2
    assert "holds a recording already; choose another folder, append" in capsys.readouterr().err
    other = ["record", "--out", str(folder), *TINY, "--append", "--dt", "0.05"]
    assert main(other) == 2
    assert "was recorded with dt = 0.1, these episodes have 0.05" in capsys.readouterr().err
    assert episodes(folder) == before


def test_a_recording_is_driven_in_again_in_other_light(tmp_path: Path) -> None:
    drive, beside = tmp_path / "drive", tmp_path / "beside"
    run(RecordOptions(drive, world="procedural:3", episodes=1, steps=60))
    again: dict[str, Any] = {
        "regime": "view-synthesis",
        "episodes": 2,
        "steps": 12,
        "world": str(drive),
    }
    run(RecordOptions(beside, redraw=True, **again))
    run(RecordOptions(tmp_path / "clear", redraw=True, appearance=0.0, **again))
    pictures = [episode.read("camera") for episode in Recording.open(beside).episodes]
    clear = [episode.read("camera") for episode in Recording.open(tmp_path / "clear").episodes]
    assert abs(pictures[0].mean() - pictures[1].mean()) > 1.0  # each episode has its own light
    assert abs(clear[0].mean() - pictures[0].mean()) > 1.0
    offsets = np.concatenate([e.read("lateral_offset") for e in Recording.open(beside).episodes])
    assert np.abs(offsets).max() > 0.2
    assert Recording.open(beside).episodes[0].sidecar["task"]["start_balance"] == 5.0
    with pytest.raises(ValueError, match="a person drives on the roads"):
        run(RecordOptions(tmp_path / "x", agent="human", redraw=True, world=str(drive)))


@pytest.mark.parametrize(
    ("worlds", "roads"),
    [(["procedural:11", "procedural:3"], "procedural:3,11"), (["fork:delay=4"], None)],
)
def test_the_roads_of_a_recording_are_found(
    tmp_path: Path, worlds: list[str], roads: str | None
) -> None:
    for i, world in enumerate(worlds):
        run(RecordOptions(tmp_path / "r", world=world, episodes=1, steps=4, append=i > 0))
    if roads is not None:
        assert recorded_roads(str(tmp_path / "r")) == roads
    else:
        with pytest.raises(ValueError, match="only procedural roads"):
            recorded_roads(str(tmp_path / "r"))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_ctrl_c_leaves_a_sound_recording_that_can_be_gone_on_with(tmp_path: Path) -> None:
    folder, whole = tmp_path / "r", tmp_path / "whole"
    usual = ["--steps", "40", "--world", "procedural:0-20"]
    command = [sys.executable, "-m", "redrive", "record", "--out", str(folder), *usual]
    process = subprocess.Popen([*command, "--episodes", "5000"], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120.0
    while len(list(folder.glob("episodes/[0-9]*.json"))) < 20:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped; what was finished is saved" in said and "Traceback" not in said
    count = len(Recording.open(folder))
    assert 20 <= count < 5000 and not validate(folder)
    assert main(["record", "--out", str(folder), "--episodes", "2", *usual, "--append"]) == 0
    assert main(["record", "--out", str(whole), "--episodes", str(count + 2), *usual]) == 0
    assert episodes(folder) == episodes(whole)


def test_a_task_is_recorded_on_its_own_roads_with_what_its_drivers_see(tmp_path: Path) -> None:
    for task, hidden in (("recall", ()), ("unseen-speed", ("odometry",))):
        out = tmp_path / task
        assert (
            main(["record", "--task", task, "--episodes", "2", "--steps", "8", "--out", str(out)])
            == 0
        )
        recording = Recording.open(out)
        assert recording.steps == 16
        assert not set(hidden) & set(recording.header.features)
        assert recording.episodes[0].sidecar["task"]["name"] == task
    assert recording.episodes[0].sidecar["world"].startswith("procedural:")
    assert (
        Recording.open(tmp_path / "recall").episodes[0].sidecar["world"].startswith("fork:delay=32")
    )


def test_a_task_that_is_not_there_is_answered_with_the_near_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["record", "--task", "recal", "--out", str(tmp_path / "x")]) == 2
    assert "unknown task 'recal'; did you mean recall?" in capsys.readouterr().err
    words = ["--task", "recall", "--regime", "view-synthesis", "--out", str(tmp_path / "x")]
    assert main(["record", *words]) == 2
    assert "leave out --task" in capsys.readouterr().err
    assert main(["record", "--balance", "3", "--out", str(tmp_path / "x")]) == 2
    assert "--balance is for --regime side-shift and view-synthesis" in capsys.readouterr().err
