"""The study `copycat`: does the driver with the smallest error drive best?

Five drivers that differ in what they know of the past (nothing, a stack of frames, an LSTM, the
previous command) learn to follow a lane from the camera, by three regimes (`log`, `noise-injection`,
`dagger`), each from as many episodes and with as many steps of learning. The open-loop error is of
one held-out log for all of them; the closed loop is 400 m on roads that none has seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from redrive import study_runs as runs
from redrive import terminal
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_plots import new_figure, save_figure

REGIMES = ("log", "noise-injection", "dagger")
DRIVERS: Mapping[str, tuple[str, Mapping[str, Any], bool]] = {  # policy, settings, previous command
    "one frame": ("mlp", {}, False),
    "one frame + previous": ("mlp", {}, True),
    "stack of 8": ("mlp", {"frames": 8}, False),
    "stack of 8 + previous": ("mlp", {"frames": 8}, True),
    "lstm": ("lstm", {}, False),
    "lstm + previous": ("lstm", {}, True),
}
FIGURES = (
    "success", "route_completion", "lateral_mae_m", "open_loop", "copycat_ratio", "change_ratio",
    "history_change",
)  # fmt: skip
ROUNDS = 2  # of DAgger, after the first learning from the log
FIRST_SHARE = 0.5  # of episodes and steps before the first round; the rounds share the rest


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    episodes: int = 120  # of each regime
    steps: int = 150  # of an episode
    learning: int = 300  # steps
    seeds: int = 3
    driven: int = 40  # episodes that each driver is judged on
    held_out: int = 20
    drivers: tuple[str, ...] = tuple(DRIVERS)


QUICK = Size(episodes=8, steps=40, learning=8, seeds=2, driven=2, held_out=2,
             drivers=("one frame", "lstm + previous"))  # fmt: skip


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    size = QUICK if options.quick else Size()
    data = options.out / "data"
    terminal.say("1 of 3: recording the expert, undisturbed and pushed")
    first = options.seed * 1_000_000
    runs.record_drives(data / "log", "log", size.episodes, size.steps, seed=first)
    runs.record_drives(
        data / "noise-injection", "noise-injection", size.episodes, size.steps, seed=first
    )
    runs.record_drives(
        data / "held-out", "log", size.held_out, size.steps, roads="procedural:500-520", seed=5000
    )
    terminal.say("2 of 3: learning, and driving")
    jobs = [
        Job(f"{regime} {name} {seed}", size.learning, _learn_and_drive,
            (options.out, regime, name, seed, size))
        for seed in range(size.seeds) for regime in REGIMES for name in size.drivers
    ]  # fmt: skip
    rows = run_side_by_side("learning", jobs, options.processes or usable_cores())
    terminal.say("3 of 3: the table")
    write_table(options.out / "runs.csv", rows)
    table = runs.over_seeds(rows, ("regime", "driver"), FIGURES)
    write_table(options.out / "table.csv", table)
    found = summarise(rows, table)
    _plot(options.out / "copycat.png", table)
    write_page(
        options.out / "index.html",
        "Does the driver with the smallest error drive best?",
        f"{size.episodes} episodes of {size.steps} steps for each regime, {size.seeds} training seeds, "
        f"{size.driven} closed-loop episodes of 400 m each, camera 32 x 48. Rank correlation of "
        f"open-loop error and way driven: {found['rank_correlation']['log']:.2f} among drivers of the "
        f"log, {found['rank_correlation']['all']:.2f} among all.",
        [("copycat.png", "open-loop error against success: means of the seeds, 95 % intervals")],
        f"redrive study copycat --out {options.out}" + " --quick" * options.quick,
    )  # fmt: skip
    return found


def summarise(
    rows: Sequence[Mapping[str, Any]], table: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Success and error of each driver, and whether the smaller error drives better.

    The rank correlation is Spearman's, of single runs; +1 would mean: the larger the error, the
    better it drives.
    """
    cells: dict[str, Any] = {}
    for row in table:
        cells.setdefault(row["regime"], {})[row["driver"]] = {
            figure: {
                "mean": row[figure],
                "low": row[f"{figure}_low"],
                "high": row[f"{figure}_high"],
            }
            for figure in FIGURES
        }
    correlation = {
        regime: runs.rank_correlation(
            [row["open_loop"] for row in rows if regime in (row["regime"], "all")],
            [row["route_completion"] for row in rows if regime in (row["regime"], "all")],
        )
        for regime in (*REGIMES, "all")
    }
    return {"cells": cells, "rank_correlation": correlation, "runs": len(rows)}


