"""Recovery by start: cells counted, pooled, folded by direction."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from redrive.agents.evaluation import DrivenEpisode
from redrive.agents.statistics import rate_interval
from redrive.agents.suites import SUITES
from redrive.study_offsets import (
    Cell,
    by_cell,
    by_direction,
    count_cells,
    plot_offsets,
    summarise_offsets,
    write_offsets,
)

SUITE = SUITES["recovery"]


def test_a_car_points_outwards_when_it_turns_to_the_side_it_stands_on() -> None:
    assert Cell(1.0, 10.0).outwards_deg == Cell(-1.0, -10.0).outwards_deg == 10.0
    assert Cell(1.0, -5.0).outwards_deg == Cell(-1.0, 5.0).outwards_deg == -5.0
    assert str(Cell(-1.0, 0.0).outwards_deg) == "0.0"


def test_episodes_are_counted_in_the_cell_that_they_start_in() -> None:
    # The grid goes through the angles of -1.5 m first: indices 0 and 30 start alike.
    results = {0: True, 30: False, 1: True, 29: False}
    driven = [DrivenEpisode(i, {"success": success}, {}) for i, success in results.items()]
    assert count_cells(SUITE, driven) == [
        {"lateral_m": -1.5, "yaw_deg": -10.0, "episodes": 2, "successes": 1},
        {"lateral_m": -1.5, "yaw_deg": -5.0, "episodes": 1, "successes": 1},
        {"lateral_m": 1.5, "yaw_deg": 10.0, "episodes": 1, "successes": 0},
    ]


def counts(outwards: int, others: int) -> list[dict[str, Any]]:
    """Of ten episodes in each cell, successes where the car points outwards, and elsewhere."""
    return [
        {
            "lateral_m": lateral,
            "yaw_deg": float(np.rint(np.rad2deg(yaw))),
            "episodes": 10,
            "successes": outwards if lateral * yaw > 0.0 else others,
        }
        for lateral in SUITE.lateral
        for yaw in SUITE.yaw
    ]


def test_runs_are_pooled_by_cell_and_by_direction() -> None:
    cells = by_cell(counts(1, 9) + counts(3, 9))
    assert len(cells) == 30 and {cell["episodes"] for cell in cells} == {20}
    corner = next(c for c in cells if (c["lateral_m"], c["yaw_deg"]) == (-0.5, -10.0))
    assert (corner["successes"], corner["outwards_deg"]) == (4, 10.0)
    assert (corner["mean"], corner["low"], corner["high"]) == rate_interval(4, 20)
    directions = by_direction(counts(1, 9) + counts(3, 9))
    assert [row["outwards_deg"] for row in directions] == [-10.0, -5.0, 0.0, 5.0, 10.0]
    assert [row["mean"] for row in directions] == pytest.approx([0.9, 0.9, 0.9, 0.2, 0.2])
    assert {row["episodes"] for row in directions} == {120}


def test_the_table_and_the_maps_hold_every_policy_and_regime(tmp_path: Path) -> None:
    rows = [
        {"regime": regime, "policy": policy, "recovery_by_offset": counts(outwards, 8)}
        for policy, outwards in (("mlp", 0), ("lstm", 4))
        for regime in ("log", "exact")
    ]
    found = summarise_offsets(rows, ("log", "exact"), ("mlp", "lstm"))
    assert found["directions"]["log"][-1]["mean"] == pytest.approx(0.2)
    assert found["per_policy"]["lstm"]["directions"]["log"][-1]["mean"] == pytest.approx(0.4)
    write_offsets(tmp_path / "offsets.csv", found)
    with (tmp_path / "offsets.csv").open() as handle:
        table = list(csv.DictReader(handle))
    assert len(table) == 3 * 2 * 30
    assert sum(int(row["episodes"]) for row in table if row["policy"] == "all") == 4 * 300
    plot_offsets(tmp_path / "offsets.png", found)
    assert (tmp_path / "offsets.png").stat().st_size > 10_000
