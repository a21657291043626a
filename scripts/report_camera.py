"""Camera strips for the report: what a driver saw, drawn again from where it was."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

import numpy as np

from redrive.agents.evaluation import suite_world
from redrive.agents.results import EpisodeResult, PolicyResult
from redrive.agents.suites import SUITES, Suite
from redrive.report_course import Course, telling
from redrive.report_runs import find_run
from redrive.report_study import Study
from redrive.sim.any_world import World
from redrive.sim.recording_header import read_json
from redrive.sim.sensors.camera import Camera

PICTURES = 10  # of a strip, evenly over the episode
QUALITY = 80  # of JPEG

Strip = list[tuple[float, str]]
"""Seconds since the start, and a picture as a data URI."""


@lru_cache(maxsize=64)
def camera_strips(study: Study, policy: PolicyResult) -> list[Strip]:
    """A strip for each episode of `telling`."""
    return [camera_strip(study, policy, e, course) for _, e, course in telling(study, policy)]


def camera_strip(
    study: Study, policy: PolicyResult, episode: EpisodeResult, course: Course
) -> Strip:
    """What the driver's camera saw in an episode.

    Results hold no pictures: the simulator draws them again, from the episode's seed and the
    poses that were kept. Empty where that cannot be: the suite, its settings or its roads are not
    those of this redrive, no heading was kept, or a condition changed what was seen.
    """
    suite = SUITES.get(study.results.suite)
    columns = course.columns
    if suite is None or episode.get("condition") or not {"x", "y", "yaw"} <= set(columns):
        return []
    if not _is_same(suite, study):
        return []
    try:
        world = _world(suite.name, study.results.settings.get("roads"), study.results.dt)
        camera = _camera(study, policy) or next(
            sensor for sensor in world.sensors.values() if isinstance(sensor, Camera)
        )
        return _draw(world, camera, episode, course)
    except (OSError, ValueError, StopIteration):
        return []  # roads or a recording that are not here


@lru_cache(maxsize=4)
def _world(suite: str, roads: str | None, dt: float) -> World:
    return suite_world(SUITES[suite], roads=roads, dt=dt)


def _is_same(suite: Suite, study: Study) -> bool:
    """Whether the suite is still what was driven."""
    theirs = study.results.settings
    ours: dict[str, Any] = suite.to_json()
    return all(
        theirs.get(name) == _plain(ours[name]) for name in ("appearance", "vehicle", "task")
        if name in ours
    )  # fmt: skip


def _plain(value: Any) -> Any:
    """As it comes back from a results file: tuples are lists, numbers have nine digits."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def _camera(study: Study, policy: PolicyResult) -> Camera | None:
    """The camera that a learned driver was trained with."""
    folder = None if policy.run is None else find_run(study.path, policy.run)
    if folder is None or not (folder / "policy.json").is_file():
        return None
    sensors = read_json(folder / "policy.json").get("observation", {}).get("sensors", {})
    settings = sensors.get("camera", {}).get("settings")
    return Camera(**settings) if isinstance(settings, dict) else None


def _draw(world: World, camera: Camera, episode: EpisodeResult, course: Course) -> Strip:
    import cv2

    columns = course.columns
    source = world.pool.source
    road = next((i for i in range(source.count) if source.name(i) == episode["road"]), None)
    if road is None:
        return []
    at = np.unique(np.linspace(0, len(course) - 1, PICTURES).astype(int))
    seeds = np.full(len(at), episode["seed"])
    start = world.reset(seeds, roads=np.full(len(at), road))
    travelled = columns["progress"][at] if "progress" in columns else np.zeros(len(at))
    state = start._replace(
        x=columns["x"][at], y=columns["y"][at], yaw=columns["yaw"][at], steps=at + 1,
        arc_length=start.arc_length + travelled,
    )  # fmt: skip
    strip = []
    for step, picture in zip(at, world.draw(state, camera), strict=True):
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        source_text = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
        strip.append((round(course.dt * float(step + 1), 3), source_text))
    return strip
