"""Demonstrations inside a recorded drive: beside the path, with labels that lead back to it."""

from pathlib import Path

import numpy as np
import pytest

from redrive.agents.demonstrations import (
    OFFSETS,
    SIDE_SHIFT,
    demonstration_task,
    drive_episodes,
    record,
    recording_header,
    side_return,
)
from redrive.agents.expert import Expert
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.sensors.camera import Camera
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.trace_world import TraceWorld
from redrive.sim.world import RoadWorld

SENSORS: dict[str, Camera | Odometry] = {
    "camera": Camera(width=48, height=32, fx=24, fy=24, cx=24, cy=16),
    "odometry": Odometry(),
}


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drive") / "rec"
    world = RoadWorld(world="procedural:0-9", task=demonstration_task("log", 120, 0.1))
    with RecordingWriter(folder, recording_header(world)) as writer:
        record(world, Expert(), writer, np.arange(2), {"driver": "expert", "regime": "log"})
    return folder


def world_of(drive: Path, regime: str, steps: int = 30) -> TraceWorld:
    return TraceWorld(str(drive), SENSORS, demonstration_task(regime, steps, 0.1))


def test_view_synthesis_starts_beside_the_path_and_drives_back(drive: Path) -> None:
    world = world_of(drive, "view-synthesis", steps=60)
    starts, ends = [], []
    for columns, _ in drive_episodes(world, Expert(), np.arange(24)):
        starts.append((columns["lateral_offset"][0], columns["heading_error"][0]))
        ends.append(columns["lateral_offset"][-1])
        np.testing.assert_array_equal(columns["camera_state_id"], columns["state_id"])
        np.testing.assert_array_equal(columns["label_state_id"], columns["state_id"])
    lateral, yaw = np.abs(np.array(starts)).T
    assert 0.5 * OFFSETS.lateral < lateral.max() <= OFFSETS.lateral + 1e-6
    assert 0.5 * OFFSETS.yaw < yaw.max() <= OFFSETS.yaw + 1e-6
    assert np.abs(ends).max() < 0.1


@pytest.mark.parametrize("regime", ["side-shift", "view-synthesis"])
def test_balanced_demonstrations_start_at_rare_curvatures_more_often(
    tmp_path: Path, regime: str
) -> None:
    long = RoadWorld("procedural:3", SENSORS, demonstration_task("log", 450, 0.1))
    with RecordingWriter(tmp_path / "rec", recording_header(long)) as writer:
        record(long, Expert(), writer, np.arange(1), {"driver": "expert", "regime": "log"})
    commonest = []
    for balance in (1.0, 5.0):
        task = demonstration_task(regime, 30, 0.1, balance=balance)
        world = TraceWorld(str(tmp_path / "rec"), {}, task)
        bend = np.abs(world.lane_view(world.reset(np.arange(600))).curvature)
        commonest.append(np.histogram(bend, 10)[0].max() / len(bend))
    assert commonest[1] < 0.7 * commonest[0]


def test_the_picture_of_view_synthesis_is_of_the_state_of_its_label(drive: Path) -> None:
    """VISTA pairs fresh labels with stale pictures; here the stored pose gives the picture again."""
    world = world_of(drive, "view-synthesis")
    seeds = np.arange(4)
    recorded = [columns for columns, _ in drive_episodes(world, Expert(), seeds)]
    state = world.reset(seeds)
    for car, columns in enumerate(recorded):
        at = 7
        pose = {name: columns[name][at : at + 1] for name in ("x", "y", "yaw")}
        one = type(state)(*(column[car : car + 1] for column in state))._replace(**pose)
        one = one._replace(arc_length=columns["arc_length"][at : at + 1].astype(float))
        np.testing.assert_array_equal(world.observe(one)["camera"][0], columns["camera"][at])


def test_offsets_come_again_and_picture_and_label_are_still_of_one_state(drive: Path) -> None:
    world = world_of(drive, "view-synthesis", steps=80)
    seeds = np.arange(6)
    state = world.reset(seeds)
    jumps = 0
    for car, (columns, entries) in enumerate(
        drive_episodes(world, Expert(), seeds, offsets=OFFSETS)
    ):
        ids = columns["state_id"]
        np.testing.assert_array_equal(ids, np.arange(len(ids)))
        np.testing.assert_array_equal(columns["camera_state_id"], ids)
        np.testing.assert_array_equal(columns["label_state_id"], ids)
        lateral = columns["lateral_offset"]
        jumped = np.flatnonzero(np.abs(np.diff(lateral)) > 0.25) + 1
        assert set(jumped) <= set(entries["offset_at"])
        jumps += len(jumped)
        for at in entries["offset_at"]:
            one = type(state)(*(column[car : car + 1] for column in state))._replace(
                **{name: columns[name][at : at + 1] for name in ("x", "y", "yaw")},
                arc_length=columns["arc_length"][at : at + 1].astype(float),
            )
            np.testing.assert_array_equal(world.observe(one)["camera"][0], columns["camera"][at])
    assert jumps > 6


def test_side_cameras_see_from_beside_the_path_and_are_labelled_back(drive: Path) -> None:
    world = world_of(drive, "side-shift")
    seeds = np.arange(3)  # to the right, on the path, to the left
    shifted = [columns for columns, _ in drive_episodes(world, Expert(), seeds, SIDE_SHIFT)]
    plain = [columns for columns, _ in drive_episodes(world, Expert(), seeds)]
    for columns, log, side in zip(shifted, plain, (-1.0, 0.0, 1.0), strict=True):
        moved = columns["lateral_offset"] - log["lateral_offset"]
        np.testing.assert_allclose(moved, side * SIDE_SHIFT, atol=1e-5)
        bent = columns["expert_command"][:, 0] - log["expert_command"][:, 0]
        back = -2.0 * side * SIDE_SHIFT / (side_return(log["speed"]) ** 2 + SIDE_SHIFT**2)
        np.testing.assert_allclose(bent, back, atol=1e-6)
        assert (columns["camera"] != log["camera"]).any() == (side != 0.0)


def test_a_car_on_the_side_camera_arc_meets_its_path_after_the_stated_way() -> None:
    """The label's closed form: an arc of that curvature from d beside a straight path."""
    way = float(side_return(np.array(11.0)))
    assert way == 11.0  # driven in a second
    curvature = 2.0 * SIDE_SHIFT / (way**2 + SIDE_SHIFT**2)
    angle = np.arcsin(way * curvature)
    assert (1.0 - np.cos(angle)) / curvature == pytest.approx(SIDE_SHIFT, rel=1e-9)
