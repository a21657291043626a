"""The report's section about every metric: a table of all, and each one's spread and differences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from redrive import report_charts as charts
from redrive import report_tables as tables
from redrive.agents import results as results_file
from redrive.agents.results import PolicyResult
from redrive.agents.statistics import Interval
from redrive.report_charts import Row
from redrive.report_scales import SHARE, Scale, log_scale_for, number, percent, scale_for
from redrive.report_study import Section, Study
from redrive.sim.metrics import METRICS

UNPAIRED = {"steps"}  # what is compared episode by episode without meaning much


def metrics(study: Study) -> Section | None:
    """Every metric that all drivers have: means with intervals, spread, paired differences."""
    names = [name for name in METRICS if all(_key(p, name) is not None for p in study.ranked)]
    if not names:
        return None
    panels = []
    for name in names:
        label = METRICS[name].label
        panels.append(
            Markup('<div data-choice="{}"><p class="meaning">{}</p>{}</div>').format(
                label, meaning(name), _chart(study, name)
            )
        )
    shown = Markup('<div class="choices brief" data-label="Metric"{}>{}</div>').format(
        Markup(' data-first="{}"').format(names.index("lateral_mae_m"))
        if "lateral_mae_m" in names
        else "",
        Markup("").join(panels),
    )
    return Section(
        "metrics",
        "Metric by metric",
        "Choose a metric. The box holds the middle half of a driver’s episodes, the thin line nine "
        "of ten, the upright stroke is the median; the driver’s sign is the mean, the thick line its "
        "95 % interval. The table below has all means.",
        shown + _table(study, names),
    )


def meaning(name: str) -> str:
    """What a metric is, as a sentence, with which way is good."""
    metric = METRICS[name]
    unit = f" [{metric.unit}]" if metric.unit else ""
    good = f" {metric.better.capitalize()} is good." if metric.better else ""
    return f"{metric.label}{unit}: {metric.meaning}.{good}"


def figure(name: str, value: float, share: bool = True) -> str:
    """A metric's value with its unit.

    Args:
        share: one without a unit is a share and shown in percent; else it is a count or a score.
    """
    unit = METRICS[name].unit
    if not unit and share:
        return tables.share(value)
    if unit == "m" and abs(value) < 10.0:
        return f"{value:.3f}\N{NO-BREAK SPACE}m"
    return f"{number(value)}\N{NO-BREAK SPACE}{unit}".strip()


def is_share(study: Study, name: str) -> bool:
    """Whether a metric without a unit is a share: a flag, or a number from 0 to 1 (no count)."""
    if METRICS[name].unit:
        return False
    values = [e.get(name) for policy in study.ranked for e in policy.episodes]
    some = [value for value in values if value is not None]
    return all(isinstance(v, bool) or (isinstance(v, float) and 0.0 <= v <= 1.0) for v in some)


def _table(study: Study, names: Sequence[str]) -> Markup:
    rows = []
    for place, name in enumerate(names):
        share = is_share(study, name)
        cells = [tables.row_head(METRICS[name].label, place)]
        for policy in study.ranked:
            entry = policy.summary[_key(policy, name) or name]
            low, high = (
                figure(name, end, share).split("\N{NO-BREAK SPACE}")[0] for end in entry[1:]
            )
            below = f"[{low}, {high}]"
            cells.append(
                tables.cell(tables.stacked(figure(name, entry.mean, share), below), entry.mean)
            )
        rows.append(cells)
    table = tables.table(
        ["metric", *(policy.name for policy in study.ranked)], rows, filter_hint="lateral"
    )
    return Markup("<details><summary>Show all {} metrics in a table</summary>{}</details>").format(
        len(rows), table
    )


def _chart(study: Study, name: str) -> Markup:
    """A row a driver: spread, mean, and the difference to the reference."""
    reference = (study.learned or study.ranked)[0]
    values = {policy.name: _values(policy, name) for policy in study.ranked}
    means = [policy.summary[_key(policy, name) or name] for policy in study.ranked]
    everything = [v for some in values.values() for v in some] or [v for one in means for v in one]
    flag = isinstance(study.ranked[0].episodes[0].get(name), bool)
    share = is_share(study, name)
    scale = _scale(everything, share)
    rows = []
    for policy in study.ranked:
        mean = policy.summary[_key(policy, name) or name]
        sign = study.signs[policy.name]
        spread = values[policy.name]
        marks = _spread(scale, spread) if spread and not flag else charts.bar(scale, mean.mean)
        marks += charts.whisker(scale, *mean, sign)
        told = figure(name, mean.mean, share)
        change = None if policy is reference else _difference(policy, reference, name)
        if change is not None and name not in UNPAIRED:
            told += f" ({_signed(change, 100.0 if share else 1.0)})"
        rows.append(Row(policy.name, sign, marks, told))
    axis = METRICS[name].label + (f" [{METRICS[name].unit}]" if METRICS[name].unit else "")
    if scale.log:
        axis += ", logarithmic"
    chart = charts.rows_chart(rows, scale, axis, percent if share else number)
    if len(rows) > 1 and name not in UNPAIRED:
        chart += Markup(
            '<p class="note">In round brackets: the paired difference to {}, with its range.</p>'
        ).format(reference.name)
    return chart


def _spread(scale: Scale, values: Sequence[float]) -> Markup:
    least, lower, middle, upper, most = np.percentile(values, [5.0, 25.0, 50.0, 75.0, 95.0])
    return charts.box(scale, float(least), float(lower), float(middle), float(upper), float(most))


def _scale(values: Sequence[float], share: bool) -> Scale:
    if share:
        return SHARE
    least, most = min(values), max(values)
    if least > 0.0 and most > 30.0 * least:
        return log_scale_for(values)
    return scale_for(values, zero=least >= 0.0)


def _key(policy: PolicyResult, name: str) -> str | None:
    """The metric's name in a summary; None where it was not measured in all episodes."""
    return next((key for key in (name, f"{name}_rate") if key in policy.summary), None)


def _values(policy: PolicyResult, name: str) -> list[float]:
    """Of each episode; none where the metric is one of all episodes together."""
    return [float(e[name]) for e in policy.episodes if e.get(name) is not None]


def _difference(ours: PolicyResult, theirs: PolicyResult, name: str) -> Interval | None:
    try:
        told = results_file.compare(ours, theirs, (name,))
    except (ValueError, KeyError, TypeError):
        return None
    return told.success_rate if name == "success" else told.measures[name]


def _signed(change: Interval, times: float) -> str:
    digits = 1 if times > 1.0 or max(map(abs, change)) >= 10.0 else 3
    mean, low, high = (tables.signed(times * value, digits) for value in change)
    return f"{mean} [{low}, {high}]"
