"""Fitting: it learns, it is exact, and nothing that happens to the process changes what comes out."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from redrive.models import files
from redrive.models.checkpoint import load_policy, read_policy_json
from redrive.models.dataset import Batch, Windows, WindowSettings
from redrive.models.fit import (
    Errors,
    FitSettings,
    FitState,
    Progress,
    batches,
    evaluate,
    fit,
    learn,
    learn_on,
    learning_rate,
    make_optimizer,
)
from redrive.models.loss import LossSettings
from redrive.models.policy import Policy
from redrive.models.sequence import ENCODED, SequencePolicy

SENSORS = ("camera", "odometry")
WINDOWS = WindowSettings(batch=4, steps=8, burn_in=2, brightness=0.1)
QUICK = FitSettings(steps=12, validate_every=4, save_every=3, log_every=1)
FILES = ("policy.safetensors", "policy.json", "state/fit.safetensors")

Make = Callable[..., Policy]
Drives = Callable[..., list]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def quick_fit(small_policy: Make, drives: Drives) -> Callable[..., FitState]:
    """A fit of a second or less; the same one every time."""

    def run(
        folder: Path,
        name: str = "lstm",
        settings: FitSettings = QUICK,
        resume: bool = False,
        on_progress: Callable[[Progress], object] = lambda progress: None,
        **policy_settings: object,
    ) -> FitState:
        policy_settings = {"dropout": 0.2, **policy_settings}
        policy = small_policy(name, awake=False, **policy_settings)
        windows = Windows(drives(5), SENSORS, WINDOWS)
        validation = Windows(drives(2, seed=9), SENSORS, WINDOWS)
        return fit(
            policy, windows, validation, settings, folder, resume=resume, on_progress=on_progress
        )

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def log_of(folder: Path) -> list[dict]:
    """Every line, without the clock."""
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{key: line[key] for key in line if key != "seconds"} for line in lines]


@pytest.mark.parametrize("name", ["perceptron", "mlp", "rnn", "lstm", "attention", "mingru"])
def test_a_driver_learns_to_steer_towards_a_line(
    name: str, small_policy: Make, drives: Drives, tmp_path: Path
) -> None:
    windows = Windows(
        drives(30), SENSORS, WindowSettings(batch=16, steps=4, burn_in=0, from_start=0.0)
    )
    validation = Windows(drives(5, seed=9), SENSORS, WINDOWS)
    policy = small_policy(name, awake=False)
    policy.set_command_scale(windows.command_scale)
    before = evaluate(policy, validation, LossSettings())
    result = fit(
        policy,
        windows,
        validation,
        FitSettings(steps=400, learning_rate=1e-2, validate_every=100),
        tmp_path,
    )
    after = evaluate(load_policy(tmp_path), validation, LossSettings())
    assert after.loss == pytest.approx(result.best_loss, rel=1e-6)
    curvature, accel = windows.command_scale
    assert before.curvature_rmse > 0.8 * curvature
    share = 0.5 if name == "perceptron" else 0.3
    assert after.curvature_rmse < share * curvature
    assert after.accel_rmse < 0.5 * accel


def test_the_same_seed_gives_the_same_bytes(
    quick_fit: Callable[..., FitState], tmp_path: Path
) -> None:
    torch.manual_seed(1)
    quick_fit(tmp_path / "a")
    torch.manual_seed(2)  # what others draw does not matter
    quick_fit(tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert log_of(tmp_path / "a") == log_of(tmp_path / "b")
    quick_fit(tmp_path / "c", settings=replace(QUICK, seed=1))  # other dropout
    assert contents(tmp_path / "c") != contents(tmp_path / "a")


class Killed(BaseException):
    """Stands for the end of the process in tests that do not want to die."""


@pytest.mark.parametrize("moment", range(9))
def test_death_at_any_write_changes_nothing(
    moment: int,
    quick_fit: Callable[..., FitState],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stop before the n-th renaming of a file, resume, stop after the next n-th, resume."""
    quick_fit(tmp_path / "whole")
    deaths = 0
    for after in (False, True):
        countdown = moment

        def rename(source: Path, target: Path, after: bool = after) -> None:
            nonlocal countdown
            if countdown == 0 and not after:
                raise Killed
            os.rename(source, target)
            if countdown == 0:
                raise Killed
            countdown -= 1

        monkeypatch.setattr(files.os, "replace", rename)
        try:
            quick_fit(tmp_path / "torn", resume=(tmp_path / "torn").exists())
        except Killed:
            deaths += 1
        monkeypatch.undo()
    quick_fit(tmp_path / "torn", resume=True)
    assert deaths > 0
    assert contents(tmp_path / "torn") == contents(tmp_path / "whole")
    assert log_of(tmp_path / "torn") == log_of(tmp_path / "whole")
    assert not list((tmp_path / "torn").rglob("*.tmp"))


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is posix")
def test_a_killed_process_resumes_to_the_same_bytes(
    quick_fit: Callable[..., FitState], tmp_path: Path
) -> None:
    quick_fit(tmp_path / "whole")
    script = textwrap.dedent(
        """
        import importlib.util, os, signal, sys
        from pathlib import Path

        import torch

        torch.set_num_threads(1)
        from redrive.models import files

        here, folder, when, how = sys.argv[1:]
        whole_write, left = files.write_atomically, int(when)


        def dying_write(path, data):
            global left
            left -= 1
            if left == 0 and how == "writing":  # half of the file is there, and nothing more comes
                path.with_name(path.name + ".tmp").write_bytes(data[: len(data) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            whole_write(path, data)
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


        files.write_atomically = dying_write


        def load(name):
            spec = importlib.util.spec_from_file_location(name, f"{here}/{name}.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module


        given, tests = load("conftest"), load("test_fit")
        undecorated = lambda fixture: fixture.__wrapped__
        make = undecorated(given.small_policy)(undecorated(given.spec)())
        run = undecorated(tests.quick_fit)(make, undecorated(given.drives)())
        run(Path(folder), resume=True)
        """
    )
    for when, how in (("4", "writing"), ("5", "written")):
        child = subprocess.run(
            [sys.executable, "-c", script, str(Path(__file__).parent), str(tmp_path / "torn")]
            + [when, how],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert child.returncode == -signal.SIGKILL, child.stderr
        assert bool(list((tmp_path / "torn").rglob("*.tmp"))) == (how == "writing")
    quick_fit(tmp_path / "torn", resume=True)
    assert contents(tmp_path / "torn") == contents(tmp_path / "whole")
    assert log_of(tmp_path / "torn") == log_of(tmp_path / "whole")
    assert not list((tmp_path / "torn").rglob("*.tmp"))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is posix")
def test_a_process_killed_at_random_moments_resumes_to_the_same_bytes(
    quick_fit: Callable[..., FitState], tmp_path: Path
) -> None:
    """Kill -9 from outside, again and again, whatever it is doing: it writes most of the time."""
    settings = replace(QUICK, validate_every=1, save_every=1)
    quick_fit(tmp_path / "whole", settings=settings)
    script = textwrap.dedent(
        """
        import importlib.util, json, os, random, signal, sys, time
        from dataclasses import replace
        from pathlib import Path

        import torch

        torch.set_num_threads(1)
        here, folder = Path(sys.argv[1]), Path(sys.argv[2])


        def load(name):
            spec = importlib.util.spec_from_file_location(name, here / f"{name}.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module


        given, tests = load("conftest"), load("test_fit")
        undecorated = lambda fixture: fixture.__wrapped__
        make = undecorated(given.small_policy)(undecorated(given.spec)())
        run = undecorated(tests.quick_fit)(make, undecorated(given.drives)())
        settings = replace(tests.QUICK, validate_every=1, save_every=1)
        moments, ends = random.Random(0), []
        for _ in range(5):
            steps_taken, tell = os.pipe()
            child = os.fork()
            if child == 0:
                told = lambda progress: os.write(tell, b".")
                run(folder, settings=settings, resume=True, on_progress=told)
                os._exit(0)
            os.read(steps_taken, 1)
            begun = time.monotonic()
            os.read(steps_taken, 1)
            time.sleep(moments.uniform(0.0, 1.0) * (time.monotonic() - begun))
            os.kill(child, signal.SIGKILL)
            ends.append(os.WTERMSIG(os.waitpid(child, 0)[1]))
        print(json.dumps(ends))
        """
    )
    parent = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent), str(tmp_path / "torn")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert parent.returncode == 0, parent.stderr
    assert json.loads(parent.stdout).count(signal.SIGKILL) >= 3
    quick_fit(tmp_path / "torn", settings=settings, resume=True)
    assert contents(tmp_path / "torn") == contents(tmp_path / "whole")
    assert log_of(tmp_path / "torn") == log_of(tmp_path / "whole")
    assert not list((tmp_path / "torn").rglob("*.tmp"))


