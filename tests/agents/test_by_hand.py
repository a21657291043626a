"""Recordings in which a person drives: what they say, and who held the wheel when."""

from pathlib import Path

import numpy as np
import pytest

from redrive.agents.by_hand import (
    BY_HAND,
    by_hand_columns,
    by_hand_entries,
    by_hand_header,
    stretches,
)
from redrive.agents.demonstrations import drive_episodes
from redrive.agents.expert import Expert
from redrive.agents.rollout import Frame, rollout
from redrive.sim.recording import Recording, RecordingWriter, validate
from redrive.sim.world import RoadWorld


@pytest.fixture(scope="module")
def world() -> RoadWorld:
    return RoadWorld("procedural:7")


@pytest.fixture(scope="module")
def frames(world: RoadWorld) -> list[Frame]:
    return list(rollout(world, Expert(), world.reset(np.array([3])), 12))


def test_all_columns_are_those_of_any_other_recording(
    world: RoadWorld, frames: list[Frame]
) -> None:
    columns = by_hand_columns(world, frames, [False] * 4 + [True] * 8)
    assert columns.pop(BY_HAND).tolist() == [0] * 4 + [1] * 8
    usual, _ = next(drive_episodes(world, Expert(), np.array([3])))
    assert columns.keys() == usual.keys()
    for name, column in columns.items():
        assert column.tobytes() == usual[name][:12].tobytes(), name


@pytest.mark.parametrize(
    ("held", "regime", "times"),
    [("111111", "by-hand", 0), ("001100", "intervention", 1), ("101100", "intervention", 2),
     ("000000", "log", 0)],
)  # fmt: skip
def test_the_regime_says_who_drove(
    world: RoadWorld, frames: list[Frame], held: str, regime: str, times: int
) -> None:
    by_hand = [letter == "1" for letter in held]
    entries = by_hand_entries(world, frames[:6], by_hand)
    assert (entries["regime"], entries["interventions"]) == (regime, times)
    assert entries["by_hand_steps"] == held.count("1")
    assert (entries["seed"], entries["world"]) == (3, "procedural:7")
    assert entries["distance_m"] == pytest.approx(frames[5].after.distance[0], abs=1e-3)


def test_such_a_recording_is_sound(world: RoadWorld, frames: list[Frame], tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "r", by_hand_header(world)) as writer:
        held = [True] * len(frames)
        entries = {**by_hand_entries(world, frames, held), "driver": "human"}
        writer.add(by_hand_columns(world, frames, held), entries)
    assert not validate(tmp_path / "r")
    assert Recording.open(tmp_path / "r").episodes[0].read(BY_HAND).all()


@pytest.mark.parametrize(
    ("held", "found"),
    [([], []), ([0, 0], []), ([1, 1], [(0, 2)]), ([0, 1, 1, 0, 1], [(1, 3), (4, 5)])],
)
def test_stretches_are_unbroken(held: list[int], found: list[tuple[int, int]]) -> None:
    assert stretches(np.array(held)) == found
