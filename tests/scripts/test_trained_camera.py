"""Evaluate, watch and record look through the camera that a run was trained with."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from redrive.agents import results as result_files
from redrive.agents.demonstrations import demonstration_task, record, recording_header
from redrive.agents.drivers import trained_camera
from redrive.agents.expert import Expert
from redrive.agents.learned import observation_spec
from redrive.cli import main
from redrive.models.checkpoint import save_policy
from redrive.models.registry import make_policy
from redrive.sim.any_world import open_world
from redrive.sim.recording import Recording
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.sensors.camera import Camera
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.world import RoadWorld, Sensor

SMALL = Camera().scaled(0.5)
HIGH = replace(SMALL, mount_height=2.0)
UNSEEN = ["--headless", "--steps", "3"]


def untrained(folder: Path, camera: Camera) -> Path:
    """The run of a policy that has learned nothing through a camera."""
    spec = observation_spec(RoadWorld("procedural:1", {"camera": camera, "odometry": Odometry()}))
    policy = make_policy("mlp", spec, command_scale=(0.02, 1.0))
    save_policy(folder, policy, {"policy": "mlp", "roads": [], "seed": 0})
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One with a small camera, and one whose camera is higher up, too."""
    folder = tmp_path_factory.mktemp("runs")
    return untrained(folder / "small", SMALL), untrained(folder / "high", HIGH)


def test_the_camera_of_drivers_is_the_one_that_runs_agree_on(runs: tuple[Path, Path]) -> None:
    small, high = map(str, runs)
    assert trained_camera("expert", "human") is None
    assert trained_camera("expert", small, small) == SMALL and trained_camera(high) == HIGH
    with pytest.raises(ValueError, match=r"different cameras \(mount_height 1.4 and 2\)"):
        trained_camera(small, "expert", high)
    with pytest.raises(FileNotFoundError, match="no driver 'nobody'"):
        trained_camera("nobody")


def test_each_run_is_evaluated_and_seen_again_through_its_own_camera(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "results.json"
    words = ["--suite", "recovery", "--episodes", "2", "--threads", "1", "--out", str(out)]
    assert main(["evaluate", *map(str, runs), "expert", *words]) == 0
    found = {policy.name: policy.episodes for policy in result_files.load(out).policies}
    assert set(found) == {"small", "high", "expert"} and len(found["high"]) == 2
    again = [*UNSEEN, "--screenshot", str(tmp_path / "again.png")]
    capsys.readouterr()
    assert main(["watch", "high", "--replay", str(out), *again]) == 0
    # The other camera would give other pictures, and so other commands.
    assert "equal to the evaluation's, bit for bit" in capsys.readouterr().err
    assert main(["watch", "--replay", str(out), *again]) == 2
    assert "different cameras" in capsys.readouterr().err


def test_a_run_is_watched_and_records_through_its_own_camera(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small, high = map(str, runs)
    seen = [*UNSEEN, "--screenshot", str(tmp_path / "seen.png")]
    assert main(["watch", small, "expert", *seen]) == 0
    assert main(["watch", small, high, *seen]) == 2
    assert "name them one at a time" in capsys.readouterr().err
    out = tmp_path / "driven"
    words = ["--regime", "dagger", "--episodes", "1", "--steps", "3", "--out", str(out)]
    assert main(["record", "--agent", high, *words]) == 0
    assert Recording.open(out).header.camera == HIGH.to_json()


def test_a_recording_that_does_not_show_what_the_camera_sees_is_refused(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Camera.with_field_of_view(128, 96, float(np.deg2rad(60.0)))
    sensors: dict[str, Sensor] = {"camera": source, "odometry": Odometry()}
    world = RoadWorld("procedural:3", sensors, demonstration_task("log", 40, 0.1))
    drive = tmp_path / "drive"
    with RecordingWriter(drive, recording_header(world)) as writer:
        record(world, Expert(), writer, np.arange(1), {"driver": "expert", "regime": "log"})
    inside = open_world(str(drive)).sensors["camera"]
    assert isinstance(inside, Camera)
    fits = untrained(tmp_path / "fits", inside)
    words = ["--suite", "trace", "--roads", str(drive), "--episodes", "1", "--threads", "1"]
    assert main(["evaluate", str(fits), *words, "--out", str(tmp_path / "r.json")]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(runs[0]), *words, "--out", str(tmp_path / "x.json")]) == 2
    told = capsys.readouterr().err
    assert "cannot show what this driver's camera sees (48 x 32 px, 90 degrees wide" in told
    assert "128 x 96 px, 60 degrees wide" in told
