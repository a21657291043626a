"""What the report's page holds as data: every episode, the steps of many, the roads they were on.

The page's script draws the picked episode from it, and anybody can recompute the page's figures.
Numbers are whole multiples of a step, each as the difference to the one before (`packed`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from redrive.agents.results import EpisodeResult, PolicyResult
from redrive.report_camera import camera_strips
from redrive.report_course import Course, by_merit, find_course, telling
from redrive.report_films import film_name
from redrive.report_map import Drawing, draw_road, find_road
from redrive.report_study import Study
from redrive.sim.metrics import METRICS
from redrive.sim.vehicle import Vehicle

COURSES_ROOM = 4_000_000  # [bytes] of a page for steps
COLUMNS = {  # that are shown, and the step their numbers are multiples of
    "x": 0.01,
    "y": 0.01,
    "yaw": 0.001,
    "speed": 0.01,
    "lateral_offset": 0.001,
    "margin": 0.01,
    "curvature": 0.0001,
    "command_curvature": 0.0001,
    "accel": 0.01,
    "command_accel": 0.01,
}
TEXTS = ("road", "seed", "condition", "ended", "success")
HIDDEN = {"trace", "index"}

Key = tuple[str, int]
"""A driver's name, and the place of an episode in its list."""


def packed(values: np.ndarray, step: float) -> list[int]:
    """Whole multiples of `step`: the first one, then differences."""
    whole = np.rint(np.asarray(values, float) / step).astype(int)
    return np.diff(whole, prepend=0).tolist()


def unpacked(numbers: Sequence[int], step: float) -> np.ndarray:
    """The values of `packed`, to half a step."""
    values: np.ndarray = np.cumsum(numbers) * step
    return values


