"""Results of an evaluation: every episode of every driver, as `results.json`; docs/results.md.

    {"schema": 2, "metrics_version": 2, "suite": "roads", "suite_id": "3f9c...", "suite_version": 2,
     "seed": 0, "dt": 0.1, "redrive_version": ..., "settings": {...}, "checks": [...],
     "files": {"episodes": "results-episodes.csv", "timing": "results-timing.json"},
     "policies": [{"name": "lstm", "run": "runs/demo/lstm", "steps": "results-steps/lstm.safetensors",
                   "episodes": [{"index": 0, "seed": 0, "road": "procedural:4000", "condition": "",
                                 "success": true, ...}, ...],
                   "summary": {"success_rate": {"mean": ..., "low": ..., "high": ...}, ...},
                   "conditions": {"fog": {"success_rate": {...}, ...}, ...},
                   "open_loop": {...}, "facts": {...}, "videos": [...]}, ...]}

All drivers drive the same episodes (same `seed`, `road` and `condition`), so that they can be
compared in pairs. The summary follows from the episodes; it is written for those who read the file
with something else, and computed again when we read it. Equal results are equal bytes: nothing
about time or machine is in here.
"""

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from .. import __version__
from ..sim.files import write_whole
from ..sim.metrics import VERSION as METRICS_VERSION
from ..sim.recording_header import read_json
from . import statistics
from .statistics import Interval

SCHEMA = 2
DIGITS = 9  # significant ones of every number in a file
NOT_MEASURED = {"seed", "index", "route", "decision"}  # numbers that are names
EPISODE: dict[str, type] = {  # what every episode must have; it may have more
    "seed": int,
    "road": str,
    "success": bool,
    "ended": str,
    "route_completion": float,
    "distance_m": float,
    "steps": int,
    "lateral_mae_m": float,
    "lateral_rmse_m": float,
    "beyond_margin_share": float,
}

EpisodeResult = Mapping[str, Any]
"""One driven episode: the entries of `EPISODE`, and further numbers, flags and texts.

A further entry is None where there was nothing to measure (collisions without traffic).
`index` is its place in the suite and in the driver's file of steps, `condition` how it was driven
(`fog`), "" where the suite has no conditions. `trace`, if there, names a file of `save_trace`.
"""


class Video(NamedTuple):
    """A film of a driver; the file is named as seen from the results file."""

    file: str
    caption: str


@dataclass(frozen=True, eq=False)
class PolicyResult:
    """How one driver did."""

    name: str
    run: str | None  # the folder of a learned driver; None for the expert
    episodes: Sequence[EpisodeResult]
    open_loop: Mapping[str, float] | None = None  # errors on recorded frames, by name with unit
    facts: Mapping[str, Any] = field(default_factory=dict)  # parameters, training data, ...
    videos: Sequence[Video] = ()
    steps: str | None = None  # the file of its steps, as seen from the results file

    def __post_init__(self) -> None:
        if not self.episodes:
            raise ValueError(f"driver {self.name} has no episodes; drive at least one")
        for position, episode in enumerate(self.episodes):
            try:
                _check_episode(episode)
            except (ValueError, TypeError) as error:
                raise ValueError(f"driver {self.name}, episode {position}: {error}") from error
        # As they will be in the file, so that the summary is the same before and after.
        object.__setattr__(self, "episodes", tuple(_rounded(self.episodes, DIGITS)))
        keys = [key_of(episode) for episode in self.episodes]
        if len(set(keys)) < len(keys):
            raise ValueError(
                f"driver {self.name} has two episodes with one seed and road (and condition); "
                "they could not be told apart"
            )

    @cached_property
    def summary(self) -> dict[str, Interval]:
        return summarise(self.episodes)

    @cached_property
    def conditions(self) -> dict[str, dict[str, Interval]]:
        """The summary of each condition, in the suite's order; empty where it has none."""
        names = list(dict.fromkeys(episode.get("condition", "") for episode in self.episodes))
        return {
            name: summarise([e for e in self.episodes if e.get("condition", "") == name])
            for name in names
            if name
        }


@dataclass(frozen=True, eq=False)
class Results:
    """What an evaluation found."""

    suite: str
    seed: int
    dt: float  # [s]
    policies: Sequence[PolicyResult]
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the suite, as JSON values
    redrive_version: str = __version__
    schema: int = SCHEMA
    metrics_version: int = METRICS_VERSION
    suite_version: int = 1
    suite_id: str = ""  # a digest of what is driven: equal where the episodes are
    checks: Sequence[Mapping[str, Any]] = ()  # name, passed, found: see `agents/self_checks.py`
    files: Mapping[str, str] = field(default_factory=dict)  # beside this one, by what they hold

    def __post_init__(self) -> None:
        names = [policy.name for policy in self.policies]
        if len(set(names)) < len(names):
            raise ValueError(f"two drivers have the same name: {', '.join(sorted(names))}")

    def policy(self, name: str) -> PolicyResult:
        """The driver of that name.

        Raises:
            KeyError: there is none.
        """
        for policy in self.policies:
            if policy.name == name:
                return policy
        names = ", ".join(policy.name for policy in self.policies)
        raise KeyError(f"no driver {name!r} in these results, there are {names}")


