"""The study of the other memory tasks, on tiny settings; what is driven, and what is said of it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from redrive import study_tasks
from redrive.agents.disturbed import NoisyDriver
from redrive.agents.expert import Expert
from redrive.agents.rollout import look, rollout
from redrive.cli import main
from redrive.sim.memory_tasks import blackout_task, latency_task, stop_sign_task
from redrive.sim.success import is_success
from redrive.task_cues import LANE_IN_THE_DARK, LANE_THEN, WAITED
from redrive.task_lab import (
    CASES,
    DRIVERS,
    TOLD,
    StandsStill,
    StopsSomewhere,
    demonstrate,
    demonstration_world,
    drive,
    observed,
    task_world,
)


def test_the_study_runs_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = replace(
        study_tasks.QUICK, cases=("stop-sign",), eyes=2, eyes_drives=6, drives=3, seconds=1.0,
        learning=0.001, episodes=2,
    )  # fmt: skip
    monkeypatch.setattr(study_tasks, "QUICK", tiny)
    out = tmp_path / "tasks"
    assert main(["study", "tasks", "--quick", "--out", str(out), "--processes", "1"]) == 0
    found = json.loads((out / "summary.json").read_text())["success"]
    assert set(found["stop-sign"][""]) == {"expert", *tiny.drivers, TOLD}
    assert found["stop-sign"][""]["expert"]["mean"] == 1.0
    assert len((out / "runs.csv").read_text().splitlines()) == 1 + 1 + 3
    assert "success.png" in (out / "index.html").read_text()
    before = (out / "table.csv").read_bytes()
    assert main(["study", "tasks", "--quick", "--out", str(out), "--processes", "1"]) == 0
    assert (out / "table.csv").read_bytes() == before  # all is there already
    torch.set_num_threads(2)
    (out / "found" / "stop-sign-lstm-0.json").unlink()
    assert main(["study", "tasks", "--quick", "--out", str(out), "--processes", "1"]) == 0
    assert (out / "table.csv").read_bytes() == before
    assert torch.get_num_threads() == 1  # two at a time with two threads each took minutes


def test_cars_that_are_left_out_when_they_have_ended_end_as_in_the_loop_of_all() -> None:
    world = task_world(replace(stop_sign_task(), time_limit=5.0, route_length=30.0), "0-20")
    seeds = np.arange(8)
    state = world.reset(seeds)
    for frame in rollout(world, Expert(), state):
        state = frame.after
    left_out = drive(world, Expert(), seeds)
    for one, other in zip(left_out, state, strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_who_remembers_is_told_what_is_on_its_way() -> None:
    late = CASES["latency-8"]
    assert "previous_command" in observed(late, DRIVERS["lstm"])[0].sensors
    assert "previous_command" not in observed(late, DRIVERS["one frame"])[0].sensors
    assert "odometry" not in observed(CASES["unseen-speed"], DRIVERS["lstm"])[0].sensors


def test_a_black_frame_is_in_the_drives_that_are_learned_from() -> None:
    (one, *_) = demonstrate(CASES["blackout"], 2, 3.0, 0)
    dark = ~one.read("camera", 0, one.steps).any(axis=(1, 2, 3))
    assert 0 < dark.sum() < one.steps


def test_a_cue_tells_what_the_picture_hides() -> None:
    seeds = np.arange(4)
    world = task_world(stop_sign_task(wait=2.0), "0-20")
    state = world.reset(seeds)
    stood = state._replace(tally=np.array([0, 19, 20, 21]))
    assert WAITED.tell(world, stood, look(world, stood)).tolist() == [[0.0], [0.0], [1.0], [1.0]]

    world = task_world(latency_task(8), "0-20")
    state = world.reset(seeds)
    for frame in rollout(world, NoisyDriver(Expert(), world.dt), state, 20):
        state = frame.after
    then = world.foresee(state)
    told = LANE_THEN.tell(world, state, look(world, state))
    assert told.shape == (4, LANE_THEN.size)
    np.testing.assert_allclose(told[:, 0], then.lateral_offset, rtol=1e-6)
    assert np.abs(told[:, 0] - state.lateral_offset).max() > 0.01

    world = task_world(blackout_task(0.5, 1), "0-20")
    for frame in rollout(world, Expert(), world.reset(np.arange(16)), 3):
        state = frame.after  # the first picture of a drive is never lost
    view = look(world, state)
    told = LANE_IN_THE_DARK.tell(world, state, view)
    dark = ~view["camera"].any(axis=(1, 2, 3))
    assert 0 < dark.sum() < 16 and told.shape == (16, LANE_IN_THE_DARK.size)
    assert np.array_equal(told[:, 0], dark) and not told[~dark].any()


def test_a_row_has_the_mean_over_seeds_and_the_wider_interval() -> None:
    rows = [
        {"case": "blackout", "test": "0.5", "driver": "rnn", "seed": seed, "success": success,
         "episodes": 50, "route_completion": success, "waited_s": None, "wrong_speed_share": None}
        for seed, success in ((0, 0.2), (1, 0.6))
    ]  # fmt: skip
    (line,) = study_tasks.summarise(rows)
    assert (line["mean"], line["worst"], line["best"]) == (pytest.approx(0.4), 0.2, 0.6)
    assert line["low"] == 0.0  # two seeds that differ so much say little
    assert line["waited_s"] is None


def test_who_shows_how_to_stop_stops_in_various_places_where_it_counts() -> None:
    case = CASES["stop-sign"]
    world = demonstration_world(case, 10.0)
    driver = StopsSomewhere()
    noisy = StandsStill(NoisyDriver(driver, world.dt, 0.0, 2.5), driver)
    state = world.reset(np.arange(8))
    stood = []
    for frame in rollout(world, noisy, state):
        standing = frame.state.speed < 0.02
        stood.append(np.where(standing, world.stop_distance(frame.state), np.nan))
        state = frame.after
    assert is_success(case.learned, state, world.dt).mean() > 0.8
    places = np.nanmedian(stood, axis=0)
    assert places.max() - places.min() > 0.5 and places.max() < 3.0