@pytest.mark.parametrize(
    "settings",
    [
        replace(QUICK, optimizer="sgd", learning_rate=0.1),
        replace(QUICK, optimizer="sgd", momentum=0.0, schedule="step"),
        replace(QUICK, schedule="constant", clip=None),
    ],
    ids=["momentum", "no momentum", "no clipping"],
)
def test_every_optimizer_goes_on_where_it_was(
    settings: FitSettings, quick_fit: Callable[..., FitState], tmp_path: Path
) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.step == 8:
            raise KeyboardInterrupt

    quick_fit(tmp_path / "whole", "mlp", settings)
    with pytest.raises(KeyboardInterrupt):
        quick_fit(tmp_path / "torn", "mlp", settings, on_progress=interrupt)
    quick_fit(tmp_path / "torn", "mlp", settings, resume=True)
    assert contents(tmp_path / "torn") == contents(tmp_path / "whole")
    assert log_of(tmp_path / "torn") == log_of(tmp_path / "whole")


@pytest.mark.parametrize("head", ["gaussian", "mixture"])
def test_other_heads_learn_and_resume(
    head: str, quick_fit: Callable[..., FitState], tmp_path: Path
) -> None:
    result = quick_fit(tmp_path / "a", head=head)
    losses = [line["loss"] for line in log_of(tmp_path / "a") if "loss" in line]
    assert losses[-1] < losses[0]
    assert load_policy(tmp_path / "a").settings.head == head
    assert quick_fit(tmp_path / "a", head=head, resume=True) == result


