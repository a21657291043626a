"""The study `optimisation`: learning rates, batch sizes, optimizers and schedules, on a driving recording.

An expert whose hand is pushed is recorded; a driver without memory learns from it, always from the same
number of pictures unless that is the question. Told is the loss on held-out roads.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from redrive import study_runs as runs
from redrive import terminal
from redrive.agents.statistics import mean_interval
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_plots import COLOURS, new_figure, save_figure

RATES = (1e-5, 1e-4, 1e-3, 4e-3, 1.6e-2, 0.1, 1.0)
SGD_RATES = (0.003, 0.03, 0.3, 3.0)
BATCHES = (4, 16, 64, 256)  # pictures
WINDOW = 4  # [steps] of a driver without memory
OPTIMIZERS: Mapping[str, Mapping[str, Any]] = {
    "adamw": {"optimizer": "adamw"},
    "sgd, momentum 0.9": {"optimizer": "sgd", "momentum": 0.9},
    "sgd, no momentum": {"optimizer": "sgd", "momentum": 0.0},
}
SCHEDULES = ("cosine", "step", "constant")
Question = Literal["rate", "batch", "optimizer", "schedule"]


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    episodes: int = 60
    held_out: int = 10
    drive_steps: int = 120
    pictures: int = 32  # in a batch
    steps: int = 300
    seeds: int = 3
    schedule_steps: int = 1200  # a schedule is about the end of learning: there has to be one
    schedule_seeds: int = 24  # schedules differ by little, and are compared seed by seed
    rates: tuple[float, ...] = RATES
    sgd_rates: tuple[float, ...] = SGD_RATES
    batches: tuple[int, ...] = BATCHES


QUICK = Size(episodes=3, held_out=2, drive_steps=40, pictures=16, steps=8, seeds=2, schedule_steps=8, schedule_seeds=2,
             rates=(1e-4, 4e-3, 1.0), sgd_rates=(0.1,), batches=(8, 16))  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """One way to learn."""

    question: Question
    name: str
    value: float  # where it stands in the plot
    pictures: int
    steps: int
    fit: Mapping[str, Any]
    seeds: int


def trials(size: Size) -> list[Trial]:
    """All that is tried, with every seed."""
    plain = Trial(
        "rate", "adamw", 0.0, size.pictures, size.steps, {"schedule": "constant"}, size.seeds
    )
    seen = size.pictures * size.steps
    return [
        *(replace(plain, value=rate, fit={**plain.fit, "learning_rate": rate})
          for rate in size.rates),
        # The same pictures in smaller or larger batches: fewer steps of larger ones.
        *(replace(plain, question="batch", name="adamw", value=batch, pictures=batch,
                  steps=seen // batch, fit={"schedule": "cosine", "learning_rate": 4e-3})
          for batch in size.batches),
        *(replace(plain, question="optimizer", name=name, value=rate,
                  fit={**plain.fit, **OPTIMIZERS[name], "learning_rate": rate})
          for name in OPTIMIZERS if name != "adamw" for rate in size.sgd_rates),
        *(replace(plain, question="schedule", name=schedule, value=i,
                  steps=size.schedule_steps, seeds=size.schedule_seeds,
                  fit={"schedule": schedule, "learning_rate": 4e-3})
          for i, schedule in enumerate(SCHEDULES)),
    ]  # fmt: skip


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary. Drivers that have learned already do not learn again."""
    size = QUICK if options.quick else Size()
    data = options.out / "data"
    terminal.say("1 of 3: recording the expert, whose hand is pushed")
    runs.record_drives(
        data / "drives", "noise-injection", size.episodes, size.drive_steps,
        seed=options.seed * 1_000_000,
    )  # fmt: skip
    runs.record_drives(
        data / "held-out", "noise-injection", size.held_out, size.drive_steps,
        roads="procedural:500-520", seed=5000,
    )  # fmt: skip
    terminal.say("2 of 3: learning")
    every = trials(size)
    jobs = [
        Job(f"{t.question} {t.name} {t.value:g}", t.steps, _learn, (options.out, i, t, seed))
        for seed in range(max(size.seeds, size.schedule_seeds)) for i, t in enumerate(every)
        if seed < t.seeds
    ]  # fmt: skip
    done = run_side_by_side("learning", jobs, options.processes or usable_cores())
    terminal.say("3 of 3: the table")
    table = [line_of(t, [d for d in done if d["trial"] == i]) for i, t in enumerate(every)]
    write_table(options.out / "table.csv", table)
    differences = against_constant(every, done)
    write_table(options.out / "differences.csv", differences)
    _plot_ends(options.out / "ends.png", table, size)
    _plot_curves(options.out / "curves.png", every, done)
    summary = _summary(table) | {"schedules": differences}
    write_page(
        options.out / "index.html",
        "How to walk downhill",
        summary["said"],
        [
            ("ends.png", ("Loss on held-out roads at the end; bars are 95 % over seeds (Student t), "
                         "crosses on top are runs whose loss was no number")),
            ("curves.png", "Loss of the batches while learning, the mean of seeds, smoothed"),
        ],
        f"redrive study optimisation --out {options.out}" + " --quick" * options.quick,
    )  # fmt: skip
    terminal.say(summary["said"])
    return summary


