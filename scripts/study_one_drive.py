"""One recorded drive and what each regime makes of it, for the study `view-synthesis`.

The roads are ordinary country roads: one lane in the driving direction, 3 to 4 m wide, and no bend
that one would brake for. On others the question cannot be asked so: halfway to the next lane, one
picture does not tell which lane was meant, and in a lane of 10 m there is no middle to come back to.

The recorded driver is as people are (`WanderingDriver`), not the expert: an expert that always
steers back to the centre would itself teach how that is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from redrive.agents.demonstrations import (
    SIDE_SHIFT,
    demonstration_task,
    record,
    recording_header,
)
from redrive.agents.expert import Expert
from redrive.agents.offsets import Offsets
from redrive.agents.synthesis_audit import source_camera
from redrive.agents.true_pictures import TruePictures
from redrive.agents.wandering import WanderingDriver
from redrive.side_by_side import Report
from redrive.sim.any_world import World
from redrive.sim.appearance import Appearance
from redrive.sim.recording import Recording
from redrive.sim.recording_header import HEADER_FILE
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.road import Road
from redrive.sim.roads.procedural import procedural_road
from redrive.sim.sensors.camera import Camera
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.trace_world import TraceWorld
from redrive.sim.world import RoadWorld, Sensor

REGIMES = ("log", "side-shift", "view-synthesis", "exact")
CAMERA = Camera().scaled(0.5)  # 32 x 48 pixels: a quarter of the work of learning
SENSORS: Mapping[str, Sensor] = {"camera": CAMERA, "odometry": Odometry()}
WIDEST = 4.2  # lane [m]
TIGHTEST = 65.0  # radius of a bend [m]: 3 m/s² at the 50 km/h that all procedural roads allow
DT = 0.1  # [s]
# Wider than what is judged, 1.5 m and 10 degrees: a car that is put there still moves outwards.
OFFSETS = Offsets(lateral=1.7, yaw=float(np.deg2rad(12.0)), every=(2.0, 4.0))
# In effect 0.2 m, as of people: each road begins in the centre.
SPREAD = 0.25  # of the recorded driver, standard deviation [m]
PASSES = {"log": 2, "side-shift": 3, "view-synthesis": 2, "exact": 2}  # over the drive
HELD_OUT_EPISODES = 12


def is_ordinary(road: Road) -> bool:
    """Whether it has one lane in the driving direction, 3 to 4 m wide, and only easy bends."""
    lane = road.lanes[0]
    width = float((lane.left + lane.right).max())
    tightest = float(np.abs(lane.curvature).max())
    return len(road.lanes) == 1 and width <= WIDEST and tightest <= 1.0 / TIGHTEST


def ordinary_roads(first: int, count: int) -> str:
    """The world of the first `count` ordinary roads of the seeds from `first` on."""
    seeds: list[int] = []
    seed = first
    while len(seeds) < count:
        if is_ordinary(procedural_road(seed)):
            seeds.append(seed)
        seed += 1
    return "procedural:" + ",".join(map(str, seeds))


def record_drive(report: Report, folder: Path, roads: str, count: int, steps: int) -> None:
    """The one drive: seen by a camera that is wider and sharper than the driver's."""
    world = RoadWorld(
        world=roads,
        sensors={"camera": source_camera(CAMERA), "odometry": Odometry()},
        task=demonstration_task("log", steps, DT),
        appearance=Appearance(),
        dt=DT,
    )
    _save(report, world, folder, count, "log", wandering=True)


def record_regime(
    report: Report, folder: Path, regime: str, drive: Path, roads: str, count: int, steps: int
) -> None:
    """The demonstrations of a regime: `PASSES` over a drive of `count` roads."""
    kind = "view-synthesis" if regime == "exact" else regime
    settings: dict[str, Any] = {
        "world": str(drive),
        "sensors": dict(SENSORS),
        "task": demonstration_task(kind, steps, DT, OFFSETS),
        "dt": DT,
    }
    world = TruePictures(roads=roads, **settings) if regime == "exact" else TraceWorld(**settings)
    _save(report, world, folder, PASSES[regime] * count, regime)


def record_held_out(report: Report, folder: Path, roads: str, steps: int) -> None:
    """A log of the same kind of driver on other roads, for the open-loop error."""
    world = RoadWorld(
        world=roads,
        sensors=dict(SENSORS),
        task=demonstration_task("log", steps, DT),
        appearance=Appearance(),
        dt=DT,
    )
    _save(report, world, folder, HELD_OUT_EPISODES, "log", wandering=True)


def _save(
    report: Report, world: World, folder: Path, episodes: int, regime: str, wandering: bool = False
) -> None:
    """Record episodes, or what is missing of them, on each of the world's roads in turn."""
    started = (folder / HEADER_FILE).is_file()
    done = len(Recording.open(folder)) if started else 0
    report(done, folder.name)
    if done >= episodes:
        return
    offsets = OFFSETS if regime in ("view-synthesis", "exact") else None
    with RecordingWriter(folder, recording_header(world), append=started) as writer:
        record(
            world,
            WanderingDriver(world.dt, SPREAD) if wandering else Expert(),
            writer,
            np.arange(done, episodes),
            {"driver": "wandering" if wandering else "expert", "regime": regime},
            on_episode=lambda steps: report(1, folder.name),
            side_shift=SIDE_SHIFT if regime == "side-shift" else 0.0,
            offsets=offsets,
            each_road=True,
        )
