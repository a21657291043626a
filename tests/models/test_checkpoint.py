"""Run folders: what is saved drives the same when loaded, and what is broken says so."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from redrive.models import files
from redrive.models.checkpoint import (
    load_policy,
    read_policy_json,
    require_same_sensors,
    save_policy,
)
from redrive.models.policy import Observation, ObservationSpec, Policy, SensorSpec
from redrive.models.registry import POLICIES

Make = Callable[..., Policy]


@pytest.fixture
def run(tmp_path: Path, small_policy: Make) -> Path:
    """A run folder with a small lstm."""
    save_policy(tmp_path / "run", small_policy("lstm"), {"data": "abc"})
    return tmp_path / "run"


def edit(run: Path, **entries: object) -> None:
    path = run / "policy.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_saved_policy_drives_the_same(
    name: str, tmp_path: Path, small_policy: Make, observe: Callable[..., Observation]
) -> None:
    policy = small_policy(name, seed=4)
    save_policy(tmp_path, policy)
    loaded = load_policy(tmp_path)
    assert not loaded.training
    assert loaded.spec == policy.spec
    assert loaded.settings == policy.settings
    obs = observe(3, 7)
    with torch.no_grad():
        one, state = policy(obs, policy.initial_state(3))
        other, loaded_state = loaded(obs, loaded.initial_state(3))
    assert torch.equal(one, other)
    for a, b in zip(state, loaded_state, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", ["perceptron", "lstm", "attention"])
def test_a_run_of_an_older_redrive_drives_as_it_did(name: str) -> None:
    """Runs that know nothing of newer settings; tests/golden/make_runs.py made them."""
    rng = np.random.default_rng(0)
    camera = rng.integers(0, 256, (1, 6, 12, 16, 3)).astype(np.uint8)
    odometry = rng.uniform(0.0, 15.0, (1, 6, 2)).astype(np.float32)
    obs = {"camera": torch.from_numpy(camera), "odometry": torch.from_numpy(odometry)}
    run = Path(__file__).parents[1] / "golden" / "runs" / name
    policy = load_policy(run)
    with torch.no_grad():
        commands, _ = policy(obs, policy.initial_state(1))
    np.testing.assert_allclose(commands.numpy(), np.load(run / "commands.npy"), rtol=1e-4)


def test_the_description_says_what_it_is_and_where_it_came_from(run: Path) -> None:
    described = read_policy_json(run)
    assert described["policy"] == "lstm"
    assert described["settings"]["encoder"]["embedding"] == 12
    assert described["observation"]["sensors"]["camera"]["shape"] == [20, 24, 3]
    assert described["observation"]["dt"] == 0.1
    assert described["command_scale"] == pytest.approx([0.02, 1.5])
    assert described["training"] == {"data": "abc"}
    assert described["redrive"]


def test_equal_policies_are_equal_files(tmp_path: Path, small_policy: Make) -> None:
    for name in ("a", "b"):
        save_policy(tmp_path / name, small_policy("attention"))
    for file in ("policy.safetensors", "policy.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"there is no run folder .*nothing; `redrive train`"
    ):
        load_policy(tmp_path / "nothing")


def test_a_folder_without_a_policy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no trained policy: it has no policy\.json"):
        load_policy(tmp_path)


@pytest.mark.parametrize("size", [0, 7, 100, 2000])
def test_a_truncated_file_of_weights(run: Path, size: int) -> None:
    weights = run / "policy.safetensors"
    weights.write_bytes(weights.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"policy\.safetensors is truncated or damaged"):
        load_policy(run)


def test_missing_weights(run: Path) -> None:
    (run / "policy.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"policy\.safetensors is missing"):
        load_policy(run)
    with pytest.raises(FileNotFoundError, match=r"fit\.safetensors is missing"):
        load_policy(run, which="last")


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "3", '{"schema": 1,}', "\xff\xfe"])
def test_wrong_json(run: Path, text: str) -> None:
    (run / "policy.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=r"policy\.json is not a valid JSON object"):
        load_policy(run)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"policy": "lsmt"}, r"policy\.json: unknown policy lsmt; did you mean lstm\?"),
        ({"settings": {"hiden": 3}}, r"LstmSettings has no setting hiden; did you mean hidden\?"),
        ({"settings": [1]}, r"policy\.json: "),
        ({"schema": 99}, "has schema 99, this redrive reads schema 1; it was written by redrive"),
        ({"observation": {"dt": 0.1}}, "has no entry 'sensors'"),
        ({"command_scale": [0.5, 1.5]}, "do not belong together: their command_scale"),
    ],
)
def test_a_description_that_makes_no_sense(run: Path, entries: dict, message: str) -> None:
    edit(run, **entries)
    with pytest.raises(ValueError, match=message):
        load_policy(run)


def test_a_description_that_lacks_something(run: Path) -> None:
    path = run / "policy.json"
    described = json.loads(path.read_text())
    del described["policy"]
    path.write_text(json.dumps(described))
    with pytest.raises(ValueError, match=r"policy\.json has no entry 'policy'"):
        load_policy(run)


def test_weights_of_another_policy(run: Path, small_policy: Make, tmp_path: Path) -> None:
    for name, settings, message in (
        ("lstm", {"hidden": 24}, r"core\.lstm\.bias_hh_l0 should be \(64,\), is \(96,\)"),
        ("rnn", {}, r"core\.lstm\.bias_hh_l0 should be \(64,\), is nothing"),
    ):
        save_policy(tmp_path / name, small_policy(name, **settings))
        weights = (tmp_path / name / "policy.safetensors").read_bytes()
        (run / "policy.safetensors").write_bytes(weights)
        with pytest.raises(ValueError, match=message):
            load_policy(run)


def test_a_full_disk_harms_nothing_that_was_there(
    run: Path, small_policy: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir()}

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_policy(run, small_policy("lstm", seed=1))
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def camera(spec: ObservationSpec, **changes: Any) -> ObservationSpec:
    sensor = replace(spec.sensors["camera"], **changes)
    return replace(spec, sensors={**spec.sensors, "camera": sensor})


def test_the_same_world_is_accepted(spec: ObservationSpec, run: Path) -> None:
    saved = load_policy(run).spec
    require_same_sensors(saved, spec, run)
    lidar = SensorSpec((90,), "float32")
    require_same_sensors(saved, replace(spec, sensors={**spec.sensors, "lidar": lidar}), run)


def test_another_world_is_refused_with_every_difference(spec: ObservationSpec) -> None:
    def message(world: ObservationSpec) -> str:
        with pytest.raises(ValueError, match=r"^checkpoint runs/a expects") as error:
            require_same_sensors(spec, world, "runs/a")
        return str(error.value)

    remedy = "; use the settings in runs/a/policy.json"
    assert message(camera(spec, shape=(48, 96, 3))) == (
        "checkpoint runs/a expects camera (20, 24, 3), this world gives (48, 96, 3)" + remedy
    )
    assert message(camera(spec, dtype="float32")) == (
        "checkpoint runs/a expects camera uint8 (20, 24, 3), "
        "this world gives float32 (20, 24, 3)" + remedy
    )
    assert message(camera(spec, settings={"pitch": 0.2, "mount": (1.4, 0.0)})) == (
        "checkpoint runs/a expects camera.pitch 0.1, this world has 0.2" + remedy
    )
    assert message(replace(spec, dt=0.05)) == (
        "checkpoint runs/a expects dt 0.1 s, this world has 0.05 s" + remedy
    )
    both = replace(spec, dt=0.05, sensors={"camera": spec.sensors["camera"]})
    assert message(both) == (
        "checkpoint runs/a expects the sensor odometry, this world has none; "
        "expects dt 0.1 s, this world has 0.05 s" + remedy
    )
