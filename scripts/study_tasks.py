"""The study `tasks`: which memory helps with black frames, an unseen speed, a stop sign, late commands?

Every driver of a case has the same eyes and learns from the same drives; only the memory differs. All
are judged on the same episodes, in closed loop, from pictures; the expert drives them too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redrive import terminal
from redrive.agents.expert import Expert
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.study import StudyOptions, write_page, write_table
from redrive.study_plots import COLOURS, new_figure, save_figure
from redrive.study_runs import once, success_interval
from redrive.task_eyes import WithChange
from redrive.task_lab import (
    CASES,
    DRIVERS,
    FOUR_FRAMES,
    SEES_NOW,
    TOLD,
    TOLD_SPEED,
    Case,
    Driver,
    at_the_wheel,
    demonstrate,
    drives_to_see,
    eyes_name,
    eyes_of,
    judge,
    learn_core,
    make_eyes,
    moving_eyes,
)

EXPERT = "expert"
AXES = {  # what the tests of a task differ in
    "blackout": "share of black frames, 4 at a time (learned with 0.5)",
    "latency": "commands act so much later",
}


@dataclass(frozen=True)
class Size:
    """How large the study is."""

    cases: tuple[str, ...] = tuple(CASES)
    drivers: tuple[str, ...] = tuple(DRIVERS)
    seeds: int = 3
    eyes: int = 1200  # steps of learning
    eyes_drives: int = 360
    drives: int = 256  # demonstrations of each case
    seconds: float = 20.0  # of a demonstration
    learning: float = 1.0  # share of each case's steps
    episodes: int = 64  # in closed loop, for each test and seed


QUICK = Size(("blackout", "stop-sign"), (SEES_NOW, "lstm"), 1, 60, 24, 24, 10.0, 0.1, 8)


def study(options: StudyOptions) -> dict[str, Any]:
    """Run it; the summary."""
    size = QUICK if options.quick else Size()
    eyes = _make_eyes(options.out, size)
    jobs = [
        Job(case, 1 + size.seeds * len(_drivers(CASES[case], size)), one_case,
            (options.out, case, size, options.seed))
        for case in size.cases
    ]  # fmt: skip
    found = run_side_by_side("driving", jobs, options.processes or usable_cores())
    rows = [row for case in found for row in case]
    table = summarise(rows)
    write_table(options.out / "table.csv", table)
    write_table(options.out / "runs.csv", rows)
    _plot(options.out / "success.png", table)
    write_page(
        options.out / "index.html",
        "Which memory helps with which task?",
        f"Success in closed loop, {size.seeds} training seeds with {size.episodes} episodes each, the same "
        "for all drivers; 95 % intervals.",
        [("success.png", "success of each driver in each task; the expert sees the lane itself")],
        f"redrive study tasks --out {options.out}" + " --quick" * options.quick,
    )  # fmt: skip
    success: dict[str, Any] = {}
    for row in table:
        cell = {name: row[name] for name in ("mean", "low", "high")}
        success.setdefault(row["case"], {}).setdefault(row["test"], {})[row["driver"]] = cell
    return {
        "success": success, "eyes": eyes, "seeds": size.seeds, "episodes": size.episodes,
        "quick": options.quick,
    }  # fmt: skip


def _drivers(case: Case, size: Size) -> dict[str, Driver]:
    drivers = {label: DRIVERS[label] for label in size.drivers}
    if case.cue:
        drivers[TOLD] = Driver("mlp", remembers=False, told=True)
    if case.change:
        drivers[FOUR_FRAMES] = Driver("mlp")
        drivers[TOLD_SPEED] = Driver("mlp", speedometer=True, remembers=False)
    return drivers


def _make_eyes(folder: Path, size: Size) -> dict[str, dict[str, float]]:
    """The eyes that the drivers need; how wrong they measure."""

    def learn(name: str, case: Case, driver: Driver) -> dict[str, float]:
        from redrive.models.checkpoint import save_policy

        drives = drives_to_see(size.eyes_drives, size.seconds, 500_000)
        with terminal.progress(f"learning to see, {name}", size.eyes) as tick:
            policy, wrong = make_eyes(case, driver, drives, size.eyes, tick)
        save_policy(folder / "runs" / name, policy, {})
        return wrong

    found: dict[str, dict[str, float]] = {}
    for case in map(CASES.__getitem__, size.cases):
        for driver in _drivers(case, size).values():
            name = eyes_name(case, driver)
            found[name] = once(
                folder / "found" / f"{name}.json",
                lambda n=name, c=case, d=driver: learn(n, c, d),  # type: ignore[misc]
            )
    return found


def one_case(
    report: Report, folder: Path, name: str, size: Size, first_seed: int
) -> list[dict[str, Any]]:
    """Every driver of a case, with every seed, in every test."""
    case = CASES[name]
    rows: list[dict[str, Any]] = []

    def note(driver: str, seed: int, tests: Mapping[str, Any]) -> None:
        rows.extend(
            {"case": name, "test": test, "driver": driver, "seed": seed, **found}
            for test, found in tests.items()
        )
        report(1, f"{driver} {seed}")

    told = once(
        folder / "found" / f"{name}-expert.json",
        lambda: {test: judge(task, Expert(), size.episodes) for test, task in case.tested.items()},
    )
    note(EXPERT, first_seed, told)
    drives: list[Any] = []
    encoded: dict[Any, tuple[Any, Any]] = {}

    def learned(driver: Driver, run: Path, seed: int) -> dict[str, Any]:
        import torch

        from redrive.models.two_stage import encode_episodes

        torch.set_num_threads(1)  # cases run side by side: more threads wait for each other
        if not drives:
            drives.extend(demonstrate(case, size.drives, size.seconds, 10_000))
        key = (driver.speedometer, driver.remembers, driver.told)
        moving = moving_eyes(case, driver)
        if key not in encoded:
            eyes = eyes_of(case, driver, folder / "runs" / eyes_name(case, driver))
            seen = [WithChange(drive) for drive in drives] if moving else drives
            encoded[key] = eyes, encode_episodes(eyes, seen)
        steps = max(4, round(size.learning * case.steps))
        policy = learn_core(case, driver, *encoded[key], run, seed, steps)
        agent = at_the_wheel(policy, moving=moving)
        return {
            test: judge(
                task,
                agent,
                size.episodes,
                speedometer=driver.speedometer,
                cue=case.cue if driver.told else None,
            )
            for test, task in case.tested.items()
        }

    drivers = _drivers(case, size)
    for seed in range(first_seed, first_seed + size.seeds):
        for label, driver in drivers.items():
            slug = f"{name}-{label.replace(' ', '-')}-{seed}"
            run = folder / "runs" / slug
            found = once(
                folder / "found" / f"{slug}.json",
                lambda driver=driver, run=run, seed=seed: learned(driver, run, seed),  # type: ignore[misc]
            )
            note(label, seed, found)
    return rows


def summarise(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each case, test and driver: mean success and the wider of two 95 % intervals."""
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["case"], row["test"], row["driver"]), []).append(row)
    table = []
    for (case, test, driver), some in groups.items():
        rates = [float(row["success"]) for row in some]
        found = success_interval(rates, [int(row["episodes"]) for row in some])
        line = {
            "case": case, "test": test, "driver": driver, "seeds": len(some),
            "episodes": some[0]["episodes"], "mean": found.mean, "low": found.low,
            "high": found.high, "worst": min(rates), "best": max(rates),
        }  # fmt: skip
        for figure in ("route_completion", "waited_s", "wrong_speed_share"):
            known = [float(row[figure]) for row in some if row[figure] is not None]
            line[figure] = sum(known) / len(known) if known else None
        table.append(line)
    return table


