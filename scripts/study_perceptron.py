"""The study `perceptron`: what one neuron can and cannot drive, and what its weights look like.

One neuron per command (weigh every pixel, sum up, add the bias, bend by tanh), the same without the
bend, and for comparison a network with hidden layers, learn to follow a lane from the same pushed
expert: on the same clear day, and with light, colours, wear and weather drawn anew for each drive.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from redrive import study_runs as runs
from redrive import terminal
from redrive.agents.statistics import rate_interval
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.sim.appearance import Appearance
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_plots import COLOURS, new_figure, save_figure

DRIVERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "neuron": ("perceptron", {}),
    "neuron without bend": ("perceptron", {"nonlinearity": False}),
    "hidden layers": ("mlp", {}),
}
DAYS = {"one clear day": runs.CLEAR, "any weather": Appearance(randomise=1.0)}
BENDS = (0.0, 0.01, 0.015, 0.02, 1.0)  # edges of classes by a road's tightest bend [1/m]
FIGURES = ("success", "route_completion", "lateral_mae_m", "open_loop", "training_loss")


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    episodes: int = 80  # of each kind of day
    steps: int = 150  # of an episode
    learning: int = 250  # steps
    seeds: int = 3
    driven: int = 24
    held_out: int = 12


QUICK = Size(episodes=8, steps=40, learning=8, seeds=2, driven=4, held_out=2)


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    size = QUICK if options.quick else Size()
    terminal.say("1 of 3: recording the expert, whose hand is pushed")
    for day, appearance in DAYS.items():
        folder = options.out / "data" / day.replace(" ", "-")
        runs.record_drives(
            folder, "noise-injection", size.episodes, size.steps,
            seed=options.seed * 1_000_000, appearance=appearance,
        )  # fmt: skip
        runs.record_drives(
            folder.with_name(folder.name + "-held-out"), "noise-injection", size.held_out,
            size.steps, roads="procedural:500-520", seed=5000, appearance=appearance,
        )  # fmt: skip
    terminal.say("2 of 3: learning, and driving")
    jobs = [
        Job(f"{driver} {day} {seed}", size.learning, _learn_and_drive,
            (options.out, driver, day, seed, size))
        for seed in range(size.seeds) for day in DAYS for driver in DRIVERS
    ]  # fmt: skip
    done = run_side_by_side("learning", jobs, options.processes or usable_cores())
    terminal.say("3 of 3: the table")
    rows = [{name: row[name] for name in ("driver", "day", "seed", *FIGURES)} for row in done]
    write_table(options.out / "runs.csv", rows)
    table = runs.over_seeds(rows, ("driver", "day"), FIGURES)
    write_table(options.out / "table.csv", table)
    bends = by_bend(done)
    write_table(options.out / "bends.csv", bends)
    _plot(options.out / "perceptron.png", table, bends)
    _plot_weights(options.out / "weights.png", options.out)
    write_page(
        options.out / "index.html",
        "What one neuron can drive",
        f"{size.episodes} episodes of {size.steps} steps for each kind of day, {size.seeds} training "
        f"seeds with 95 % intervals, {size.driven} closed-loop episodes of 400 m each.",
        [
            ("perceptron.png", "success by kind of day, and on the clear day by the tightest bend"),
            ("weights.png", "the curvature neuron: what is bright where it is blue turns it left"),
        ],
        f"redrive study perceptron --out {options.out}" + " --quick" * options.quick,
    )  # fmt: skip
    found: dict[str, Any] = {"cells": {}, "by_bend": bends}
    for row in table:
        found["cells"].setdefault(row["day"], {})[row["driver"]] = {
            figure: {
                "mean": row[figure],
                "low": row[f"{figure}_low"],
                "high": row[f"{figure}_high"],
            }
            for figure in FIGURES
        }
    return found


def by_bend(done: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Success by the tightest bend of the road, all seeds together, with Wilson's interval."""
    table = []
    for day in DAYS:
        for driver in DRIVERS:
            some = [row for row in done if (row["driver"], row["day"]) == (driver, day)]
            bend = np.concatenate([row["bends"] for row in some])
            success = np.concatenate([row["successes"] for row in some])
            for low, high in itertools.pairwise(BENDS):
                here = (bend >= low) & (bend < high)
                if here.any():
                    rate = rate_interval(int(success[here].sum()), int(here.sum()))
                    table.append(
                        {"day": day, "driver": driver, "bend_from": low, "bend_to": high,
                         "episodes": int(here.sum()), "success": rate.mean,
                         "success_low": rate.low, "success_high": rate.high}
                    )  # fmt: skip
    return table


