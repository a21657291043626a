"""`redrive compare`: who is better, by how much, how sure; and what cannot be compared."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from redrive.agents import results as result_files
from redrive.agents.results import PolicyResult, Results
from redrive.cli import main
from redrive.compare import CompareOptions, run


def driver(
    name: str, failures: int, lateral: float, episodes: int = 40, condition: str = "", **facts: Any
) -> PolicyResult:
    rng = np.random.default_rng(sum(map(ord, name)))
    told = [
        {
            "seed": seed,
            "road": f"procedural:{seed}",
            "condition": condition,
            "success": seed >= failures,
            "ended": "route_completed" if seed >= failures else "off_lane",
            "route_completion": 1.0 if seed >= failures else 0.5,
            "distance_m": 300.0,
            "steps": 300,
            "lateral_mae_m": lateral + 0.05 * float(rng.random()),
            "lateral_rmse_m": lateral,
            "beyond_margin_share": 0.0,
            "whiteness": 0.01 + 0.1 * lateral,
        }
        for seed in range(episodes)
    ]
    run_folder = None if name == "expert" else f"runs/{name}"
    return PolicyResult(name, run_folder, told, facts={"policy": name.split("-")[0], **facts})


def save(path: Path, *policies: PolicyResult, **changes: Any) -> Path:
    given: dict[str, Any] = {"suite": "roads", "seed": 0, "dt": 0.1, "suite_id": "abc"}
    result_files.save(Results(**(given | changes), policies=policies), path)
    return path


def test_a_clear_difference_is_called_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = save(tmp_path / "a.json", driver("lstm", 1, 0.1), driver("expert", 0, 0.0))
    b = save(tmp_path / "b.json", driver("mlp", 16, 0.4))
    assert main(["compare", str(a), str(b)]) == 0
    shown = capsys.readouterr().out
    assert "lstm is better than mlp: success +37.5 points" in shown
    assert "over 40 shared episodes (p < 0.001, McNemar)" in shown
    assert "careful: one training seed" in shown
    row = next(line for line in shown.splitlines() if line.startswith("lateral MAE [m]"))
    assert row.rstrip().endswith("A") and "-0.3" in row
    assert "p < 0.001" in shown
    assert main(["compare", str(b), str(a)]) == 0  # a has two drivers, but only one that learned
    assert "mlp is worse than lstm" in capsys.readouterr().out


def test_equal_drivers_are_not_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = save(tmp_path / "a.json", driver("lstm", 1, 0.1))
    b = save(tmp_path / "b.json", driver("mlp", 2, 0.1))
    (said,) = run(CompareOptions((a, b)))
    assert said.startswith("lstm and mlp are not told apart: success +2.5 points [")
    assert "p = 1.000" in said


def test_only_shared_episodes_count_in_every_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = save(tmp_path / "a.json", driver("lstm", 1, 0.1), driver("mlp", 5, 0.1, episodes=10))
    (said,) = run(CompareOptions((both,), a=("lstm",), b=("mlp",)))
    assert "over 10 shared episodes" in said
    row = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("success"))
    assert row.split()[1:5] == ["90.0", "%", "50.0", "%"]


def test_each_condition_is_compared_by_itself(tmp_path: Path) -> None:
    def two(name: str, clean: int, fog: int) -> PolicyResult:
        parts = [
            driver(name, clean, 0.1, condition="clean"),
            driver(name, fog, 0.1, condition="fog"),
        ]
        return PolicyResult(name, f"runs/{name}", [e for p in parts for e in p.episodes])

    a = save(tmp_path / "a.json", two("lstm", 0, 2), two("mlp", 0, 30))
    clean, fog = run(CompareOptions((a,), a=("lstm",), b=("mlp",)))
    assert clean.startswith("clean: lstm and mlp are not told apart")
    assert fog.startswith("fog: lstm is better than mlp")


def test_training_seeds_are_compared_by_their_means(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = [driver(f"lstm-{k}", k, 0.1) for k in range(3)]
    theirs = [driver(f"mlp-{k}", 14 + k, 0.3) for k in range(3)]
    path = save(tmp_path / "a.json", *ours, *theirs, driver("expert", 0, 0.0))
    names = [tuple(p.name for p in side) for side in (ours, theirs)]
    (said,) = run(CompareOptions((path,), a=names[0], b=names[1]))
    assert said.startswith("A is better than B: success +35.0 points [")
    low, high = (float(x) for x in said.split("[")[1].split("]")[0].split(","))
    half = 2.776445 * 100 * np.sqrt(2 * (1 / 40) ** 2 / 3)  # Welch with equal variances: 4 degrees
    assert (low, high) == pytest.approx((35.0 - half, 35.0 + half), abs=0.11)
    assert "careful: 3 training seeds give a rough interval" in capsys.readouterr().out
    (said,) = run(CompareOptions((path,), a=names[0], b=("expert",)))
    half = 4.302653 * 100 * (1 / 40) / np.sqrt(3)  # Student's: the expert has no seeds
    low, high = (float(x) for x in said.split("[")[1].split("]")[0].split(","))
    assert (low, high) == pytest.approx((-2.5 - half, -2.5 + half), abs=0.11)
    (said,) = run(CompareOptions((path,), a=names[0], b=("mlp-0",)))
    assert "one seed: no interval" in said


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"suite": "recovery"}, "they differ in the suite: roads and recovery"),
        ({"seed": 3}, "they differ in the seed: 0 and 3"),
        ({"suite_id": "xyz"}, "digest of the episodes: abc and xyz"),
        ({"metrics_version": 1}, "version of the figures: 2 and 1"),
        ({"dt": 0.05}, "they differ in the dt"),
    ],
)
def test_what_differs_is_not_compared(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    a = save(tmp_path / "a.json", driver("lstm", 1, 0.1))
    b = save(tmp_path / "b.json", driver("lstm", 1, 0.1), **changes)
    with pytest.raises(ValueError, match=message):
        run(CompareOptions((a, b)))


def test_who_is_meant_must_be_clear(tmp_path: Path) -> None:
    a = save(tmp_path / "a.json", driver("lstm", 1, 0.1), driver("mlp", 1, 0.1))
    with pytest.raises(ValueError, match="say which drivers of .*a.json to compare: --a and --b"):
        run(CompareOptions((a,)))
    with pytest.raises(ValueError, match="has several drivers; say which with --a: lstm, mlp"):
        run(CompareOptions((a, a)))
    with pytest.raises(ValueError, match="unknown driver 'lsmt'; did you mean 'lstm'"):
        run(CompareOptions((a,), a=("lsmt",), b=("mlp",)))
    with pytest.raises(ValueError, match="not training seeds of one kind of driver, but lstm, mlp"):
        run(CompareOptions((a, a), a=("lstm", "mlp"), b=("mlp",)))
    with pytest.raises(ValueError, match="one file with both; got 3 files"):
        run(CompareOptions((a, a, a)))


def test_a_file_that_is_old_or_cut_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = save(tmp_path / "a.json", driver("lstm", 1, 0.1))
    content = a.read_text()
    (tmp_path / "cut.json").write_text(content[: len(content) // 2])
    old = json.loads(content) | {"schema": 1, "redrive_version": "0.0.9"}
    (tmp_path / "old.json").write_text(json.dumps(old))
    for name, message in (
        ("cut", "is not valid JSON"),
        ("old", "schema is 1, this redrive reads 2 (it was written by redrive 0.0.9)"),
        ("none", "no results at"),
    ):
        assert main(["compare", str(a), str(tmp_path / f"{name}.json")]) == 2
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 1 and message in said[0]