def chapter_data(study: Study, room: int = COURSES_ROOM) -> dict[str, Any]:
    """Everything about one results file that the page's script works with, as JSON values."""
    courses = chosen_courses(study, room // study.chapters)
    columns = episode_columns(study)
    episodes = [
        (policy, place, episode)
        for policy in study.ranked
        for place, episode in enumerate(policy.episodes)
    ]
    numbers = {(policy.name, place): number for number, (policy, place, _) in enumerate(episodes)}
    rows = [[policy.name, *(e.get(name) for name in columns)] for policy, _, e in episodes]
    steps = {str(numbers[key]): _course_json(course) for key, course in courses.items()}
    strips: dict[str, Any] = {}
    for policy in study.ranked:
        shown = zip(telling(study, policy), camera_strips(study, policy), strict=True)
        for (_, episode, _), strip in shown:
            if strip:
                strips[str(numbers[policy.name, policy.episodes.index(episode)])] = strip
    films = {
        str(numbers[policy.name, place]): film_name(study, policy, film)
        for policy in study.ranked
        for film, video in enumerate(policy.videos)
        for place, episode in enumerate(policy.episodes)
        if (told := re.search(r"\bepisode (\d+)", video.caption)) is not None
        and episode.get("index", place) == int(told[1])
    }
    vehicle = {**Vehicle().to_json(), **study.results.settings.get("vehicle", {})}
    return {
        "drivers": {policy.name: study.signs[policy.name] for policy in study.ranked},
        "first": _shown_first(study, numbers, courses),
        "car": {
            "length": vehicle["length"],
            "width": vehicle["width"],
            "back": -vehicle["rear_overhang"],
        },
        "columns": [{"name": "driver", "label": "driver", "unit": "", "kind": "text"}]
        + [_column_json(name, [e.get(name) for _, _, e in episodes]) for name in columns],
        "episodes": rows,
        "courses": steps,
        "roads": _roads_json(study, courses),
        "frames": strips,
        "films": films,
        "steps": {name: step for name, step in COLUMNS.items()},
    }


def episode_columns(study: Study) -> list[str]:
    """Entries of the episodes, those first that say which episode it is and how it ended."""
    found = dict.fromkeys(name for p in study.ranked for e in p.episodes for name in e)
    known = [name for name in TEXTS if name in found]
    figures = [name for name in METRICS if name in found and name not in known]
    rest = [name for name in found if name not in HIDDEN | set(known) | set(figures)]
    return [name for name in known + figures + rest if _is_told(study, name)]


def chosen_courses(study: Study, room: int) -> dict[Key, Course]:
    """The steps that go into the page, as many as there is room for.

    The best, median and worst episode of every driver come first, then episodes of all drivers in
    turn, those that somebody failed before those that all passed.
    """
    failed = {_which(e) for policy in study.ranked for e in policy.episodes if not e["success"]}
    waiting: list[tuple[int, bool, Any, PolicyResult, int]] = []
    for policy in study.ranked:
        order = [policy.episodes.index(e) for e in by_merit(policy.episodes)]
        first = {order[0], order[len(order) // 2], order[-1]}
        for place, episode in enumerate(policy.episodes):
            key = _which(episode)
            rank = 0 if place in first or isinstance(episode.get("trace"), str) else 1
            waiting.append((rank, key not in failed, key, policy, place))
    waiting.sort(key=lambda entry: entry[:3])
    kept: dict[Key, Course] = {}
    for _, _, _, policy, place in waiting:
        course = find_course(study, policy, policy.episodes[place])
        if course is None:
            continue
        room -= len(json.dumps(_course_json(course)))
        if room < 0:
            break
        kept[policy.name, place] = course
    return kept


def as_script(values: Any, name: str) -> Markup:
    """Data for the page's script; nothing in it can end the element early."""
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    safe = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return Markup('<script type="application/json" id="{}">{}</script>').format(name, Markup(safe))


def _shown_first(study: Study, numbers: Mapping[Key, int], courses: Mapping[Key, Course]) -> int:
    """The episode that is picked at the start: the worst of the best learned driver."""
    policy = (study.learned or study.ranked)[0]
    for episode in reversed(by_merit(policy.episodes)):
        key = policy.name, policy.episodes.index(episode)
        if key in courses:
            return numbers[key]
    return 0


def _which(episode: EpisodeResult) -> tuple[str, int, str]:
    """What makes it the same episode for every driver."""
    return episode["road"], episode["seed"], str(episode.get("condition", ""))


def _is_told(study: Study, name: str) -> bool:
    """Whether a column says anything: some value is neither missing nor empty, nor a file's name."""
    return any(e.get(name) not in (None, "") for p in study.ranked for e in p.episodes)


def _column_json(name: str, values: Sequence[Any]) -> dict[str, str]:
    known = METRICS.get(name)
    label = known.label if known else name.replace("_", " ")
    unit = known.unit if known else ""
    some = next((value for value in values if value is not None), "")
    if isinstance(some, bool):
        kind = "flag"
    elif isinstance(some, str):
        kind = "text"
    elif name in ("seed", "steps") or isinstance(some, int):
        kind = "count"
    else:
        kind = "share" if known and not known.unit and _is_share(values) else "number"
    return {"name": name, "label": label, "unit": unit, "kind": kind}


def _is_share(values: Sequence[Any]) -> bool:
    return all(0.0 <= value <= 1.0 for value in values if value is not None)


def _course_json(course: Course) -> dict[str, Any]:
    stored = {
        name: packed(course.columns[name], step)
        for name, step in COLUMNS.items()
        if name in course.columns
    }
    return {"dt": course.dt, **stored}


def _roads_json(study: Study, courses: Mapping[Key, Course]) -> dict[str, Any]:
    """What is drawn of every road that a kept course was on."""
    on: dict[str, list[Course]] = {}
    for policy in study.ranked:
        for place, episode in enumerate(policy.episodes):
            if (course := courses.get((policy.name, place))) is not None:
                on.setdefault(episode["road"], []).append(course)
    drawn = {}
    for name, driven in on.items():
        road = find_road(study, name)
        drawing = None if road is None else draw_road(road, driven)
        if drawing is not None:
            drawn[name] = _drawing_json(drawing)
    return drawn


def _drawing_json(drawing: Drawing) -> dict[str, Any]:
    def line(points: np.ndarray) -> list[list[int]]:
        return [packed(points[:, 0], 0.01), packed(points[:, 1], 0.01)]

    return {
        "surfaces": [line(surface) for surface in drawing.surfaces],
        "paints": [
            [*line(paint.points), round(paint.width, 3), paint.dash, paint.gap, paint.material]
            for paint in drawing.paints
        ],
    }