def _learn(report: Report, out: Path, number: int, trial: Trial, seed: int) -> dict[str, Any]:
    """One way with one seed: the loss at the end, and of the batches on the way."""
    path = out / "trials" / f"{number}-{seed}.json"
    found = runs.once(path, lambda: _fit(report, out, trial, seed, path.with_suffix("")))
    return {"trial": number, "seed": seed, **found}


def _fit(report: Report, out: Path, trial: Trial, seed: int, run: Path) -> dict[str, Any]:
    import shutil

    import torch

    from redrive.models.dataset import Windows, WindowSettings
    from redrive.models.fit import FitSettings, Progress, fit
    from redrive.models.registry import make_policy

    torch.set_num_threads(1)
    shutil.rmtree(run, ignore_errors=True)  # one that was stopped
    spec = runs.observed(runs.Learner("mlp"))
    window = WindowSettings(batch=max(1, trial.pictures // WINDOW), steps=WINDOW, burn_in=0)
    sides = [runs.episodes_of([out / "data" / side]) for side in ("drives", "held-out")]
    train, held_out = (Windows(side, list(spec.sensors), window, seed=seed) for side in sides)
    policy = make_policy("mlp", spec, command_scale=train.command_scale, seed=seed)
    done = 0

    def show(progress: Progress) -> None:
        nonlocal done
        report(progress.step - done, "")
        done = progress.step

    settings = FitSettings(
        steps=trial.steps, validate_every=trial.steps, save_every=trial.steps,
        log_every=max(1, trial.steps // 100), seed=seed, **trial.fit,
    )  # fmt: skip
    try:
        state = fit(policy, train, held_out, settings, run, on_progress=show)
        loss = state.best_loss
    except FloatingPointError:  # it diverged so far that its loss is no number
        loss = math.inf
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    curve = [(line["step"], line["loss"]) for line in log if "loss" in line]
    shutil.rmtree(run)
    return {"loss": loss if math.isfinite(loss) else None, "curve": curve}


def line_of(trial: Trial, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A row of the table."""
    losses = [one["loss"] for one in found if one["loss"] is not None]
    mean = mean_interval(losses) if losses else None
    return {
        "question": trial.question, "name": trial.name, "value": trial.value,
        "pictures_a_step": trial.pictures, "steps": trial.steps,
        "loss": mean.mean if mean else math.nan, "loss_low": mean.low if mean else math.nan,
        "loss_high": mean.high if mean else math.nan,
        "no_number": len(found) - len(losses), "seeds": len(found),
    }  # fmt: skip


def against_constant(
    every: Sequence[Trial], done: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What each schedule changes of the loss against a constant rate, seed by seed: same first weights,
    same batches. Seeds whose loss was no number are left out.
    """
    losses = {
        (every[one["trial"]].name, one["seed"]): one["loss"]
        for one in done if every[one["trial"]].question == "schedule" and one["loss"] is not None
    }  # fmt: skip
    rows: list[dict[str, Any]] = []
    for schedule in SCHEDULES:
        changes = [
            loss - losses["constant", seed]
            for (name, seed), loss in losses.items()
            if name == schedule and schedule != "constant" and ("constant", seed) in losses
        ]
        if changes:
            found = mean_interval(changes)
            rows.append(
                {"schedule": schedule, "seeds": len(changes), "loss": found.mean,
                 "loss_low": found.low, "loss_high": found.high}
            )  # fmt: skip
    return rows


def _summary(table: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    def of(question: Question) -> list[Mapping[str, Any]]:
        return [row for row in table if row["question"] == question]

    def best(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        return min(rows, key=lambda row: row["loss"] if row["loss"] == row["loss"] else math.inf)

    rates = of("rate")
    top, slow, fast = best(rates), rates[0], rates[-1]
    names = ["adamw", *(name for name in OPTIMIZERS if name != "adamw")]
    optimizers = {
        name: best([row for row in (*rates, *of("optimizer")) if row["name"] == name])
        for name in names
    }
    said = (
        f"Learning rate: {top['value']:g} is best (held-out loss {top['loss']:.3f}); "
        f"{slow['value']:g} crawls ({slow['loss']:.3f}), {fast['value']:g} is too large "
        f"({fast['loss']:.3f}). The same pictures in batches of "
        + ", ".join(f"{row['value']:g}: {row['loss']:.3f}" for row in of("batch"))
        + ". Each at its best rate: "
        + ", ".join(f"{name} {row['loss']:.3f} ({row['value']:g})"
                    for name, row in optimizers.items())
        + ". Schedules: "
        + ", ".join(f"{row['name']} {row['loss']:.3f}" for row in of("schedule")) + "."
    )  # fmt: skip
    return {
        "said": said, "best_rate": top["value"], "table": list(table),
        "best_of_each_optimizer": {
            name: {"rate": row["value"], "loss": row["loss"]} for name, row in optimizers.items()
        },
    }  # fmt: skip


def _plot_ends(path: Path, table: Sequence[Mapping[str, Any]], size: Size) -> None:
    figure, axes = new_figure(4, (16.0, 4.2))
    titles = ("learning rate, adamw", "batch, the same pictures", "sgd", "schedule")
    for axis, question, title in zip(
        axes, ("rate", "batch", "optimizer", "schedule"), titles, strict=True
    ):
        rows = [row for row in table if row["question"] == question]
        names = list(dict.fromkeys(row["name"] for row in rows))
        if question == "schedule":
            names = ["all"]
        for name, colour in zip(names, COLOURS, strict=False):
            mine = [row for row in rows if name in (row["name"], "all")]
            axis.errorbar(
                [row["value"] for row in mine], [row["loss"] for row in mine],
                [
                    [row["loss"] - max(row["loss_low"], 0.0) for row in mine],
                    [row["loss_high"] - row["loss"] for row in mine],
                ],
                fmt="-o" if question != "schedule" else "o", color=colour, label=name,
                markersize=4, capsize=3,
            )  # fmt: skip
            for row in mine:
                if row["no_number"]:
                    axis.text(row["value"], 0.97, "x" * row["no_number"], color=colour,
                              transform=axis.get_xaxis_transform(), ha="center")  # fmt: skip
        axis.set_title(title)
        highest = max(row["loss_high"] for row in rows)
        if highest > 10.0 * min(row["loss"] for row in rows):  # some were thrown far off
            axis.set_yscale("log")
        if question == "schedule":
            axis.set_xticks([row["value"] for row in rows], [row["name"] for row in rows])
        else:
            axis.set_xscale("log", base=2 if question == "batch" else 10)
        if len(names) > 1:
            axis.legend(frameon=False)
    axes[0].set_ylabel("held-out loss")
    axes[0].set_xlabel("learning rate")
    axes[1].set_xlabel("pictures in a batch")
    axes[2].set_xlabel("learning rate")
    save_figure(figure, path)


def _plot_curves(path: Path, every: Sequence[Trial], done: Sequence[Mapping[str, Any]]) -> None:
    import numpy as np

    figure, axes = new_figure(2, (12.0, 4.5))
    for axis, question in zip(axes, ("rate", "batch"), strict=True):
        chosen = [(i, t) for i, t in enumerate(every) if t.question == question]
        for place, (i, trial) in enumerate(chosen):
            curves = [one["curve"] for one in done if one["trial"] == i and one["curve"]]
            length = min((len(curve) for curve in curves), default=0)
            if not length:
                continue
            losses = np.mean([[loss for _, loss in curve[:length]] for curve in curves], axis=0)
            smooth = np.convolve(losses, np.ones(min(9, length)) / min(9, length), "valid")
            steps = np.array([step for step, _ in curves[0][: len(smooth)]])
            seen = steps * trial.pictures
            axis.plot(seen, smooth, color=f"C{place}", label=f"{trial.value:g}")
        if question == "rate":  # one of them is thrown far off
            axis.set_yscale("log")
        axis.set_xlabel("pictures seen")
        axis.legend(frameon=False, title=question, fontsize=8)
    axes[0].set_ylabel("loss of the batches")
    save_figure(figure, path)