def _plot(path: Path, table: Sequence[Mapping[str, Any]]) -> None:
    """Success against what is hard, where a task has several tests; side by side where it has one."""
    names = list(dict.fromkeys(row["driver"] for row in table))
    colours = dict(zip(names, (*COLOURS, *COLOURS), strict=False))
    tasks: dict[str, list[Mapping[str, Any]]] = {}
    for row in table:
        tasks.setdefault("latency" if "latency" in row["case"] else row["case"], []).append(row)
    figure, axes = new_figure(len(tasks), (4.6 * len(tasks), 4.6))
    drawn: dict[str, Any] = {}  # not every driver is in every task
    for axis, (task, rows) in zip(axes, tasks.items(), strict=True):
        tests = sorted(dict.fromkeys(row["test"] for row in rows))
        for number, name in enumerate(names):
            some = sorted((r for r in rows if r["driver"] == name), key=lambda r: r["test"])
            if not some:
                continue
            at = [tests.index(row["test"]) + 0.07 * (number - 3) for row in some]
            line = "-" if len(tests) > 1 else ""
            drawn[name] = axis.errorbar(
                at, [row["mean"] for row in some], _reach(some), marker="os"[number >= len(COLOURS)], capsize=3,
                linestyle=line, color=colours[name],
            )  # fmt: skip
        if len(tests) > 1:
            axis.set_xticks(range(len(tests)), tests)
        else:
            axis.set_xticks([])
        axis.set_xlim(-0.5, len(tests) - 0.5)
        axis.set_xlabel(AXES.get(task, ""))
        axis.set_title(task)
        axis.set_ylim(-0.03, 1.03)
    axes[0].set_ylabel("success, closed loop")
    axes[-1].legend(
        [drawn[name] for name in names], names, frameon=False, fontsize=9, loc="center left",
        bbox_to_anchor=(1.0, 0.5),
    )  # fmt: skip
    save_figure(figure, path)


def _reach(rows: Sequence[Mapping[str, Any]]) -> list[list[float]]:
    """How far the intervals reach down and up."""
    return [
        [max(row["mean"] - row["low"], 0.0) for row in rows],
        [max(row["high"] - row["mean"], 0.0) for row in rows],
    ]
