"""The study `gradients`: how far back a mistake is felt, before and after learning, and what explodes.

For every core: the length of d loss(T) / d input(T - k) by lag k, new and after it has tried to learn
what a sign said `Size.delay` steps before the fork. Then the same for networks whose recurrent weights
are too large, learned with and without clipping.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redrive import study_sequences as lessons
from redrive import terminal
from redrive.agents.statistics import mean_interval
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_plots import new_figure, save_figure
from redrive.study_runs import once

ENORMOUS = 1e30  # stands for a loss that is no number: JSON has none
FLOOR = 1e-30  # lengths below it are drawn at it
GAINS = (1.0, 1.1, 1.2)  # of the recurrent weights of rectifiers
CLIPS: tuple[float | None, ...] = (1.0, None)
RATE = 0.02  # of plain SGD, which follows the length of a gradient; AdamW would divide by it
STYLES = {"rnn": ":", "irnn": "-", "gru": "-.", "lstm": "-", "mingru": "--", "attention": "--"}


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    delay: int = 64  # [steps] between sign and fork
    lags: int = 257
    hidden: int = 64
    learning: int = 200  # steps at most
    seeds: int = 3
    sequences: int = 8  # over which a gradient's length is averaged
    explosion_steps: int = 80
    cores: tuple[str, ...] = tuple(lessons.CORES)


QUICK = Size(delay=8, lags=33, hidden=16, learning=100, seeds=2, sequences=8, explosion_steps=20)


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    size = QUICK if options.quick else Size()
    seeds = range(options.seed * 100, options.seed * 100 + size.seeds)
    jobs = [
        Job(f"{core} {seed}", size.learning, _by_lag, (options.out, core, seed, size))
        for core in size.cores for seed in seeds
    ]  # fmt: skip
    jobs += [
        Job(f"gain {gain} {seed}", size.explosion_steps, _explode, (options.out, gain, clip, seed, size))
        for gain in GAINS for clip in CLIPS for seed in seeds
    ]  # fmt: skip
    done = run_side_by_side("learning", jobs, options.processes or usable_cores())
    found = [one for one in done if "lengths" in one]
    exploded = [one for one in done if "gain" in one]
    lags = _shown_lags(size)
    table = [
        _line(core, when, lag, [one["lengths"][when] for one in found if one["core"] == core])
        for core in size.cores for when in ("new", "learned") for lag in lags
    ]  # fmt: skip
    write_table(options.out / "table.csv", table)
    write_table(options.out / "runs.csv", [_run(one) for one in found])
    clipping = _clipping(exploded)
    write_table(options.out / "clipping.csv", clipping)
    _plot_lags(options.out / "lags.png", found, size)
    _plot_clipping(options.out / "clipping.png", exploded)
    summary = _summary(found, table, clipping, size)
    command = f"redrive study gradients --out {options.out}" + " --quick" * options.quick
    write_page(
        options.out / "index.html",
        "How far back a mistake is felt",
        _lead(summary, size),
        [
            ("lags.png", ("Length of the gradient at an input so many steps back, as a share of that "
             "at the present one, new and after learning; bands are 95 % over seeds (floor 1e-30)")),
            ("clipping.png", ("Rectifiers whose recurrent weights are a multiple of the identity, "
             "learned by SGD: the longest gradient of each run, and the loss at its end")),
        ],
        command,
    )  # fmt: skip
    terminal.say(_lead(summary, size))
    return summary


def _by_lag(report: Report, out: Path, name: str, seed: int, size: Size) -> dict[str, Any]:
    """One core: lengths by lag when it is new, and after it tried to learn; done once."""
    path = out / "runs" / f"{name.replace(' ', '-')}-{seed}.json"
    return once(path, lambda: by_lag(report, name, seed, size))


def by_lag(report: Report, name: str, seed: int, size: Size) -> dict[str, Any]:
    """One core: lengths by lag when it is new, and after it tried to learn."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    core = lessons.make_core(lessons.CORES[name], size.hidden)
    head = torch.nn.Linear(core.size, 1)
    generator = torch.Generator().manual_seed(20_000 + seed)
    delay = size.lags - lessons.SHOWN - lessons.DECIDING
    seen = lessons.recall(size.sequences, delay, generator)
    lengths = {"new": lessons.gradient_by_lag(core, head, seen, size.lags)}
    learned = lessons.teach(
        core, lambda count, draw: lessons.recall(count, size.delay, draw),
        steps=size.learning, seed=seed, report=report,
    )  # fmt: skip
    lengths["learned"] = lessons.gradient_by_lag(learned.core, learned.head, seen, size.lags)
    return {
        "core": name,
        "seed": seed,
        "lengths": lengths,
        "right": learned.right,
        "steps_to_learn": learned.steps_to_learn,
    }


