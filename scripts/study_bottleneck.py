"""The study `bottleneck`: how many bits fit into a memory of so many numbers?

Bits are shown one by one, then some blank frames; at the end all of them must be said at once. A
recurrent network has to squeeze them into its hidden numbers. Attention keeps every frame, and reads
them again when asked: its limit is the window, not the width; but what it reads is summed up in a
vector of its width, too, so a very narrow one is not free either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from redrive import study_runs as runs
from redrive import terminal
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_bits import Task, Trial, learn_task
from redrive.study_plots import new_figure, save_figure

BLANK = 4  # frames between the last bit and the question
CORES = ("lstm", "attention")


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    bits: tuple[int, ...] = (1, 2, 4, 8)
    hidden: tuple[int, ...] = (2, 4, 8)
    steps: int = 400
    seeds: int = 2
    cores: tuple[str, ...] = CORES


QUICK = Size(bits=(1, 4), hidden=(2, 8), steps=30, seeds=2, cores=("lstm",))


def remember_bits(bits: int) -> Task:
    """Frames (T, 3): +1 or -1, whether a bit is shown, whether it is asked; and all bits at the end."""

    def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        shown = rng.integers(0, 2, (size, bits)).astype(np.float64)
        seen = np.zeros((size, bits + BLANK + 1, 3))
        seen[:, :bits, 0] = 2.0 * shown - 1.0
        seen[:, :bits, 1] = 1.0
        seen[:, -1, 2] = 1.0
        return seen, shown

    return Task(draw, inputs=3, bits=bits)


def core_settings(core: str, hidden: int, bits: int) -> Mapping[str, Any]:
    """What a core of a study is told: the width, and what lets it remember at all."""
    if core == "attention":
        return {"hidden": hidden, "heads": 1, "layers": 1, "window": bits + BLANK + 1,
                "position": "sinusoidal"}  # fmt: skip
    return {"hidden": hidden} | ({"forget_bias": "3"} if core == "lstm" else {})


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    size = QUICK if options.quick else Size()
    jobs = [
        Job(f"{core} {bits} bits {hidden} wide", 1, _learn,
            (options.out, core, bits, hidden, options.seed + seed, size))
        for core in size.cores for bits in size.bits for hidden in size.hidden
        for seed in range(size.seeds)
    ]  # fmt: skip
    rows = run_side_by_side("learning", jobs, options.processes or usable_cores())
    write_table(options.out / "runs.csv", rows)
    table = runs.over_seeds(rows, ("core", "bits", "hidden"), ("success", "bit"))
    write_table(options.out / "table.csv", table)
    _plot(options.out / "bottleneck.png", table, size)
    terminal.say("how many bits fit: means over seeds are in table.csv")
    write_page(
        options.out / "index.html",
        "How many bits fit into a memory of so many numbers?",
        f"{size.steps} steps of learning, {size.seeds} training seeds; no camera and no road: the "
        "memory alone. Table.csv has 95 % intervals.",
        [("bottleneck.png", "share of bits that are said right at the end; chance is 0.5")],
        f"redrive study bottleneck --out {options.out}" + " --quick" * options.quick,
    )
    return summarise(table)


def summarise(table: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Right bits by core, bits and width, and the most bits that each width keeps nearly perfectly."""
    right: dict[str, Any] = {}
    kept: dict[str, dict[str, int]] = {}
    for row in table:
        cell = {"mean": row["bit"], "low": row["bit_low"], "high": row["bit_high"]}
        core, width = row["core"], str(row["hidden"])
        right.setdefault(core, {}).setdefault(str(row["bits"]), {})[width] = cell
        most = kept.setdefault(core, {}).setdefault(width, 0)
        if row["bit"] >= 0.99:
            kept[core][width] = max(most, row["bits"])
    return {"right_bits": right, "bits_kept": kept}


def _learn(
    report: Report, out: Path, core: str, bits: int, hidden: int, seed: int, size: Size
) -> dict[str, Any]:
    """One memory; in a process of its own."""

    def work() -> dict[str, Any]:
        trial = Trial(core, core_settings(core, hidden, bits), steps=size.steps, seed=seed)
        learned = learn_task(trial, remember_bits(bits))
        told = {"core": core, "bits": bits, "hidden": hidden, "seed": seed}
        return {**told, "success": learned["whole"], "bit": learned["bit"]}

    found = runs.once(out / "runs" / f"{core}-{bits}-{hidden}-{seed}.json", work)
    report(1, "")
    return found


def _plot(path: Path, table: Sequence[Mapping[str, Any]], size: Size) -> None:
    figure, axes = new_figure(len(size.cores), (4.2 * len(size.cores), 3.8))
    for axis, core in zip(axes, size.cores, strict=True):
        cells = {(row["bits"], row["hidden"]): row["bit"] for row in table if row["core"] == core}
        picture = np.array([[cells[bits, hidden] for hidden in size.hidden] for bits in size.bits])
        axis.imshow(picture, cmap="viridis", vmin=0.5, vmax=1.0, origin="lower", aspect="auto")
        for (row, column), value in np.ndenumerate(picture):
            axis.text(column, row, f"{value:.2f}", ha="center", va="center",
                      color="black" if value > 0.8 else "white", fontsize=9)  # fmt: skip
        axis.set_xticks(range(len(size.hidden)), [str(value) for value in size.hidden])
        axis.set_yticks(range(len(size.bits)), [str(value) for value in size.bits])
        axis.set_xlabel("numbers in the hidden state")
        axis.set_title(core)
    axes[0].set_ylabel("bits to remember")
    save_figure(figure, path)