def test_sgd_with_momentum_is_the_textbook_rule(small_policy: Make, drives: Drives) -> None:
    """v = m v + g; w = w - rate (v + decay w for weights): two steps by hand."""
    settings = FitSettings(
        steps=2, optimizer="sgd", momentum=0.5, learning_rate=0.1, schedule="constant",
        warm_up=0.0, weight_decay=0.0, clip=None,
    )  # fmt: skip
    policy = small_policy("mlp", awake=False)
    windows = Windows(drives(3), SENSORS, WINDOWS)
    optimizer = make_optimizer(policy, settings)
    weights = [parameter.detach().clone() for parameter in policy.parameters()]
    velocity = [torch.zeros_like(weight) for weight in weights]
    for step in range(2):
        learn(policy, optimizer, windows.batch(step), settings, step)
        for i, parameter in enumerate(policy.parameters()):
            assert parameter.grad is not None
            velocity[i] = 0.5 * velocity[i] + parameter.grad
            weights[i] = weights[i] - 0.1 * velocity[i]
            torch.testing.assert_close(parameter.detach(), weights[i])


def test_batches_that_are_cut_ahead_are_those_of_their_steps(drives: Drives) -> None:
    windows = Windows(drives(3), SENSORS, WINDOWS)
    ahead = list(batches(windows, 2, 6))
    assert len(ahead) == 4
    for step, batch in enumerate(ahead, start=2):
        torch.testing.assert_close(batch.command, windows.batch(step).command, rtol=0.0, atol=0.0)
    assert not list(batches(windows, 6, 6))


