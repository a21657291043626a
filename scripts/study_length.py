"""The study `length`: learned on T steps, run on 8 T; and what a step costs when sequences grow.

First, cores learn to keep the latest of signs that come at most `Size.longest` steps apart, in sequences
of T steps, and are asked in sequences of 8 T: nothing in the task grows, so what is lost there is lost
to the length alone. Second, the time of learning one sequence is measured against T for a loop over
cells, fused recurrences, attention and a scan, beside the number of steps that must wait for each other.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redrive import study_sequences as lessons
from redrive import terminal
from redrive.agents.statistics import mean_interval
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_plots import COLOURS, new_figure, save_figure
from redrive.study_runs import once

if TYPE_CHECKING:
    from torch import Tensor, nn

LONGER = 8  # times the length of learning
LOOP = "lstm, a loop over cells"  # what the others are timed against
PARTS = 16  # of the long sequence, in each of which the share of right answers is counted
CORES: Mapping[str, lessons.CoreChoice] = {
    "mlp, 16 frames": lessons.CoreChoice("mlp", {"frames": 16}),
    "rnn, orthogonal": lessons.CoreChoice("rnn"),
    "irnn": lessons.CoreChoice("irnn"),
    "gru": lessons.CoreChoice("gru"),
    "lstm": lessons.CoreChoice("lstm"),
    "mingru": lessons.CoreChoice("mingru"),
    "attention, rotary": lessons.CoreChoice("attention", {"window": 32}),
    "attention, sinusoidal": lessons.CoreChoice(
        "attention", {"window": 32, "position": "sinusoidal"}
    ),
    "attention, learned": lessons.CoreChoice("attention", {"window": 32, "position": "learned"}),
    "attention, none": lessons.CoreChoice("attention", {"window": 32, "position": "none"}),
}


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    steps: int = 32  # of a sequence, T
    longest: int = 16  # [steps] between signs, at most
    hidden: int = 64
    learning: int = 300
    seeds: int = 3
    asked: int = 256  # sequences
    timed: tuple[int, ...] = (16, 32, 64, 128, 256, 512, 1024)
    batch: int = 16  # of the timed sequences
    rounds: int = 9


QUICK = Size(learning=30, seeds=2, asked=32, timed=(16, 32), batch=4, rounds=3, hidden=16)


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    size = QUICK if options.quick else Size()
    seeds = range(options.seed * 100, options.seed * 100 + size.seeds)
    jobs = [
        Job(f"{core} {seed}", size.learning, _learn, (options.out, core, seed, size))
        for core in CORES for seed in seeds
    ]  # fmt: skip
    learned = run_side_by_side("learning", jobs, options.processes or usable_cores())
    table = [_line(core, [one for one in learned if one["core"] == core]) for core in CORES]
    terminal.say("measuring time, one thread")
    times = measure(size)
    write_table(options.out / "table.csv", table)
    write_table(options.out / "time.csv", times)
    _plot_right(options.out / "right.png", learned, size)
    _plot_time(options.out / "time.png", times, size)
    summary = {"steps": size.steps, "long": LONGER * size.steps, "cores": table, "time": times}
    lead = _lead(table, times, size)
    write_page(
        options.out / "index.html",
        "Longer than it learned",
        lead,
        [
            ("right.png", "Share of right answers along a sequence of 8 T; grey: as long as in learning"),
            ("time.png", ("Time of a forward and a backward pass, one thread, best of several; the same as "
             "a share of the loop's; and how many steps have to wait for each other")),
        ],
        f"redrive study length --out {options.out}" + " --quick" * options.quick,
    )  # fmt: skip
    terminal.say(lead)
    return summary


def _learn(report: Report, out: Path, name: str, seed: int, size: Size) -> dict[str, Any]:
    """One core; done once."""
    path = out / "runs" / f"{name.replace(' ', '-')}-{seed}.json"
    return once(path, lambda: learn(report, name, seed, size))


def learn(report: Report, name: str, seed: int, size: Size) -> dict[str, Any]:
    """One core: the share of right answers along a long sequence."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    core = lessons.make_core(CORES[name], size.hidden)
    learned = lessons.teach(
        core, lambda count, draw: lessons.latest_sign(count, size.steps, size.longest, draw),
        steps=size.learning, seed=seed, report=report, stop_at=0.999,
    )  # fmt: skip
    long = lessons.latest_sign(
        size.asked, LONGER * size.steps, size.longest, torch.Generator().manual_seed(30_000 + seed)
    )
    with torch.no_grad():
        said = lessons.answer(learned.core, learned.head, long.features)
    right = torch.sign(said) == torch.sign(long.label)
    along = [
        float(part[counts].float().mean())
        for part, counts in zip(
            right.chunk(PARTS, dim=1), long.counts.chunk(PARTS, dim=1), strict=True
        )
    ]
    inside = PARTS // LONGER
    return {
        "core": name, "seed": seed, "along": along,
        "right_within": sum(along[:inside]) / inside,
        "right_beyond": sum(along[inside:]) / (PARTS - inside),
        "right_at_the_end": sum(along[-inside:]) / inside,
    }  # fmt: skip


