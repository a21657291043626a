"""Two stages: what was encoded before is what would be seen, and what comes out drives from pictures."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from redrive.models.checkpoint import load_policy, read_policy_json
from redrive.models.dataset import Windows, WindowSettings
from redrive.models.encoder import Encoder, EncoderSettings
from redrive.models.fit import FitSettings, evaluate
from redrive.models.loss import LossSettings
from redrive.models.policy import Policy
from redrive.models.sequence import ENCODED, SequencePolicy
from redrive.models.two_stage import encode_episodes, fingerprint, fit_memory, take_encoder

SENSORS = ("camera", "odometry")
WINDOW = WindowSettings(batch=4, steps=16, burn_in=2)
QUICK = FitSettings(steps=6, validate_every=3, save_every=2, log_every=1)

Make = Callable[..., Policy]
Drives = Callable[..., list]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", ["mlp", "rnn", "lstm", "attention"])
def test_encoded_frames_give_the_commands_of_the_pictures(
    name: str, small_policy: Make, drives: Drives
) -> None:
    policy = small_policy(name)
    (drive,) = drives(1, steps=30)
    (encoded,) = encode_episodes(policy, [drive])
    seen = {sensor: torch.from_numpy(drive.columns[sensor])[None] for sensor in SENSORS}
    known = {ENCODED: torch.from_numpy(encoded.read(ENCODED, 0, 30))[None]}
    with torch.no_grad():
        from_pictures, _ = policy(seen, policy.initial_state(1))
        from_features, _ = policy(known, policy.initial_state(1))
        step, _ = policy.step({ENCODED: known[ENCODED][:, 0]}, policy.initial_state(1))
    torch.testing.assert_close(from_features, from_pictures)
    torch.testing.assert_close(step, from_pictures[:, 0])
    np.testing.assert_array_equal(
        encoded.read("expert_command", 3, 9), drive.columns["expert_command"][3:9]
    )


def eyes(policy: Policy) -> Encoder:
    assert isinstance(policy, SequencePolicy)
    return policy.encoder


def test_the_memory_learns_and_the_eyes_stay(
    small_policy: Make, drives: Drives, tmp_path: Path
) -> None:
    teacher, student = small_policy("mlp", seed=1), small_policy("lstm", awake=False)
    held_out = drives(3, seed=9)
    student.set_command_scale((0.02, 1.0))
    take_encoder(student, teacher)
    validation = Windows(held_out, SENSORS, WINDOW)
    before = evaluate(student, validation, LossSettings())
    settings = replace(QUICK, steps=150, validate_every=50, learning_rate=1e-2)
    result = fit_memory(student, teacher, drives(20), held_out, WINDOW, settings, tmp_path)
    learned = load_policy(tmp_path)
    after = evaluate(learned, validation, LossSettings())  # from pictures
    assert after.loss < 0.6 * before.loss
    assert after.loss == pytest.approx(result.best_loss, rel=1e-4)
    assert fingerprint(eyes(learned)) == fingerprint(eyes(teacher))
    assert read_policy_json(tmp_path)["training"]["encoder"] == fingerprint(eyes(teacher))
    assert all(parameter.requires_grad for parameter in student.parameters())


def test_frames_can_be_encoded_once_for_several_policies(
    small_policy: Make, drives: Drives, tmp_path: Path
) -> None:
    teacher = small_policy("mlp", seed=1)
    train, held_out = drives(5), drives(2, seed=9)
    encoded = encode_episodes(teacher, train), encode_episodes(teacher, held_out)
    fit_memory(small_policy("rnn"), teacher, train, held_out, WINDOW, QUICK, tmp_path / "a")
    fit_memory(small_policy("rnn"), teacher, *encoded, WINDOW, QUICK, tmp_path / "b")
    weights = "policy.safetensors"
    assert (tmp_path / "a" / weights).read_bytes() == (tmp_path / "b" / weights).read_bytes()


def test_a_stopped_second_stage_resumes_to_the_same_bytes(
    small_policy: Make, drives: Drives, tmp_path: Path
) -> None:
    teacher, train, held_out = small_policy("mlp", seed=1), drives(5), drives(2, seed=9)

    def stage(folder: Path, resume: bool = False, stop: bool = False, seed: int = 1) -> None:
        def interrupt(progress: object) -> None:
            if stop and getattr(progress, "step", 0) == 5:
                raise KeyboardInterrupt

        fit_memory(
            small_policy("lstm", dropout=0.1), small_policy("mlp", seed=seed), train, held_out,
            WINDOW, QUICK, folder, resume=resume, on_progress=interrupt,
        )  # fmt: skip

    stage(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path / "torn", stop=True)
    stage(tmp_path / "torn", resume=True)
    for name in ("policy.safetensors", "policy.json", "state/fit.safetensors"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "torn" / name).read_bytes()
    with pytest.raises(ValueError, match=r"was begun with training\.encoder"):
        stage(tmp_path / "torn", resume=True, seed=2)
    assert json.loads((tmp_path / "whole" / "policy.json").read_text())["policy"] == "lstm"
    assert teacher.spec == load_policy(tmp_path / "whole").spec


def test_eyes_that_do_not_fit_are_refused(small_policy: Make, drives: Drives) -> None:
    student = small_policy("lstm")
    with pytest.raises(TypeError, match="a PerceptronPolicy has no encoder"):
        take_encoder(student, small_policy("perceptron"))
    other = small_policy("mlp", encoder=EncoderSettings(channels=(8, 8, 8), embedding=10))
    with pytest.raises(ValueError, match="the encoder to take has the settings"):
        take_encoder(student, other)


def test_pictures_that_are_encoded_cannot_be_relit(
    small_policy: Make, drives: Drives, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="set brightness, contrast and mirror to 0"):
        fit_memory(
            small_policy("lstm"), small_policy("mlp"), drives(2), drives(1),
            replace(WINDOW, brightness=0.1), QUICK, tmp_path,
        )  # fmt: skip
