"""The study `length`, small: right answers beyond the length of learning, and time against T."""

import json
from pathlib import Path

import pytest

import redrive.study_length as length
from redrive.cli import main


@pytest.mark.slow
def test_what_is_right_beyond_the_length_of_learning_and_what_it_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = length.Size(
        steps=16, longest=8, hidden=16, learning=100, seeds=2, asked=32, timed=(8, 16), batch=2,
        rounds=2,
    )  # fmt: skip
    cores = {name: length.CORES[name] for name in ("mlp, 16 frames", "attention, rotary")}
    monkeypatch.setattr(length, "QUICK", tiny)
    monkeypatch.setattr(length, "CORES", cores)
    out = tmp_path / "length"
    assert main(["study", "length", "--quick", "--processes", "1", "--out", str(out)]) == 0
    found = json.loads((out / "summary.json").read_text())
    assert found["long"] == 8 * 16
    stack = next(row for row in found["cores"] if row["core"] == "mlp, 16 frames")
    assert stack["right_at_the_end"] > 0.95  # a stack does not know how late it is
    assert stack["right_at_the_end_low"] <= stack["right_at_the_end"]
    waiting = {(row["core"], row["steps"]): row["waiting_steps"] for row in found["time"]}
    assert waiting["lstm, fused", 16] == 16
    assert waiting["mingru, scan, 2 layers", 16] == 2 * 4
    assert waiting["attention, 2 layers, all steps", 16] == 2
    assert all(row["milliseconds"] > 0.0 for row in found["time"])
    shares = {row["core"]: row["share_of_loop"] for row in found["time"] if row["steps"] == 16}
    assert shares[length.LOOP] == 1.0 and shares["lstm, fused"] < 1.0
    for name in ("right.png", "time.png"):
        assert (out / name).stat().st_size > 10_000
