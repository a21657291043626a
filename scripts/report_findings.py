"""What a report shows of a study: figures by group, paired differences, pictures, every run."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence

from markupsafe import Markup

from redrive import report_charts as charts
from redrive import report_tables as tables
from redrive.agents.statistics import Interval
from redrive.report_charts import Point, Row
from redrive.report_experiment import Experiment, group_interval
from redrive.report_runs import log_lines
from redrive.report_scales import SHARE, Scale, log_scale_for, number, percent, scale_for
from redrive.report_study import Section

CLOSED_LOOP = ("recovery", "success", "lane_following", "route_completion")
WORDS = {"recovery": "recovers from an offset start", "lane_following": "keeps to the lane"}
SUFFIX = {"_m": " [m]", "_rad": " [rad]", "_1pm": " [1/m]", "_mps": " [m/s]"}
TRAINED = 40  # runs whose learning is drawn


def groups(study: Experiment) -> Section | None:
    """Every figure by the first factor: all runs as dots, means with intervals."""
    if study.group is None:
        return None
    parts = []
    for figure in _by_weight(study):
        share = study.is_share(figure)
        scale = SHARE if share else scale_for(study.values(figure, {}), zero=True)
        chart = _rows(study, figure, {}, scale)
        below = ""
        for factor in study.factors[1:]:
            for value in study.groups_of(factor):
                if len(study.groups_of(factor)) <= 4:
                    below += Markup("<h3>{} {}</h3>{}").format(
                        tables.words(factor), value, _rows(study, figure, {factor: value}, scale)
                    )
        parts.append(Markup('<div data-choice="{}">{}{}</div>').format(words(figure), chart, below))
    return Section(
        "groups",
        f"By {tables.words(study.group)}",
        "A small dot is one training; the sign is the mean over trainings, the line its 95 % "
        "interval (Student’s t): how much the mean would move with other training seeds.",
        charts.choices("Figure", parts),
    )


def pairs(study: Experiment) -> Section | None:
    """Paired differences to the first group."""
    if study.group is None:
        return None
    first, *others = study.groups_of(study.group)
    parts = []
    for figure in _by_weight(study):
        found = [(name, study.paired(figure, study.group, name, first)) for name in others]
        told = [(name, change) for name, change in found if change is not None]
        if not told:
            continue
        times = 100.0 if study.is_share(figure) else 1.0
        scale = scale_for((end for _, change in told for end in change), zero=True)
        rows = [
            Row(
                name,
                _sign(study, name),
                charts.whisker(scale, *change, _sign(study, name)),
                _range(change, times),
            )
            for name, change in told
        ]

        def tick(value: float, times: float = times) -> str:
            return f"{'+' if value > 1e-12 else ''}{number(times * value)}"

        unit = ", in percentage points" if times == 100.0 else ""
        chart = charts.rows_chart(rows, scale, words(figure) + unit, tick, line_at=0.0)
        parts.append(Markup('<div data-choice="{}">{}</div>').format(words(figure), chart))
    if not parts:
        return None
    return Section(
        "pairs",
        f"Compared with {first}",
        f"Runs that are alike in all but the {tables.words(study.group)} are compared in pairs. A "
        "range that keeps clear of zero is a difference that other training seeds would show again.",
        charts.choices("Figure", parts),
    )


def loss_and_driving(study: Experiment) -> Section | None:
    """Open-loop error against closed-loop success, a point for each run."""
    errors = [name for name in study.figures if name.startswith("open_loop")]
    closed = [name for name in CLOSED_LOOP if name in study.figures]
    if not errors or not closed or study.group is None:
        return None
    error, success = errors[0], closed[0]
    points = [
        Point(
            "",
            float(row[error] or 0.0),
            float(row[success] or 0.0),
            float(row[success] or 0.0),
            float(row[success] or 0.0),
            _sign(study, str(row[study.group])),
        )
        for row in study.rows
        if row[error] is not None and row[success] is not None
    ]
    x_scale = scale_for((point.x for point in points), zero=True)
    legend = Markup('<div class="legend">{}</div>').format(
        Markup("").join(
            Markup("<span>{}{}</span>").format(charts.key(_sign(study, name)), name)
            for name in study.groups_of(study.group)
        )
    )
    return Section(
        "open-loop",
        "Loss is not driving",
        "A sign is one training. To the right, its error on a held-out log (open loop); upwards, how "
        "often it succeeds when its own commands decide what it sees next (closed loop). If the one "
        "told the other, the signs would lie on a falling line.",
        charts.scatter(points, x_scale, SHARE, words(error), words(success)) + legend,
    )


def pictures(study: Experiment) -> Section | None:
    """The plots that the study drew."""
    if not study.pictures:
        return None
    shown = Markup("").join(
        Markup(
            '<figure class="plotted"><img alt="{}" src="data:image/{};base64,{}">'
            "<figcaption>{}</figcaption></figure>"
        ).format(
            caption,
            "svg+xml" if path.suffix == ".svg" else path.suffix.lstrip("."),
            base64.b64encode(path.read_bytes()).decode(),
            caption,
        )
        for path, caption in study.pictures
    )
    return Section("pictures", "What it drew", "As the study left them.", shown)


def learning(study: Experiment) -> Section | None:
    """Loss over steps of every run whose log lies in the folder."""
    logs = {
        path.parent.name: lines
        for path in sorted(study.folder.glob("runs/*/log.jsonl"))[:TRAINED]
        if (lines := log_lines(path, 0))
    }
    if not logs:
        return None
    y_scale = log_scale_for(y for lines in logs.values() for line in lines for y in line.y)
    x_scale = scale_for((x for lines in logs.values() for line in lines for x in line.x), zero=True)
    panels = Markup("").join(
        Markup("<figure><figcaption><b>{}</b></figcaption>{}</figure>").format(
            name,
            charts.lines_chart(
                lines, x_scale, y_scale, "training step", "loss", height=110, legend=False
            ),
        )
        for name, lines in logs.items()
    )
    return Section(
        "training",
        "How they learned",
        "The error of imitation on a logarithmic axis that all share: thin on what was trained on, "
        "thick on what was held back.",
        Markup('<div class="panels">{}</div>').format(panels),
    )


def every_run(study: Experiment) -> Section:
    """The table of runs."""
    names = list(study.rows[0])
    rows = []
    for row in study.rows:
        cells = []
        for name in names:
            value = row[name]
            if value is None:
                cells.append(tables.quiet("–", ""))
            elif isinstance(value, str):
                cells.append(tables.cell(value, value))
            elif name in study.figures and study.is_share(name):
                cells.append(tables.cell(tables.share(value), value))
            else:
                cells.append(tables.cell(number(value), value))
        rows.append(cells)
    return Section(
        "runs",
        "Every run",
        f"All {len(rows)} rows of the study’s table.",
        tables.table(
            [heading(name) for name in names],
            rows,
            filter_hint=str(next(iter(study.rows[0].values()))),
        ),
    )


FINDINGS: list[Callable[[Experiment], Section | None]] = [
    groups,
    pairs,
    loss_and_driving,
    pictures,
    learning,
    every_run,
]


def words(name: str) -> str:
    """A column's name as words with its unit, and what it means where we know that."""
    return f"{heading(name)}: {WORDS[name]}" if name in WORDS else heading(name)


