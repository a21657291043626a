"""The study `overfitting`: few against many demonstrations, and what helps against too few.

A driver without memory learns from few or from many episodes of an expert whose hand is pushed,
plainly, or with dropout or weight decay. How strong these are is chosen first, by the held-out loss
of other drivers, on other drives. At every look a driver is measured three times: on drives it
learns from, on held-out drives, and in closed loop on roads it has never seen.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redrive import study_runs as runs
from redrive import terminal
from redrive.agents.statistics import mean_interval
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_plots import COLOURS, band, new_figure, save_figure

if TYPE_CHECKING:
    from redrive.models.policy import Policy
    from redrive.sim.world import RoadWorld

STRENGTHS: Mapping[str, tuple[float, ...]] = {
    "dropout": (0.3, 0.5, 0.7),
    "weight decay": (10.0, 30.0, 100.0),  # of a step's pull, the learning rate is a factor: 4e-3
}
COMPARED = "few"  # what helps is measured against it, seed by seed
FIGURES = ("training_loss", "validation_loss", "success", "route_completion", "lateral_mae_m")
TUNING_SEED = 100  # the first of those that only choose how strong a remedy is
WINDOW = 4  # [steps] of a driver without memory
MEASURED = 6  # drives of those it learns from: the training loss is of these


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    few: int = 6  # episodes; other ones for each seed
    many: int = 100
    steps: int = 150  # of an episode
    pictures: int = 128  # in a batch
    learning: int = 300  # steps
    look_every: int = 150
    seeds: int = 16
    many_seeds: int = 5  # many against few is told apart by fewer
    driven: int = 32  # closed-loop episodes at every look
    held_out: int = 12
    tuning_seeds: int = 2
    strengths: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: STRENGTHS)

    def __post_init__(self) -> None:
        if self.seeds * self.few > self.many:
            raise ValueError(
                f"{self.seeds} seeds of {self.few} episodes are more than the {self.many} recorded"
            )


QUICK = Size(few=2, many=8, steps=40, learning=12, look_every=4, seeds=2, many_seeds=2, driven=2,
             held_out=2, tuning_seeds=2, strengths={"dropout": (0.3, 0.5)})  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """One way to learn."""

    name: str
    many: bool = False
    dropout: float = 0.0
    weight_decay: float = 0.0


def remedy(kind: str, strength: float) -> Variant:
    """Few episodes, with dropout or weight decay."""
    plain = Variant(f"few, {kind} {strength:g}")
    if kind == "dropout":
        return replace(plain, dropout=strength)
    return replace(plain, weight_decay=strength)


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    size = QUICK if options.quick else Size()
    cores = options.processes or usable_cores()
    terminal.say("1 of 4: recording the expert, whose hand is pushed")
    _record(options, size)
    terminal.say("2 of 4: how much dropout, how much weight decay, by other drivers")
    tuning = _tune(options.out, size, cores)
    write_table(options.out / "tuning.csv", tuning)
    variants = [Variant("many", many=True), Variant(COMPARED), *chosen(tuning)]
    terminal.say("3 of 4: learning, and driving at every look")
    jobs = [
        Job(f"{variant.name} {seed}", size.learning, _learn, (options.out, variant, seed, size))
        for seed in range(size.seeds) for variant in variants
        if seed < size.many_seeds or not variant.many
    ]  # fmt: skip
    done = run_side_by_side("learning", jobs, cores)
    rows = [row for one in done for row in one["looks"]]
    terminal.say("4 of 4: the table")
    write_table(options.out / "runs.csv", rows)
    table = runs.over_seeds(rows, ("variant", "step"), FIGURES)
    write_table(options.out / "table.csv", table)
    names = [variant.name for variant in variants]
    differences = paired(rows, names)
    write_table(options.out / "differences.csv", differences)
    _plot(options.out / "overfitting.png", table, names, differences)
    write_page(
        options.out / "index.html",
        "Few demonstrations or many, and what helps against too few",
        f"{size.few} or {size.many} episodes of {size.steps} steps, {size.seeds} training seeds "
        f"({size.many_seeds} with many) with 95 % intervals, {size.driven} closed-loop episodes of "
        "400 m at each look.",
        [("overfitting.png", ("loss on drives it learns from, on held-out drives, the closed loop; and what "
                              "each remedy changes at the end, seed by seed"))],
        f"redrive study overfitting --out {options.out}" + " --quick" * options.quick,
    )  # fmt: skip
    return {"moments": summarise(rows, names), "differences": differences, "tuning": tuning}


def _record(options: StudyOptions, size: Size) -> None:
    """The study's drives, and those by which it is chosen how strong a remedy is."""
    first = options.seed * 1_000_000
    for name, episodes, seed in (
        ("drives", size.many, first),
        ("tuning-drives", size.tuning_seeds * size.few, first + 500_000),
    ):
        runs.record_drives(
            options.out / "data" / name, "noise-injection", episodes, size.steps, seed=seed
        )
    for name, roads, seed in (
        ("held-out", "procedural:500-520", 5000),
        ("tuning-held-out", "procedural:520-540", 6000),
    ):
        runs.record_drives(
            options.out / "data" / name, "noise-injection", size.held_out, size.steps,
            roads=roads, seed=seed,
        )  # fmt: skip


