"""The pitch is found from the road: a camera file that is wrong by a degree is put right."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from redrive.agents.demonstrations import demonstration_task, record, recording_header
from redrive.agents.expert import Expert
from redrive.agents.refined_pitch import refine_pitch
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.sensors.camera import Camera
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.trace import Trace, TraceSource
from redrive.sim.world import RoadWorld

TRUE = float(np.deg2rad(6.0))


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    folder: Path = tmp_path_factory.mktemp("pitch") / "rec"
    camera = replace(Camera().scaled(2.0), pitch=TRUE)
    world = RoadWorld(
        "procedural:3",
        sensors={"camera": camera, "odometry": Odometry()},
        task=demonstration_task("log", 60, 0.1),
    )
    with RecordingWriter(folder, recording_header(world)) as writer:
        record(world, Expert(), writer, np.arange(1), {"driver": "expert", "regime": "log"})
    return TraceSource(folder).trace(0)


@pytest.mark.parametrize("wrong_by_deg", [-1.3, 0.0, 1.0])
def test_a_wrong_pitch_is_put_right(trace: Trace, wrong_by_deg: float) -> None:
    given = replace(trace.camera, pitch=TRUE + np.deg2rad(wrong_by_deg))
    found = refine_pitch(replace(trace, camera=given))
    assert np.rad2deg(found.pitch) == pytest.approx(np.rad2deg(TRUE), abs=0.15)
    assert found.after >= found.before
    if wrong_by_deg:
        assert found.after > found.before + 0.05


def test_frames_that_lie_far_apart_are_refused(trace: Trace) -> None:
    far = replace(trace, x=trace.x * 50.0, y=trace.y * 50.0)
    with pytest.raises(ValueError, match="no frames lie .* apart"):
        refine_pitch(far)
