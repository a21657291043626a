"""The study `order`: who notices which of two signs came first?

Two signs appear at different, random moments among blank frames; at the end the driver must say which
came first. What was seen is the same either way, only its order differs. Attention weighs frames by
what they show: without a position encoding one layer cannot tell the two orders apart (every frame is
weighed against the last one, wherever it stands), while a second layer can, as the causal mask lets
the later sign see the earlier one. A memory that goes from step to step has the order in its nature.
Each also learns and is tested with the frames of every sequence shuffled: then nobody can know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from redrive import study_runs as runs
from redrive import terminal
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_bits import Task, Trial, learn_task
from redrive.study_plots import COLOURS, new_figure, save_figure

POSITIONS = ("none", "sinusoidal", "rotary")
HIDDEN = 32
QUIET = 0.1  # standard deviation of the noise on every channel of every frame


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    length: int = 24  # frames
    steps: int = 300  # of learning
    seeds: int = 3
    layers: tuple[int, ...] = (1, 2)
    positions: tuple[str, ...] = POSITIONS
    others: tuple[str, ...] = ("mlp", "rnn", "lstm")


QUICK = Size(
    length=8, steps=30, seeds=2, layers=(1,), positions=("none", "rotary"), others=("rnn",)
)


def two_signs(length: int, shuffled: bool) -> Task:
    """Frames (T, 3) with sign A, sign B, noise; the bit: whether A came first."""

    def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        seen = rng.normal(0.0, QUIET, (size, length, 3))
        moments = np.stack([rng.choice(length - 1, 2, replace=False) for _ in range(size)])
        rows = np.arange(size)
        seen[rows, moments[:, 0], 0] += 1.0
        seen[rows, moments[:, 1], 1] += 1.0
        if shuffled:  # the last frame stays: it asks the question
            for row in seen:
                row[:-1] = row[rng.permutation(length - 1)]
        return seen, (moments[:, :1] < moments[:, 1:]).astype(np.float64)

    return Task(draw, inputs=3, bits=1)


def drivers(size: Size) -> Mapping[str, tuple[str, Mapping[str, Any]]]:
    """Policies and settings by name."""
    found: dict[str, tuple[str, Mapping[str, Any]]] = {
        f"attention, {layers} layer{'s' * (layers > 1)}, {position}": (
            "attention",
            {"hidden": HIDDEN, "layers": layers, "window": size.length, "position": position},
        )
        for layers in size.layers
        for position in size.positions
    }
    for name in size.others:
        found[name] = (name, {"hidden": HIDDEN} | ({"frames": 8} if name == "mlp" else {}))
    return found


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    size = QUICK if options.quick else Size()
    jobs = [
        Job(f"{name} {seed}", 1, _learn, (options.out, name, frames, options.seed + seed, size))
        for name in drivers(size) for frames in ("in order", "shuffled") for seed in range(size.seeds)
    ]  # fmt: skip
    rows = run_side_by_side("learning", jobs, options.processes or usable_cores())
    write_table(options.out / "runs.csv", rows)
    table = runs.over_seeds(rows, ("driver", "frames"), ("success",))
    write_table(options.out / "table.csv", table)
    _plot(options.out / "order.png", table)
    terminal.say("which sign came first: means over seeds are in table.csv")
    write_page(
        options.out / "index.html",
        "Who notices which of two signs came first?",
        f"Two signs among {size.length} frames, {size.seeds} training seeds with 95 % intervals, "
        f"{size.steps} steps of learning; no camera and no road: the memory alone.",
        [("order.png", "share of right answers about sequences never seen; chance is 0.5")],
        f"redrive study order --out {options.out}" + " --quick" * options.quick,
    )
    found: dict[str, Any] = {}
    for row in table:
        interval = {"mean": row["success"], "low": row["success_low"], "high": row["success_high"]}
        found.setdefault(row["driver"], {})[row["frames"]] = interval
    return {"success": found, "chance": 0.5}


def _learn(
    report: Report, out: Path, driver: str, frames: str, seed: int, size: Size
) -> dict[str, Any]:
    """One memory; in a process of its own."""
    policy, settings = drivers(size)[driver]

    def work() -> dict[str, Any]:
        trial = Trial(policy, settings, steps=size.steps, batch=32, seed=seed)
        learned = learn_task(trial, two_signs(size.length, frames == "shuffled"))
        told = {"driver": driver, "frames": frames, "seed": seed}
        return {**told, "success": learned["bit"], "loss": learned["loss"]}

    name = f"{driver}-{frames}-{seed}.json".replace(" ", "-").replace(",", "")
    found = runs.once(out / "runs" / name, work)
    report(1, "")
    return found


def _plot(path: Path, table: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(row["driver"] for row in table))
    figure, (axis,) = new_figure(1, (8.0, 0.42 * len(names) + 1.2))
    for number, frames in enumerate(("in order", "shuffled")):
        rows = {row["driver"]: row for row in table if row["frames"] == frames}
        place = np.arange(len(names)) + 0.36 * number - 0.18
        mean = np.array([rows[name]["success"] for name in names])
        low = np.array([rows[name]["success_low"] for name in names])
        high = np.array([rows[name]["success_high"] for name in names])
        axis.barh(place, mean, 0.34, color=COLOURS[5 * number], label=f"frames {frames}")
        axis.errorbar(mean, place, xerr=[mean - low, high - mean], fmt="none", ecolor="black",
                      capsize=2)  # fmt: skip
    axis.axvline(0.5, color="black", linestyle=":", linewidth=1.0)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.set_xlim(0.4, 1.02)
    axis.set_xlabel("share of right answers (dotted: chance)")
    axis.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))
    save_figure(figure, path)