def test_what_goes_wrong_while_a_batch_is_cut_stops_the_fit(
    drives: Drives, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = Windows(drives(3), SENSORS, WINDOWS)
    cut = windows.batch

    def broken(step: int) -> Batch:
        if step == 2:
            raise OSError("the disk is gone")
        return cut(step)

    monkeypatch.setattr(windows, "batch", broken)
    coming = batches(windows, 0, 4)
    assert next(coming).command.shape == next(coming).command.shape
    with pytest.raises(OSError, match="disk is gone"):
        next(coming)


def test_without_clipping_the_gradient_is_followed_whatever_its_length(
    quick_fit: Callable[..., FitState], tmp_path: Path
) -> None:
    quick_fit(tmp_path, settings=replace(QUICK, clip=None, steps=2))
    for line in log_of(tmp_path):
        if "loss" in line:
            assert line["gradient_norm_clipped"] == line["gradient_norm"] > 0.0


def test_ctrl_c_leaves_a_run_that_goes_on(
    quick_fit: Callable[..., FitState], tmp_path: Path
) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.step == 7:
            raise KeyboardInterrupt

    quick_fit(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        quick_fit(tmp_path / "torn", on_progress=interrupt)
    load_policy(tmp_path / "torn")  # the best so far drives already
    log = tmp_path / "torn" / "log.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["step"] <= 6]  # the state is of step 6
    log.write_text("".join(kept) + '{"step": 7, "lo')  # as a kill may leave it
    quick_fit(tmp_path / "torn", resume=True)
    assert contents(tmp_path / "torn") == contents(tmp_path / "whole")
    assert log_of(tmp_path / "torn") == log_of(tmp_path / "whole")


def test_resuming_what_is_finished_changes_nothing(
    quick_fit: Callable[..., FitState], tmp_path: Path
) -> None:
    first = quick_fit(tmp_path)
    before = contents(tmp_path)
    assert quick_fit(tmp_path, resume=True) == first
    assert contents(tmp_path) == before


def test_a_run_is_not_overwritten(quick_fit: Callable[..., FitState], tmp_path: Path) -> None:
    quick_fit(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(FileExistsError, match="holds a run already; name another folder, or resum"):
        quick_fit(tmp_path)
    assert contents(tmp_path) == before
    (tmp_path / "state" / "fit.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"holds a policy but no state/fit\.safetensors"):
        quick_fit(tmp_path, resume=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": replace(QUICK, learning_rate=0.1)}, r"fit\.learning_rate 0\.004, not 0\.1"),
        ({"name": "rnn"}, "was begun with policy lstm, not rnn"),
        ({"hidden": 24}, r"was begun with settings\.hidden 16, not 24"),
    ],
)
def test_a_run_is_resumed_only_as_it_was_begun(
    changes: dict,
    message: str,
    quick_fit: Callable[..., FitState],
    tmp_path: Path,
) -> None:
    quick_fit(tmp_path)
    with pytest.raises(ValueError, match=message):
        quick_fit(tmp_path, resume=True, **changes)


FOLLOWING = WindowSettings(batch=2, steps=8, burn_in=0, carry=True, balance=1.0)


@pytest.mark.parametrize("name", ["rnn", "irnn", "gru", "lstm", "attention", "mingru", "mlp"])
def test_a_memory_that_is_carried_on_is_that_of_one_long_drive(
    name: str, small_policy: Make, drives: Drives
) -> None:
    """A drive of three windows, begun anew: together they give what it gives in one piece."""
    policy = small_policy(name, **({"frames": 5} if name == "mlp" else {}))
    (drive,) = drives(1, steps=24)
    windows = Windows([drive], SENSORS, replace(FOLLOWING, batch=1))
    seen = {sensor: torch.from_numpy(drive.columns[sensor])[None] for sensor in SENSORS}
    with torch.no_grad():
        whole, _ = policy(seen, policy.initial_state(1))
        memory = policy.initial_state(1)
        pieces: list[torch.Tensor] = []
        for step in range(6):
            batch = windows.batch(step)
            commands, memory = policy(batch.obs, memory, batch.is_first)
            pieces = [commands] if batch.is_first[0, 0] else [*pieces, commands]
            if step and len(pieces) == 3:
                break
    found = torch.cat(pieces, dim=1) / policy.command_scale
    torch.testing.assert_close(found, whole / policy.command_scale, rtol=0.0, atol=2e-6)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_what_is_carried_on_has_the_very_bits_of_one_long_drive(
    name: str, small_policy: Make
) -> None:
    """Of frames that are encoded already: pictures are encoded with other last bits in other batches."""
    policy = small_policy(name)
    assert isinstance(policy, SequencePolicy)
    frames = torch.randn(3, 24, policy.encoder.size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole, last = policy({ENCODED: frames}, policy.initial_state(3))
        memory, pieces = policy.initial_state(3), []
        for start in range(0, 24, 8):
            commands, memory = policy({ENCODED: frames[:, start : start + 8]}, memory)
            pieces.append(commands)
    assert torch.equal(torch.cat(pieces, dim=1), whole)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(memory, last, strict=True))


def test_gradients_end_where_a_window_ends(small_policy: Make) -> None:
    """The second window learns with what the first left as if it had always been there."""
    policy = small_policy("lstm")
    assert isinstance(policy, SequencePolicy)
    frames = torch.randn(2, 16, policy.encoder.size, generator=torch.Generator().manual_seed(0))
    label, weight = torch.zeros(2, 8, 2), torch.ones(2, 8)
    begins = torch.zeros(2, 8, dtype=torch.bool)
    halves = [
        Batch({ENCODED: frames[:, part]}, label, begins, weight)
        for part in (slice(0, 8), slice(8, 16))
    ]
    settings = FitSettings(steps=10, learning_rate=1e-12, weight_decay=0.0, clip=None)
    optimizer = make_optimizer(policy, settings)
    fresh = policy.initial_state(2)
    _, _, memory = learn_on(policy, optimizer, halves[0], fresh, settings, 0)
    assert not any(part.requires_grad for part in memory)
    loss, norm, _ = learn_on(policy, optimizer, halves[1], memory, settings, 1)
    given = tuple(part.clone() for part in memory)
    again = learn_on(policy, optimizer, halves[1], given, settings, 1)
    assert again[:2] == pytest.approx((loss, norm), rel=1e-6)
    both = Batch(
        {ENCODED: frames}, torch.zeros(2, 16, 2), torch.zeros(2, 16, dtype=torch.bool),
        torch.cat([0.0 * weight, weight], dim=1),
    )  # fmt: skip
    whole_loss, whole_norm, _ = learn_on(policy, optimizer, both, fresh, settings, 2)
    assert whole_loss == pytest.approx(loss, rel=1e-5)  # the same values
    assert abs(whole_norm - norm) > 1e-3 * norm  # but through all of the time


@pytest.mark.parametrize("stop", [3, 7, 11])
def test_a_carried_memory_is_there_again_when_a_run_is_resumed(
    stop: int, small_policy: Make, drives: Drives, tmp_path: Path
) -> None:
    def run(folder: Path, resume: bool = False, until: int = 99) -> None:
        def interrupt(progress: Progress) -> None:
            if progress.step == until:
                raise KeyboardInterrupt

        fit(
            small_policy("lstm", awake=False), Windows(drives(4, steps=30), SENSORS, FOLLOWING),
            Windows(drives(2, seed=9), SENSORS, FOLLOWING), QUICK, folder, resume=resume,
            on_progress=interrupt,
        )  # fmt: skip

    run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "torn", until=stop)
    run(tmp_path / "torn", resume=True)
    assert contents(tmp_path / "torn") == contents(tmp_path / "whole")


def test_other_drives_are_not_mixed_into_a_run(
    small_policy: Make, drives: Drives, tmp_path: Path
) -> None:
    validation = Windows(drives(2, seed=9), SENSORS, WINDOWS)

    def begin(seed: int, resume: bool) -> None:
        windows = Windows(drives(5, seed=seed), SENSORS, WINDOWS)
        fit(small_policy("mlp"), windows, validation, QUICK, tmp_path, resume=resume)

    begin(0, resume=False)
    with pytest.raises(ValueError, match="was begun with training.windows_fingerprint"):
        begin(1, resume=True)


def test_a_damaged_state_is_an_error(quick_fit: Callable[..., FitState], tmp_path: Path) -> None:
    quick_fit(tmp_path)
    state = tmp_path / "state" / "fit.safetensors"
    state.write_bytes(state.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"fit\.safetensors is truncated or damaged"):
        quick_fit(tmp_path, resume=True)


def test_the_best_is_kept_and_the_last_is_there(
    quick_fit: Callable[..., FitState], small_policy: Make, drives: Drives, tmp_path: Path
) -> None:
    """A learning rate that wrecks the policy: the best comes early."""
    settings = replace(QUICK, steps=40, validate_every=2, learning_rate=0.3, warm_up=0.5)
    result = quick_fit(tmp_path, "mlp", settings)
    validation = Windows(drives(2, seed=9), SENSORS, WINDOWS)
    best = evaluate(load_policy(tmp_path), validation, LossSettings())
    last = evaluate(load_policy(tmp_path, which="last"), validation, LossSettings())
    assert 0 < result.best_step < 40
    assert best.loss == pytest.approx(result.best_loss)
    looks = [line for line in log_of(tmp_path) if "validation_loss" in line]
    assert best.loss == pytest.approx(min(line["validation_loss"] for line in looks))
    assert last.loss == pytest.approx(looks[-1]["validation_loss"])
    assert last.loss > best.loss
    described = read_policy_json(tmp_path)["training"]
    assert described["best_step"] == result.best_step
    assert described["validation"]["loss"] == pytest.approx(best.loss)
    assert described["fit"]["steps"] == 40


def test_it_stops_early_when_nothing_gets_better(
    quick_fit: Callable[..., FitState], tmp_path: Path
) -> None:
    settings = replace(
        QUICK, steps=200, validate_every=2, learning_rate=0.3, warm_up=0.5, patience=4
    )
    result = quick_fit(tmp_path, "mlp", settings)
    assert result.stopped
    assert result.step == result.best_step + 2 * 4 < 200
    assert quick_fit(tmp_path, "mlp", settings, resume=True) == result


def test_the_log_has_a_line_for_every_step_and_every_look(
    quick_fit: Callable[..., FitState], tmp_path: Path
) -> None:
    told: list[Progress] = []
    settings = replace(QUICK, clip=0.05)
    quick_fit(tmp_path, settings=settings, on_progress=told.append)
    lines = log_of(tmp_path)
    steps = [line for line in lines if "loss" in line]
    assert [line["step"] for line in steps] == list(range(1, 13))
    assert [line["step"] for line in lines if "validation_loss" in line] == [4, 8, 12]
    for line in steps:
        assert line["gradient_norm_clipped"] == min(line["gradient_norm"], 0.05)
        assert line["learning_rate"] == learning_rate(settings, line["step"] - 1)
    assert any(line["gradient_norm"] > 0.05 for line in steps)
    assert [progress.step for progress in told] == list(range(1, 13))
    assert told[2].validation_loss is None
    assert told[4].validation_loss == lines[4]["validation_loss"]


def test_a_loss_that_is_no_number_stops_the_fit(
    small_policy: Make, drives: Drives, tmp_path: Path
) -> None:
    broken = drives(3)
    for drive in broken:
        drive.columns["odometry"][5:] = np.nan
    good = Windows(drives(2), SENSORS, WINDOWS)
    bad = Windows(broken, SENSORS, WINDOWS)
    with pytest.raises(FloatingPointError, match=r"the loss is nan .* in step 1: are all observat"):
        fit(small_policy("mlp"), bad, good, QUICK, tmp_path / "a")
    with pytest.raises(FloatingPointError, match=r"held-out drives is nan at step 4"):
        fit(small_policy("mlp"), good, bad, QUICK, tmp_path / "b")


def test_the_learning_rate_warms_up_and_falls_to_nearly_nothing() -> None:
    settings = FitSettings(steps=200, learning_rate=0.5, warm_up=0.1)
    rates = [learning_rate(settings, step) for step in range(200)]
    assert rates[0] > 0.0
    assert rates[:20] == sorted(rates[:20])
    assert max(rates) == rates[20] == 0.5
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert rates[110] == pytest.approx(0.25)
    assert rates[-1] < 0.001
    assert learning_rate(replace(settings, warm_up=0.0), 0) == 0.5


def test_other_schedules_fall_by_steps_or_not_at_all() -> None:
    settings = FitSettings(steps=200, learning_rate=0.5, warm_up=0.1, schedule="constant")
    rates = [learning_rate(settings, step) for step in range(200)]
    assert rates[:20] == sorted(rates[:20])
    assert set(rates[20:]) == {0.5}
    settings = replace(settings, schedule="step")
    rates = [learning_rate(settings, step) for step in range(200)]
    assert rates[99] == 0.5
    assert rates[100] == rates[149] == pytest.approx(0.05)
    assert rates[150] == rates[199] == pytest.approx(0.005)


def test_only_weights_decay(small_policy: Make) -> None:
    policy = small_policy("attention", awake=False)
    decays = {}
    for group in make_optimizer(policy, FitSettings(weight_decay=0.3)).param_groups:
        for parameter in group["params"]:
            decays[parameter] = group["weight_decay"]
    for name, parameter in policy.named_parameters():
        is_weight = name.endswith("weight") and "norm" not in name and parameter.ndim > 1
        assert decays[parameter] == (0.3 if is_weight else 0.0), name


def test_errors_are_averages_over_all_steps(small_policy: Make, drives: Drives) -> None:
    """Measured in windows of any size, a memoryless policy is as wrong as it is in one piece."""
    policy = small_policy("mlp")
    held_out = drives(3)

    def errors(**settings: Any) -> Errors:
        return evaluate(
            policy, Windows(held_out, SENSORS, WindowSettings(**settings)), LossSettings()
        )

    whole, pieces = errors(batch=3, steps=40), errors(batch=4, steps=7, burn_in=3)
    assert pieces.loss == pytest.approx(whole.loss, rel=1e-5)
    assert pieces.curvature_rmse == pytest.approx(whole.curvature_rmse, rel=1e-5)
    wrong = []
    for drive in held_out:
        obs = {name: torch.from_numpy(drive.columns[name]) for name in SENSORS}
        command, _ = policy.step(obs, ())
        wrong.append(command.detach().numpy() - drive.columns["expert_command"])
    curvature, accel = np.sqrt(np.mean(np.square(np.concatenate(wrong)), axis=0))
    assert whole.curvature_rmse == pytest.approx(curvature, rel=1e-5)
    assert whole.accel_rmse == pytest.approx(accel, rel=1e-5)


def test_tensorboard_gets_the_same_numbers(
    quick_fit: Callable[..., FitState], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(QUICK, steps=2, validate_every=2, tensorboard=True)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'redrive\[tensorboard\]'"):
        quick_fit(tmp_path / "without", settings=settings)
    monkeypatch.undo()
    pytest.importorskip("tensorboard")
    quick_fit(tmp_path / "with", settings=settings)
    assert list((tmp_path / "with" / "tensorboard").glob("events.*"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"log_every": 0}, "log_every must be at least 1"),
        ({"learning_rate": float("inf")}, "learning_rate must be positive"),
        ({"clip": 0.0}, "clip must be positive"),
        ({"momentum": 1.0}, "momentum must be from 0 to below 1"),
        ({"warm_up": 1.0}, "warm_up must be a share"),
        ({"patience": -1}, "must not be negative"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FitSettings(**values)
