"""Sections of the report from what lies beside the results: films, traces, training logs."""

from __future__ import annotations

import base64
import json
import math
from pathlib import Path

from markupsafe import Markup

from redrive import report_charts as charts
from redrive import report_tables as tables
from redrive.agents import results as results_file
from redrive.agents.results import EpisodeResult, PolicyResult
from redrive.report_charts import Line, Point
from redrive.report_scales import SHARE, log_scale_for, number, scale_for
from redrive.report_study import Section, Study

MEDIA = {".webm": "video/webm", ".mp4": "video/mp4"}
FAR = 2.0  # [m] beside the lane's centre; a car that is farther out is shown at the edge
STYLES = {"best": "thin", "middle": "thick", "worst": "dotted"}


def videos(study: Study) -> Section | None:
    """The films, inside the page."""
    films = [(policy, video) for policy in study.ranked for video in policy.videos]
    if not films:
        return None
    shown = Markup("").join(
        Markup("<figure>{}<figcaption>{} {}</figcaption></figure>").format(
            _film(study.path.parent / video.file), study.named(policy), video.caption
        )
        for policy, video in films
    )
    return Section(
        "videos",
        "What it looks like",
        "Drives of these drivers; the captions say where and how.",
        Markup('<div class="films">{}</div>').format(shown),
    )


def traces(study: Study) -> Section | None:
    """The distance from the lane's centre over time: the best, the middling and the worst drive."""
    panels = [(policy, drives) for policy in study.ranked if (drives := _drives(study, policy))]
    if not panels:
        return None
    lines = [line for _, drives in panels for line in drives]
    reach = min(FAR, max(abs(y) for line in lines for y in line.y))
    x_scale, y_scale = scale_for([0.0, *(line.x[-1] for line in lines)]), scale_for([-reach, reach])
    shown = Markup("").join(
        _panel(
            study,
            policy,
            charts.lines_chart(
                drives, x_scale, y_scale, "time [s]", "beside the centre [m], left up"
            ),
        )
        for policy, drives in panels
    )
    return Section(
        "traces",
        "Three drives of each",
        "Where in the lane the car was, over time: in the best episode that was kept step by step, "
        "in the middle one and in the worst, with each one’s lateral MAE. All have the same axes.",
        Markup('<div class="panels">{}</div>').format(shown),
    )


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


def _film(path: Path) -> Markup:
    if path.suffix not in MEDIA:
        raise ValueError(f"{path} is no film we can show; expected {' or '.join(MEDIA)}")
    if not path.is_file():
        return Markup('<p class="missing">The film {} was not beside the results.</p>').format(
            path.name
        )
    data = base64.b64encode(path.read_bytes()).decode()
    return Markup(
        '<video controls muted loop playsinline preload="metadata" src="data:{};base64,{}"></video>'
    ).format(MEDIA[path.suffix], data)


def _panel(study: Study, policy: PolicyResult, chart: Markup) -> Markup:
    return Markup("<figure><figcaption>{}</figcaption>{}</figure>").format(
        study.named(policy), chart
    )


def _drives(study: Study, policy: PolicyResult) -> list[Line]:
    """Up to three of a driver's traces: the best, the middle and the worst."""
    traced = sorted(
        (e for e in policy.episodes if isinstance(e.get("trace"), str)),
        key=lambda e: (not e["success"], e["lateral_mae_m"]),
    )
    chosen: dict[int, str] = {}
    for name, place in zip(STYLES, (0, len(traced) // 2, len(traced) - 1), strict=True):
        if traced:
            chosen.setdefault(place, name)
    drives = (
        _drive(study, traced[place], name, study.signs[policy.name])
        for place, name in chosen.items()
    )
    return [drive for drive in drives if drive is not None]


def _drive(study: Study, episode: EpisodeResult, name: str, sign: int) -> Line | None:
    """A trace as a line; None where the results were moved without it."""
    try:
        dt, columns = results_file.load_trace(study.path.parent / episode["trace"])
    except FileNotFoundError:
        return None
    offsets = columns["lateral_offset"]
    label = f"{name}, {number(episode['lateral_mae_m'])} m" + (
        ", failed" * (not episode["success"])
    )
    return Line(label, [dt * step for step in range(len(offsets))], offsets, STYLES[name], sign)


def _training_log(study: Study, policy: PolicyResult) -> list[Line]:
    if policy.run is None or policy.run in study.told:
        return []
    folder = find_run(study.path, policy.run)
    if folder is None:
        return []
    found: dict[str, list[tuple[float, float]]] = {"loss": [], "validation_loss": []}
    for text in (folder / "log.jsonl").read_text().splitlines():
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
            study.signs[policy.name],
        )
        for name, (label, style) in named.items()
        if len(found[name]) > 1
    ]