def _tune(out: Path, size: Size, cores: int) -> list[dict[str, Any]]:
    """The held-out loss at the end for every strength, over seeds that the study does not use."""
    tried = [
        (kind, strength) for kind, strengths in size.strengths.items() for strength in strengths
    ]
    jobs = [
        Job(f"{kind} {strength:g}", size.learning, _held_out_loss, (out, kind, strength, i, size))
        for i in range(size.tuning_seeds) for kind, strength in tried
    ]  # fmt: skip
    rows = run_side_by_side("choosing", jobs, cores)
    return runs.over_seeds(rows, ("remedy", "strength"), ("validation_loss",))


def chosen(tuning: Sequence[Mapping[str, Any]]) -> list[Variant]:
    """Each remedy as strong as the held-out loss of `tuning` is lowest."""
    best: dict[str, Mapping[str, Any]] = {}
    for row in tuning:
        kind = row["remedy"]
        if kind not in best or row["validation_loss"] < best[kind]["validation_loss"]:
            best[kind] = row
    return [remedy(kind, row["strength"]) for kind, row in best.items()]


def paired(rows: Sequence[Mapping[str, Any]], variants: Sequence[str]) -> list[dict[str, Any]]:
    """What each remedy changes, seed by seed, against few episodes and nothing done until the end.

    The same seed has the same episodes, the same first weights and the same batches, so that what
    the episodes happen to be cancels out. Stopping early is the same run at its lowest held-out loss.
    """
    looks: dict[str, dict[int, list[Mapping[str, Any]]]] = {name: {} for name in variants}
    for row in rows:
        looks[row["variant"]].setdefault(row["seed"], []).append(row)

    plain = looks[COMPARED]
    remedies = {
        name: {seed: some[-1] for seed, some in looks[name].items()}
        for name in variants if name != COMPARED
    }  # fmt: skip
    remedies["few, stopped early"] = {seed: _lowest(some) for seed, some in plain.items()}
    return [
        {"remedy": name, "seeds": len(told)}
        | _changes([
            {figure: row[figure] - plain[seed][-1][figure] for figure in FIGURES}
            for seed, row in told.items()
        ])
        for name, told in remedies.items()
    ]  # fmt: skip


