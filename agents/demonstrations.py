"""Demonstrations: episodes with the picture, what was done, and what the expert would have done.

The regimes differ in who drives; the label is always the expert's command in the very state that
the picture shows, and both carry that state's number.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..sim.any_world import World
from ..sim.guidance import guide
from ..sim.recording_header import RecordingHeader, simulated_features
from ..sim.recording_writer import RecordingWriter
from ..sim.sensors.camera import Camera
from ..sim.sensors.route import Route
from ..sim.task import Ended, Task
from .agent import Agent, lane_of
from .disturbed import MixedDriver, NoisyDriver
from .expert import Expert
from .offsets import Offsets, offset_steps, placing
from .rollout import Frame, look, rollout

REGIMES = {
    "log": "the driver drives; only what it saw is kept",
    "noise-injection": "the driver's hand is pushed, the label is what the expert would do (DART)",
    "dagger": "a learner drives, the label is what the expert would do",
    "side-shift": "the log, seen from beside it too, with labels bent back (left/right cameras)",
    "view-synthesis": "starts beside the path and askew, the expert drives back (VISTA's guidance)",
}
LICENCE = "Apache-2.0"
RECORDED = (
    "camera",
    "odometry",
    "route",
)  # sensors that a recording keeps, where drivers have them
BATCH = 16  # cars that are recorded side by side
OFFSETS = Offsets()  # of view-synthesis
SIDE_SHIFT = 1.0  # of the left and the right camera [m]
# Way after which a shifted car would be back. VISTA 1.0 has 20 m at any speed, which is far more
# gentle than this expert at a low speed; here it is what is driven in a second.
SIDE_RETURN_TIME, SIDE_RETURN_LEAST = 1.0, 6.0  # [s], [m]


def demonstration_task(
    regime: str, steps: int, dt: float, offsets: Offsets = OFFSETS, balance: float = 1.0
) -> Task:
    """Where demonstrations start and end: wider than the test, since all of it is labelled.

    Args:
        offsets: of `view-synthesis`; its episodes begin with one.
        balance: rare curvatures are started on up to so many times as often as common ones.
    """
    task = Task(
        name="demonstration",
        route_length=0.0,
        time_limit=steps * dt,
        off_lane="centre_2m",
        start_balance=balance,
    )
    if regime in ("log", "side-shift"):
        return task
    if regime == "view-synthesis":
        return replace(
            task,
            start_lateral=offsets.lateral,
            start_yaw=offsets.yaw,
            start_speed=(0.7, 1.1),
        )
    return replace(task, start_lateral=0.6, start_yaw=0.08, start_speed=(0.2, 1.2))


def demonstrator(regime: str, driver: Agent, dt: float, beta: float) -> Agent:
    """Who drives in a regime."""
    if regime == "noise-injection":
        return NoisyDriver(driver, dt)
    if regime == "dagger":
        return MixedDriver(driver, Expert(), beta)
    return driver


def recording_header(world: World) -> RecordingHeader:
    """The header of a recording of a world."""
    cameras = {n: s for n, s in world.sensors.items() if isinstance(s, Camera)}
    camera = cameras.get("camera")
    size = None if camera is None else (camera.height, camera.width)
    route = world.sensors.get("route")
    return RecordingHeader(
        features=simulated_features(
            size, odometry="odometry" in world.sensors, route=route is not None
        ),
        dt=world.dt,
        source=f"redrive, simulated: {world.world}",
        licence=LICENCE,
        camera=None if camera is None else camera.to_json(),
        route=route.to_json() if isinstance(route, Route) else None,
    )


def record(
    world: World,
    driver: Agent,
    writer: RecordingWriter,
    seeds: np.ndarray,
    sidecar: dict[str, Any],
    on_episode: Callable[[int], object] = lambda steps: None,
    side_shift: float = 0.0,
    offsets: Offsets | None = None,
    each_road: bool = False,
) -> None:
    """Drive one episode per seed and save each as soon as it is over.

    Args:
        sidecar: entries for every episode, such as its driver and regime.
        on_episode: called after each, with its number of steps.
        side_shift, offsets: see `drive_episodes`.
        each_road: drive the world's roads in turn; without it, each seed draws its road.
    """
    count = world.pool.source.count
    for first in range(0, len(seeds), BATCH):
        some = seeds[first : first + BATCH]
        roads = (some % count).astype(np.int64) if each_road else None
        for columns, entries in drive_episodes(world, driver, some, side_shift, offsets, roads):
            writer.add(columns, {**sidecar, **entries})
            on_episode(len(columns["time"]))


def drive_episodes(
    world: World,
    driver: Agent,
    seeds: np.ndarray,
    side_shift: float = 0.0,
    offsets: Offsets | None = None,
    roads: np.ndarray | None = None,
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, Any]]]:
    """Columns and sidecar entries of one labelled episode per seed.

    Args:
        side_shift: a third of the episodes each is seen from so far to the left, from the path,
            and from so far to the right of it, with labels that lead back [m].
        offsets: cars are put beside their path again and again; the steps at which they are
            stand in the sidecar entry `offset_at`.
        roads: (B,) numbers of roads in the world, instead of those that the seeds draw.
    """
    start = world.reset(seeds, roads=roads)
    if offsets is None:
        frames = list(rollout(world, driver, start))
    else:
        frames = list(rollout(world, driver, start, before=placing(world, offsets, start)))
    end = frames[-1].after
    if side_shift:
        shift = side_shift * (seeds % 3 - 1.0)
        rows = [_shifted_row(frame, world, shift) for frame in frames]
    else:
        rows = [columns_at(frame, world) for frame in frames]
    for car in range(len(seeds)):
        steps = int(end.steps[car])
        columns = {name: np.stack([row[name][car] for row in rows[:steps]]) for name in rows[0]}
        entries: dict[str, Any] = {
            "seed": int(seeds[car]),
            "world": world.road_name(end.road[car]),
            "result": Ended(int(end.ended[car])).name.lower(),
            "distance_m": round(float(end.distance[car]), 3),
        }
        if offsets is not None:
            one = slice(car, car + 1)
            moved = offset_steps(offsets, start.seed[one], start.episode[one], world.dt, steps)
            entries["offset_at"] = np.flatnonzero(moved[0]).tolist()
        yield columns, entries


def columns_at(frame: Frame, world: World) -> dict[str, np.ndarray]:
    """The columns of a recording in one step, (B, ...) each."""
    state, view = frame.state, frame.view
    done = world.vehicle.within_limits(frame.command)
    label = world.vehicle.within_limits(guide(lane_of(view)))
    row = {
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
    return row | {name: view[name] for name in world.sensors if name in RECORDED}


def _shifted_row(frame: Frame, world: World, shift: np.ndarray) -> dict[str, np.ndarray]:
    """The same, seen from beside the car; the label bends back to its path.

    A car that is d to the left of its path and parallel to it meets the path after the way L on
    an arc of curvature -2 d / (L² + d²): the chord's angle is half the arc's.
    Source: VISTA 1.0's IMIT-AUG labels (with our signs), after Bojarski et al. 2016; the way L is
    ours (`side_return`).
    """
    beside = world.place(frame.state, frame.state.lateral_offset + shift, frame.state.heading_error)
    row = columns_at(frame._replace(state=beside, view=look(world, beside)), world)
    label = guide(lane_of(frame.view))
    back = -2.0 * shift / (side_return(frame.state.speed) ** 2 + shift**2)
    label = world.vehicle.within_limits(label._replace(curvature=label.curvature + back))
    row["expert_command"] = np.stack(label, axis=-1).astype(np.float32)
    return row


def side_return(speed: np.ndarray) -> np.ndarray:
    """The way on which a shifted car would come back at a speed [m]."""
    return np.maximum(SIDE_RETURN_LEAST, SIDE_RETURN_TIME * speed)
