"""True pictures inside a recorded drive: the same states as the trace world, drawn by the other."""

from pathlib import Path

import numpy as np
import pytest

from redrive.agents.demonstrations import (
    OFFSETS,
    demonstration_task,
    drive_episodes,
    record,
    recording_header,
)
from redrive.agents.expert import Expert
from redrive.agents.synthesis_audit import source_camera
from redrive.agents.true_pictures import TruePictures
from redrive.sim.appearance import Appearance
from redrive.sim.picture_error import psnr
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.trace_world import TraceWorld
from redrive.sim.world import RoadWorld

ROADS = "procedural:3,11"


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("drive") / "rec"
    world = RoadWorld(
        world=ROADS,
        sensors={"camera": source_camera(), "odometry": Odometry()},
        task=demonstration_task("log", 80, 0.1),
        appearance=Appearance(),
    )
    with RecordingWriter(folder, recording_header(world)) as writer:
        record(
            world,
            Expert(),
            writer,
            np.arange(2),
            {"driver": "expert", "regime": "log"},
            each_road=True,
        )
    return str(folder)


def test_only_the_pictures_differ_and_those_little(drive: str) -> None:
    task = demonstration_task("view-synthesis", 25, 0.1)
    worlds = [TraceWorld(drive, task=task), TruePictures(drive, task=task, roads=ROADS)]
    made, true = (
        list(drive_episodes(world, Expert(), np.arange(4), offsets=OFFSETS)) for world in worlds
    )
    for (synthesized, here), (drawn, there) in zip(made, true, strict=True):
        assert here == there
        for name, column in synthesized.items():
            if name != "camera":
                np.testing.assert_array_equal(column, drawn[name], err_msg=name)
        seen = np.ones(synthesized["camera"].shape[1:3], bool)
        errors = [
            psnr(one, other, seen)
            for one, other in zip(synthesized["camera"], drawn["camera"], strict=True)
        ]
        assert 28.0 < np.mean(errors) < 60.0


def test_another_worlds_roads_are_refused(drive: str) -> None:
    world = TruePictures(drive, roads="procedural:100-102")
    with pytest.raises(ValueError, match=r"was driven on procedural:\d+, which procedural:100-102"):
        world.observe(world.reset(np.arange(1)))


def test_its_picture_is_the_one_the_road_world_draws(drive: str) -> None:
    world: TraceWorld = TruePictures(Path(drive).as_posix(), roads=ROADS)
    state = world.reset(np.array([5]), roads=np.array([1]))
    there = RoadWorld(world="procedural:11", appearance=Appearance())
    other = there.reset(np.array([5]))._replace(x=state.x, y=state.y, yaw=state.yaw)
    np.testing.assert_array_equal(world.observe(state)["camera"], there.observe(other)["camera"])