class Comparison(NamedTuple):
    """Two drivers over the episodes that both drove, ours minus theirs."""

    episodes: int
    success_rate: Interval
    p_value: float  # exact McNemar: how surprising, were they equally good
    measures: dict[str, Interval]


def summarise(episodes: Sequence[EpisodeResult]) -> dict[str, Interval]:
    """Mean and 95 % interval of everything that all episodes measured.

    A flag becomes a rate (`success` is `success_rate`) with Wilson's interval, a number keeps its
    name and has the bootstrap's.
    """
    summary = {}
    for name in _measures(episodes):
        values = [episode[name] for episode in episodes]
        if isinstance(values[0], bool):
            summary[f"{name}_rate"] = statistics.rate_interval(sum(values), len(values))
        else:
            summary[name] = statistics.bootstrap_interval(values)
    return summary | _per_kilometre(episodes)


def _per_kilometre(episodes: Sequence[EpisodeResult]) -> dict[str, Interval]:
    """Interventions over the whole way, not the mean of episodes: a short one weighs less."""
    if not all(type(episode.get("interventions")) is int for episode in episodes):
        return {}
    way = sum(episode["distance_m"] for episode in episodes) / 1000.0
    if not way > 0.0:
        return {}
    often = statistics.count_interval(sum(e["interventions"] for e in episodes), way)
    told = {"interventions_per_km": often}
    if often.mean > 0.0:
        apart = Interval(1.0 / often.mean, 1.0 / often.high, 1.0 / often.low)
        told["distance_per_intervention_km"] = apart
    return told


def compare(
    ours: PolicyResult, theirs: PolicyResult, measures: Iterable[str] = ("lateral_mae_m",)
) -> Comparison:
    """The paired difference of two drivers.

    Raises:
        ValueError: they share no episode, or one of them was not measured.
    """
    other = {key_of(episode): episode for episode in theirs.episodes}
    pairs = [(mine, other[key_of(mine)]) for mine in ours.episodes if key_of(mine) in other]
    if not pairs:
        raise ValueError(
            f"{ours.name} and {theirs.name} drove no episode in common; "
            "evaluate them together, or with the same suite, seed and episodes"
        )
    passed, they_passed = ([pair[side]["success"] for pair in pairs] for side in (0, 1))
    return Comparison(
        len(pairs),
        statistics.paired_rate_difference(passed, they_passed),
        statistics.mcnemar(passed, they_passed),
        {
            name: statistics.paired_difference(
                [mine[name] for mine, _ in pairs], [their[name] for _, their in pairs]
            )
            for name in measures
        },
    )


def save(results: Results, path: str | os.PathLike[str]) -> None:
    """Write a results file, whole or not at all.

    Raises:
        ValueError: something in it is not finite or is no JSON value.
    """
    content = {
        "schema": results.schema,
        "metrics_version": results.metrics_version,
        "suite": results.suite,
        "suite_version": results.suite_version,
        "suite_id": results.suite_id,
        "checks": [dict(check) for check in results.checks],
        "files": dict(results.files),
        "seed": results.seed,
        "dt": results.dt,
        "redrive_version": results.redrive_version,
        "settings": dict(results.settings),
        "policies": [
            {
                "name": policy.name,
                "run": policy.run,
                "episodes": [dict(episode) for episode in policy.episodes],
                "steps": policy.steps,
                "summary": _plain(policy.summary),
                "conditions": {name: _plain(told) for name, told in policy.conditions.items()},
                "open_loop": None if policy.open_loop is None else dict(policy.open_loop),
                "facts": dict(policy.facts),
                "videos": [video._asdict() for video in policy.videos],
            }
            for policy in results.policies
        ],
    }
    _write_json(Path(path), content)


