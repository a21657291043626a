"""The study `real-footage`: view synthesis against the log, on a real drive, in closed loop.

Drivers learn from the first three quarters of a recorded drive, either from its frames as they are
(`log`) or from views beside its path as well (`view-synthesis`). They are judged by the suite
`trace` inside the last quarter, which neither has seen: they start beside the path and askew.
There is no true picture of what they see then, so the judge's pictures are synthesized, too; what
that is worth is what the study `synthesis` says of the same recording.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from redrive.agents.demonstrations import demonstration_task, record, recording_header
from redrive.agents.evaluation import evaluate, suite_world
from redrive.agents.expert import Expert
from redrive.agents.offsets import Offsets
from redrive.agents.statistics import mean_interval
from redrive.agents.suites import SUITES
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.sim.any_world import open_world, trace_sensors
from redrive.sim.recording import Recording
from redrive.sim.recording_header import HEADER_FILE
from redrive.sim.recording_writer import RecordingWriter
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_regimes import learn_and_judge, run_name

REGIMES = ("log", "view-synthesis")
POLICIES = ("mlp", "lstm")
LEARNED = 0.75  # share of the drive
DT = 0.1  # [s]
STEPS = 100  # of a demonstration
# A little wider than the suite's 1 m and 3 degrees: a car that is put there still moves outwards.
OFFSETS = Offsets(lateral=1.2, yaw=float(np.deg2rad(4.0)), every=(1.5, 3.0))
FIGURES = ("success", "lateral_mae_m", "final_offset_m")


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    passes: int = 40  # over the drive, of each regime
    steps: int = 400  # of learning, 512 pictures each
    training_seeds: int = 3
    episodes: int = 48  # 4 of each offset and angle


QUICK = Size(passes=6, steps=30, training_seeds=2, episodes=12)


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary. What is there already is not done again."""
    if options.recording is None:
        raise ValueError("real-footage is about a recording: --recording REC (redrive import)")
    size = QUICK if options.quick else Size()
    out, recording = options.out, options.recording
    seen, unseen = parts_of(recording)
    processes = options.processes or usable_cores()
    run_side_by_side(
        "recording",
        [
            Job(regime, size.passes, _record, (out / f"data-{regime}", regime, seen, size.passes))
            for regime in REGIMES
        ],
        processes,
    )
    jobs = [
        Job(run_name(regime, policy, seed), size.steps, _learn_and_drive,
            (out, regime, policy, seed, size, seen, unseen))
        for seed in range(size.training_seeds) for policy in POLICIES for regime in REGIMES
    ]  # fmt: skip
    rows = run_side_by_side("learning", jobs, processes)
    write_table(out / "table.csv", rows)
    expert = _drive(Expert(), unseen, seen, size.episodes)
    found = {**summarise(rows), "expert": expert, "learned_from": seen, "judged_in": unseen}
    _plot(out / "regimes.png", found)
    write_page(
        out / "index.html",
        "View synthesis on a real drive",
        f"Learned from {seen}, driven in {unseen}, which no driver has seen. Each bar is the mean "
        f"over {len(POLICIES)} policies and {size.training_seeds} training seeds, with 95 % "
        "intervals.",
        [("regimes.png", "recovery from an offset start, and how far from the path")],
        f"redrive study real-footage --recording {recording} --out {out}"
        + " --quick" * options.quick,
    )
    return found


def parts_of(recording: Path) -> tuple[str, str]:
    """The worlds to learn from and to be judged in: the first and the last frames of each drive."""
    frames = max(episode.steps for episode in Recording.open(recording))
    border = round(LEARNED * frames)
    return f"{recording}:0-{border}", f"{recording}:{border}-{frames}"


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over training runs with 95 % intervals, by figure and regime: overall and by policy."""

    def over(some: list[dict[str, Any]], figure: str) -> dict[str, Any]:
        found = {}
        for regime in REGIMES:
            values = [row[figure] for row in some if row["regime"] == regime]
            mean, low, high = mean_interval(values)
            found[regime] = {"mean": mean, "low": low, "high": high, "runs": len(values)}
        return found

    names = {"success": "recovery"}
    whole: dict[str, Any] = {names.get(f, f): over(rows, f) for f in FIGURES}
    whole["per_policy"] = {
        policy: {
            names.get(f, f): over([r for r in rows if r["policy"] == policy], f) for f in FIGURES
        }
        for policy in POLICIES
    }
    return whole


def _record(report: Report, folder: Path, regime: str, seen: str, passes: int) -> None:
    """The demonstrations of a regime, inside the part that is learned from."""
    started = (folder / HEADER_FILE).is_file()
    done = len(Recording.open(folder)) if started else 0
    report(done, "")
    if done >= passes:
        return
    world = open_world(seen, task=demonstration_task(regime, STEPS, DT, OFFSETS), dt=DT)
    with RecordingWriter(folder, recording_header(world), append=started) as writer:
        record(
            world, Expert(), writer, np.arange(done, passes),
            {"driver": "expert", "regime": regime},
            on_episode=lambda steps: report(1, ""),
            offsets=OFFSETS if regime == "view-synthesis" else None,
        )  # fmt: skip


def _learn_and_drive(
    report: Report, out: Path, regime: str, policy: str, seed: int, size: Size,
    seen: str, unseen: str,
) -> dict[str, Any]:  # fmt: skip
    """Train one driver and judge it; in a process of its own."""
    from redrive.agents.learned import LearnedDriver

    def judge(folder: Path) -> dict[str, float]:
        world = suite_world(SUITES["trace"], trace_sensors(seen), unseen, DT)
        return _drive(LearnedDriver.load(folder, world), unseen, seen, size.episodes)

    judging = {"judged_in": unseen, "episodes": size.episodes}
    return learn_and_judge(report, out, regime, policy, seed, size.steps, judging, judge)


def _drive(driver: Any, unseen: str, seen: str, episodes: int) -> dict[str, float]:
    """The suite `trace` in the part that nobody learned from; means over its episodes."""
    suite = SUITES["trace"]
    world = suite_world(suite, trace_sensors(seen), unseen, DT)
    driven = evaluate(suite, world, driver, episodes, seed=0)
    return {
        "success": float(np.mean([e.figures["success"] for e in driven])),
        "lateral_mae_m": float(np.mean([e.figures["lateral_mae_m"] for e in driven])),
        "final_offset_m": float(np.mean([abs(e.trace["lateral_offset"][-1]) for e in driven])),
    }


def _plot(path: Path, found: dict[str, Any]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    titles = {
        "recovery": "recovers from an offset start (share)",
        "lateral_mae_m": "mean distance from the path [m]",
        "final_offset_m": "distance from the path at the end [m]",
    }
    figure, axes = plt.subplots(1, 3, figsize=(12, 4.0), layout="constrained")
    for axis, (name, title) in zip(axes, titles.items(), strict=True):
        means = np.array([found[name][regime]["mean"] for regime in REGIMES])
        low = np.array([found[name][regime]["low"] for regime in REGIMES])
        high = np.array([found[name][regime]["high"] for regime in REGIMES])
        axis.bar(REGIMES, means, color=("#999999", "#0072b2"))
        reach = [np.maximum(means - low, 0.0), np.maximum(high - means, 0.0)]
        axis.errorbar(REGIMES, means, yerr=reach, fmt="none", ecolor="black", capsize=4)
        axis.set_title(title)
        axis.spines[["top", "right"]].set_visible(False)
        if name == "recovery":
            axis.set_ylim(0.0, 1.05)
    figure.savefig(path, dpi=110)
    plt.close(figure)
