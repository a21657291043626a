"""Driving inside a recorded drive: motion as on a road, pictures re-synthesized from its frames."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .appearance import Appearance
from .car_state import Cars, CarState
from .pool import RoadPool
from .sensors.camera import Camera
from .sensors.lane import LaneView
from .sensors.odometry import measure
from .sensors.route import Route
from .synthesis import Move, synthesize
from .task import LANE_FOLLOWING, Task
from .trace import TraceSource
from .vehicle import Command, Vehicle
from .world import DEFAULT_SENSORS, RoadWorld, Sensor


@dataclass(frozen=True)
class TraceWorld:
    """Cars inside recorded drives; used like a `RoadWorld`.

    The lane is the recorded path. What a car sees is the nearest frame behind it, re-projected to
    where it is now; parts that the frame does not show are black (`views` gives the mask).

    world: the folder of a recording with frames, poses and a camera.
    """

    world: str
    sensors: Mapping[str, Sensor] = field(default_factory=lambda: dict(DEFAULT_SENSORS))
    task: Task = LANE_FOLLOWING
    vehicle: Vehicle = field(default_factory=Vehicle)
    dt: float = 0.1  # [s]
    threads: int = 1

    @property
    def source(self) -> TraceSource:
        """The recorded drives."""
        source = self.motion.pool.source
        if not isinstance(source, TraceSource):
            raise TypeError(f"{self.world} is not a recording; drive in it as a RoadWorld")
        return source

    @cached_property
    def motion(self) -> RoadWorld:
        """The same cars on the recorded paths, without their pictures."""
        return RoadWorld(
            world=self.world,
            sensors={},
            task=self.task,
            vehicle=self.vehicle,
            appearance=Appearance(),
            dt=self.dt,
            threads=self.threads,
        )

    @property
    def pool(self) -> RoadPool:
        """The paths loaded so far."""
        return self.motion.pool

    @property
    def preview(self) -> np.ndarray:
        """(2,) seconds ahead at which a command acts; see `RoadWorld.preview`."""
        return self.motion.preview

    @property
    def action_limits(self) -> np.ndarray:
        """(4,) what a driver may ask for; see `RoadWorld.action_limits`."""
        return self.motion.action_limits

    @property
    def delay_steps(self) -> int:
        """From a command to its first effect."""
        return self.motion.delay_steps

    def foresee(self, state: CarState) -> CarState:
        """The state after the commands that are on their way; see `RoadWorld.foresee`."""
        return self.motion.foresee(state)

    def reset(
        self, seeds: np.ndarray, episode: int = 0, roads: np.ndarray | None = None
    ) -> CarState:
        """Start one episode per seed; see `RoadWorld.reset`."""
        return self.motion.reset(seeds, episode, roads)

    def restart(self, state: CarState, which: np.ndarray) -> CarState:
        """Start the next episode of some cars; see `RoadWorld.restart`."""
        return self.motion.restart(state, which)

    def place(self, state: CarState, lateral: np.ndarray, yaw: np.ndarray) -> CarState:
        """Move cars sideways and turn them; see `RoadWorld.place`."""
        return self.motion.place(state, lateral, yaw)

    def step(self, state: CarState, command: Command) -> CarState:
        """Move every car that has not ended by `dt`."""
        return self.motion.step(state, command)

    def step_or_restart(self, state: CarState, command: Command) -> CarState:
        """`step`; cars that had ended start their next episode instead."""
        return self.motion.step_or_restart(state, command)

    def drive(self, before: Cars, command: Command, anew: bool = False) -> Cars:
        """`step` or `step_or_restart`, of cars as the compiled core has them."""
        return self.motion.drive(before, command, anew)

    def see(self, cars: Cars, out: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """`observe`, of cars as the compiled core has them."""
        return self.observe(cars.state, out)

    def lane_view(self, state: CarState) -> LaneView:
        """The privileged view: the recorded path."""
        return self.motion.lane_view(state)

    def road_name(self, road: int) -> str:
        """Name of a drive by its number."""
        return self.source.name(int(road))

    def observe(
        self, state: CarState, out: Mapping[str, np.ndarray] | None = None
    ) -> dict[str, np.ndarray]:
        """What the sensors see; see `RoadWorld.observe`."""
        view: dict[str, np.ndarray] = {}
        for name, sensor in self.sensors.items():
            if isinstance(sensor, Camera):
                pictures = self.draw(state, sensor)
                if out is not None and name in out:
                    out[name][...] = pictures
                    pictures = out[name]
                view[name] = pictures
            elif isinstance(sensor, Route):
                view[name] = state.route.copy()
            else:
                view[name] = measure(state.speed, state.curvature)
        return view

    def draw(self, state: CarState, camera: Camera) -> np.ndarray:
        """(B, H, W, 3) uint8 RGB: what a camera in each car would see."""
        return self.views(state, camera)[0]

    def views(self, state: CarState, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """Pictures (B, H, W, 3) uint8, and masks (B, H, W) bool of what the frames did show."""
        batch = len(state.x)
        pictures = np.empty((batch, *camera.shape), np.uint8)
        masks = np.empty((batch, camera.height, camera.width), np.bool_)
        for road in np.unique(state.road):
            cars = np.flatnonzero(state.road == road)
            trace = self.source.trace(int(road))
            which = trace.frame_behind(state.arc_length[cars])
            dx, dy = state.x[cars] - trace.x[which], state.y[cars] - trace.y[which]
            cos, sin = np.cos(trace.yaw[which]), np.sin(trace.yaw[which])
            move = Move(
                cos * dx + sin * dy, cos * dy - sin * dx, state.yaw[cars] - trace.yaw[which]
            )
            pictures[cars], masks[cars] = synthesize(
                trace.frames, trace.camera, camera, which, move
            )
        return pictures, masks
