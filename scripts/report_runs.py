"""Sections of the report about how drivers learned: training logs, and loss against driving."""

from __future__ import annotations

import json
import math
from pathlib import Path

from markupsafe import Markup

from redrive import report_charts as charts
from redrive import report_tables as tables
from redrive.agents.results import PolicyResult
from redrive.report_charts import Line, Point
from redrive.report_scales import SHARE, log_scale_for, scale_for
from redrive.report_study import Section, Study


def training(study: Study) -> Section | None:
    """Loss over training steps, from each run's log."""
    logs = {policy.name: _training_log(study, policy) for policy in study.ranked}
    lines = [line for log in logs.values() for line in log]
    if not lines:
        return None
    y_scale = log_scale_for(y for line in lines for y in line.y)
    x_scale = scale_for((x for line in lines for x in line.x), zero=True)
    shown = Markup("").join(
        _panel(
            study,
            policy,
            charts.lines_chart(logs[policy.name], x_scale, y_scale, "training step", "loss"),
        )
        for policy in study.ranked
        if logs[policy.name]
    )
    return Section(
        "training",
        "How they learned",
        "The error of imitation, on a logarithmic axis that all share: on the roads that were "
        "trained on, and on roads that were held back. A low loss is not yet a good driver.",
        Markup('<div class="panels">{}</div>').format(shown),
    )


def open_loop(study: Study) -> Section | None:
    """Error on recorded frames against success on the road."""
    errors = {policy.name: policy.open_loop for policy in study.ranked if policy.open_loop}
    shared = set.intersection(*map(set, errors.values())) if errors else set()
    if len(errors) < 2 or not shared:
        return None
    name = min(shared, key=lambda name: ("curvature" not in name, name))
    points = [
        Point(
            policy.name,
            float(errors[policy.name][name]),
            *policy.summary["success_rate"],
            study.signs[policy.name],
        )
        for policy in study.ranked
        if policy.name in errors
    ]
    return Section(
        "open-loop",
        "Loss is not driving",
        "To the right, the error against the expert’s command on recorded frames (open loop). "
        "Upwards, success when a driver’s own commands decide what it sees next (closed loop). "
        "If the one told the other, the drivers would lie on a falling line.",
        charts.scatter(
            points,
            scale_for((point.x for point in points), zero=True),
            SHARE,
            f"open-loop error: {tables.words(name)}",
            "episodes that succeeded",
        ),
    )


def find_run(results_path: Path, run: str) -> Path | None:
    """The folder of a run with a log, as named from here or from the results file."""
    places = (Path(run), results_path.parent / run, results_path.parent / Path(run).name)
    return next((place for place in places if (place / "log.jsonl").is_file()), None)


def _panel(study: Study, policy: PolicyResult, chart: Markup) -> Markup:
    return Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(
        study.named(policy), chart
    )


def _training_log(study: Study, policy: PolicyResult) -> list[Line]:
    if policy.run is None or policy.run in study.told:
        return []
    folder = find_run(study.path, policy.run)
    return [] if folder is None else log_lines(folder / "log.jsonl", study.signs[policy.name])


def log_lines(path: Path, sign: int) -> list[Line]:
    """Loss over steps from a run's log, trained on and held back, as far as they are there."""
    found: dict[str, list[tuple[float, float]]] = {"loss": [], "validation_loss": []}
    for text in path.read_text().splitlines():
        try:
            entry = json.loads(text)
        except ValueError:
            continue  # the last line of a training that was killed
        for name, points in found.items():
            value = entry.get(name) if isinstance(entry, dict) else None
            if isinstance(value, int | float) and math.isfinite(value) and "step" in entry:
                points.append((float(entry["step"]), float(value)))
    named = {"loss": ("trained on", "thin"), "validation_loss": ("held back", "thick")}
    return [
        Line(
            label,
            [step for step, _ in found[name]],
            [loss for _, loss in found[name]],
            style,
            sign,
        )
        for name, (label, style) in named.items()
        if len(found[name]) > 1
    ]
