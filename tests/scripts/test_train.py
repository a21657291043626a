"""Training from the command line: one drive or many, and what is held out."""

import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from redrive.cli import main
from redrive.models.checkpoint import load_policy
from redrive.models.registry import POLICIES
from redrive.sim.recording import Recording
from redrive.train import PolicyName, split_episodes


def recorded(folder: Path, world: str, episodes: int) -> Path:
    words = ["record", "--world", world, "--episodes", str(episodes), "--steps", "60"]
    assert main([*words, "--out", str(folder)]) == 0
    return folder


def test_every_policy_can_be_named() -> None:
    assert get_args(PolicyName) == tuple(POLICIES)


def test_a_road_is_never_on_both_sides(tmp_path: Path) -> None:
    recording = Recording.open(recorded(tmp_path / "many", "procedural:0-9", 12))
    train, held_out = split_episodes([recording])
    roads = [{str(e.sidecar["world"]) for e in side} for side in (train, held_out)]
    assert roads[0] and roads[1] and not roads[0] & roads[1]


def test_of_a_single_drive_the_end_is_held_out(tmp_path: Path) -> None:
    recording = Recording.open(recorded(tmp_path / "one", "procedural:3", 1))
    (train,), (held_out,) = split_episodes([recording])
    whole = recording.read(0, "x")
    np.testing.assert_array_equal(train.read("x", 0, train.steps), whole[:48])
    np.testing.assert_array_equal(held_out.read("x", 0, 1000), whole[51:])
    np.testing.assert_array_equal(held_out.read("x", 2, 5), whole[53:56])


def test_a_driver_is_trained_from_a_single_drive(tmp_path: Path) -> None:
    data = recorded(tmp_path / "one", "procedural:3", 1)
    run = tmp_path / "run"
    words = ["train", str(data), "--policy", "mlp", "--steps", "2", "--out", str(run)]
    assert main(words) == 0
    assert json.loads((run / "policy.json").read_text())["policy"] == "mlp"
    assert main(words) == 2  # a run is not written over


def test_recordings_of_another_camera_are_not_mixed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [recorded(tmp_path / name, "procedural:0-9", 3) for name in ("a", "b")]
    header = data[1] / "dataset.json"
    content = json.loads(header.read_text())
    content["camera"]["pitch"] = 0.2
    header.write_text(json.dumps(content))
    assert main(["train", *map(str, data), "--out", str(tmp_path / "run")]) == 2
    assert "another camera" in capsys.readouterr().err


def test_a_driver_who_sees_its_previous_command_drives_too(tmp_path: Path) -> None:
    data, run = recorded(tmp_path / "data", "procedural:0-9", 6), tmp_path / "run"
    words = ["train", str(data), "--policy", "lstm", "--steps", "2", "--out", str(run)]
    assert main([*words, "--previous-command"]) == 0
    assert (
        "previous_command"
        in json.loads((run / "policy.json").read_text())["observation"]["sensors"]
    )
    out = tmp_path / "results.json"
    words = ["evaluate", str(run), "--suite", "recovery", "--episodes", "2", "--out", str(out)]
    assert main(words) == 0
    words = ["train", str(data), "--policy", "perceptron", "--out", str(tmp_path / "p")]
    assert main([*words, "--previous-command"]) == 2


def test_settings_of_the_policy_and_of_fitting_are_flags(tmp_path: Path) -> None:
    data = recorded(tmp_path / "data", "procedural:3", 1)
    run = tmp_path / "run"
    words = ["train", str(data), "--out", str(run), "--steps", "2", "--window", "8"]
    words += ["--policy", "lstm", "--policy.forget-bias", "chrono", "--policy.chrono-steps", "20"]
    words += ["--policy.head", "mixture", "--policy.encoder.channels", "8", "8", "8"]
    words += ["--optimizer", "sgd", "--schedule", "step", "--clip", "None", "--momentum", "0.8"]
    assert main([*words, "--dropout", "0.25"]) == 0
    described = json.loads((run / "policy.json").read_text())
    assert described["settings"]["forget_bias"] == "chrono"
    assert described["settings"]["chrono_steps"] == 20
    assert described["settings"]["head"] == "mixture"
    assert described["settings"]["dropout"] == 0.25
    assert described["settings"]["encoder"]["channels"] == [8, 8, 8]
    fitted = described["training"]["fit"]
    assert (fitted["optimizer"], fitted["schedule"]) == ("sgd", "step")
    assert (fitted["momentum"], fitted["clip"]) == (0.8, None)


