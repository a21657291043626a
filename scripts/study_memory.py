"""The study `memory`: for how long does each kind of memory remember a sign, in closed loop?

A board shows left or right for 0.3 s; D steps later the road forks. The delay is fixed, so that
nothing shorter helps to learn it. Every driver has the same eyes; only the memory differs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redrive.memory_lab import (
    CORES,
    FORK_WEIGHT,
    LEARNED_ROADS,
    TEST_ROADS,
    Core,
    demonstrate,
    judge,
    learn_core,
    make_eyes,
    observed,
    recall_world,
    with_eyes,
)
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_runs import once, success_interval

if TYPE_CHECKING:
    from redrive.models.sequence import SequencePolicy

SOLVED = 0.9  # success from which a delay counts as solved ...
SOLVED_SEEDS = 2.0 / 3.0  # ... in so many of the seeds
HOPELESS = 0.7  # a seed that is below this at a delay is not tried at longer ones
MEMORYLESS = ("perceptron", "mlp", "mlp-stack8")  # cheap: tried at every delay
ORACLE = "oracle (told at the fork)"


@dataclass(frozen=True)
class Plan:
    """How large the study is."""

    delays: tuple[int, ...]
    seeds: int
    cores: tuple[str, ...]
    drives: int  # demonstrations of each delay
    eyes: tuple[int, int]  # steps in which the encoder learns, and frames in each
    eyes_drives: int
    share: float  # of the steps of learning
    episodes: int  # in closed loop, for each delay and seed


FULL = Plan((4, 16, 64, 256), 3, ("perceptron", *CORES, ORACLE), 384, (500, 128), 192, 1.0, 64)
QUICK = Plan((4, 16), 1, ("mlp", "rnn-default", "lstm-chrono"), 96, (400, 64), 128, 0.25, 16)


def steps_of(core: str, share: float) -> int:
    """Of learning: attention and minGRU need fewer, and theirs are longer."""
    steps = {"attention": 500, "mingru": 1000}.get(core, 2000)
    return max(10, round(share * steps))


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    plan = QUICK if options.quick else FULL
    _make_eyes_once(options.out, plan)
    size = len(plan.delays) * len(plan.cores)
    seeds = range(options.seed, options.seed + plan.seeds)
    jobs = [Job(f"seed {seed}", size, one_seed, (options.out, plan, seed)) for seed in seeds]
    processes = min(options.processes or usable_cores(), plan.seeds)
    found = run_side_by_side("remembering", jobs, processes)
    return _write(options, plan, [row for rows in found for row in rows])


def _make_eyes_once(folder: Path, plan: Plan) -> None:
    """One encoder for all seeds: they would each make it."""
    if any(core != "perceptron" for core in plan.cores):
        Lab(folder, plan, 0).eyes()


def _write(options: StudyOptions, plan: Plan, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Tables, plots and page of what was found; the summary."""
    table = summarise(rows)
    write_table(options.out / "table.csv", table)
    write_table(options.out / "runs.csv", rows)
    summary = {
        "success": {
            core: {
                str(row["delay"]): {name: row[name] for name in ("mean", "low", "high")}
                for row in table
                if row["core"] == core
            }
            for core in plan.cores
        },
        "solvable_delay": {core: solvable_delay(rows, core) for core in plan.cores},
        "seeds": len({row["seed"] for row in rows}),
        "episodes": plan.episodes,
        "quick": options.quick,
    }
    _plot(options.out / "success.png", table, plan)
    _show_frames(options.out / "frames.png")
    write_page(
        options.out / "index.html",
        "For how long is a sign remembered?",
        "Success in closed loop against the delay between a sign and the fork it is about, for "
        f"{summary['seeds']} training seeds with {plan.episodes} episodes each.",
        [
            ("success.png", "success against delay; grey: a guess"),
            ("frames.png", "one drive: the sign, the corridor, the fork"),
        ],
        f"redrive study memory --out {options.out}" + " --quick" * options.quick,
    )
    return summary


def one_seed(report: Report, folder: Path, plan: Plan, seed: int) -> list[dict[str, Any]]:
    """Every core with one seed, delay after delay: what was found."""
    lab = Lab(folder, plan, seed)
    lost: set[str] = set()
    rows: list[dict[str, Any]] = []
    for delay in plan.delays:
        for core in plan.cores:
            report(0, f"{core}, delay {delay}")
            if core not in lost:
                found = lab.run(core, delay)
                rows.append({"core": core, "delay": delay, "seed": seed, **found})
                if found["success"] < HOPELESS and core not in MEMORYLESS:
                    lost.add(core)
            report(1, "")
        lab.forget(delay)
    return rows