def _explode(
    report: Report, out: Path, gain: float, clip: float | None, seed: int, size: Size
) -> dict[str, Any]:
    """One run with too large weights; done once."""
    path = out / "runs" / f"gain-{gain}-clip-{clip}-{seed}.json"
    return once(path, lambda: explode(report, gain, clip, seed, size))


def explode(
    report: Report, gain: float, clip: float | None, seed: int, size: Size
) -> dict[str, Any]:
    """Rectifiers that begin too large, learned by plain SGD with momentum."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    core = lessons.make_core(lessons.CoreChoice("irnn", {"input_scale": 0.01}), size.hidden)
    with torch.no_grad():
        for key, weight in core.named_parameters():
            if "weight_hh" in key:
                weight.mul_(gain)
    learned = lessons.teach(
        core, lambda count, draw: lessons.recall(count, size.delay, draw),
        steps=size.explosion_steps, seed=seed, clip=clip, learning_rate=RATE, optimizer="sgd",
        report=report,
    )  # fmt: skip
    return {
        "gain": gain,
        "clip": clip,
        "seed": seed,
        "norms": learned.norms,
        "losses": [loss if math.isfinite(loss) else ENORMOUS for loss in learned.losses],
        "right": learned.right,
        "diverged": learned.diverged or not learned.losses[-1] < 2.0 * learned.losses[0],
    }


def _shown_lags(size: Size) -> list[int]:
    """0 and the powers of two."""
    return [0, *(2**i for i in range(20) if 2**i < size.lags)]


def _line(core: str, when: str, lag: int, lengths: Sequence[Sequence[float]]) -> dict[str, Any]:
    """A row of the table: powers of ten, and their interval over seeds."""
    found = mean_interval([_power(one[lag] / one[0]) for one in lengths])
    return {
        "core": core, "when": when, "lag": lag, "log10_length": found.mean,
        "log10_length_low": found.low, "log10_length_high": found.high, "seeds": len(lengths),
    }  # fmt: skip


def _power(value: float) -> float:
    return math.log10(max(value, FLOOR))


def _run(one: Mapping[str, Any]) -> dict[str, Any]:
    steps = one["steps_to_learn"]
    return {
        "core": one["core"], "seed": one["seed"], "right": one["right"],
        "steps_to_learn": "never" if steps is None else steps,
    }  # fmt: skip


def _clipping(exploded: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row for each gain, with and without clipping."""
    rows = []
    for gain in GAINS:
        for clip in CLIPS:
            runs = [one for one in exploded if (one["gain"], one["clip"]) == (gain, clip)]
            longest = mean_interval([_power(max(one["norms"], default=FLOOR)) for one in runs])
            ends = sorted(one["losses"][-1] for one in runs)
            rows.append(
                {
                    "gain": gain, "clip": "none" if clip is None else clip, "seeds": len(runs),
                    "diverged": sum(one["diverged"] for one in runs),
                    "learned": sum(one["right"] > 0.99 for one in runs),
                    "longest_log10": longest.mean, "longest_log10_low": longest.low,
                    "longest_log10_high": longest.high, "median_last_loss": ends[len(ends) // 2],
                }
            )  # fmt: skip
    return rows


def _summary(
    found: Sequence[Mapping[str, Any]],
    table: Sequence[Mapping[str, Any]],
    clipping: Sequence[Mapping[str, Any]],
    size: Size,
) -> dict[str, Any]:
    lag = max(lag for lag in _shown_lags(size) if lag <= size.delay)
    at_delay = {(row["core"], row["when"]): row for row in table if row["lag"] == lag}
    cores = {}
    for core in size.cores:
        runs = [one for one in found if one["core"] == core]
        cores[core] = {
            "learned": sum(one["right"] > 0.99 for one in runs),
            "seeds": len(runs),
            "log10_length_new": at_delay[core, "new"]["log10_length"],
            "log10_length_learned": at_delay[core, "learned"]["log10_length"],
        }
    return {"delay": size.delay, "lag": lag, "cores": cores, "clipping": list(clipping)}


def _lead(summary: Mapping[str, Any], size: Size) -> str:
    cores = summary["cores"]
    able = [name for name, one in cores.items() if one["learned"] == one["seeds"]]
    unable = [name for name, one in cores.items() if one["learned"] == 0]
    free = [row for row in summary["clipping"] if row["clip"] == "none"]
    held = [row for row in summary["clipping"] if row["clip"] != "none"]
    return (
        f"A sign {size.delay} steps before the fork. Learned with every seed by: "
        f"{', '.join(able) or 'none'}. With none: {', '.join(unable) or 'none'}. Of "
        f"{sum(row['seeds'] for row in free)} runs of too large rectifiers "
        f"{sum(row['diverged'] for row in free)} diverged without clipping, "
        f"{sum(row['diverged'] for row in held)} with it."
    )


def _plot_lags(path: Path, found: Sequence[Mapping[str, Any]], size: Size) -> None:
    import numpy as np

    figure, axes = new_figure(2, (13.0, 6.0))
    for axis, when, title in zip(
        axes, ("new", "learned"), ("before learning", "after learning"), strict=True
    ):
        for i, core in enumerate(size.cores):
            logs = np.log10(
                np.maximum(
                    [np.array(o["lengths"][when]) / o["lengths"][when][0]
                     for o in found if o["core"] == core],
                    FLOOR,
                )
            )  # fmt: skip
            middle = logs.mean(axis=0)
            spread = [mean_interval(column) for column in logs.T]
            colour = f"C{i}"
            style = STYLES[lessons.CORES[core].policy]
            axis.plot(middle, style, color=colour, label=core)
            axis.fill_between(
                range(logs.shape[1]), [s.low for s in spread], [s.high for s in spread],
                color=colour, alpha=0.12, linewidth=0,
            )  # fmt: skip
        axis.axvline(size.delay, color="#999999", linewidth=0.8)
        axis.set_title(title)
        axis.set_xlabel("lag k [steps]; the line: where the sign was in learning")
        axis.set_ylim(-31, 12)
    axes[0].set_ylabel("log10 of |d loss(T) / d input(T-k)|, lag 0 = 0")
    axes[1].legend(frameon=False, fontsize=8)
    save_figure(figure, path)


def _plot_clipping(path: Path, exploded: Sequence[Mapping[str, Any]]) -> None:
    figure, axes = new_figure(2, (11.0, 4.5))
    for clip, colour, label in ((None, "#d55e00", "not clipped"), (1.0, "#0072b2", "clipped at 1")):
        runs = [one for one in exploded if one["clip"] == clip]
        shift = 0.004 if clip is None else -0.004
        places = [one["gain"] + shift for one in runs]
        axes[0].scatter(
            places, [10.0 ** _power(max(one["norms"], default=FLOOR)) for one in runs],
            color=colour, label=label, alpha=0.7,
        )  # fmt: skip
        axes[1].scatter(
            places, [min(one["losses"][-1], 1e12) for one in runs], color=colour, alpha=0.7
        )
    for axis, title in zip(
        axes, ("longest gradient, before clipping", "loss at the end"), strict=True
    ):
        axis.set_yscale("log")
        axis.set_xlabel("gain: the recurrent weights begin as so many times the identity")
        axis.set_title(title)
    axes[0].legend(frameon=False)
    save_figure(figure, path)