def _line(core: str, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    line: dict[str, Any] = {"core": core, "seeds": len(runs)}
    for figure in ("right_within", "right_beyond", "right_at_the_end"):
        found = mean_interval([run[figure] for run in runs])
        line |= {
            figure: found.mean,
            f"{figure}_low": max(found.low, 0.0),
            f"{figure}_high": min(found.high, 1.0),
        }
    return line


Work = Callable[[Any], Any]


def timed_cores(size: Size, steps: int) -> dict[str, tuple[Work, int]]:
    """What is timed on sequences of `steps`, and how many of them have to wait for each other."""
    import torch

    torch.manual_seed(0)

    def core(policy: str, **settings: Any) -> nn.Module:
        return lessons.make_core(lessons.CoreChoice(policy, settings), size.hidden)

    def whole(module: Any) -> Work:
        def work(features: Tensor) -> Tensor:
            first = torch.zeros(features.shape[:2], dtype=torch.bool)
            first[:, 0] = True
            output: Tensor = module(features, module.initial_state(len(features)), first)[0]
            return output

        return work

    def looped(module: Any) -> Work:
        def work(features: Tensor) -> Tensor:
            state, outputs = module.initial_state(len(features)), []
            for now in features.unbind(1):
                output, state = module.step(now, state)
                outputs.append(output)
            return torch.stack(outputs, dim=1)

        return work

    lstm = core("lstm")
    return {
        LOOP: (looped(lstm), steps),
        "lstm, fused": (whole(lstm), steps),
        "gru, fused": (whole(core("gru")), steps),
        "rnn, fused": (whole(core("rnn")), steps),
        "mingru, scan, 2 layers": (whole(core("mingru")), 2 * math.ceil(math.log2(steps))),
        "attention, 2 layers, all steps": (whole(core("attention", window=steps)), 2),
    }  # fmt: skip


def measure(size: Size) -> list[dict[str, Any]]:
    """Milliseconds of a forward and a backward pass: best of several rounds, taken in turns.

    They are the processor's: with one thread those of the clock, on a machine of one's own. As a
    share of the loop's (`share_of_loop`) they differ less from machine to machine.
    """
    import torch

    torch.set_num_threads(1)
    best: dict[tuple[str, int], float] = {}
    waiting: dict[tuple[str, int], int] = {}
    for steps in size.timed:
        features = torch.randn(size.batch, steps, lessons.FEATURES)
        works = timed_cores(size, steps)
        waiting |= {(name, steps): depth for name, (_, depth) in works.items()}
        for _ in range(size.rounds):
            for name, (work, _) in works.items():
                start = time.process_time()
                work(features).square().mean().backward()
                took = time.process_time() - start
                best[name, steps] = min(best.get((name, steps), math.inf), took)
    return [
        {
            "core": name, "steps": steps, "batch": size.batch,
            "milliseconds": 1e3 * best[name, steps],
            "share_of_loop": best[name, steps] / best[LOOP, steps],
            "waiting_steps": waiting[name, steps],
        }
        for name in works for steps in size.timed
    ]  # fmt: skip


def _lead(
    table: Sequence[Mapping[str, Any]], times: Sequence[Mapping[str, Any]], size: Size
) -> str:
    kept = [row["core"] for row in table if row["right_at_the_end"] > 0.99]
    lost = [
        f"{row['core']} ({row['right_within']:.2f} within, {row['right_at_the_end']:.2f} at the end)"
        for row in table if row["right_at_the_end"] <= 0.99
    ]  # fmt: skip
    last = {row["core"]: row["share_of_loop"] for row in times if row["steps"] == max(size.timed)}
    order = ", ".join(
        f"{name} {share:.2f}" for name, share in sorted(last.items(), key=lambda i: i[1])
    )
    return (
        f"Learned on {size.steps} steps, asked at {LONGER * size.steps}: still right at the end are "
        f"{', '.join(kept) or 'none'}; not so {'; '.join(lost) or 'none'}. "
        f"{size.batch} sequences of {max(size.timed)} steps, forward and back, against the loop over "
        f"cells: {order}."
    )


def _plot_right(path: Path, learned: Sequence[Mapping[str, Any]], size: Size) -> None:
    import numpy as np

    figure, (axis,) = new_figure(1, (8.5, 5.0))
    places = (np.arange(PARTS) + 0.5) * LONGER * size.steps / PARTS
    for i, core in enumerate(CORES):
        along = np.array([one["along"] for one in learned if one["core"] == core])
        spread = [mean_interval(column) for column in along.T]
        style = "--" if core.startswith("attention") else "-"
        axis.plot(places, along.mean(axis=0), style, color=f"C{i}", label=core)
        axis.fill_between(
            places, [max(s.low, 0) for s in spread], [min(s.high, 1) for s in spread],
            color=f"C{i}", alpha=0.1, linewidth=0,
        )  # fmt: skip
    axis.axvspan(0, size.steps, color="#dddddd", zorder=0)
    axis.set_xlabel("step of the sequence")
    axis.set_ylabel("share of right answers")
    axis.legend(frameon=False, fontsize=8)
    save_figure(figure, path)


def _plot_time(path: Path, times: Sequence[Mapping[str, Any]], size: Size) -> None:
    figure, axes = new_figure(3, (15.0, 4.5))
    names = list(dict.fromkeys(row["core"] for row in times))
    labels = {
        "milliseconds": "milliseconds of the processor",
        "share_of_loop": "time, as a share of the loop's",
        "waiting_steps": "steps that wait for each other",
    }
    for name, colour in zip(names, COLOURS, strict=False):
        rows = [row for row in times if row["core"] == name]
        for axis, figure_name in zip(axes, labels, strict=True):
            axis.plot(
                size.timed, [row[figure_name] for row in rows], "-o", color=colour, label=name,
                markersize=4,
            )  # fmt: skip
    for axis, label in zip(axes, labels.values(), strict=True):
        axis.set_xscale("log", base=2)
        axis.set_yscale("log")
        axis.set_xlabel("T, steps of a sequence")
        axis.set_ylabel(label)
    ticks = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
    axes[1].set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[1].minorticks_off()
    axes[0].legend(frameon=False, fontsize=8)
    save_figure(figure, path)
