"""The study `overfitting`: few against many demonstrations, and what helps against too few.

A driver without memory learns from few or from many episodes of an expert whose hand is pushed,
plainly, or with dropout or weight decay. At every look it is measured three times: on drives it
learns from, on held-out drives, and in closed loop on roads it has never seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

PLAIN: Mapping[str, Any] = {"brightness": 0.0, "contrast": 0.0, "weight_decay": 0.0}
VARIANTS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "many": ("many", PLAIN),
    "few": ("few", PLAIN),
    "few, dropout 0.5": ("few", {**PLAIN, "settings": {"dropout": 0.5}}),
    "few, weight decay 3": ("few", {**PLAIN, "weight_decay": 3.0}),
}
COMPARED = "few"  # what helps is measured against it, seed by seed
FIGURES = ("training_loss", "validation_loss", "success", "route_completion", "lateral_mae_m")
MEASURED = 6  # drives of those it learns from: the training loss is of these


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    few: int = 6  # episodes
    many: int = 100
    steps: int = 150  # of an episode
    learning: int = 600  # steps
    look_every: int = 75
    seeds: int = 5
    driven: int = 16  # closed-loop episodes at every look
    held_out: int = 12
    variants: tuple[str, ...] = tuple(VARIANTS)


QUICK = Size(few=2, many=8, steps=40, learning=12, look_every=4, seeds=2, driven=2, held_out=2,
             variants=("many", "few"))  # fmt: skip


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    size = QUICK if options.quick else Size()
    data = options.out / "data"
    terminal.say("1 of 3: recording the expert, whose hand is pushed")
    runs.record_drives(
        data / "drives", "noise-injection", size.many, size.steps, seed=options.seed * 1_000_000
    )
    runs.record_drives(
        data / "held-out", "noise-injection", size.held_out, size.steps,
        roads="procedural:500-520", seed=5000,
    )  # fmt: skip
    terminal.say("2 of 3: learning, and driving at every look")
    jobs = [
        Job(f"{variant} {seed}", size.learning, _learn, (options.out, variant, seed, size))
        for seed in range(size.seeds) for variant in size.variants
    ]  # fmt: skip
    done = run_side_by_side("learning", jobs, options.processes or usable_cores())
    rows = [row for one in done for row in one["looks"]]
    terminal.say("3 of 3: the table")
    write_table(options.out / "runs.csv", rows)
    table = runs.over_seeds(rows, ("variant", "step"), FIGURES)
    write_table(options.out / "table.csv", table)
    _plot(options.out / "overfitting.png", table, size.variants)
    write_page(
        options.out / "index.html",
        "Few demonstrations or many, and what helps against too few",
        f"{size.few} or {size.many} episodes of {size.steps} steps, {size.seeds} training seeds with "
        f"95 % intervals, {size.driven} closed-loop episodes of 400 m at each look.",
        [("overfitting.png", "loss on drives it learns from, on held-out drives, and the closed loop")],
        f"redrive study overfitting --out {options.out}" + " --quick" * options.quick,
    )  # fmt: skip
    differences = paired(rows, size.variants)
    write_table(options.out / "differences.csv", differences)
    return {"moments": summarise(rows, size.variants), "differences": differences}


def paired(rows: Sequence[Mapping[str, Any]], variants: Sequence[str]) -> list[dict[str, Any]]:
    """What each remedy changes, seed by seed, against few episodes and nothing done until the end.

    The same seed has the same episodes, the same first weights and the same batches, so that what
    the episodes happen to be cancels out. Stopping early is the same run at its lowest held-out loss.
    """
    seeds = sorted({row["seed"] for row in rows})
    looks = {
        (variant, seed): [row for row in rows if (row["variant"], row["seed"]) == (variant, seed)]
        for variant in variants for seed in seeds
    }  # fmt: skip

    def lowest(some: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        return min(some, key=lambda row: row["validation_loss"])

    remedies = {v: {s: looks[v, s][-1] for s in seeds} for v in variants if v != COMPARED}
    remedies["few, stopped early"] = {s: lowest(looks[COMPARED, s]) for s in seeds}
    changes = [
        {"remedy": name, "seed": seed}
        | {figure: told[seed][figure] - looks[COMPARED, seed][-1][figure] for figure in FIGURES}
        for name, told in remedies.items() for seed in seeds
    ]  # fmt: skip
    return [
        {"remedy": name, "seeds": len(seeds)}
        | _changes([c for c in changes if c["remedy"] == name])
        for name in remedies
    ]


def _changes(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
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
        for seed in sorted({row["seed"] for row in rows}):
            looks = [row for row in rows if (row["variant"], row["seed"]) == (variant, seed)]
            moments = {
                "end": looks[-1],
                "lowest held-out loss": min(looks, key=lambda row: row["validation_loss"]),
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


def _learn(report: Report, out: Path, variant: str, seed: int, size: Size) -> dict[str, Any]:
    """One driver, measured at every look; in a process of its own."""
    from redrive.models.dataset import Windows, WindowSettings
    from redrive.models.fit import evaluate
    from redrive.models.loss import LossSettings

    amount, changes = VARIANTS[variant]
    learner = runs.Learner(
        "mlp", steps=size.learning, window=4, validate_every=size.look_every, **changes
    )
    name = f"{variant.replace(' ', '-').replace(',', '')}-{seed}"

    def work() -> dict[str, Any]:
        held_out = runs.episodes_of([out / "data" / "held-out"])
        # Another seed learns from other few episodes.
        first = seed * size.few if amount == "few" else 0
        every = runs.episodes_of([out / "data" / "drives"])
        episodes = every[first : first + size.few] if amount == "few" else every
        sensors = list(runs.observed(learner).sensors)
        looked_at = WindowSettings(batch=32, steps=16, burn_in=0)
        known = Windows(episodes[:MEASURED], sensors, looked_at)
        unknown = Windows(held_out, sensors, looked_at)
        looks: list[dict[str, Any]] = []
        roads = runs.driven_world(runs.DRIVEN)  # its roads are made once, not at every look

        def look(policy: Policy, step: int) -> None:
            looks.append(
                {
                    "variant": variant,
                    "seed": seed,
                    "step": step,
                    "training_loss": evaluate(policy, known, LossSettings()).loss,
                    "validation_loss": evaluate(policy, unknown, LossSettings()).loss,
                    **runs.means(runs.drive_policy(policy, size.driven, world=roads)),
                }
            )

        runs.learn(
            learner, episodes, held_out, runs.fresh(out / "runs" / name), seed, report=report,
            look=look,
        )  # fmt: skip
        return {"looks": looks}

    return runs.once(out / "runs" / f"{name}.json", work)


def _plot(path: Path, table: Sequence[dict[str, Any]], variants: Sequence[str]) -> None:
    figure, axes = new_figure(3, (14.0, 4.2))
    titles = {
        "training_loss": "loss on drives it learns from",
        "validation_loss": "loss on held-out drives",
        "route_completion": "share of the route driven, closed loop",
    }
    for axis, (name, title) in zip(axes, titles.items(), strict=True):
        for variant, colour in zip(variants, COLOURS, strict=False):
            rows = [row for row in table if row["variant"] == variant]
            band(axis, [row["step"] for row in rows], rows, name, variant, colour)
        axis.set_title(title)
        axis.set_xlabel("steps of learning")
    for axis in axes[:2]:
        axis.set_yscale("log")
    means = [row[name] for row in table for name in ("training_loss", "validation_loss")]
    for axis in axes[:2]:  # one scale for both; the intervals may reach beyond it
        axis.set_ylim(0.5 * min(means), 2.0 * max(means))
    axes[2].set_ylim(0.0, 1.05)
    axes[2].legend(frameon=False, fontsize=9)
    save_figure(figure, path)