def load(path: str | os.PathLike[str]) -> Results:
    """Read a results file. Entries that we do not know are left alone.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is cut, of another schema, or an entry is missing or wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no results at {path}; `redrive evaluate` writes them")
    content = read_json(path)
    try:
        if not isinstance(content, dict) or "policies" not in content:
            raise ValueError("not a results file: it has no 'policies'")
        if content.get("schema") != SCHEMA:
            by = content.get("redrive_version", "unknown")
            raise ValueError(
                f"schema is {content.get('schema')!r}, this redrive reads {SCHEMA} "
                f"(it was written by redrive {by})"
            )
        return Results(
            suite=_entry(content, "suite", str),
            seed=_entry(content, "seed", int, 0),
            dt=_entry(content, "dt", float, 0.1),
            policies=tuple(_policy(entry) for entry in _entry(content, "policies", list)),
            settings=_entry(content, "settings", dict, {}),
            redrive_version=_entry(content, "redrive_version", str, "unknown"),
            metrics_version=_entry(content, "metrics_version", int),
            suite_version=_entry(content, "suite_version", int, 1),
            suite_id=_entry(content, "suite_id", str, ""),
            checks=tuple(_entry(content, "checks", list, [])),
            files=_entry(content, "files", dict, {}),
        )
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path}: {error}; restore the file from a copy or evaluate again"
        ) from error


def save_trace(
    path: str | os.PathLike[str], dt: float, columns: Mapping[str, Iterable[float]]
) -> None:
    """Keep what happened in one episode, step by step, for the report to draw.

    Args:
        columns: `lateral_offset` [m] at least; also drawn are `left`, `right` [m] (the lane's
            bounds, both positive), `speed` [m/s] and `curvature` [1/m].
    """
    content = {name: [float(value) for value in values] for name, values in columns.items()}
    _write_json(Path(path), {"schema": SCHEMA, "dt": dt, "columns": content}, digits=5, indent=None)


def load_trace(path: str | os.PathLike[str]) -> tuple[float, dict[str, list[float]]]:
    """A trace's dt and columns.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged.
    """
    content = read_json(Path(path))
    try:
        columns = _entry(content, "columns", dict)
        lengths = {len(_entry(columns, name, list)) for name in columns}
        if "lateral_offset" not in columns or len(lengths) != 1 or 0 in lengths:
            raise ValueError("columns of equal length are expected, lateral_offset among them")
        return _entry(content, "dt", float), columns
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}; evaluate again") from error


def _policy(entry: Any) -> PolicyResult:
    return PolicyResult(
        name=_entry(entry, "name", str),
        run=None if entry.get("run") is None else _entry(entry, "run", str),
        episodes=tuple(_entry(entry, "episodes", list)),
        open_loop=None if entry.get("open_loop") is None else _entry(entry, "open_loop", dict),
        facts=_entry(entry, "facts", dict, {}),
        videos=tuple(
            Video(_entry(video, "file", str), _entry(video, "caption", str, ""))
            for video in _entry(entry, "videos", list, [])
        ),
        steps=None if entry.get("steps") is None else _entry(entry, "steps", str),
    )


def _entry(content: Any, name: str, kind: type, default: Any = None) -> Any:
    if not isinstance(content, Mapping):
        raise TypeError(f"expected an object with {name}, got {content!r:.60}")
    if name not in content and default is not None:
        return default
    if name not in content:
        raise ValueError(f"entry {name} is missing")
    value = content[name]
    if not _is(value, kind):
        raise TypeError(f"entry {name} must be {kind.__name__}, got {value!r:.60}")
    return value


def _check_episode(episode: EpisodeResult) -> None:
    for name, kind in EPISODE.items():
        _entry(episode, name, kind)
    for name, value in episode.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"entry {name} is {value}; find what computed it")


def _is(value: object, kind: type) -> bool:
    if kind is float:
        return isinstance(value, float | int) and not isinstance(value, bool)
    return isinstance(value, kind) and isinstance(value, bool) == (kind is bool)


def key_of(episode: EpisodeResult) -> tuple[int, str, str]:
    """Which episode it is: the same for every driver who drove it."""
    return episode["seed"], episode["road"], episode.get("condition", "")


def _plain(summary: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {name: entry._asdict() for name, entry in summary.items()}


def _measures(episodes: Sequence[EpisodeResult]) -> list[str]:
    """Names of the flags and numbers that every episode has."""
    return [
        name
        for name, value in episodes[0].items()
        if isinstance(value, bool | int | float)
        and name not in NOT_MEASURED
        and all(type(episode.get(name)) in (bool, int, float) for episode in episodes)
    ]


def _write_json(path: Path, content: Any, digits: int = DIGITS, indent: int | None = 1) -> None:
    try:
        text = json.dumps(_rounded(content, digits), indent=indent, sort_keys=True, allow_nan=False)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} was not written: {error}") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode() + b"\n")


def _rounded(value: Any, digits: int) -> Any:
    """Numbers with so many digits as mean something: the last ones differ between machines.

    Settings keep all of theirs: they were not measured, and a replay starts from them.
    """
    if isinstance(value, float):
        return float(f"{value:.{digits}g}")
    if isinstance(value, Mapping):
        return {
            name: entry if name == "settings" else _rounded(entry, digits)
            for name, entry in value.items()
        }
    if isinstance(value, list | tuple):
        return [_rounded(entry, digits) for entry in value]
    return value
