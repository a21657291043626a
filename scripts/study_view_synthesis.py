"""The study `view-synthesis`: drivers that learn from one recorded drive, by regime.

One drive is recorded with a wide camera: some minutes on country roads, on a clear day, by a
driver who keeps its lane as people do. From its frames alone come three sets of demonstrations
(`log`, `side-shift`, `view-synthesis`); the fourth, `exact`, has the states and labels of
`view-synthesis`, but true pictures: the upper bound that no recording of a real drive has. Drivers
of two policies and several training seeds learn from each, and all are judged in the world,
exactly drawn, on roads none has seen, and that no choice of this study was made on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from redrive import terminal
from redrive.agents.statistics import mean_interval
from redrive.agents.suites import SUITES, Suite
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.sim.appearance import Appearance
from redrive.sim.recording import Recording
from redrive.sim.task import LANE_FOLLOWING
from redrive.sim.world import RoadWorld
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_offsets import count_cells, plot_offsets, summarise_offsets, write_offsets
from redrive.study_one_drive import (
    DT,
    HELD_OUT_EPISODES,
    PASSES,
    REGIMES,
    SENSORS,
    ordinary_roads,
    record_drive,
    record_held_out,
    record_regime,
)
from redrive.study_regimes import learn_and_judge, run_name

POLICIES = ("mlp", "lstm")
HELD_OUT_LOG = 500_000  # the seed that its roads are counted from
# The roads, the spread, the camera and the steps were chosen while looking at drives on the roads
# from a million on. The judging is on others, with another seed, and nothing is chosen by it.
UNSEEN, JUDGING_SEED = 3_000_000, 1
ANY_ROADS = f"procedural:{UNSEEN}-{UNSEEN + 1000}"


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    roads: int = 64  # of the recorded drive, one after the other
    seconds: int = 20  # on each
    steps: int = 1000  # of learning, 512 pictures each
    training_seeds: int = 3
    recovery_episodes: int = 240  # of each run, 8 of each offset and angle
    any_road_episodes: int = 60
    following_episodes: int = 30


QUICK = Size(roads=8, seconds=12, steps=60, training_seeds=2,
             recovery_episodes=30, any_road_episodes=30, following_episodes=4)  # fmt: skip


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary. What is there already is not done again."""
    size = QUICK if options.quick else Size()
    out = options.out
    roads = ordinary_roads(options.seed * 10_000, size.roads)
    unseen = ordinary_roads(UNSEEN, 2 * size.recovery_episodes)
    processes = options.processes or usable_cores()
    terminal.say("1 of 3: recording one drive, and what the regimes make of it")
    _record(out, roads, size, processes)
    terminal.say("2 of 3: learning, and driving")
    jobs = [
        Job(run_name(regime, policy, seed), size.steps, _learn_and_drive,
            (out, regime, policy, seed, size, unseen))
        for seed in range(size.training_seeds) for policy in POLICIES for regime in REGIMES
    ]  # fmt: skip
    rows = run_side_by_side("learning", jobs, processes)
    terminal.say("3 of 3: the table")
    write_table(
        out / "table.csv",
        [{name: v for name, v in row.items() if not isinstance(v, list)} for row in rows],
    )
    found = summarise(rows)
    write_offsets(out / "offsets.csv", found["recovery_by_offset"])
    plot_offsets(out / "offsets.png", found["recovery_by_offset"])
    _plot(out / "regimes.png", found)
    command = f"redrive study view-synthesis --out {out}" + " --quick" * options.quick
    write_page(
        out / "index.html",
        "What view synthesis does for a driver who learns from one drive",
        f"{size.roads} country roads of {size.seconds} s were recorded once. Each bar is the mean over "
        f"{len(POLICIES)} policies and {size.training_seeds} training seeds, with 95 % intervals.",
        [
            ("regimes.png", "recovery, lane following, and the error on a held-out log, by regime"),
            ("offsets.png", "share of recoveries by start; arrowheads: the car points outwards"),
        ],
        command,
    )
    return found


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means with 95 % intervals over training runs, by regime: overall and per policy."""

    def over(some: list[dict[str, Any]], figure: str) -> dict[str, Any]:
        found = {}
        for regime in REGIMES:
            values = [row[figure] for row in some if row["regime"] == regime]
            mean, low, high = mean_interval(values)
            found[regime] = {"mean": mean, "low": low, "high": high, "runs": len(values)}
        return found

    figures = {
        "recovery": "recovery",
        "lane_following": "lane_following",
        "open_loop": "open_loop_curvature_rmse",
        "recovery_any_road": "recovery_any_road",
    }
    whole: dict[str, Any] = {name: over(rows, figure) for name, figure in figures.items()}
    whole["recovery_by_offset"] = summarise_offsets(rows, REGIMES, POLICIES)
    whole["per_policy"] = {
        policy: {
            name: over([row for row in rows if row["policy"] == policy], figure)
            for name, figure in figures.items()
        }
        for policy in POLICIES
    }
    return whole


def _record(out: Path, roads: str, size: Size, processes: int) -> None:
    """The drive, and then side by side what the regimes make of it."""
    steps, count = round(size.seconds / DT), size.roads
    first = Job("drive", count, record_drive, (out / "drive", roads, count, steps))
    run_side_by_side("recording", [first], 1)
    jobs = [
        Job(
            regime,
            PASSES[regime] * count,
            record_regime,
            (out / f"data-{regime}", regime, out / "drive", roads, count, steps),
        )
        for regime in REGIMES
    ]
    held_out = ordinary_roads(HELD_OUT_LOG, HELD_OUT_EPISODES)
    jobs.append(
        Job(
            "held-out-log",
            HELD_OUT_EPISODES,
            record_held_out,
            (out / "held-out-log", held_out, steps),
        )
    )
    run_side_by_side("recording the regimes", jobs, processes)


def _learn_and_drive(
    report: Report, out: Path, regime: str, policy: str, seed: int, size: Size, unseen: str
) -> dict[str, Any]:
    """Train one driver and judge it; in a process of its own."""
    judging = {
        "first_road": UNSEEN,
        "seed": JUDGING_SEED,
        "recovery": size.recovery_episodes,
        "any_road": size.any_road_episodes,
        "following": size.following_episodes,
    }
    return learn_and_judge(
        report, out, regime, policy, seed, size.steps, judging,
        lambda folder: _judge(out, folder, size, unseen),
    )  # fmt: skip


def _judge(out: Path, folder: Path, size: Size, unseen: str) -> dict[str, Any]:
    """Recovery and lane following in the world itself, and the error on the held-out log.

    Recovery on any road, wide lanes, hairpins and several lanes included, stands beside it.
    """
    from redrive.agents.evaluation import evaluate
    from redrive.agents.learned import LearnedDriver
    from redrive.models.checkpoint import load_policy

    clear = Appearance()
    recovery = replace(SUITES["recovery"], appearance=clear)
    following = Suite(
        "following",
        "60 s of lane following on unseen roads",
        replace(LANE_FOLLOWING, route_length=0.0, time_limit=60.0),
        appearance=clear,
    )
    found: dict[str, Any] = {}
    for figure, suite, roads, episodes in (
        ("recovery", recovery, unseen, size.recovery_episodes),
        ("recovery_any_road", recovery, ANY_ROADS, size.any_road_episodes),
        ("lane_following", following, unseen, size.following_episodes),
    ):
        world = RoadWorld(roads, dict(SENSORS), suite.task, appearance=clear)
        driven = evaluate(suite, world, LearnedDriver.load(folder, world), episodes, JUDGING_SEED)
        found[figure] = float(np.mean([episode.figures["success"] for episode in driven]))
        found[f"{figure}_lateral_mae_m"] = float(
            np.mean([episode.figures["lateral_mae_m"] for episode in driven])
        )
        if figure == "recovery":
            found["recovery_by_offset"] = count_cells(suite, driven)
    return found | _open_loop(load_policy(folder), Recording.open(out / "held-out-log"))


def _open_loop(policy: Any, recording: Recording) -> dict[str, float]:
    """Errors of a policy that watches drives: against what their driver did."""
    import torch

    wrong = []
    for episode in recording:
        obs = {
            name: torch.from_numpy(episode.read(name).copy())[None] for name in policy.spec.sensors
        }
        with torch.inference_mode():
            command, _ = policy(obs, policy.initial_state(1))
        wrong.append(command[0].numpy() - episode.read("command"))
    errors = np.concatenate(wrong).astype(np.float64)
    return {
        "open_loop_curvature_rmse": float(np.sqrt(np.mean(errors[:, 0] ** 2))),
        "open_loop_curvature_mae": float(np.mean(np.abs(errors[:, 0]))),
    }


def _plot(path: Path, found: dict[str, Any]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    titles = {
        "recovery": "recovers from an offset start (share)",
        "lane_following": "60 s of lane following (share)",
        "open_loop": "error on a held-out log (curvature RMSE, 1/m)",
    }
    figure, axes = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
    colours = ("#999999", "#e69f00", "#0072b2", "#009e73")  # told apart by the colour-blind, too
    for axis, (name, title) in zip(axes, titles.items(), strict=True):
        means = [found[name][regime]["mean"] for regime in REGIMES]
        reach = [
            [max(found[name][r]["mean"] - found[name][r]["low"], 0.0) for r in REGIMES],
            [max(found[name][r]["high"] - found[name][r]["mean"], 0.0) for r in REGIMES],
        ]
        axis.bar(REGIMES, means, color=colours)
        axis.errorbar(REGIMES, means, yerr=reach, fmt="none", ecolor="black", capsize=4)
        axis.set_title(title)
        axis.spines[["top", "right"]].set_visible(False)
        if name != "open_loop":
            axis.set_ylim(0.0, 1.05)
    figure.savefig(path, dpi=110)
    plt.close(figure)