class Lab:
    """What is needed for one seed, made when it is first needed and kept on the disk where it is small."""

    def __init__(self, folder: Path, plan: Plan, seed: int) -> None:
        self.folder, self.plan, self.seed = folder, plan, seed
        self._eyes: SequencePolicy | None = None
        self._drives: dict[int, list[Any]] = {}
        self._encoded: dict[tuple[int, bool], list[Any]] = {}

    def run(self, core: str, delay: int) -> dict[str, Any]:
        """How a core does at a delay; done once."""
        path = self.folder / "found" / f"{core.split()[0]}-{delay}-{self.seed}.json"
        return once(path, lambda: self._run(core, delay))

    def forget(self, delay: int) -> None:
        """Drives of a delay are needed no more."""
        self._drives.pop(delay, None)
        self._encoded.pop((delay, False), None)
        self._encoded.pop((delay, True), None)

    def _run(self, core: str, delay: int) -> dict[str, Any]:
        from redrive.agents.learned import LearnedDriver

        run = self.folder / "runs" / f"{core.split()[0]}-{delay}-{self.seed}"
        told = core == ORACLE
        if core == "perceptron":
            policy: Any = self._perceptron()
        else:
            kind = Core("oracle", "mlp", {}) if told else CORES[core]
            policy = learn_core(
                kind, delay, self.eyes(told), self.encoded(delay, told), run, self.seed,
                steps_of(core, self.plan.share), balance=FORK_WEIGHT,
            )  # fmt: skip
        world = recall_world(delay, TEST_ROADS, told=told)
        return judge(world, LearnedDriver(policy), self.plan.episodes)

    def eyes(self, told: bool = False) -> SequencePolicy:
        """The encoder, in a policy without a memory; for those who are told the route, too."""
        if self._eyes is None:
            self._eyes = self._make_eyes()
        if not told:
            return self._eyes
        return with_eyes(observed(recall_world(4, LEARNED_ROADS, told=True)), self._eyes)

    def _make_eyes(self) -> SequencePolicy:
        from redrive.models.checkpoint import DESCRIPTION, load_policy, save_policy

        run = self.folder / "runs" / "eyes"  # one pair for all seeds: only memories differ
        if not (run / DESCRIPTION).is_file():
            world = recall_world("4+16", LEARNED_ROADS)
            drives = demonstrate(world, self.plan.eyes_drives, 500_000)
            policy, score = make_eyes(world, drives, *self.plan.eyes, 0, lambda steps: None)
            save_policy(run, policy, score)
        loaded: Any = load_policy(run)
        return loaded

    def drives(self, delay: int) -> list[Any]:
        """Demonstrations of a delay; those who are told the route learn from the same."""
        if delay not in self._drives:
            world = recall_world(delay, LEARNED_ROADS, told=True)
            seed = 1_000_000 * (self.seed + 1) + 10_000
            self._drives[delay] = demonstrate(world, self.plan.drives, seed)
        return self._drives[delay]

    def encoded(self, delay: int, told: bool) -> list[Any]:
        """The same, as the encoder sees them."""
        from redrive.models.two_stage import encode_episodes

        if (delay, told) not in self._encoded:
            self._encoded[delay, told] = encode_episodes(self.eyes(told), self.drives(delay))
        return self._encoded[delay, told]

    def _perceptron(self) -> Any:
        """One neuron per output, straight from the pixels; without a memory one delay is like another."""
        from redrive.models.checkpoint import DESCRIPTION, load_policy
        from redrive.models.dataset import Windows, WindowSettings
        from redrive.models.fit import FitSettings, fit
        from redrive.models.registry import make_policy

        run = self.folder / "runs" / f"perceptron-{self.seed}"
        if not (run / DESCRIPTION).is_file():
            world = recall_world(self.plan.delays[0], LEARNED_ROADS)
            drives = self.drives(self.plan.delays[0])
            spec = observed(world)
            settings = WindowSettings(batch=256, steps=1, burn_in=0)
            held_out = max(2, len(drives) // 10)
            steps = max(10, round(600 * self.plan.share))
            fit(
                make_policy("perceptron", spec, command_scale=(0.02, 0.5), seed=self.seed),
                Windows(drives[held_out:], list(spec.sensors), settings, seed=self.seed),
                Windows(drives[:held_out], list(spec.sensors), settings, seed=self.seed),
                FitSettings(steps=steps, validate_every=steps, save_every=steps, seed=self.seed),
                run,
            )
        return load_policy(run)


def summarise(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each core and delay: mean success with its 95 % interval, over seeds and episodes."""
    table = []
    for core, delay in dict.fromkeys((row["core"], row["delay"]) for row in rows):
        some = [row for row in rows if (row["core"], row["delay"]) == (core, delay)]
        rates = [float(row["success"]) for row in some]
        mean, low, high = success_interval(rates, [int(row["episodes"]) for row in some])
        correct = sum(float(row["decision_correct"]) for row in some) / len(some)
        table.append(
            {
                "core": core, "delay": delay, "seeds": len(some), "mean": mean, "low": low,
                "high": high, "worst": min(rates), "best": max(rates), "decision_correct": correct,
            }
        )  # fmt: skip
    return table


def solvable_delay(rows: Sequence[Mapping[str, Any]], core: str) -> int:
    """The longest delay that is solved in two thirds of the seeds; 0: none."""
    longest = 0
    for delay in {row["delay"] for row in rows}:
        some = [row["success"] for row in rows if (row["core"], row["delay"]) == (core, delay)]
        solved = sum(success >= SOLVED for success in some)
        if some and solved >= math.ceil(SOLVED_SEEDS * len(some)):
            longest = max(longest, delay)
    return longest


def _plot(path: Path, table: Sequence[Mapping[str, Any]], plan: Plan) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    groups = (
        ("without a memory, with a stack, and told", ("perceptron", "mlp", "mlp-stack8", ORACLE)),
        ("plain recurrence", ("rnn-default", "rnn-orthogonal", "irnn")),
        ("gates", ("gru", "lstm-bias0", "lstm-bias1", "lstm-bias3", "lstm-chrono", "mingru")),
        ("attention", ("attention",)),
    )
    shown = [(title, [c for c in cores if c in plan.cores]) for title, cores in groups]
    shown = [(title, cores) for title, cores in shown if cores]
    figure, axes = plt.subplots(
        1, len(shown), figsize=(4.3 * len(shown), 4.2), sharey=True, layout="constrained",
        squeeze=False,
    )  # fmt: skip
    marks = "osD^vP"
    for axis, (title, cores) in zip(axes[0], shown, strict=True):
        axis.axhline(0.5, color="0.7", linewidth=6, zorder=0)
        for k, core in enumerate(cores):
            some = [row for row in table if row["core"] == core]
            at = [row["delay"] * 1.03 ** (k - 0.5 * len(cores)) for row in some]
            mean = [row["mean"] for row in some]
            spread = [
                [row["mean"] - row["low"] for row in some],
                [row["high"] - row["mean"] for row in some],
            ]
            axis.errorbar(at, mean, spread, marker=marks[k], capsize=2, label=core)
        axis.set_xscale("log", base=2)
        axis.set_xticks(plan.delays, [str(delay) for delay in plan.delays])
        axis.minorticks_off()
        axis.set_xlim(plan.delays[0] / 1.4, plan.delays[-1] * 1.4)
        axis.set_ylim(-0.03, 1.03)
        axis.set_title(title)
        axis.set_xlabel("delay [steps of 0.1 s]")
        axis.legend(loc="lower left", bbox_to_anchor=(0.0, 0.06), fontsize=7, framealpha=0.8)
    axes[0][0].set_ylabel("success, closed loop")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _show_frames(path: Path) -> None:
    """What is seen on the way: for people."""
    import cv2
    import numpy as np

    from redrive.sim.guidance import guide

    world = recall_world(16, TEST_ROADS)
    state = world.reset(np.array([3, 4]))
    camera = world.sensors["camera"].scaled(3)  # type: ignore[union-attr]
    pictures = []
    for step in range(36):
        if step in (0, 8, 18, 24, 32):
            gap = ((0, 6), (0, 6), (0, 0))
            shown = [np.pad(p, gap, constant_values=255) for p in world.draw(state, camera)]
            pictures.append(np.concatenate(shown, axis=0))
        state = world.step(state, guide(world.lane_view(state)))
    cv2.imwrite(str(path), np.concatenate(pictures, axis=1)[..., ::-1])
