"""Suites: the same episodes for every driver, on roads that nobody learned from."""

import json

import numpy as np
import pytest

from redrive.agents.suites import (
    RECOVERY_LATERAL,
    RECOVERY_YAW,
    SUITES,
    Condition,
    Suite,
    grid_starts,
    suite_seeds,
)
from redrive.sim.roads.source import RoadSource


def names(world: str) -> set[str]:
    source = RoadSource(world)
    return {source.name(i) for i in range(source.count)}


@pytest.mark.parametrize("suite", ["roads", "recovery"])
def test_no_suite_drives_on_a_road_that_recordings_are_made_on(suite: str) -> None:
    assert not names(SUITES[suite].world) & names("procedural")
    assert len(names(SUITES[suite].world)) >= 500


def test_the_grid_is_all_offsets_with_all_angles_each_once() -> None:
    count = len(RECOVERY_LATERAL) * len(RECOVERY_YAW)
    lateral, yaw = grid_starts(SUITES["recovery"], count)
    cells = set(zip(lateral.tolist(), yaw.tolist(), strict=True))
    assert cells == {(a, b) for a in RECOVERY_LATERAL for b in RECOVERY_YAW}
    assert len(cells) == count
    twice, _ = grid_starts(SUITES["recovery"], 2 * count)
    np.testing.assert_array_equal(twice, np.concatenate([lateral, lateral]))
    np.testing.assert_allclose(sorted(RECOVERY_LATERAL), -np.array(RECOVERY_LATERAL)[::-1])
    assert max(np.abs(RECOVERY_LATERAL)) == 1.5 and np.rad2deg(max(RECOVERY_YAW)) == pytest.approx(
        10
    )


def test_episodes_are_seeded_and_suites_of_other_seeds_share_none() -> None:
    first = suite_seeds(0, 500)
    assert len(set(first.tolist())) == 500
    np.testing.assert_array_equal(suite_seeds(0, 60), first[:60])
    assert not set(first.tolist()) & set(suite_seeds(1, 500).tolist())


@pytest.mark.parametrize(("seed", "episodes"), [(-1, 5), (0, 0), (0, -3)])
def test_a_suite_without_episodes_is_refused(seed: int, episodes: int) -> None:
    with pytest.raises(ValueError, match=f"got {episodes} and {seed}"):
        suite_seeds(seed, episodes)


@pytest.mark.parametrize("name", sorted(SUITES))
def test_a_suite_says_what_it_is_in_json(name: str) -> None:
    written = json.loads(json.dumps(SUITES[name].to_json()))
    assert written["name"] == name and written["version"] >= 1
    assert written["task"]["off_lane"] == SUITES[name].task.off_lane


@pytest.mark.parametrize("name", sorted(SUITES))
def test_a_suite_comes_back_from_json(name: str) -> None:
    assert Suite.from_json(json.loads(json.dumps(SUITES[name].to_json()))) == SUITES[name]


def test_the_conditions_change_what_they_name_and_nothing_else() -> None:
    noise = SUITES["noise"].variants()
    assert list(noise)[:4] == ["clean", "noise 0.1", "noise 0.2", "noise 0.3"]
    assert noise["noise 0.2"].appearance.sensor_noise == pytest.approx(51.0)
    assert noise["noise 0.2"].appearance.randomise == noise["clean"].appearance.randomise
    assert {"blur", "night", "fog", "occlusion"} <= set(noise)
    assert all(variant.task == SUITES["noise"].task for variant in noise.values())
    late = SUITES["latency"].variants()
    assert [variant.task.latency_steps for variant in late.values()] == [0, 1, 2, 3, 5]
    assert list(SUITES["roads"].variants()) == [""]
    assert SUITES["roads"].variants()[""] is SUITES["roads"]


def test_a_suite_checks_itself() -> None:
    values = SUITES["roads"].to_json()
    with pytest.raises(ValueError, match="has no setting suite.epsiodes"):
        Suite.from_json(values | {"epsiodes": 3})
    with pytest.raises(
        ValueError, match=r"no setting suite.task.time_limt; did you mean time_limit"
    ):
        Suite.from_json(values | {"task": {"time_limt": 3.0}})
    with pytest.raises(ValueError, match="a suite has no entry task"):
        Suite.from_json({"name": "a", "purpose": "b"})
    with pytest.raises(ValueError, match="starts is one of drawn, grid, each-road, got 'all'"):
        Suite.from_json(values | {"starts": "all"})
    with pytest.raises(ValueError, match="conditions have different names"):
        Suite("a", "b", SUITES["roads"].task, conditions=(Condition("fog"), Condition("fog")))
