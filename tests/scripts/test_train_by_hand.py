"""Which steps are learned from, and with whose labels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from redrive.agents.by_hand import BY_HAND, by_hand_columns, by_hand_entries, by_hand_header
from redrive.agents.expert import Expert
from redrive.agents.rollout import rollout
from redrive.cli import main
from redrive.sim.recording import Recording, RecordingWriter
from redrive.sim.world import RoadWorld
from redrive.train_by_hand import DrivenByHand, labelled_by_hand


class Left:
    """Someone with an opinion of their own: a little to the left of the expert."""

    def begin(self, batch_size: int) -> tuple[()]:
        return ()

    def act(self, view: Any, memory: Any) -> Any:
        command, _ = Expert().act(view, ())
        return command._replace(curvature=command.curvature + 0.001), memory


def record(folder: Path, held: str, roads: int = 4) -> Recording:
    """Drives of 30 steps, by hand where `held` says so, three steps a letter."""
    by_hand = [letter == "1" for letter in held for _ in range(3)]
    with RecordingWriter(folder, by_hand_header(RoadWorld("procedural:0"))) as writer:
        for road in range(roads):
            world = RoadWorld(f"procedural:{road}")
            frames = list(rollout(world, Left(), world.reset(np.array([road])), len(by_hand)))
            columns = by_hand_columns(world, frames, by_hand)
            writer.add(columns, {**by_hand_entries(world, frames, by_hand), "driver": "human"})
    return Recording.open(folder)


def test_only_what_a_person_drove_is_learned_with_what_they_did(tmp_path: Path) -> None:
    recording = record(tmp_path / "r", "0011100111")
    episodes = list(recording.episodes)
    train, held_out = labelled_by_hand(episodes[:3], episodes[3:])
    assert [(part.start, part.stop) for part in train] == [(6, 15), (21, 30)] * 3
    assert len(held_out) == 2
    part = train[1]
    done = episodes[0].read("command", 21, 30)
    assert (part.read("expert_command", 0, 9) == done).all()
    assert (done != episodes[0].read("expert_command", 21, 30)).any()
    assert (part.read("camera", 2, 4) == episodes[0].read("camera", 23, 25)).all()
    assert part.read(BY_HAND, 0, part.steps).all()


def test_recordings_without_a_person_are_left_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "expert"
    tiny = ["--episodes", "2", "--steps", "12", "--world", "procedural:0-20"]
    assert main(["record", "--out", str(folder), *tiny]) == 0
    theirs = list(Recording.open(folder).episodes)
    ours = list(record(tmp_path / "r", "1111111111").episodes)
    train, held_out = labelled_by_hand([theirs[0], *ours], [theirs[1]])
    assert train[0] is theirs[0] and held_out[0] is theirs[1]
    assert all(isinstance(part, DrivenByHand) and part.steps == 30 for part in train[1:])


def test_nobody_at_the_wheel_is_an_error(tmp_path: Path) -> None:
    episodes = list(record(tmp_path / "r", "0000000000").episodes)
    with pytest.raises(ValueError, match="nobody drove by hand"):
        labelled_by_hand(episodes, episodes)
    by_hand = list(record(tmp_path / "s", "1111111111").episodes)
    with pytest.raises(ValueError, match="none of the drives that are held out was by hand"):
        labelled_by_hand(by_hand, episodes)


def test_train_learns_what_the_person_did(tmp_path: Path) -> None:
    """Left's opinion is a constant; a perceptron's bias can learn it."""
    record(tmp_path / "r", "1111111111")
    words = ["train", str(tmp_path / "r"), "--policy", "perceptron", "--steps", "3", "--batch", "4"]
    for labels in ("expert", "person"):
        assert main([*words, "--labels", labels, "--out", str(tmp_path / labels)]) == 0
    weights = [
        (tmp_path / name / "policy.safetensors").read_bytes() for name in ("expert", "person")
    ]
    assert weights[0] != weights[1]
