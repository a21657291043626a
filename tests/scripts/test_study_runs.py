"""What studies share: recordings and runs that are made once, and figures over training seeds."""

import json
from pathlib import Path

import numpy as np
import pytest

import redrive.study_runs as runs
from redrive.sim.recording import Recording


def test_drives_are_recorded_once_and_what_is_missing_is_added(tmp_path: Path) -> None:
    folder = runs.record_drives(tmp_path / "log", "log", 2, 12)
    kept = Recording.open(folder).episodes[1].read("x").copy()
    runs.record_drives(folder, "log", 3, 12)
    runs.record_drives(folder, "log", 2, 12)
    recording = Recording.open(folder)
    assert [episode.sidecar["seed"] for episode in recording] == [0, 1, 2]
    np.testing.assert_array_equal(recording.episodes[1].read("x"), kept)
    assert recording.episodes[0].read("camera").shape[1:] == (32, 48, 3)


def test_work_is_done_once(tmp_path: Path) -> None:
    calls = []

    def work() -> dict[str, int]:
        calls.append(1)
        return {"answer": 42}

    path = tmp_path / "deep" / "found.json"
    assert runs.once(path, work) == runs.once(path, work) == {"answer": 42}
    assert len(calls) == 1 and json.loads(path.read_text()) == {"answer": 42}


def test_a_figure_has_its_mean_and_interval_over_seeds() -> None:
    rows = [
        {"driver": driver, "seed": seed, "success": value, "loss": 10.0 * value}
        for driver, values in {"a": (0.2, 0.4, 0.6), "b": (1.0, 1.0, 1.0)}.items()
        for seed, value in enumerate(values)
    ]
    a, b = runs.over_seeds(rows, ("driver",), ("success", "loss"))
    assert (a["driver"], a["runs"], a["success"]) == ("a", 3, pytest.approx(0.4))
    half = 4.303 * 0.2 / np.sqrt(3.0)  # Student's quantile for 2 degrees of freedom
    assert a["loss_high"] == pytest.approx(4.0 + 10.0 * half, rel=1e-3)
    assert a["success_low"] == 0.0  # a share is no less
    assert b["success_low"] == b["success_high"] == 1.0


def test_ranks_agree_or_do_not() -> None:
    assert runs.rank_correlation([1, 2, 3], [10, 100, 1000]) == pytest.approx(1.0)
    assert runs.rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1.0)
    assert runs.rank_correlation([1, 1, 2, 2], [5, 6, 5, 6]) == pytest.approx(0.0)
    assert runs.rank_correlation([1, 2], [7, 7]) == 0.0


def test_a_driver_goes_on_with_what_another_has_learned(tmp_path: Path) -> None:
    """With nothing more to learn (a rate of nearly 0) it is the other."""
    from redrive.models.checkpoint import load_policy

    data = runs.record_drives(tmp_path / "log", "log", 2, 12)
    episodes = runs.episodes_of([data])
    learner = runs.Learner("mlp", steps=1, pictures=16, window=4, validate_every=1)
    first = runs.learn(learner, episodes, episodes, tmp_path / "first", seed=0)
    still = runs.Learner("mlp", steps=1, pictures=16, window=4, learning_rate=1e-12)
    second = runs.learn(still, episodes, episodes, tmp_path / "second", 1, start_from=first)
    ours, theirs = load_policy(first).state_dict(), load_policy(second).state_dict()
    for name, value in ours.items():
        np.testing.assert_allclose(theirs[name].numpy(), value.numpy(), atol=1e-9)
    seen = []
    runs.learn(
        learner,
        episodes,
        episodes,
        tmp_path / "third",
        0,
        look=lambda policy, step: seen.append(step),
    )
    assert seen == [1]
    figures = runs.drive(second, 2)
    assert set(figures) == {"success", "route_completion", "lateral_mae_m"}
