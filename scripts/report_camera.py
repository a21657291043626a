"""Camera strips for the report: what a driver saw, drawn again from where it was."""

from __future__ import annotations

import base64
from dataclasses import fields
from functools import lru_cache

import numpy as np

from redrive.agents.agent import keys_of
from redrive.agents.evaluation import suite_world
from redrive.agents.results import EpisodeResult, PolicyResult
from redrive.agents.rollout import look
from redrive.agents.suites import Suite
from redrive.report_course import Course, telling
from redrive.report_runs import find_run
from redrive.report_study import Study
from redrive.sim.any_world import World
from redrive.sim.picture_faults import spoil
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
    poses that were kept. Empty where that cannot be: no heading was kept, or the suite, its roads or
    a recording is not here.
    """
    if not {"x", "y", "yaw"} <= set(course.columns):
        return []
    try:
        camera = _camera(study, policy) or Camera()
        return _draw(_suite(study), camera, study, episode, course)
    except (OSError, ValueError, KeyError):
        return []  # another redrive's suite; roads or a recording that are not here


@lru_cache(maxsize=4)
def _suite(study: Study) -> Suite:
    """The suite that was driven, from what the results say of it."""
    known = {entry.name for entry in fields(Suite)}
    settings = study.results.settings
    return Suite.from_json({name: value for name, value in settings.items() if name in known})


@lru_cache(maxsize=8)
def _world(study: Study, condition: str, camera: Camera) -> World:
    variant = _suite(study).variants()[condition]
    roads = study.results.settings.get("roads")
    return suite_world(variant, {"camera": camera}, roads, study.results.dt)


def _camera(study: Study, policy: PolicyResult) -> Camera | None:
    """The camera that a learned driver was trained with."""
    folder = None if policy.run is None else find_run(study.path, policy.run)
    if folder is None or not (folder / "policy.json").is_file():
        return None
    sensors = read_json(folder / "policy.json").get("observation", {}).get("sensors", {})
    settings = sensors.get("camera", {}).get("settings")
    return Camera(**settings) if isinstance(settings, dict) else None


def _draw(
    suite: Suite, camera: Camera, study: Study, episode: EpisodeResult, course: Course
) -> Strip:
    import cv2

    condition = episode.get("condition", "")
    world, columns = _world(study, condition, camera), course.columns
    source = world.pool.source
    road = next((i for i in range(source.count) if source.name(i) == episode["road"]), None)
    if road is None:
        return []
    at = np.unique(np.linspace(0, len(course) - 1, PICTURES).astype(int))
    start = world.reset(np.full(len(at), episode["seed"]), roads=np.full(len(at), road))
    travelled = columns["progress"][at] if "progress" in columns else np.zeros(len(at))
    state = start._replace(
        x=columns["x"][at], y=columns["y"][at], yaw=columns["yaw"][at], steps=at + 1,
        arc_length=start.arc_length + travelled,
    )  # fmt: skip
    view = look(world, state)
    faults = suite.variants()[condition].faults
    pictures = spoil(view["camera"], keys_of(view), faults)
    strip = []
    for step, picture in zip(at, pictures, strict=True):
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        source_text = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
        strip.append((round(course.dt * float(step + 1), 3), source_text))
    return strip
