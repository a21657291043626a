"""Suites: the same episodes for every driver, on roads that nobody learned from."""

import json

import numpy as np
import pytest

from redrive.agents.suites import (
    RECOVERY_LATERAL,
    RECOVERY_YAW,
    SUITES,
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
    lateral, yaw = grid_starts(count)
    cells = set(zip(lateral.tolist(), yaw.tolist(), strict=True))
    assert cells == {(a, b) for a in RECOVERY_LATERAL for b in RECOVERY_YAW}
    assert len(cells) == count
    twice, _ = grid_starts(2 * count)
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
