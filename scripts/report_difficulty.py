"""Success against how hard an episode was: the bend, the speed, where it started; the recovery grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from redrive import report_charts as charts
from redrive import report_tables as tables
from redrive.agents.results import EpisodeResult, PolicyResult
from redrive.agents.statistics import rate_interval
from redrive.report_charts import Line
from redrive.report_scales import SHARE, percent, scale_for
from redrive.report_study import Section, Study

CURVATURE = "road_max_curvature"  # [1/m]
LATERAL, YAW = "start_lateral_m", "start_yaw_rad"
CLASSES = 4  # of difficulty, with as many episodes each
LEAST = 6  # different values; with fewer there are no classes to make
GRID = 12  # different offsets or angles at most: more are not a grid

Which = tuple[str, int, str]


@dataclass(frozen=True)
class Difficulty:
    """Something that an episode asks of every driver alike."""

    title: str
    of: Callable[[Study, EpisodeResult], float | None]
    shown: Callable[[float, float], str]  # a class, from its ends
    axis: str


def difficulty(study: Study) -> Section | None:
    """Success by classes of difficulty, as lines and as a table for each."""
    parts = [part for kind in DIFFICULTIES if (part := _by(study, kind)) is not None]
    if not parts:
        return None
    return Section(
        "difficulty",
        "What makes it hard",
        "Episodes in classes of equal size, from easy to hard. A cell says how many succeeded, with "
        "the 95 % interval of the rate below; the stronger its colour, the more failed.",
        Markup("").join(parts),
    )


def conditions(study: Study) -> Section | None:
    """Success under each condition of the suite, for each driver."""
    names = list(
        dict.fromkeys(str(e.get("condition", "")) for p in study.ranked for e in p.episodes)
    )
    if len(names) < 2:
        return None
    rows = []
    for place, policy in enumerate(study.ranked):
        cells = [tables.row_head(study.named(policy), place)]
        for name in names:
            some = [e["success"] for e in policy.episodes if e.get("condition", "") == name]
            cells.append(tables.heat(sum(some), len(some), rate_interval))
        rows.append(cells)
    return Section(
        "conditions",
        "Under which conditions",
        "The same episodes were driven under each condition. A cell says how many succeeded, with "
        "the 95 % interval of the rate; the stronger its colour, the more failed.",
        tables.table(["driver", *names], rows),
    )


def recovery(study: Study) -> Section | None:
    """A heat map over where episodes began: offset across, angle down."""
    starts = {
        (round(float(e[LATERAL]), 2), round(float(np.rad2deg(e[YAW])), 1))
        for policy in study.ranked
        for e in policy.episodes
        if e.get(LATERAL) is not None and e.get(YAW) is not None
    }
    offsets = sorted({offset for offset, _ in starts}, reverse=True)  # left is left
    angles = sorted({angle for _, angle in starts}, reverse=True)
    if not (1 < len(offsets) <= GRID and 1 < len(angles) <= GRID):
        return None
    maps = [
        Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(
            study.named(policy), _grid(policy.episodes, offsets, angles)
        )
        for policy in study.ranked
    ]
    return Section(
        "recovery",
        "From where they come back",
        "Each cell is a start: how far beside the centre line across (left of it is at the left), "
        "turned how far down (to the left is positive). It says how many of the episodes that "
        "began there succeeded; the stronger its colour, the more failed.",
        Markup('<div class="panels wide">{}</div>').format(Markup("").join(maps)),
    )


def _grid(
    episodes: Sequence[EpisodeResult], offsets: Sequence[float], angles: Sequence[float]
) -> Markup:
    cells: dict[tuple[float, float], list[bool]] = {}
    for e in episodes:
        if e.get(LATERAL) is None or e.get(YAW) is None:
            continue
        place = round(float(e[LATERAL]), 2), round(float(np.rad2deg(e[YAW])), 1)
        cells.setdefault(place, []).append(e["success"])
    rows = []
    for angle in angles:
        row = [tables.row_head(f"{tables.signed(angle, 0)}°", angle)]
        for offset in offsets:
            some = cells.get((offset, angle), [])
            row.append(tables.heat(sum(some), len(some), brief=True))
        rows.append(row)
    head = ["", *(f"{tables.signed(offset, 1)} m" for offset in offsets)]
    return tables.table(head, rows, fixed=True)


def _by(study: Study, kind: Difficulty) -> Markup | None:
    hardness: dict[Which, float] = {}
    for policy in study.ranked:
        for episode in policy.episodes:
            value = kind.of(study, episode)
            if value is not None:
                hardness[_which(episode)] = value
    ordered = sorted(hardness.values())
    if len({round(value, 9) for value in ordered}) < LEAST:
        return None
    edges = [ordered[len(ordered) * k // CLASSES] for k in range(1, CLASSES)]

    def class_of(value: float) -> int:
        return sum(value >= edge for edge in edges)

    held = [[v for v in ordered if class_of(v) == k] for k in range(CLASSES)]
    held = [values for values in held if values]
    classes = [class_of(values[0]) for values in held]
    rows, lines = [], []
    middles = [float(np.median(values)) for values in held]
    for place, policy in enumerate(study.ranked):
        cells = [tables.row_head(study.named(policy), place)]
        rates = []
        for number_of in classes:
            chosen = [
                e["success"]
                for e in policy.episodes
                if _which(e) in hardness and class_of(hardness[_which(e)]) == number_of
            ]
            cells.append(tables.heat(sum(chosen), len(chosen), rate_interval))
            rates.append(sum(chosen) / len(chosen) if chosen else math.nan)
        rows.append(cells)
        told = [(m, r) for m, r in zip(middles, rates, strict=True) if not math.isnan(r)]
        lines.append(
            Line(
                policy.name,
                [m for m, _ in told],
                [r for _, r in told],
                ("thick", "dashed", "dotted")[place % 3],
                study.signs[policy.name],
            )
        )
    head = ["driver", *(kind.shown(values[0], values[-1]) for values in held)]
    chart = charts.lines_chart(
        lines, scale_for(middles, zero=min(middles) < 0.3 * max(middles)), SHARE, kind.axis, "episodes that succeeded",
        height=160, tick=percent, marks=True,
    )  # fmt: skip
    return Markup('<h3>{}</h3><div class="beside">{}{}</div>').format(
        kind.title, chart, tables.table(head, rows, fixed=True)
    )


def _which(episode: EpisodeResult) -> Which:
    return episode["road"], episode["seed"], str(episode.get("condition", ""))


def _entry(name: str, times: float = 1.0) -> Callable[[Study, EpisodeResult], float | None]:
    def of(study: Study, episode: EpisodeResult) -> float | None:
        value = episode.get(name)
        return None if value is None else abs(times * float(value))

    return of


def _expert_speed(study: Study, episode: EpisodeResult) -> float | None:
    """How fast the expert drove the same episode: what the road and its limit allow."""
    return _expert_speeds(study).get(_which(episode))


def _expert_speeds(study: Study) -> Mapping[Which, float]:
    experts: list[PolicyResult] = [p for p in study.ranked if p.run is None]
    some: Any = experts[0].episodes if experts else ()
    return {_which(e): float(e["mean_speed_mps"]) for e in some if "mean_speed_mps" in e}


def _radius(low: float, high: float) -> str:
    tight, wide = (f"{1.0 / k:.0f}" if k > 1e-4 else "∞" for k in (high, low))
    return f"{tight}–{wide} m"


def _plain(unit: str) -> Callable[[float, float], str]:
    return lambda low, high: f"{low:.1f}–{high:.1f} {unit}"


DIFFICULTIES = (
    Difficulty(
        "The tightest bend, by its radius",
        _entry(CURVATURE),
        _radius,
        "largest curvature of the way [1/m]",
    ),
    Difficulty("The speed", _expert_speed, _plain("m/s"), "the expert’s mean speed [m/s]"),
    Difficulty("The offset at the start", _entry(LATERAL), _plain("m"), "beside the centre [m]"),
    Difficulty("The angle at the start", _entry(YAW, 180.0 / np.pi), _plain("°"), "askew [°]"),
)
