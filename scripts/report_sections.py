"""What a report shows of one results file, a section each.

A section is a function from the study to a `Section`, or to None where the results have nothing
for it. A new one is a function more, in the list `SECTIONS`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

from markupsafe import Markup

from redrive import report_charts as charts
from redrive import report_tables as tables
from redrive.agents.results import Comparison, PolicyResult
from redrive.agents.statistics import Interval
from redrive.report_charts import Row
from redrive.report_difficulty import conditions, difficulty, recovery
from redrive.report_drives import drives, episodes, videos
from redrive.report_made import made_by
from redrive.report_metrics import figure, metrics
from redrive.report_roads import failures, roads
from redrive.report_runs import open_loop, training
from redrive.report_scales import SHARE, log_scale_for, number, percent, scale_for
from redrive.report_study import Section, Study
from redrive.sim.metrics import METRICS

GOOD_PATTERNS = (0, 5)  # of bars, for endings that some driver succeeded with
BAD_PATTERNS = (1, 2, 3, 4)


def leaderboard(study: Study) -> Section:
    """The table of all drivers."""
    leader = study.leader
    optional = [
        name
        for name in ("comfort_share", "whiteness")
        if all(name in policy.summary for policy in study.ranked)
    ]
    head = ["driver", "success", f"against {leader.name}", "lateral MAE", "route done"]
    head += ["beyond margin"] + [METRICS[name].label for name in optional]
    rows = []
    for place, policy in enumerate(study.ranked):
        summary = policy.summary
        rate, error = summary["success_rate"], summary["lateral_mae_m"]
        told = None if policy is leader else study.compare(policy, leader)
        rows.append(
            [
                tables.row_head(study.named(policy), place),
                tables.cell(tables.stacked(*tables.rate_parts(rate)), rate.mean),
                tables.difference(told),
                tables.cell(tables.stacked(*tables.metre_parts(error)), error.mean),
            ]
            + [
                tables.cell(figure(name, summary[name].mean), summary[name].mean)
                for name in ("route_completion", "beyond_margin_share", *optional)
            ]
        )
    return Section(
        "leaderboard",
        "Who drove best",
        "Below each figure stands the range that holds its true value with 95 % confidence. "
        f"“Against {leader.name}” compares episode by episode; a difference whose range does not "
        "hold zero is bold. Press a column’s name to sort by it.",
        tables.table(head, rows, filter_hint=leader.name, ranked="success"),
    )


def success(study: Study) -> Section:
    """Success rates as bars with intervals."""
    rows = [
        Row(
            policy.name,
            study.signs[policy.name],
            charts.bar(SHARE, rate.mean) + charts.whisker(SHARE, *rate, study.signs[policy.name]),
            tables.rate(rate),
        )
        for policy, rate in ((policy, policy.summary["success_rate"]) for policy in study.ranked)
    ]
    return Section(
        "success",
        "How often they arrive",
        "The bar is the share of episodes that succeeded, the line its 95 % interval.",
        charts.rows_chart(rows, SHARE, "episodes that succeeded", percent),
    )


def differences(study: Study) -> Section | None:
    """Paired differences to the best learned driver, or to the best where none learned."""
    reference = (study.learned or study.ranked)[0]
    others = [policy for policy in study.ranked if policy is not reference]
    told = [(p, found) for p in others if (found := study.compare(p, reference)) is not None]
    if not told:
        return None
    passed = _forest(
        study,
        [(policy, found.success_rate, found) for policy, found in told],
        "success, in percentage points (right is better)",
        lambda value: f"{'+' if value > 1e-9 else ''}{number(100.0 * value)}",
        lambda entry, found: f"{_range(entry, 100.0, 1)}, {tables.p_value(found.p_value)}",
    )
    apart = _forest(
        study,
        [(policy, found.measures["lateral_mae_m"], found) for policy, found in told],
        "lateral MAE [m] (left is better)",
        lambda value: f"{'+' if value > 1e-9 else ''}{number(value)}",
        lambda entry, _: _range(entry, 1.0, 3),
    )
    return Section(
        "differences",
        f"Compared with {reference.name}",
        "All drove the same episodes, so each drive is compared with the other driver’s drive of "
        "the same episode: what was hard for both cancels out. A range that keeps clear of zero is "
        "a difference that other episodes of this kind would show again.",
        Markup("<h3>Success</h3>{}<h3>Distance from the lane’s centre</h3>{}").format(
            passed, apart
        ),
    )


def lateral(study: Study) -> Section:
    """Where in the lane every episode was driven."""
    values = [e["lateral_mae_m"] for policy in study.ranked for e in policy.episodes]
    wide = min(values) > 0.0 and max(values) > 20.0 * min(values)
    scale = log_scale_for(values) if wide else scale_for(values, zero=True)
    rows = []
    for policy in study.ranked:
        errors = [episode["lateral_mae_m"] for episode in policy.episodes]
        failed = [not episode["success"] for episode in policy.episodes]
        middle = sorted(errors)[len(errors) // 2]
        marks = charts.strip(scale, errors, failed)
        rows.append(Row(policy.name, study.signs[policy.name], marks, f"median {number(middle)} m"))
    return Section(
        "lateral",
        "How well they keep the lane",
        "A dot is one episode: its mean distance from the lane’s centre line, while it lasted. "
        "A cross is an episode that failed; the upright line is the median.",
        charts.rows_chart(rows, scale, f"lateral MAE [m]{', logarithmic' if wide else ''}"),
    )


def endings(study: Study) -> Section | None:
    """Why episodes ended."""
    counted = {policy.name: Counter(e["ended"] for e in policy.episodes) for policy in study.ranked}
    total = sum(counted.values(), Counter[str]())
    if len(total) < 2:
        return None
    good = {e["ended"] for policy in study.ranked for e in policy.episodes if e["success"]}
    reasons = sorted(total, key=lambda reason: (reason not in good, -total[reason], reason))
    bad = [reason for reason in reasons if reason not in good]
    patterns = {r: GOOD_PATTERNS[k % 2] for k, r in enumerate(r for r in reasons if r in good)}
    patterns |= {reason: BAD_PATTERNS[k % 4] for k, reason in enumerate(bad)}
    rows = []
    for policy in study.ranked:
        parts = [
            (counted[policy.name][reason] / len(policy.episodes), patterns[reason], reason)
            for reason in reasons
            if counted[policy.name][reason]
        ]
        failed = sum(not episode["success"] for episode in policy.episodes)
        marks = charts.stack([(share, at, tables.words(reason)) for share, at, reason in parts])
        rows.append(Row(policy.name, study.signs[policy.name], marks, f"{failed} failed"))
    legend = charts.legend_parts([(patterns[reason], tables.words(reason)) for reason in reasons])
    return Section(
        "endings",
        "How episodes end",
        "The share of episodes that ended for each reason.",
        charts.rows_chart(rows, SHARE, "episodes", percent) + legend + _flags(study),
    )


def drivers(study: Study) -> Section:
    """What was compared: each driver's folder and what it says of itself."""
    facts = list(
        dict.fromkeys(
            name
            for policy in study.ranked
            for name, value in policy.facts.items()
            if tables.is_told(value)
        )
    )
    rows = []
    for place, policy in enumerate(study.ranked):
        cells = [tables.row_head(study.named(policy), place)]
        cells.append(tables.cell(policy.run or "not learned", policy.run or ""))
        for name in facts:
            value = policy.facts.get(name, "–")
            counted = isinstance(value, int | float) and not isinstance(value, bool)
            text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            cells.append(tables.cell(number(value) if counted else text, text))
        rows.append(cells)
    head = ["driver", "run", *map(tables.words, facts)]
    settings = json.dumps(dict(study.results.settings), indent=1, sort_keys=True)
    return Section(
        "drivers",
        "What was run",
        "The drivers, and the folders that hold those that learned; what made the results, where.",
        tables.table(head, rows)
        + made_by(study)
        + Markup(
            "<details><summary>Show all settings of the suite</summary>"
            '<pre class="scroll"><code>{}</code></pre></details>'
        ).format(settings),
    )


