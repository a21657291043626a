"""The study of overfitting, on tiny settings: three measures at every look."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from redrive import study_overfitting
from redrive.cli import main

TINY = replace(
    study_overfitting.QUICK, many=4, many_seeds=1, steps=12, learning=4, look_every=2, driven=1,
    pictures=16, strengths={"weight decay": (1.0, 2.0)},
)  # fmt: skip


@pytest.mark.slow
def test_few_and_many_are_measured_at_every_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_overfitting, "QUICK", TINY)
    out = tmp_path / "overfitting"
    assert main(["study", "overfitting", "--quick", "--out", str(out), "--processes", "1"]) == 0
    found = json.loads((out / "summary.json").read_text())
    tuning = {row["strength"]: row["validation_loss"] for row in found["tuning"]}
    assert set(tuning) == {1.0, 2.0}
    decayed = f"few, weight decay {min(tuning, key=lambda strength: tuning[strength]):g}"
    assert set(found["moments"]) == {"many", "few", decayed}
    assert {row["remedy"]: row["seeds"] for row in found["differences"]} == {
        "many": 1, decayed: 2, "few, stopped early": 2,
    }  # fmt: skip
    for moments in found["moments"].values():
        assert moments["end"]["step"]["mean"] == 4
        lowest = moments["lowest held-out loss"]["validation_loss"]["mean"]
        assert lowest <= moments["end"]["validation_loss"]["mean"]
    assert len((out / "runs.csv").read_text().splitlines()) == 1 + (1 + 2 + 2) * 2
    assert (out / "overfitting.png").stat().st_size > 10_000


def test_moments_are_chosen_for_each_seed() -> None:
    def look(seed: int, step: int, held_out: float, driven: float) -> dict[str, object]:
        return {
            "variant": "few", "seed": seed, "step": step, "validation_loss": held_out,
            "route_completion": driven, "training_loss": 1.0, "success": 0.0, "lateral_mae_m": 0.0,
        }  # fmt: skip

    rows = [look(0, 1, 3.0, 0.9), look(0, 2, 1.0, 0.2), look(1, 1, 1.0, 0.1), look(1, 2, 5.0, 0.5)]
    found = study_overfitting.summarise(rows, ["few"])["few"]
    assert found["lowest held-out loss"]["validation_loss"]["mean"] == 1.0
    assert found["lowest held-out loss"]["step"]["mean"] == 1.5
    assert found["furthest driven"]["route_completion"]["mean"] == pytest.approx(0.7)
    assert found["end"]["validation_loss"]["mean"] == 3.0


def test_remedies_are_compared_seed_by_seed() -> None:
    def look(variant: str, seed: int, step: int, held_out: float) -> dict[str, object]:
        zero = dict.fromkeys(study_overfitting.FIGURES, 0.0)
        told = {"variant": variant, "seed": seed, "step": step, "validation_loss": held_out}
        return {**zero, **told}

    rows = [
        look("few", 0, 1, 2.0), look("few", 0, 2, 3.0), look("few", 1, 1, 9.0),
        look("few", 1, 2, 10.0), look("many", 0, 1, 0.0), look("many", 0, 2, 1.0),
        look("many", 1, 1, 0.0), look("many", 1, 2, 8.0),
    ]  # fmt: skip
    many, stopped = study_overfitting.paired(rows, ["many", "few"])
    assert many["validation_loss"] == -2.0  # the seeds differ by 7, the pairs not at all
    assert (many["validation_loss_low"], many["validation_loss_high"]) == (-2.0, -2.0)
    assert (stopped["remedy"], stopped["validation_loss"]) == ("few, stopped early", -1.0)


def test_the_strength_with_the_lowest_held_out_loss_is_chosen() -> None:
    losses = {("dropout", 0.3): 2.0, ("dropout", 0.5): 1.0, ("weight decay", 10.0): 3.0}
    tuning = [
        {"remedy": kind, "strength": strength, "validation_loss": loss}
        for (kind, strength), loss in losses.items()
    ]
    dropout, decay = study_overfitting.chosen(tuning)
    assert (dropout.name, dropout.dropout, dropout.weight_decay) == ("few, dropout 0.5", 0.5, 0.0)
    assert (decay.dropout, decay.weight_decay, decay.many) == (0.0, 10.0, False)


def test_seeds_do_not_run_out_of_episodes() -> None:
    with pytest.raises(ValueError, match="17 seeds of 6 episodes are more than the 100 recorded"):
        study_overfitting.Size(seeds=17)
