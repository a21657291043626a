"""Demonstrations: episodes with the picture, what was done, and what the expert would have done.

The regimes differ in who drives; the label is always the expert's command in the very state that
the picture shows, and both carry that state's number.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..sim.guidance import guide
from ..sim.recording_header import RecordingHeader, simulated_features
from ..sim.recording_writer import RecordingWriter
from ..sim.sensors.camera import Camera
from ..sim.task import Ended, Task
from ..sim.world import RoadWorld
from .agent import Agent, lane_of
from .disturbed import MixedDriver, NoisyDriver
from .expert import Expert
from .rollout import Frame, rollout

REGIMES = {
    "log": "the driver drives; only what it saw is kept",
    "noise-injection": "the driver's hand is pushed, the label is what the expert would do (DART)",
    "dagger": "a learner drives, the label is what the expert would do",
}
LICENCE = "Apache-2.0"
BATCH = 16  # cars that are recorded side by side


def demonstration_task(regime: str, steps: int, dt: float) -> Task:
    """Where demonstrations start and end: wider than the test, since all of it is labelled."""
    task = Task(
        name="demonstration",
        route_length=0.0,
        time_limit=steps * dt,
        off_lane="centre_2m",
    )
    if regime == "log":
        return task
    return replace(task, start_lateral=0.6, start_yaw=0.08, start_speed=(0.2, 1.2))


def demonstrator(regime: str, driver: Agent, dt: float, beta: float) -> Agent:
    """Who drives in a regime."""
    if regime == "noise-injection":
        return NoisyDriver(driver, dt)
    if regime == "dagger":
        return MixedDriver(driver, Expert(), beta)
    return driver


def recording_header(world: RoadWorld) -> RecordingHeader:
    """The header of a recording of a world."""
    cameras = {n: s for n, s in world.sensors.items() if isinstance(s, Camera)}
    camera = cameras.get("camera")
    size = None if camera is None else (camera.height, camera.width)
    return RecordingHeader(
        features=simulated_features(size),
        dt=world.dt,
        source=f"redrive, simulated: {world.world}",
        licence=LICENCE,
        camera=None if camera is None else camera.to_json(),
    )


def record(
    world: RoadWorld,
    driver: Agent,
    writer: RecordingWriter,
    seeds: np.ndarray,
    sidecar: dict[str, Any],
    on_episode: Callable[[int], object] = lambda steps: None,
) -> None:
    """Drive one episode per seed and save each as soon as it is over.

    Args:
        sidecar: entries for every episode, such as its driver and regime.
        on_episode: called after each, with its number of steps.
    """
    for first in range(0, len(seeds), BATCH):
        some = seeds[first : first + BATCH]
        for columns, entries in drive_episodes(world, driver, some):
            writer.add(columns, {**sidecar, **entries})
            on_episode(len(columns["time"]))


def drive_episodes(
    world: RoadWorld, driver: Agent, seeds: np.ndarray
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, Any]]]:
    """Columns and sidecar entries of one labelled episode per seed."""
    frames = list(rollout(world, driver, world.reset(seeds)))
    end = frames[-1].after
    rows = [_row(frame, world) for frame in frames]
    for car in range(len(seeds)):
        steps = int(end.steps[car])
        columns = {name: np.stack([row[name][car] for row in rows[:steps]]) for name in rows[0]}
        yield (
            columns,
            {
                "seed": int(seeds[car]),
                "world": world.road_name(end.road[car]),
                "result": Ended(int(end.ended[car])).name.lower(),
                "distance_m": round(float(end.distance[car]), 3),
            },
        )


def _row(frame: Frame, world: RoadWorld) -> dict[str, np.ndarray]:
    """The columns of a recording in one step, (B, ...) each."""
    state, view = frame.state, frame.view
    done = world.vehicle.within_limits(frame.command)
    label = world.vehicle.within_limits(guide(lane_of(view)))
    row = {
        "odometry": view["odometry"],
        "command": np.stack(done, axis=-1).astype(np.float32),
        "expert_command": np.stack(label, axis=-1).astype(np.float32),
        "x": state.x,
        "y": state.y,
        "yaw": state.yaw,
        "speed": state.speed,
        "lateral_offset": state.lateral_offset.astype(np.float32),
        "heading_error": state.heading_error.astype(np.float32),
        "arc_length": state.arc_length.astype(np.float32),
        "time": state.steps * world.dt,
        "state_id": state.state_id,
        "camera_state_id": view["state_id"],
        "label_state_id": lane_of(view).state_id,
    }
    if "camera" in view:
        row["camera"] = view["camera"]
    return row