SECTIONS: list[Callable[[Study], Section | None]] = [
    leaderboard,
    videos,
    success,
    differences,
    lateral,
    metrics,
    conditions,
    recovery,
    difficulty,
    roads,
    endings,
    failures,
    drives,
    training,
    open_loop,
    drivers,
    episodes,
]


def _flags(study: Study) -> Markup:
    """How often each driver left the lane, by either rule; nothing where that was not judged."""
    names = [
        name
        for name in ("left_lane_free_margin", "left_lane_centre_2m")
        if all(f"{name}_rate" in policy.summary for policy in study.ranked)
    ]
    if not names:
        return Markup("")
    rows = []
    for place, policy in enumerate(study.ranked):
        rates = [policy.summary[f"{name}_rate"] for name in names]
        cells = [tables.cell(tables.stacked(*tables.rate_parts(r)), r.mean) for r in rates]
        rows.append([tables.row_head(study.named(policy), place), *cells])
    head = ["driver", *(METRICS[name].label for name in names)]
    return Markup("<h3>Leaving the lane</h3>{}").format(tables.table(head, rows))


def _range(change: Interval, times: float, digits: int) -> str:
    """A difference with its interval; the axis says the unit."""
    return "{} [{}, {}]".format(*(tables.signed(times * value, digits) for value in change))


def _forest(
    study: Study,
    entries: Sequence[tuple[PolicyResult, Interval, Comparison]],
    axis: str,
    tick: Callable[[float], str],
    told: Callable[[Interval, Comparison], str],
) -> Markup:
    """Differences with their intervals, and a line at none."""
    scale = scale_for((end for _, entry, _ in entries for end in entry), zero=True)
    rows = [
        Row(
            policy.name,
            study.signs[policy.name],
            charts.whisker(scale, *entry, study.signs[policy.name]),
            told(entry, found),
        )
        for policy, entry, found in entries
    ]
    return charts.rows_chart(rows, scale, axis, tick, line_at=0.0)
