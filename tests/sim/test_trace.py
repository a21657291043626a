"""Recorded drives as worlds: paths as lanes, frames behind the car, cars that drive their own way."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from redrive.agents.demonstrations import demonstration_task, record, recording_header
from redrive.agents.evaluation import evaluate, suite_world
from redrive.agents.expert import Expert
from redrive.agents.rollout import rollout
from redrive.agents.suites import SUITES
from redrive.sim.any_world import open_world
from redrive.sim.lens_choice import driver_camera
from redrive.sim.recording import Recording
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.sensors.camera import Camera
from redrive.sim.task import Task
from redrive.sim.trace import Trace, TraceSource
from redrive.sim.trace_world import TraceWorld
from redrive.sim.world import RoadWorld

DRIVE = Task(route_length=0.0, time_limit=30.0, off_lane="centre_2m")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trace") / "rec"
    world = RoadWorld(world="procedural:0-20", task=demonstration_task("log", 150, 0.1))
    with RecordingWriter(folder, recording_header(world)) as writer:
        record(world, Expert(), writer, np.arange(3), {"driver": "expert", "regime": "log"})
    return folder


def traces(folder: Path) -> list[Trace]:
    source = TraceSource(folder)
    return [source.trace(i) for i in range(source.count)]


def test_the_lane_lies_on_the_recorded_path(recording: Path) -> None:
    for trace in traces(recording):
        s, lateral = _on_lane(trace)
        assert np.abs(lateral).max() < 0.05
        assert (np.diff(s) > 0.0).all()
        speed = np.diff(trace.stations).mean() / 0.1
        assert trace.road.speed_limit == pytest.approx(speed, rel=0.5)


def _on_lane(trace: Trace) -> tuple[np.ndarray, np.ndarray]:
    from redrive.sim.lanes import world_to_lane

    return world_to_lane(trace.lane, np.stack([trace.x, trace.y], axis=-1))


def test_the_frame_behind_is_behind_and_the_nearest(recording: Path) -> None:
    trace = traces(recording)[0]
    stations = trace.frame_stations
    np.testing.assert_array_equal(trace.frame_behind(stations), np.arange(len(stations)))
    between = 0.5 * (stations[:-1] + stations[1:])
    np.testing.assert_array_equal(trace.frame_behind(between), np.arange(len(between)))
    assert trace.frame_behind(np.array([-5.0]))[0] == 0
    assert trace.frame_behind(np.array([1e6]))[0] == len(stations) - 1


def test_a_path_that_comes_by_again_keeps_its_laps_apart(recording: Path) -> None:
    """Three laps on a circle, a hand's breadth apart: the nearest frame is often of another lap."""
    drive = traces(recording)[0]
    way = np.arange(0.0, 3.0 * 2.0 * np.pi * 20.0, 0.8)
    radius = 20.0 + 0.1 * np.sin(0.9 * way)
    lap = replace(
        drive, x=radius * np.sin(way / 20.0), y=-radius * np.cos(way / 20.0),
        yaw=way / 20.0, speed=np.full(len(way), 8.0),
    )  # fmt: skip
    np.testing.assert_allclose(lap.frame_stations, lap.stations, atol=1.0)
    np.testing.assert_array_equal(lap.frame_behind(lap.frame_stations + 0.3), np.arange(len(way)))


def test_frames_are_mapped_and_not_read(recording: Path) -> None:
    trace = traces(recording)[0]
    assert isinstance(trace.frames, np.memmap)
    stored = Recording.open(recording).read(0, "camera")
    np.testing.assert_array_equal(trace.frames[5], stored[5])


def test_at_a_recorded_pose_one_sees_the_recorded_frame(recording: Path) -> None:
    world = TraceWorld(str(recording), sensors={"camera": Camera()}, task=DRIVE)
    state = world.reset(np.array([1]))
    trace = world.source.trace(int(state.road[0]))
    at = {"x": trace.x[40], "y": trace.y[40], "yaw": trace.yaw[40]}
    state = state._replace(**{name: np.array([value]) for name, value in at.items()})
    state = state._replace(arc_length=trace.frame_stations[40:41])
    np.testing.assert_array_equal(world.observe(state)["camera"][0], trace.frames[40])


