"""The study of overfitting, on tiny settings: three measures at every look."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from redrive import study_overfitting
from redrive.cli import main

TINY = replace(study_overfitting.QUICK, many=4, steps=12, learning=4, look_every=2, driven=1)


@pytest.mark.slow
def test_few_and_many_are_measured_at_every_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_overfitting, "QUICK", TINY)
    out = tmp_path / "overfitting"
    assert main(["study", "overfitting", "--quick", "--out", str(out), "--processes", "1"]) == 0
    found = json.loads((out / "summary.json").read_text())
    assert set(found) == {"many", "few"}
    for moments in found.values():
        assert moments["end"]["step"]["mean"] == 4
        lowest = moments["lowest held-out loss"]["validation_loss"]["mean"]
        assert lowest <= moments["end"]["validation_loss"]["mean"]
    assert len((out / "runs.csv").read_text().splitlines()) == 1 + 2 * 2 * 2
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
