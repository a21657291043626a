"""The study `optimisation`, small: every way to learn has a row, and what diverged is told."""

import json
import math
from pathlib import Path

import pytest

import redrive.study_optimisation as optimisation
from redrive.cli import main


@pytest.mark.slow
def test_every_way_to_learn_has_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = optimisation.Size(
        episodes=3, held_out=2, drive_steps=30, pictures=16, steps=6, seeds=2,
        schedule_steps=6, schedule_seeds=2, rates=(1e-6, 4e-3), sgd_rates=(0.1,), batches=(8,),
    )  # fmt: skip
    monkeypatch.setattr(optimisation, "QUICK", tiny)
    out = tmp_path / "optimisation"
    words = ["study", "optimisation", "--quick", "--processes", "1", "--out", str(out)]
    assert main(words) == 0
    found = json.loads((out / "summary.json").read_text())
    questions = [row["question"] for row in found["table"]]
    assert questions == ["rate", "rate", "batch", "optimizer", "optimizer"] + ["schedule"] * 3
    batch = found["table"][2]
    assert batch["steps"] * batch["pictures_a_step"] == 16 * 6  # the same pictures
    assert {"adamw", "sgd, momentum 0.9", "sgd, no momentum"} == set(
        found["best_of_each_optimizer"]
    )
    for row in found["table"]:
        assert row["loss_low"] <= row["loss"] <= row["loss_high"]
    for name in ("ends.png", "curves.png"):
        assert (out / name).stat().st_size > 10_000
    before = (out / "table.csv").read_bytes()
    assert main(words) == 0  # what is there is not learned again
    assert (out / "table.csv").read_bytes() == before


def test_a_loss_that_is_no_number_is_counted_and_not_averaged() -> None:
    trial = optimisation.trials(optimisation.Size())[0]
    found: list[dict[str, float | None]] = [{"loss": 1.0}, {"loss": 3.0}, {"loss": None}]
    row = optimisation.line_of(trial, found)
    assert row["loss"] == 2.0
    assert row["no_number"] == 1
    assert row["seeds"] == 3
    assert math.isnan(optimisation.line_of(trial, [{"loss": None}])["loss"])


def test_schedules_are_compared_seed_by_seed() -> None:
    every = [t for t in optimisation.trials(optimisation.QUICK) if t.question == "schedule"]
    losses = {"cosine": (0.8, 1.1), "step": (0.9, None), "constant": (1.0, 1.3)}
    done = [
        {"trial": number, "seed": seed, "loss": losses[trial.name][seed]}
        for number, trial in enumerate(every) for seed in (0, 1)
    ]  # fmt: skip
    cosine, step = optimisation.against_constant(every, done)
    assert (cosine["schedule"], cosine["seeds"]) == ("cosine", 2)
    assert cosine["loss"] == pytest.approx(-0.2)
    assert step["seeds"] == 1 and step["loss"] == pytest.approx(-0.1)