def test_the_expert_drives_a_recorded_drive_to_its_end(recording: Path) -> None:
    world = TraceWorld(str(recording), task=DRIVE)
    last = None
    for frame in rollout(world, Expert(), world.reset(np.arange(3))):
        last = frame.after
    assert last is not None
    assert np.abs(last.lateral_offset).max() < 0.2
    assert (last.progress > 0.9 * last.route_length).all()


def test_off_the_path_the_picture_changes_and_the_mask_shrinks(recording: Path) -> None:
    world = TraceWorld(str(recording), task=DRIVE)
    state = world.reset(np.arange(3))
    camera = Camera()
    here, seen = world.views(state, camera)
    there, less = world.views(world.place(state, np.full(3, 1.5), np.full(3, 0.15)), camera)
    assert less.mean() < seen.mean()
    assert (here != there).any()


def test_the_default_camera_sees_no_hole_within_a_metre(recording: Path) -> None:
    world = open_world(str(recording), task=DRIVE)
    assert isinstance(world, TraceWorld)
    camera = world.sensors["camera"]
    assert isinstance(camera, Camera)
    state = world.reset(np.arange(3))
    for lateral in (-1.0, 1.0):
        beside = world.place(state, np.full(3, lateral), np.zeros(3))
        trace = world.source.trace(int(beside.road[0]))
        _, mask = world.views(beside._replace(arc_length=beside.arc_length), camera)
        # The frame behind the car may be a step away: a sliver at the bottom may lie outside.
        assert mask.mean() > 0.99, trace.name


def test_a_narrow_lens_cannot_be_asked_for_wide_offsets() -> None:
    with pytest.raises(ValueError, match="ask for smaller offsets"):
        driver_camera(Camera.with_field_of_view(96, 64, 0.3), lateral=3.0, yaw=0.5)


def test_a_drive_that_is_too_short_says_so(tmp_path: Path) -> None:
    world = RoadWorld(world="procedural:3", task=demonstration_task("log", 4, 0.1))
    with RecordingWriter(tmp_path / "rec", recording_header(world)) as writer:
        record(world, Expert(), writer, np.arange(1), {"driver": "expert", "regime": "log"})
    with pytest.raises(ValueError, match="a drive of at least 10 m is needed"):
        TraceSource(tmp_path / "rec").trace(0)


def test_a_part_of_a_drive_is_a_drive_of_its_own_with_the_same_frames(recording: Path) -> None:
    whole = TraceSource(recording).trace(0)
    part = TraceSource(f"{recording}:30-90").trace(0)
    for name in ("x", "y", "yaw", "speed"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[30:90])
    np.testing.assert_array_equal(part.frames, whole.frames[30:90])
    assert part.stations[-1] < whole.stations[-1]
    assert (part.name, whole.name) == ("rec:0:30-90", "rec:0")


def test_a_car_in_a_part_of_a_drive_sees_what_it_sees_there_in_the_whole(recording: Path) -> None:
    sensors = {"camera": driver_camera(TraceSource(recording).camera)}
    part, whole = (
        TraceWorld(text, sensors, DRIVE) for text in (f"{recording}:30-90", str(recording))
    )
    roads = np.array([1])
    state = part.reset(np.array([3]), roads=roads)
    there = whole.reset(np.array([3]), roads=roads)._replace(x=state.x, y=state.y, yaw=state.yaw)
    frame = part.source.trace(1).frame_behind(state.arc_length) + 30
    there = there._replace(arc_length=whole.source.trace(1).frame_stations[frame])
    np.testing.assert_array_equal(part.observe(state)["camera"], whole.observe(there)["camera"])


@pytest.mark.parametrize("frames", ["90-30", "0-0", "0-151"])
def test_frames_that_are_not_there_are_refused(recording: Path, frames: str) -> None:
    with pytest.raises(ValueError, match="has frames 0 to 149; write .*:0-150"):
        TraceSource(f"{recording}:{frames}")


def test_expert_and_suite_trace_drive_inside_the_last_frames_of_a_drive(recording: Path) -> None:
    suite = SUITES["trace"]
    world = suite_world(suite, roads=f"{recording}:20-150")
    driven = evaluate(suite, world, Expert(), 12, seed=0)
    starts = {
        (round(e.figures["start_lateral_m"], 2), round(e.figures["start_yaw_rad"], 2))
        for e in driven
    }
    assert len(starts) == 12
    assert np.mean([episode.figures["success"] for episode in driven]) == 1.0