def _learn_and_drive(
    report: Report, out: Path, regime: str, driver: str, seed: int, size: Size
) -> dict[str, Any]:
    """One driver, learned and judged; in a process of its own."""
    policy, settings, previous = DRIVERS[driver]
    learner = runs.Learner(
        policy, {**settings, "encoder": {"previous_command": previous}}, steps=size.learning
    )
    name = f"{regime}-{driver.replace(' ', '-')}-{seed}"
    folder = out / "runs" / name

    def work() -> dict[str, Any]:
        held_out = runs.episodes_of([out / "data" / "held-out"])
        if regime == "dagger":
            run = _dagger(report, out, folder, learner, held_out, seed, size)
        else:
            episodes = runs.episodes_of([out / "data" / regime])
            run = runs.learn(learner, episodes, held_out, folder, seed, report=report)
        training = runs.training_of(run)
        figures = {name: training["copycat"][name] for name in FIGURES[4:]}
        told = {"regime": regime, "driver": driver, "seed": seed}
        return {
            **told, **runs.drive(run, size.driven), "open_loop": training["validation"]["loss"],
            **figures,
        }  # fmt: skip

    return runs.once(out / "runs" / f"{name}.json", work)


def _dagger(
    report: Report,
    out: Path,
    folder: Path,
    learner: runs.Learner,
    held_out: Sequence[Any],
    seed: int,
    size: Size,
) -> Path:
    """Learn from a part of the log, then drive, be told what was right, and learn from all of it.

    The expert drives half of the first round's episodes, none later; each round goes on with the
    weights of the one before.
    """
    from redrive.agents.learned import LearnedDriver
    from redrive.models.checkpoint import load_policy

    few = round(FIRST_SHARE * size.episodes)
    episodes = runs.episodes_of([out / "data" / "log"], few)
    run = folder / "round-0"
    runs.learn(runs.shortened(learner, FIRST_SHARE), episodes, held_out, run, seed, report=report)
    for number in range(1, ROUNDS + 1):
        driven = runs.record_drives(
            folder / f"drives-{number}", "dagger", (size.episodes - few) // ROUNDS, size.steps,
            seed=900_000 + 10_000 * number + 1000 * seed, beta=0.5 if number == 1 else 0.0,
            learner=LearnedDriver(load_policy(run, "last")),
        )  # fmt: skip
        episodes = episodes + runs.episodes_of([driven])
        before, run = run, folder / f"round-{number}"
        round_learner = replace(
            runs.shortened(learner, (1.0 - FIRST_SHARE) / ROUNDS),
            learning_rate=0.5 * learner.learning_rate,
        )
        runs.learn(round_learner, episodes, held_out, run, seed, start_from=before, report=report)
    return run


def _plot(path: Path, table: Sequence[Mapping[str, Any]]) -> None:
    colours = dict(zip(REGIMES, ("#999999", "#0072b2", "#d55e00"), strict=True))
    shapes = {"one frame": "o", "stack of 8": "s", "lstm": "^"}
    figure, (axis,) = new_figure(1, (9.0, 5.2))
    for row in table:
        kind = row["driver"].removesuffix(" + previous")
        previous = row["driver"] != kind
        reach = [
            [np.nan_to_num(max(row["success"] - row["success_low"], 0.0))],
            [np.nan_to_num(max(row["success_high"] - row["success"], 0.0))],
        ]
        axis.errorbar(
            row["open_loop"], row["success"], yerr=reach, fmt=shapes[kind], markersize=9,
            color=colours[row["regime"]], capsize=3, elinewidth=0.8,
            markerfacecolor=colours[row["regime"]] if previous else "white",
        )  # fmt: skip
    for regime, colour in colours.items():
        axis.plot([], [], "s", color=colour, label=regime)
    for kind, shape in shapes.items():
        axis.plot([], [], shape, color="black", markerfacecolor="white", label=kind)
    axis.plot([], [], "o", color="black", label="filled: sees its previous command")
    axis.set_xscale("log")
    axis.set_xticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
    axis.minorticks_off()
    axis.set_xlabel("error on held-out log drives (Huber, typical commands)")
    axis.set_ylabel("success in closed loop")
    axis.set_ylim(-0.05, 1.05)
    axis.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
    save_figure(figure, path)
