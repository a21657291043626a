"""The short drive after a training tells drivers apart: one who steers back, and one who never does."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from redrive.agents.demonstrations import demonstration_task
from redrive.agents.short_drive import ShortDrive, short_drive, to_json, unseen_roads
from redrive.cli import main
from redrive.models.policy import Observation, ObservationSpec, Policy, SensorSpec, State
from redrive.models.registry import make_policy
from redrive.sim.sensors.camera import Camera
from redrive.sim.task import Task

CAMERA = Camera().scaled(0.25)
SPEC = ObservationSpec(
    {
        "camera": SensorSpec(CAMERA.shape, "uint8", CAMERA.to_json()),
        "odometry": SensorSpec((2,), "float32"),
    }
)
SIDECAR = {"world": "procedural:3", "task": demonstration_task("log", 80, 0.1).to_json()}


def driver(curvature: float, accel: float) -> Policy:
    """Always the same command, whatever it sees."""
    policy = make_policy("perceptron", SPEC, command_scale=(0.02, 1.0))
    with torch.no_grad():
        policy.bias.copy_(torch.tensor([curvature / 0.02, accel]))  # type: ignore[operator]
    return policy


def found(policy: Policy, sidecar: Mapping[str, Any] = SIDECAR) -> ShortDrive:
    told = short_drive(policy, sidecar)
    assert told is not None
    return told


def test_who_never_steers_does_not_come_back_and_who_waits_does_not_move_off() -> None:
    waiting = found(driver(0.0, 0.0))
    assert waiting.recovered < 0.3 and waiting.recovered_from["1.5"] == 0.0
    assert (waiting.restarted, waiting.restart_s) == (0.0, None)
    assert "never moved off" in waiting.said()
    going = found(driver(0.0, 1.0))
    assert going.restarted == 1.0
    assert going.restart_s == pytest.approx(1.0, abs=0.15)  # 1 m/s at 1 m/s²
    assert waiting.expert_restart_s is not None and waiting.expert_restart_s < 1.0
    assert found(driver(0.05, 0.0)).kept == 0.0  # round in a circle


def test_it_is_the_same_each_time_and_plain_json() -> None:
    first, second = (to_json(found(driver(0.0, 0.5))) for _ in range(2))
    assert first == second == json.loads(json.dumps(first))


@pytest.mark.parametrize(
    ("recorded", "unseen"),
    [
        ("procedural:17", "procedural:1000000-1001000"),
        ("fork:delay=8,branches=3,boards=1,seed=4",
         "fork:delay=8,branches=3,boards=1,seeds=1000000-1001000"),
        ("stop:boards=2,seed=4", "stop:boards=2,seeds=1000000-1001000"),
        ("circuit:seed=5", "circuit:seeds=1000000-1000005"),
        ("Monza", None),
        ("", None),
    ],
)  # fmt: skip
def test_roads_of_the_same_kind(recorded: str, unseen: str | None) -> None:
    assert unseen_roads(recorded) == unseen


def test_roads_that_cannot_be_made_anew_are_not_driven() -> None:
    assert short_drive(driver(0.0, 0.0), {"world": "2011_09_26"}) is None


def test_what_hinders_in_the_recorded_task_hinders_here() -> None:
    class Looks(type(driver(0.0, 0.0))):  # type: ignore[misc]
        seen: list[float] = []  # noqa: RUF012

        def step(self, obs: Observation, state: State) -> tuple[Tensor, State]:
            self.seen.append(
                float((obs["camera"].flatten(1).max(dim=1).values == 0).float().mean())
            )
            result: tuple[Tensor, State] = super().step(obs, state)
            return result

    policy = driver(0.0, 0.0)
    policy.__class__ = Looks
    dark = Task(blackout_share=0.5).to_json()
    found(policy, {**SIDECAR, "task": dark})
    assert 0.3 < sum(Looks.seen) / len(Looks.seen) < 0.7


def test_a_training_ends_with_it_unless_told_not_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--episodes", "12", "--steps", "12", "--world", "procedural:0-20"]
    assert main(["record", "--out", str(tmp_path / "data"), *data]) == 0
    few = ["--policy", "perceptron", "--steps", "2", "--batch", "2"]
    for name, words in (("with", []), ("without", ["--no-closed-loop"])):
        run = tmp_path / name
        assert main(["train", str(tmp_path / "data"), "--out", str(run), *few, *words]) == 0
        training = json.loads((run / "policy.json").read_text())["training"]
        assert ("closed_loop" in training) == (name == "with")
        assert ("kept the lane in" in capsys.readouterr().err) == (name == "with")
    weights = [(tmp_path / n / "policy.safetensors").read_bytes() for n in ("with", "without")]
    assert weights[0] == weights[1]