def heading(name: str) -> str:
    """A column's name as words with its unit."""
    for ending, unit in SUFFIX.items():
        if name.endswith(ending):
            return tables.words(name.removesuffix(ending)) + unit
    return tables.words(name)


def _by_weight(study: Experiment) -> list[str]:
    """The figures, closed loop first."""
    return sorted(
        study.figures, key=lambda name: (name not in CLOSED_LOOP, study.figures.index(name))
    )


def _sign(study: Experiment, group: str) -> int:
    assert study.group is not None
    return study.groups_of(study.group).index(group)


def _rows(study: Experiment, figure: str, where: dict[str, str], scale: Scale) -> Markup:
    """A row a group."""
    assert study.group is not None
    share = study.is_share(figure)
    rows: list[Row] = []
    for name in study.groups_of(study.group):
        values = study.values(figure, {study.group: name, **where})
        if not values:
            continue
        found = group_interval(values)
        if share:  # Student's interval knows no ends, a share does
            found = Interval(found.mean, max(found.low, 0.0), min(found.high, 1.0))
        sign = _sign(study, name)
        marks = charts.dots(scale, values) + charts.whisker(scale, *found, sign)
        told = tables.rate(found) if share else _plain_range(found)
        rows.append(Row(name, sign, marks, f"{told}, {_count(values)}"))
    return charts.rows_chart(rows, scale, words(figure), percent if share else number)


def _count(values: Sequence[float]) -> str:
    return f"{len(values)} run{'s' * (len(values) != 1)}"


def _range(change: Interval, times: float) -> str:
    digits = 1 if times == 100.0 else 4
    return "{} [{}, {}]".format(*(tables.signed(times * value, digits) for value in change))


def _plain_range(found: Interval) -> str:
    return f"{number(found.mean)} [{number(found.low)}, {number(found.high)}]"
