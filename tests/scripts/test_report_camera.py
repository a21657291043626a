"""The camera strip shows what the driver saw, though no picture was stored."""

import base64
from pathlib import Path

import cv2
import numpy as np

from redrive.agents import results as results_file
from redrive.agents.evaluation import suite_world
from redrive.agents.expert import Expert
from redrive.agents.rollout import rollout
from redrive.agents.suites import SUITES
from redrive.cli import main
from redrive.report_camera import PICTURES, camera_strip
from redrive.report_course import find_course
from redrive.report_study import Study


def test_pictures_are_those_of_the_drive(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    assert (
        main(["evaluate", "expert", "--suite", "roads", "--episodes", "2", "--out", str(out)]) == 0
    )
    results = results_file.load(out)
    study = Study(out, results, {"expert": 0})
    (expert,) = results.policies
    episode = expert.episodes[1]
    course = find_course(study, expert, episode)
    assert course is not None
    strip = camera_strip(study, expert, episode, course)
    assert len(strip) == PICTURES

    world = suite_world(SUITES["roads"])
    start = world.reset(np.array([episode["seed"]]))
    seen = [frame.view["camera"][0] for frame in rollout(world, Expert(), start)]
    for when, uri in strip[:-1]:  # the last state is seen by nobody: the episode has ended
        data = base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert decoded is not None
        picture = decoded[..., ::-1]
        true = seen[round(when / results.dt)].astype(float)
        assert np.abs(picture - true).mean() < 6.0  # JPEG
        other = seen[round(when / results.dt) // 2].astype(float)
        assert np.abs(picture - true).mean() < np.abs(picture - other).mean()


def test_without_poses_or_suite_there_is_no_strip(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    assert (
        main(["evaluate", "expert", "--suite", "roads", "--episodes", "1", "--out", str(out)]) == 0
    )
    results = results_file.load(out)
    (expert,) = results.policies
    course = find_course(Study(out, results, {}), expert, expert.episodes[0])
    assert course is not None
    for settings in ({}, {**results.settings, "world": "gone.csv", "roads": "gone.csv"}):
        other = results_file.Results("roads", 0, 0.1, [expert], settings=settings)
        assert camera_strip(Study(out, other, {}), expert, expert.episodes[0], course) == []


def test_conditions_are_seen(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    given = ["--suite", "noise", "--episodes", "1", "--out", str(out)]
    assert main(["evaluate", "expert", *given]) == 0
    results = results_file.load(out)
    study = Study(out, results, {"expert": 0})
    (expert,) = results.policies
    pictures = set()
    for episode in expert.episodes:
        course = find_course(study, expert, episode)
        assert course is not None
        pictures.add(camera_strip(study, expert, episode, course)[0][1])
    assert len(pictures) == len(expert.episodes) == 8