def _lowest(looks: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Where the held-out loss was lowest: early stopping."""
    return min(looks, key=lambda row: row["validation_loss"])


def _changes(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means and intervals of differences, which may be negative."""
    found: dict[str, float] = {}
    for figure in FIGURES:
        mean = mean_interval([row[figure] for row in rows])
        found |= {figure: mean.mean, f"{figure}_low": mean.low, f"{figure}_high": mean.high}
    return found


def summarise(rows: Sequence[Mapping[str, Any]], variants: Sequence[str]) -> dict[str, Any]:
    """At the end, where the held-out loss was lowest (early stopping), and where it drove furthest."""
    chosen = []
    for variant in variants:
        for seed in sorted({row["seed"] for row in rows if row["variant"] == variant}):
            looks = [row for row in rows if (row["variant"], row["seed"]) == (variant, seed)]
            moments = {
                "end": looks[-1],
                "lowest held-out loss": _lowest(looks),
                "furthest driven": max(looks, key=lambda row: row["route_completion"]),
            }
            chosen += [{**row, "moment": moment} for moment, row in moments.items()]
    found: dict[str, Any] = {}
    for row in runs.over_seeds(chosen, ("variant", "moment"), (*FIGURES, "step")):
        found.setdefault(row["variant"], {})[row["moment"]] = {
            figure: {
                "mean": row[figure],
                "low": row[f"{figure}_low"],
                "high": row[f"{figure}_high"],
            }
            for figure in (*FIGURES, "step")
        }
    return found


@functools.cache
def _world() -> RoadWorld:
    """Where this process drives: its roads are made once, not for every driver."""
    return runs.driven_world(runs.DRIVEN)


def _learner(variant: Variant, size: Size, look_every: int) -> runs.Learner:
    return runs.Learner(
        "mlp", {"dropout": variant.dropout}, size.learning, size.pictures, WINDOW,
        weight_decay=variant.weight_decay, validate_every=look_every, brightness=0.0, contrast=0.0,
    )  # fmt: skip


def _file_name(variant: Variant, seed: int) -> str:
    return f"{variant.name.replace(' ', '-').replace(',', '')}-{seed}"


def _held_out_loss(
    report: Report, out: Path, kind: str, strength: float, number: int, size: Size
) -> dict[str, Any]:
    """The held-out loss at the end of one driver for choosing; in a process of its own."""
    variant, seed = remedy(kind, strength), TUNING_SEED + number
    name = _file_name(variant, seed)

    def work() -> dict[str, Any]:
        episodes = runs.episodes_of([out / "data" / "tuning-drives"])
        run = runs.learn(
            _learner(variant, size, size.learning),  # one look, at the end
            episodes[number * size.few :][: size.few],
            runs.episodes_of([out / "data" / "tuning-held-out"]),
            runs.fresh(out / "tuning" / name), seed, report=report,
        )  # fmt: skip
        loss = runs.training_of(run)["validation"]["loss"]
        return {"remedy": kind, "strength": strength, "seed": seed, "validation_loss": loss}

    return runs.once(out / "tuning" / f"{name}.json", work)


def _learn(report: Report, out: Path, variant: Variant, seed: int, size: Size) -> dict[str, Any]:
    """One driver, measured at every look; in a process of its own."""
    from redrive.models.dataset import Windows, WindowSettings
    from redrive.models.fit import evaluate
    from redrive.models.loss import LossSettings

    learner = _learner(variant, size, size.look_every)
    name = _file_name(variant, seed)

    def work() -> dict[str, Any]:
        held_out = runs.episodes_of([out / "data" / "held-out"])
        every = runs.episodes_of([out / "data" / "drives"])
        # Another seed learns from other few episodes.
        episodes = every if variant.many else every[seed * size.few :][: size.few]
        sensors = list(runs.observed(learner).sensors)
        looked_at = WindowSettings(batch=32, steps=16, burn_in=0)
        known = Windows(episodes[:MEASURED], sensors, looked_at)
        unknown = Windows(held_out, sensors, looked_at)
        looks: list[dict[str, Any]] = []
        world = _world()

        def look(policy: Policy, step: int) -> None:
            looks.append(
                {
                    "variant": variant.name,
                    "seed": seed,
                    "step": step,
                    "training_loss": evaluate(policy, known, LossSettings()).loss,
                    "validation_loss": evaluate(policy, unknown, LossSettings()).loss,
                    **runs.means(runs.drive_policy(policy, size.driven, world=world)),
                }
            )

        runs.learn(
            learner, episodes, held_out, runs.fresh(out / "runs" / name), seed, report=report,
            look=look,
        )  # fmt: skip
        return {"looks": looks}

    return runs.once(out / "runs" / f"{name}.json", work)


def _plot(
    path: Path,
    table: Sequence[dict[str, Any]],
    variants: Sequence[str],
    differences: Sequence[Mapping[str, Any]],
) -> None:
    figure, axes = new_figure(4, (17.0, 4.2))
    titles = {
        "training_loss": "loss on drives it learns from",
        "validation_loss": "loss on held-out drives",
        "route_completion": "share of the route driven, closed loop",
    }
    for axis, (name, title) in zip(axes, titles.items(), strict=False):
        for variant, colour in zip(variants, COLOURS, strict=False):
            rows = [row for row in table if row["variant"] == variant]
            band(axis, [row["step"] for row in rows], rows, name, variant, colour)
        axis.set_title(title)
        axis.set_xlabel("steps of learning")
        axis.set_xticks(sorted({row["step"] for row in table}))
    means = [row[name] for row in table for name in ("training_loss", "validation_loss")]
    for axis in axes[:2]:  # one scale for both; the intervals may reach beyond it
        axis.set_ylim(0.0, 1.3 * max(means))
    axes[2].set_ylim(0.0, 1.05)
    axes[2].legend(frameon=False, fontsize=9)
    _plot_differences(axes[3], [row for row in differences if row["remedy"] != "many"])
    save_figure(figure, path)


def _plot_differences(axis: Any, differences: Sequence[Mapping[str, Any]]) -> None:
    """What each remedy changes of the held-out loss and of the way driven, with intervals."""
    for number, (figure, label, shift) in enumerate(
        (("validation_loss", "held-out loss", 0.12), ("route_completion", "way driven", -0.12))
    ):
        middle = [row[figure] for row in differences]
        axis.errorbar(
            middle,
            [place + shift for place in range(len(differences))],
            xerr=[
                [row[figure] - row[f"{figure}_low"] for row in differences],
                [row[f"{figure}_high"] - row[figure] for row in differences],
            ],
            fmt="o", color=COLOURS[-1 - number], capsize=3, label=label,
        )  # fmt: skip
    axis.axvline(0.0, color="0.6", linewidth=0.8)
    axis.set_yticks(
        range(len(differences)),
        [row["remedy"].removeprefix("few, ").replace(" ", "\n", 1) for row in differences],
    )
    axis.set_ylim(-0.6, len(differences) - 0.1)
    axis.set_title("changed at the end, seed by seed")
    axis.legend(frameon=False, fontsize=9, loc="upper left")
