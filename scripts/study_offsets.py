"""Recovery by where the car starts: beside which side of its lane, and pointing where.

The mean of a recovery suite says how often a driver comes back; the cells of its grid say from
where. A driver who never saw the road from beside the path may still steer back when it happens to
point inwards, and that is not what a recovery is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from redrive.agents.evaluation import DrivenEpisode
from redrive.agents.statistics import rate_interval
from redrive.agents.suites import Suite, grid_starts
from redrive.study import write_table


class Cell(NamedTuple):
    """Where an episode starts: left of the lane's centre [m], turned to the left [degrees]."""

    lateral_m: float
    yaw_deg: float

    @property
    def outwards_deg(self) -> float:
        """How far it points away from the centre; negative: back to it."""
        return self.yaw_deg if self.lateral_m > 0.0 else 0.0 - self.yaw_deg


def count_cells(suite: Suite, driven: Sequence[DrivenEpisode]) -> list[dict[str, Any]]:
    """Episodes and successes from every start of a suite whose starts are a grid.

    Returns:
        Rows `lateral_m`, `yaw_deg`, `episodes`, `successes`, plain values, from right to left.
    """
    lateral, yaw = grid_starts(suite, max(one.index for one in driven) + 1)
    counted: dict[Cell, list[bool]] = {}
    for one in driven:
        place = round(float(lateral[one.index]), 3), round(float(np.rad2deg(yaw[one.index])), 3)
        counted.setdefault(Cell(*place), []).append(bool(one.figures["success"]))
    return [
        {**cell._asdict(), "episodes": len(results), "successes": sum(results)}
        for cell, results in sorted(counted.items())
    ]


def by_cell(counts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Counts of several runs, pooled by start: with the rate and its interval.

    The interval is Wilson's, of episodes that are taken for independent; runs differ, too, so it
    is somewhat too narrow.
    """
    return _pooled(counts, lambda cell: {**cell._asdict(), "outwards_deg": cell.outwards_deg})


def by_direction(counts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The same, pooled by how far the car points away from the centre of its lane."""
    return _pooled(counts, lambda cell: {"outwards_deg": cell.outwards_deg})


def _pooled(
    counts: Iterable[Mapping[str, Any]], place_of: Callable[[Cell], dict[str, float]]
) -> list[dict[str, Any]]:
    pooled: dict[tuple[tuple[str, float], ...], list[int]] = {}
    for row in counts:
        place = tuple(place_of(Cell(row["lateral_m"], row["yaw_deg"])).items())
        there = pooled.setdefault(place, [0, 0])
        there[0] += row["episodes"]
        there[1] += row["successes"]
    found = []
    for place, (episodes, successes) in sorted(pooled.items()):
        mean, low, high = rate_interval(successes, episodes)
        told = {"episodes": episodes, "successes": successes, "mean": mean, "low": low}
        found.append({**dict(place), **told, "high": high})
    return found


def summarise_offsets(
    rows: Sequence[Mapping[str, Any]], regimes: Sequence[str], policies: Sequence[str]
) -> dict[str, Any]:
    """Recovery by start of each regime, over all policies and of each.

    Args:
        rows: of training runs, with `regime`, `policy` and the counts `recovery_by_offset`.

    Returns:
        `{"cells": {regime: [...]}, "directions": {regime: [...]}, "per_policy": {policy: same}}`.
    """

    def over(some: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        counts = {
            regime: [
                cell
                for row in some
                if row["regime"] == regime
                for cell in row["recovery_by_offset"]
            ]
            for regime in regimes
        }
        return {
            "cells": {regime: by_cell(found) for regime, found in counts.items()},
            "directions": {regime: by_direction(found) for regime, found in counts.items()},
        }

    per_policy = {p: over([row for row in rows if row["policy"] == p]) for p in policies}
    return {**over(rows), "per_policy": per_policy}


def write_offsets(path: Path, found: Mapping[str, Any]) -> None:
    """The cells as a table: of both policies together, and of each."""
    tables = {"all": found, **found["per_policy"]}
    write_table(
        path,
        [
            {"regime": regime, "policy": policy, **cell}
            for policy, table in tables.items()
            for regime, cells in table["cells"].items()
            for cell in cells
        ],
    )


def plot_offsets(path: Path, found: Mapping[str, Any]) -> None:
    """One map for each policy and regime: dark where the driver comes back, with the rate in it.

    Left in a map is a car that points to the left, up one that stands left of the centre: the
    upper left and the lower right corner point outwards.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    tables = found["per_policy"]
    regimes = list(found["cells"])
    figure, axes = plt.subplots(
        len(tables), len(regimes), squeeze=False, layout="constrained", sharex=True, sharey=True,
        figsize=(1.0 + 3.3 * len(regimes), 0.8 + 3.1 * len(tables)),
    )  # fmt: skip
    for across, (policy, table) in zip(axes, tables.items(), strict=True):
        for axis, regime in zip(across, regimes, strict=True):
            _map(axis, table["cells"][regime])
            axis.set_title(f"{regime}, {policy}")
    for axis in axes[-1]:
        axis.set_xlabel("turned to the left [°]")
    for axis in axes[:, 0]:
        axis.set_ylabel("left of the centre [m]")
    figure.colorbar(axes[0][0].images[0], ax=axes, label="recovers (share)", fraction=0.02)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _map(axis: Any, cells: Sequence[Mapping[str, Any]]) -> None:
    lateral = sorted({cell["lateral_m"] for cell in cells}, reverse=True)
    yaw = sorted({cell["yaw_deg"] for cell in cells}, reverse=True)
    rates = np.full((len(lateral), len(yaw)), np.nan)
    for cell in cells:
        row, column = lateral.index(cell["lateral_m"]), yaw.index(cell["yaw_deg"])
        rates[row, column] = cell["mean"]
        bright = cell["mean"] > 0.55
        axis.text(column, row, f"{cell['mean']:.2f}", ha="center", va="center", fontsize=9,
                  color="white" if bright else "black")  # fmt: skip
        if Cell(cell["lateral_m"], cell["yaw_deg"]).outwards_deg > 0.0:
            axis.plot(column, row - 0.32, marker="^" if cell["lateral_m"] > 0.0 else "v",
                      markersize=4, color="white" if bright else "black")  # fmt: skip
    axis.set_xticks(range(len(yaw)), [f"{angle:+g}" if angle else "0" for angle in yaw])
    axis.set_yticks(range(len(lateral)), [f"{place:+g}" for place in lateral])
    axis.imshow(rates, vmin=0.0, vmax=1.0, cmap="Blues", aspect="auto")
