"""A study's folder as a chapter: its rows, its pairs, its page's words."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from redrive.cli import main
from redrive.report import build
from redrive.report_experiment import is_experiment, load_experiment
from redrive.study import write_json, write_page, write_table

from .test_report import Page

GAIN = {"log": 0.0, "view-synthesis": 0.3}


def rows() -> list[dict[str, Any]]:
    return [
        {
            "regime": regime,
            "policy": policy,
            "training_seed": seed,
            "recovery": 0.2 + gain + 0.1 * seed + 0.01 * seed * gain,
            "recovery_lateral_mae_m": 0.9 - gain,
            "open_loop_curvature_rmse": 0.01 + 0.001 * seed,
        }
        for regime, gain in GAIN.items()
        for policy in ("mlp", "lstm")
        for seed in range(3)
    ]


def study_in(folder: Path, table: Sequence[Mapping[str, Any]]) -> Path:
    folder.mkdir()
    write_table(folder / "table.csv", table)
    write_json(folder / "summary.json", {"anything": 1})
    (folder / "plot.png").write_bytes(b"\x89PNG a picture")
    write_page(
        folder / "index.html", "What <it> does", "Six roads & no more.",
        [("plot.png", "by regime")], "redrive study view-synthesis --out OUT",
    )  # fmt: skip
    return folder


def test_a_study_is_known_by_its_summary(tmp_path: Path) -> None:
    folder = study_in(tmp_path / "vs", rows())
    assert is_experiment(folder) and is_experiment(folder / "summary.json")
    assert not is_experiment(tmp_path) and not is_experiment(tmp_path / "results.json")


def test_columns_are_factors_repeats_and_figures(tmp_path: Path) -> None:
    study = load_experiment(study_in(tmp_path / "vs", rows()), "c0-")
    assert (study.title, study.lead) == ("What <it> does", "Six roads & no more.")
    assert study.command == "redrive study view-synthesis --out OUT"
    assert study.factors == ["regime", "policy"] and study.repeats == ["training_seed"]
    assert study.figures[0] == "recovery" and study.group == "regime"
    assert study.is_share("recovery") and not study.is_share("recovery_lateral_mae_m")


def test_pairs_are_runs_alike_in_all_else(tmp_path: Path) -> None:
    table = rows()
    found = load_experiment(study_in(tmp_path / "vs", table), "").paired(
        "recovery", "regime", "view-synthesis", "log"
    )
    assert found is not None
    changes = [0.3 + 0.003 * seed for _ in ("mlp", "lstm") for seed in range(3)]
    low, high = stats.t.interval(0.95, 5, np.mean(changes), stats.sem(changes))
    assert found.mean == pytest.approx(np.mean(changes), abs=1e-5)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-5)
    unpaired = [row for row in table if row["regime"] == "log" or row["training_seed"] == 0]
    few = load_experiment(study_in(tmp_path / "few", unpaired[:7]), "")
    assert few.paired("recovery", "regime", "view-synthesis", "log") is None


def test_the_page_of_a_study_has_its_groups_pairs_plots_and_runs(tmp_path: Path) -> None:
    folder = study_in(tmp_path / "vs", rows())
    page = Page(build([folder]))
    assert page.sections == ["groups", "pairs", "open-loop", "pictures", "runs"]
    for text in ("What <it> does", "+30.3 [", "6 runs", "by regime", "12 rows"):
        assert text in page.text
    mean = 100.0 * np.mean([r["recovery"] for r in rows() if r["regime"] == "log"])
    assert f"{mean:.1f}\N{NO-BREAK SPACE}%".replace("\N{NO-BREAK SPACE}", " ") in page.text
    assert all(load.startswith(("data:", "#")) for load in page.loads)


def test_gaps_in_a_table_are_told_and_not_counted(tmp_path: Path) -> None:
    table = rows()
    table[0]["recovery"] = math.nan
    study = load_experiment(study_in(tmp_path / "vs", table), "")
    assert study.rows[0]["recovery"] is None
    assert len(study.values("recovery", {"regime": "log"})) == 5


def test_a_table_without_groups_is_a_table(tmp_path: Path) -> None:
    table = [{"lateral_m": 0.1 * k, "psnr_db": 40.0 - k} for k in range(4)]
    page = Page(build([study_in(tmp_path / "synthesis", table)]))
    assert page.sections == ["pictures", "runs"]


def test_a_study_that_is_cut_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = study_in(tmp_path / "vs", rows())
    with (folder / "table.csv").open(newline="") as handle:
        head, *lines = csv.reader(handle)
    (folder / "table.csv").write_text(f"{','.join(head)}\n{','.join(lines[0][:3])}\n")
    assert main(["report", str(folder), "--out", str(tmp_path / "r.html")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "line 2: 3 cells, the head has 6" in said
    (folder / "table.csv").unlink()
    assert main(["report", str(folder), "--out", str(tmp_path / "r.html")]) == 2
    assert "holds no finished study" in capsys.readouterr().err
