"""The study of memory: how delays are judged, and one small run from end to end."""

import json
from pathlib import Path

import pytest

from redrive import study_memory
from redrive.cli import main
from redrive.memory_lab import CORES, LEARNED_ROADS, demonstrate, observed, recall_world
from redrive.study_memory import ORACLE, Plan, solvable_delay, steps_of, summarise


def row(core: str, delay: int, seed: int, success: float) -> dict[str, object]:
    return {
        "core": core, "delay": delay, "seed": seed, "success": success, "episodes": 50,
        "decision_correct": success,
    }  # fmt: skip


def test_a_delay_is_solved_when_two_thirds_of_the_seeds_are_right_nine_times_in_ten() -> None:
    rows = [row("a", 4, s, v) for s, v in enumerate((1.0, 0.9, 0.5))]
    rows += [row("a", 16, s, v) for s, v in enumerate((1.0, 0.89, 0.5))]
    rows += [row("b", 4, s, 0.5) for s in range(3)]
    assert solvable_delay(rows, "a") == 4
    assert solvable_delay(rows, "b") == 0
    assert solvable_delay(rows, "nobody") == 0


def test_the_interval_is_the_wider_of_those_over_seeds_and_over_episodes() -> None:
    alike = summarise([row("a", 4, s, 1.0) for s in range(3)])[0]
    assert alike["mean"] == 1.0 and 0.95 < alike["low"] < 1.0 and alike["high"] == 1.0
    apart = summarise([row("a", 4, s, v) for s, v in enumerate((0.4, 0.6, 1.0))])[0]
    assert apart["low"] < 0.3 and apart["high"] == 1.0 and apart["seeds"] == 3
    assert (apart["worst"], apart["best"]) == (0.4, 1.0)


def test_memories_that_need_to_know_the_delay_are_told() -> None:
    assert CORES["lstm-chrono"].settings_for(32, 80)["chrono_steps"] == 64
    assert CORES["attention"].settings_for(32, 80)["window"] == 80
    assert "chrono_steps" not in CORES["lstm-bias1"].settings_for(32, 80)
    assert steps_of("attention", 1.0) < steps_of("gru", 1.0)


def test_demonstrations_show_the_board_for_three_steps_and_know_what_it_shows() -> None:
    world = recall_world(8, LEARNED_ROADS)
    drives = demonstrate(world, 3, 0)
    for drive in drives:
        shown = drive.columns["board"] > 0
        assert shown[:3].all() and not shown[3:].any()
        assert drive.read("camera", 2, 5).shape == (3, 64, 96, 3)
    assert set(observed(world).sensors) == {"camera", "odometry"}


def test_the_study_runs_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = Plan((4,), 1, ("perceptron", "mlp", "attention", ORACLE), 12, (6, 16), 12, 0.03, 4)
    monkeypatch.setattr(study_memory, "QUICK", tiny)
    out = tmp_path / "memory"
    assert main(["study", "memory", "--quick", "--processes", "1", "--out", str(out)]) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert set(summary["success"]) == set(tiny.cores) == set(summary["solvable_delay"])
    for found in summary["success"].values():
        assert 0.0 <= found["4"]["low"] <= found["4"]["mean"] <= found["4"]["high"] <= 1.0
    for name in ("table.csv", "runs.csv", "success.png", "frames.png", "index.html"):
        assert (out / name).stat().st_size > 0
    before = (out / "table.csv").read_bytes()
    assert (
        main(["study", "memory", "--quick", "--processes", "1", "--out", str(out)]) == 0
    )  # nothing is done again
    assert (out / "table.csv").read_bytes() == before