def test_help_shows_the_settings_of_the_policy_that_was_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = {}
    for name in POLICIES:
        assert main(["train", "--policy", name, "--help"]) == 0
        shown[name] = capsys.readouterr().out
    assert "--policy.forget-bias" in shown["lstm"]
    assert "--policy.position" in shown["attention"]
    assert "--policy.frames" in shown["mlp"]
    assert "--policy.nonlinearity" in shown["perceptron"]
    assert "--policy.forget-bias" not in shown["gru"]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--policy", "gru", "--policy.forget-bias", "1"], "no option --policy.forget-bias"),
        (["--policy=lstm", "--policy.forget-bias", "2"], "unknown choice '2'"),
        (["--policy", "lsmt"], "did you mean 'lstm'?"),
        (["--policy", "lstm", "--policy.hidden", "0"], "hidden must be positive, got 0"),
        (["--policy", "perceptron", "--dropout", "0.5"], "perceptron has no features to drop"),
    ],
)
def test_wrong_settings_are_told_what_would_be_right(
    words: list[str], answer: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = recorded(tmp_path / "data", "procedural:3", 1) if "perceptron" in words else "data"
    assert main(["train", str(data), "--out", str(tmp_path / "run"), *words]) == 2
    assert answer in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("how", [["--carry"], ["--shortest", "9"]])
def test_windows_follow_each_other_or_differ_in_length_when_asked(
    how: list[str], tmp_path: Path
) -> None:
    data, run = recorded(tmp_path / "data", "procedural:0-9", 6), tmp_path / "run"
    words = ["train", str(data), "--policy", "rnn", "--steps", "3", "--window", "12"]
    assert main([*words, "--batch", "2", "--out", str(run), *how]) == 0
    told = json.loads((run / "policy.json").read_text())["training"]["windows"]
    assert (told["carry"], told["shortest"]) == (
        "--carry" in how,
        9 if "--shortest" in how else None,
    )


@pytest.mark.slow
def test_seeds_are_trained_side_by_side_and_each_as_if_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = recorded(tmp_path / "data", "procedural:0-9", 6)
    words = ["train", str(data), "--policy", "mlp", "--steps", "3", "--policy.hidden", "8"]
    assert main([*words, "--seeds", "2", "--seed", "4", "--out", str(tmp_path / "both")]) == 0
    assert "2 seeds; held-out loss" in capsys.readouterr().err
    assert main([*words, "--seed", "5", "--out", str(tmp_path / "alone")]) == 0
    for name in ("policy.safetensors", "policy.json"):
        both = (tmp_path / "both" / "seed-5" / name).read_bytes()
        assert both == (tmp_path / "alone" / name).read_bytes()
    assert (tmp_path / "both" / "seed-4" / "policy.json").is_file()


def test_a_training_begins_with_the_weights_of_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = recorded(tmp_path / "data", "procedural:0-9", 6)
    words = ["train", str(data), "--policy", "mlp", "--steps", "1"]
    first, second = tmp_path / "first", tmp_path / "second"
    assert main([*words, "--out", str(first)]) == 0
    begun = [*words, "--start-from", str(first), "--learning-rate", "1e-12"]
    assert main([*begun, "--seed", "7", "--out", str(second)]) == 0
    ours, theirs = (load_policy(run).state_dict() for run in (first, second))
    for name, value in ours.items():
        np.testing.assert_allclose(theirs[name].numpy(), value.numpy(), atol=1e-9)
    other = [*begun, "--policy.hidden", "8", "--out", str(tmp_path / "third")]
    assert main(other) == 2
    assert "holds another policy or other settings" in capsys.readouterr().err


def test_a_round_of_dagger_from_the_command_line(tmp_path: Path) -> None:
    """The expert drives, a learner learns, drives itself, and goes on with all that was recorded."""
    data, runs = recorded(tmp_path / "data", "procedural:0-9", 4), [tmp_path / "0", tmp_path / "1"]
    words = ["train", str(data), "--policy", "lstm", "--steps", "2"]
    assert main([*words, "--out", str(runs[0])]) == 0
    driven = ["record", "--regime", "dagger", "--agent", str(runs[0]), "--beta", "0.5", "--append"]
    driven += ["--world", "procedural:0-9", "--episodes", "3", "--steps", "30", "--seed", "1000"]
    assert main([*driven, "--out", str(data)]) == 0
    assert main([*words, "--start-from", str(runs[0]), "--out", str(runs[1])]) == 0
    regimes = [episode.sidecar["regime"] for episode in Recording.open(data)]
    assert regimes == ["log"] * 4 + ["dagger"] * 3
    training = json.loads((runs[1] / "policy.json").read_text())["training"]
    assert training["episodes"] + training["held_out_episodes"] == 7
    assert training["start_from"] == str(runs[0])
