"""The study of the perceptron, on tiny settings: every driver on both kinds of day, and its weights."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from redrive import study_perceptron
from redrive.cli import main

TINY = replace(study_perceptron.QUICK, episodes=3, steps=40, learning=4, driven=2)


@pytest.mark.slow
def test_one_neuron_is_judged_beside_hidden_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_perceptron, "QUICK", TINY)
    out = tmp_path / "perceptron"
    assert main(["study", "perceptron", "--quick", "--out", str(out), "--processes", "1"]) == 0
    found = json.loads((out / "summary.json").read_text())
    assert set(found["cells"]) == set(study_perceptron.DAYS)
    for cells in found["cells"].values():
        assert set(cells) == set(study_perceptron.DRIVERS)
    assert (out / "weights.png").stat().st_size > 5_000
    assert (out / "perceptron.png").stat().st_size > 10_000


def test_success_is_counted_by_the_tightest_bend() -> None:
    done: list[dict[str, object]] = [
        {"driver": "neuron", "day": "one clear day", "bends": [0.005, 0.012, 0.03, 0.012],
         "successes": [True, True, False, False]},
    ]  # fmt: skip
    others: list[dict[str, object]] = [
        {"driver": driver, "day": day, "bends": [], "successes": []}
        for driver in study_perceptron.DRIVERS
        for day in study_perceptron.DAYS
    ]
    rows = study_perceptron.by_bend(done + others)
    assert [(row["bend_from"], row["episodes"], row["success"]) for row in rows] == [
        (0.0, 1, 1.0), (0.01, 2, 0.5), (0.02, 1, 0.0),
    ]  # fmt: skip
