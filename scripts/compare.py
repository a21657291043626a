"""`redrive compare`: is A better than B, by how much, and how sure is that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tyro.conf import Positional

from redrive import terminal
from redrive.agents import results as result_files
from redrive.agents.results import Comparison, PolicyResult, Results
from redrive.agents.seed_statistics import caution, seeds_difference
from redrive.agents.statistics import Interval, mean_interval
from redrive.command import parse, unknown
from redrive.sim.metrics import METRICS

SHOWN = (
    "route_completion", "progress_ratio", "pdm_score", "carla_score", "lateral_mae_m",
    "lateral_rmse_m", "beyond_margin_share", "interventions", "comfort_share", "speed_compliance",
    "whiteness", "jerk_rms",
)  # fmt: skip
SURE = 0.05  # the p-value below which a difference in success is called one


@dataclass(frozen=True)
class CompareOptions:
    """Whether A is better than B, by how much and how sure that is: paired by episode.

    Success by McNemar's exact test and Newcombe's interval, every other figure by the bootstrap of
    the paired differences. With several drivers on either side (training seeds of one kind), their
    means over the seeds are compared instead, by Welch's interval.
    """

    files: Positional[tuple[Path, ...]]
    """Results of A and of B, from the same suite and seed; or one file with both."""
    a: tuple[str, ...] = ()
    """Drivers of A by name; without it, the only learned one of its file."""
    b: tuple[str, ...] = ()
    """Drivers of B by name."""
    all: bool = False
    """Every figure, not only the usual ones."""


class Side(NamedTuple):
    """A or B."""

    results: Results
    drivers: list[PolicyResult]

    @property
    def name(self) -> str:
        return ", ".join(driver.name for driver in self.drivers)


def sides(options: CompareOptions) -> tuple[Side, Side]:
    """A and B.

    Raises:
        FileNotFoundError, ValueError: a file is missing or damaged, they are of different suites,
            or it is not clear who is meant.
    """
    if len(options.files) not in (1, 2):
        raise ValueError(
            f"give the results of A and of B, or one file with both; got {len(options.files)} files"
        )
    loaded = [result_files.load(path) for path in options.files]
    first, second = loaded[0], loaded[-1]
    _require_same(first, second, options.files)
    if len(loaded) == 1 and not (options.a and options.b):
        names = ", ".join(policy.name for policy in first.policies)
        raise ValueError(
            f"say which drivers of {options.files[0]} to compare: --a and --b, of {names}"
        )
    return (
        Side(first, _drivers(first, options.a, options.files[0], "--a")),
        Side(second, _drivers(second, options.b, options.files[-1], "--b")),
    )


def compare_pairs(ours: PolicyResult, theirs: PolicyResult, every: bool) -> dict[str, Comparison]:
    """The paired differences of two drivers, by condition ("" where the suite has none)."""
    told = {}
    for name, (mine, others) in _shared(ours, theirs).items():
        shared = mine.summary.keys() & others.summary.keys()
        wanted = METRICS if every else SHOWN
        measures = [m for m in wanted if m in shared and m in mine.episodes[0]]
        told[name] = result_files.compare(mine, others, measures)
    return told


def verdict(ours: str, theirs: str, told: Comparison) -> str:
    """The answer in a sentence."""
    change, count = told.success_rate, told.episodes
    points = _points(change)
    sure = f"p {'< 0.001' if told.p_value < 0.001 else f'= {told.p_value:.3f}'}, McNemar"
    if told.p_value < SURE:
        word = "better" if change.mean > 0.0 else "worse"
        return f"{ours} is {word} than {theirs}: success {points} over {count} shared episodes ({sure})"
    return f"{ours} and {theirs} are not told apart: success {points} over {count} shared episodes ({sure})"


def run(options: CompareOptions) -> list[str]:
    """Print the comparison; its sentences."""
    ours, theirs = sides(options)
    if len(ours.drivers) > 1 or len(theirs.drivers) > 1:
        _require_one_kind(ours)
        _require_one_kind(theirs)
        said = [_compare_seeds(ours, theirs, options.all)]
    else:
        said = _compare_two(ours.drivers[0], theirs.drivers[0], options.all)
    drivers = (*ours.drivers, *theirs.drivers)
    episodes = min(len(driver.episodes) for driver in drivers)
    learned = [side for side in (ours, theirs) if side.drivers[0].run is not None]
    seeds = min((len(side.drivers) for side in learned), default=0)
    for line in said:
        print(line)
    if learned and (careful := caution(seeds, episodes)):
        print(f"careful: {careful}")
    return said


def _compare_two(ours: PolicyResult, theirs: PolicyResult, every: bool) -> list[str]:
    said = []
    a, b = (ours.name, theirs.name) if ours.name != theirs.name else ("A", "B")
    shared = _shared(ours, theirs)
    for condition, told in compare_pairs(ours, theirs, every).items():
        mine, others = shared[condition]
        rows = [
            [
                "success",
                _percent(mine.summary["success_rate"].mean),
                _percent(others.summary["success_rate"].mean),
                _points(told.success_rate),
                _better(told.success_rate, "high"),
            ]
        ]
        for name, change in told.measures.items():
            metric = METRICS.get(name)
            unit = f" [{metric.unit}]" if metric and metric.unit else ""
            rows.append(
                [
                    f"{metric.label if metric else name}{unit}",
                    f"{_mean(mine, name):.4g}",
                    f"{_mean(others, name):.4g}",
                    _ranged(change),
                    _better(change, metric.better if metric else ""),
                ]
            )
        title = (
            f"{a} (A) and {b} (B){f', {condition}' if condition else ''}: {told.episodes} episodes"
        )
        terminal.table(["", "A", "B", "A - B [95 % interval]", "better"], rows, title=title)
        under = f"{condition}: " if condition else ""
        said.append(under + verdict(a, b, told))
    return said


def _compare_seeds(ours: Side, theirs: Side, every: bool) -> str:
    """Means over training seeds."""
    summaries = [[driver.summary for driver in side.drivers] for side in (ours, theirs)]
    shared = set.intersection(*(set(summary) for side in summaries for summary in side))
    wanted = [
        name if name in shared else f"{name}_rate"
        for name in (("success", *METRICS) if every else ("success", *SHOWN))
        if name in shared or f"{name}_rate" in shared
    ]
    rows, success = [], Interval(0.0, 0.0, 0.0)
    for name in dict.fromkeys(wanted):
        mine, others = ([summary[name].mean for summary in side] for side in summaries)
        change = _difference(ours, theirs, mine, others)
        if name == "success_rate":
            success = change
        metric = METRICS.get(name.removesuffix("_rate"))
        rows.append(
            [
                metric.label if metric else name,
                f"{sum(mine) / len(mine):.4g}",
                f"{sum(others) / len(others):.4g}",
                _ranged(change),
                _better(change, metric.better if metric else ""),
            ]
        )
    count = f"{len(ours.drivers)} and {len(theirs.drivers)} training seeds"
    title = f"{ours.name} (A) and {theirs.name} (B): means of {count}"
    terminal.table(["", "A", "B", "A - B [95 % interval]", "better"], rows, title=title)
    points = _points(success)
    if success.low > 0.0 or success.high < 0.0:
        return (
            f"A is {'better' if success.mean > 0.0 else 'worse'} than B: success {points}, {count}"
        )
    return f"A and B are not told apart: success {points}, {count}"


def _difference(
    ours: Side, theirs: Side, mine: Sequence[float], others: Sequence[float]
) -> Interval:
    """Of two means over training seeds; a driver who did not learn has no seeds and is as it is."""
    if theirs.drivers[0].run is None and len(others) == 1:
        mean, low, high = mean_interval(mine)
        return Interval(mean - others[0], low - others[0], high - others[0])
    if ours.drivers[0].run is None and len(mine) == 1:
        mean, low, high = mean_interval(others)
        return Interval(mine[0] - mean, mine[0] - high, mine[0] - low)
    return seeds_difference(mine, others)


def _require_one_kind(side: Side) -> None:
    """Training seeds are of one kind of policy."""
    kinds = {str(driver.facts.get("policy", driver.name)) for driver in side.drivers}
    if len(kinds) > 1:
        raise ValueError(
            f"{side.name} are not training seeds of one kind of driver, but {', '.join(sorted(kinds))}; "
            "compare them one by one"
        )


def _require_same(first: Results, second: Results, files: Sequence[Path]) -> None:
    """The same episodes, measured the same way."""
    pairs = {
        "suite": (first.suite, second.suite),
        "suite version": (first.suite_version, second.suite_version),
        "seed": (first.seed, second.seed),
        "digest of the episodes": (first.suite_id, second.suite_id),
        "dt": (first.dt, second.dt),
        "version of the figures": (first.metrics_version, second.metrics_version),
    }
    for what, (mine, others) in pairs.items():
        if mine != others:
            raise ValueError(
                f"{files[0]} and {files[-1]} cannot be compared, they differ in the {what}: {mine} "
                f"and {others}; evaluate both with the same suite, seed and roads"
            )


def _drivers(results: Results, names: Sequence[str], path: Path, option: str) -> list[PolicyResult]:
    known = [policy.name for policy in results.policies]
    for name in names:
        if name not in known:
            raise ValueError(f"{path}: {unknown('driver', name, known)}")
    if names:
        return [results.policy(name) for name in names]
    learned = [policy for policy in results.policies if policy.run is not None]
    found = learned or list(results.policies)
    if len(found) > 1:
        raise ValueError(
            f"{path} has several drivers; say which with {option}: "
            f"{', '.join(policy.name for policy in found)}"
        )
    return found


def _shared(
    ours: PolicyResult, theirs: PolicyResult
) -> dict[str, tuple[PolicyResult, PolicyResult]]:
    """Both drivers with the episodes that both drove, by condition.

    Raises:
        ValueError: there are none.
    """
    keys = {result_files.key_of(e) for e in ours.episodes}
    keys &= {result_files.key_of(e) for e in theirs.episodes}
    if not keys:
        raise ValueError(
            f"{ours.name} and {theirs.name} drove no episode in common; "
            "evaluate them with the same suite, seed and roads"
        )
    conditions = dict.fromkeys(e.get("condition", "") for e in ours.episodes)

    def under(policy: PolicyResult, condition: str) -> PolicyResult:
        kept = [
            e
            for e in policy.episodes
            if result_files.key_of(e) in keys and e.get("condition", "") == condition
        ]
        return PolicyResult(policy.name, policy.run, kept)

    return {name: (under(ours, name), under(theirs, name)) for name in conditions}


def _mean(policy: PolicyResult, name: str) -> float:
    return float(sum(episode[name] for episode in policy.episodes) / len(policy.episodes))


def _better(change: Interval, better: str) -> str:
    """A or B where the interval keeps clear of 0."""
    if not better or not (change.low > 0.0 or change.high < 0.0):
        return ""
    return "A" if (change.mean > 0.0) == (better == "high") else "B"


def _ranged(change: Interval) -> str:
    if math.isnan(change.low):
        return f"{change.mean:+.4g} [one seed: no interval]"
    return f"{change.mean:+.4g} [{change.low:+.4g}, {change.high:+.4g}]"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(change: Interval) -> str:
    if math.isnan(change.low):
        return f"{100 * change.mean:+.1f} points [one seed: no interval]"
    return f"{100 * change.mean:+.1f} points [{100 * change.low:+.1f}, {100 * change.high:+.1f}]"


def main(argv: Sequence[str]) -> int:
    """The command."""
    run(parse(CompareOptions, argv, "compare"))
    return 0