def _run_name(driver: str, day: str, seed: int) -> str:
    return f"{driver}-{day}-{seed}".replace(" ", "-")


def _learn_and_drive(
    report: Report, out: Path, driver: str, day: str, seed: int, size: Size
) -> dict[str, Any]:
    """One driver, learned and judged on days of its kind; in a process of its own."""
    from redrive.models.checkpoint import load_policy

    policy, settings = DRIVERS[driver]
    learner = runs.Learner(policy, settings, steps=size.learning, window=4)
    folder = out / "runs" / _run_name(driver, day, seed)
    data = out / "data" / day.replace(" ", "-")

    def work() -> dict[str, Any]:
        held_out = runs.episodes_of([data.with_name(data.name + "-held-out")])
        runs.learn(learner, runs.episodes_of([data]), held_out, folder, seed, report=report)
        suite = replace(runs.DRIVEN, appearance=DAYS[day])
        driven = runs.drive_policy(load_policy(folder), size.driven, suite=suite)
        log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        losses = [line["loss"] for line in log if "loss" in line][-5:]
        return {
            "driver": driver, "day": day, "seed": seed, **runs.means(driven),
            "open_loop": runs.training_of(folder)["validation"]["loss"],
            "training_loss": float(np.mean(losses)),
            "bends": [one["road_max_curvature"] for one in driven],
            "successes": [bool(one["success"]) for one in driven],
        }  # fmt: skip

    return runs.once(folder.with_suffix(".json"), work)


def _plot(
    path: Path, table: Sequence[Mapping[str, Any]], bends: Sequence[Mapping[str, Any]]
) -> None:
    figure, (left, right) = new_figure(2, (12.0, 4.2))
    width = 0.8 / len(DRIVERS)
    for number, driver in enumerate(DRIVERS):
        colour = COLOURS[number]
        rows = [row for row in table if row["driver"] == driver]
        place = np.arange(len(rows)) + (number - 1) * width
        left.bar(place, [row["success"] for row in rows], width, color=colour, label=driver)
        left.errorbar(
            place, [row["success"] for row in rows], yerr=_reach(rows), fmt="none",
            ecolor="black", capsize=3,
        )  # fmt: skip
        rows = [row for row in bends if (row["driver"], row["day"]) == (driver, next(iter(DAYS)))]
        place = np.arange(len(rows)) + (number - 1) * 0.08
        right.errorbar(
            place, [row["success"] for row in rows], yerr=_reach(rows), fmt="-o", color=colour,
            capsize=3, label=driver,
        )  # fmt: skip
        right.set_xticks(
            range(len(rows)), [f"{row['bend_from']:g} to {row['bend_to']:g}" for row in rows]
        )
    left.set_xticks(range(len(DAYS)), list(DAYS))
    left.set_title("success in closed loop")
    right.set_title(f"{next(iter(DAYS))}: success by tightest bend [1/m]")
    for axis in (left, right):
        axis.set_ylim(0.0, 1.05)
    left.legend(frameon=False, fontsize=9)
    save_figure(figure, path)


def _reach(rows: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    return [
        [max(row["success"] - row["success_low"], 0.0) for row in rows],
        [max(row["success_high"] - row["success"], 0.0) for row in rows],
    ]


def _plot_weights(path: Path, out: Path) -> None:
    """The weights of the curvature neuron, summed over colours, of the first seed; and one picture."""
    from redrive.models.checkpoint import load_policy
    from redrive.models.perceptron import PerceptronPolicy

    figure, axes = new_figure(3, (13.0, 3.4))
    episode = runs.episodes_of([out / "data" / next(iter(DAYS)).replace(" ", "-")])[0]
    axes[0].imshow(episode.read("camera", 30, 31)[0])
    axes[0].set_title("what it sees")
    for axis, day in zip(axes[1:], DAYS, strict=True):
        policy = load_policy(out / "runs" / _run_name("neuron", day, 0))
        assert isinstance(policy, PerceptronPolicy)
        weights = policy.weight_picture()[0].sum(dim=-1).numpy()
        most = max(float(np.abs(weights).max()), 1e-9)
        axis.imshow(weights, cmap="RdBu", vmin=-most, vmax=most)
        axis.set_title(f"its weights for curvature, {day}")
    for axis in axes:
        axis.set_axis_off()
    save_figure(figure, path)
