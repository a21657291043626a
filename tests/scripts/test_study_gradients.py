"""The study `gradients`, small: a table by core, time and lag, and what clipping does."""

import csv
import json
from pathlib import Path

import pytest

import redrive.study_gradients as gradients
from redrive.cli import main


@pytest.mark.slow
def test_lags_are_measured_before_and_after_learning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cores = ("rnn, default init", "irnn (ReLU, identity)")
    tiny = gradients.Size(
        delay=6, lags=17, hidden=8, learning=60, seeds=2, sequences=4, explosion_steps=5,
        cores=cores,
    )  # fmt: skip
    monkeypatch.setattr(gradients, "QUICK", tiny)
    out = tmp_path / "gradients"
    assert main(["study", "gradients", "--quick", "--processes", "1", "--out", str(out)]) == 0
    with (out / "table.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert {(row["core"], row["when"]) for row in rows} == {
        (core, when) for core in cores for when in ("new", "learned")
    }
    new = {(row["core"], int(row["lag"])): float(row["log10_length"]) for row in rows
           if row["when"] == "new"}  # fmt: skip
    assert new[cores[0], 16] < -3.0  # vanishes
    assert new[cores[1], 16] > -1.0  # does not
    found = json.loads((out / "summary.json").read_text())
    assert found["lag"] == 4
    assert found["cores"][cores[1]]["seeds"] == 2
    assert len(found["clipping"]) == len(gradients.GAINS) * 2
    longest = {
        row["gain"]: row["longest_log10"] for row in found["clipping"] if row["clip"] == "none"
    }
    assert longest[1.2] > longest[1.0]
    for name in ("lags.png", "clipping.png"):
        assert name in (out / "index.html").read_text()
        assert (out / name).stat().st_size > 10_000
