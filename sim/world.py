"""A world of roads: B cars, each on a road of its own, moved and observed together.

State goes in, state comes out. Everything that happens to car i depends on its own seed, episode
and commands, never on its neighbours: a car in a batch equals the same car alone, bit for bit.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np

from . import chance
from .appearance import Appearance, make_look, skylines
from .car_state import Cars, CarState, cars_of, copy_of, new_block, state_of
from .compiled import compiled
from .faults import dark_frames, kicks
from .glyphs import glyphs
from .guidance import SPEED_TIME
from .held import Held
from .lanes import lane_ahead
from .motion import NOT_FINITE, SOME_ENDED, advance
from .pictures import draw_cars, scratch
from .pool import RoadPool, open_source
from .render import Lens, make_lens
from .sensors.camera import Camera
from .sensors.lane import LaneView
from .sensors.odometry import Odometry, measure
from .sensors.route import Route
from .signs import draw_signs, route_faces
from .starts import draw_roads, place_at_start, place_beside
from .task import LANE_FOLLOWING, OFF_LANE_RULES, Task
from .vehicle import Command, Vehicle

Found = TypeVar("Found")
Sensor = Camera | Odometry | Route
DEFAULT_SENSORS: Mapping[str, Sensor] = {"camera": Camera(), "odometry": Odometry()}

_LEAST_KICKED_SPEED = 4.0  # a slower car is not turned further by a push [m/s]
STOP_GAP = 0.5  # that the expert leaves between its bumper and a stop line [m]
STOP_BEFORE = 3.0  # a car stands at a stop line from so far before it ... [m]
STOP_AFTER = 0.5  # ... to so far over it [m]
STANDSTILL = 0.05  # slower than this is standing still [m/s]
SETTLING = 5.0  # from the start, in which a speed that is to be held may still be found [s]


@compiled
def _observe_lane(  # type: ignore[no-untyped-def]
    table, lane_number, arc_length, speed, preview, curvature, curvature_ahead, target
):
    """Fill what `LaneView` adds to the state."""
    nodes, lanes = table.nodes, table.lanes
    for i in range(speed.size):
        curvature[i], curvature_ahead[i], target[i] = lane_ahead(
            nodes, lanes[lane_number[i]], arc_length[i], speed[i], preview
        )


@dataclass(frozen=True)
class RoadWorld:
    """Cars on roads whose geometry is known, drawn exactly.

    world: which roads, as `RoadSource` reads it.
    sensors: what a driver may see, by name.
    threads: slices of a batch that are computed at the same time; results do not depend on it.
    """

    world: str = "procedural"
    sensors: Mapping[str, Sensor] = field(default_factory=lambda: dict(DEFAULT_SENSORS))
    task: Task = LANE_FOLLOWING
    vehicle: Vehicle = field(default_factory=Vehicle)
    appearance: Appearance = field(default_factory=Appearance)
    dt: float = 0.1  # [s]
    threads: int = 1

    def __post_init__(self) -> None:
        if not 0.001 <= self.dt <= 1.0:
            raise ValueError(f"dt must lie between 0.001 and 1 s, got {self.dt}")
        if self.threads < 1:
            raise ValueError(f"threads must be at least 1, got {self.threads}")
        source = open_source(self.world)  # text that names no world is told here
        for name, sensor in self.sensors.items():
            if not isinstance(sensor, Camera | Odometry | Route):
                raise TypeError(
                    f"sensor {name!r} is a {type(sensor).__name__}; "
                    "give a Camera, an Odometry or a Route, with its settings"
                )
            if isinstance(sensor, Route) and sensor.choices < source.branches:
                raise ValueError(
                    f"{self.world} has forks of {source.branches} branches, the route command tells "
                    f"{sensor.choices} apart; take roads of at most {sensor.choices} branches, or "
                    f"a driver who knows Route(choices={source.branches})"
                )

    @cached_property
    def pool(self) -> RoadPool:
        """The roads loaded so far."""
        return RoadPool(open_source(self.world))

    @cached_property
    def numbers(self) -> np.ndarray:
        """Of the vehicle, see `Vehicle.numbers`."""
        return self.vehicle.numbers(self.dt)

    @cached_property
    def limits(self) -> np.ndarray:
        """time limit, heading limit, off-lane rule, whether the route ends it, speed to be held."""
        task = self.task
        return np.array(
            [
                task.time_limit,
                task.max_heading_error,
                OFF_LANE_RULES.index(task.off_lane),
                task.route_length,
                task.hold_speed or np.inf,
            ]
        )

    @cached_property
    def starts(self) -> np.ndarray:
        """(7,) of the task, see `_place`."""
        task = self.task
        at = -1.0 if task.start_at is None else task.start_at
        return np.array(
            [
                task.route_length,
                task.start_lateral,
                task.start_yaw,
                *task.start_speed,
                at,
                task.start_balance,
            ]
        )

    @cached_property
    def preview(self) -> np.ndarray:
        """(2,) seconds ahead at which a command acts: steering, speed."""
        vehicle = self.vehicle
        late = 0.5 * self.dt  # the way of a command to the actuators is foreseen, see `foresee`
        return np.array([late + vehicle.steer_lag, late + vehicle.accel_lag + SPEED_TIME])

    @cached_property
    def action_limits(self) -> np.ndarray:
        """(4,) curvature, acceleration and braking that a driver may ask for, speed to be held."""
        vehicle = self.vehicle
        held = self.task.hold_speed or np.inf
        return np.array([vehicle.max_curvature, vehicle.max_accel, vehicle.max_brake, held])

    @cached_property
    def delay_steps(self) -> int:
        """From a command to its first effect."""
        return self.vehicle.delay_steps + self.task.latency_steps

    @cached_property
    def _lenses(self) -> dict[str, Lens]:
        return {
            name: make_lens(sensor)
            for name, sensor in self.sensors.items()
            if isinstance(sensor, Camera)
        }

    @cached_property
    def _hills(self) -> np.ndarray:
        return skylines()

    @cached_property
    def _workers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix="redrive")

    def _in_slices(self, batch: int, work: Callable[[int, int], Found]) -> list[Found]:
        """What `work(first, stop)` gives for slices of the batch, one thread each."""
        if self.threads == 1 or batch < 2 * self.threads:
            return [work(0, batch)]
        edges = np.linspace(0, batch, self.threads + 1).astype(int)
        return list(self._workers.map(work, edges[:-1].tolist(), edges[1:].tolist()))

    def reset(
        self, seeds: np.ndarray, episode: int = 0, roads: np.ndarray | None = None
    ) -> CarState:
        """Start one episode per seed.

        Args:
            seeds: (B,) whole numbers >= 0; the road, start and look follow from seed and episode.
            roads: (B,) numbers of roads in the source, instead of drawn ones.
        """
        seeds = np.atleast_1d(np.asarray(seeds))
        if seeds.dtype.kind not in "iu" or (seeds.size and int(seeds.min()) < 0):
            raise ValueError(f"seeds are whole numbers from 0, got {seeds.dtype} {seeds[:4]}")
        batch = len(seeds)
        block = new_block(batch, self.delay_steps)
        block[...] = 0.0
        cars = Cars(block, np.full(batch, self._plain_look))
        cars.state.seed[:], cars.state.episode[:] = seeds, episode
        return self.start(cars, np.ones(batch, np.int64), roads=roads).state

    def restart(self, state: CarState, which: np.ndarray) -> CarState:
        """Start the next episode of the cars in `which` (B,) bool; the others stay as they are."""
        if not np.any(which):
            return state
        cars = cars_of(copy_of(state))
        return self.start(cars, np.asarray(which, np.int64), further=1).state

    def start(
        self,
        cars: Cars,
        which: np.ndarray,
        further: int = 0,
        roads: np.ndarray | None = None,
    ) -> Cars:
        """Put cars at the start of an episode, in place but for their looks; those cars.

        Args:
            which: (B,) int64, not 0 for those that start.
            further: 1: their next episode; 0: the one whose number they have.
            roads: of all cars, instead of drawn ones.
        """
        task = self.task
        if roads is not None:
            cars.state.road[:] = roads
            cars.state.slot[:] = self.pool.load(cars.state.road)
        elif not draw_roads(cars.block, which, self.pool.slots, further):
            them = np.flatnonzero(which)
            cars.state.slot[them] = self.pool.load(cars.state.road[them])
        place_at_start(cars.block, which, *self.pool.lanes, self.numbers, self.limits, self.starts)
        if task.hold_speed > 0.0 and task.route_length == 0.0:
            usual, them = task.hold_speed * task.time_limit, np.flatnonzero(which)
            route_length = cars.state.route_length
            route_length[them] = np.minimum(route_length[them], usual)
        return self._looking_anew(cars, which) if self.appearance.randomise > 0.0 else cars

    def _looking_anew(self, cars: Cars, which: np.ndarray) -> Cars:
        """The same cars, some of them in a world that looks different."""
        looks = cars.look.view(np.uint8).copy().view(cars.look.dtype)  # records: ten times slower
        seed, episode = cars.state.seed, cars.state.episode
        for car in np.flatnonzero(which):
            rng = chance.generator(int(seed[car]), int(episode[car]), chance.LOOK)
            looks[car] = make_look(self.appearance, rng)
        return Cars(cars.block, looks)

    @cached_property
    def _plain_look(self) -> np.ndarray:
        return make_look(self.appearance, np.random.default_rng(0))

    def place(self, state: CarState, lateral: np.ndarray, yaw: np.ndarray) -> CarState:
        """Move cars sideways and turn them, relative to the lane where they are.

        Args:
            lateral: (B,) offset from the centre line [m]; yaw: (B,) against the lane [rad].
        """
        state = copy_of(state)
        place_beside(cars_of(state).block, *self.pool.lanes, self.numbers, np.asarray(lateral, float),
                     np.asarray(yaw, float))  # fmt: skip
        return state

    def step(self, state: CarState, command: Command) -> CarState:
        """Move every car that has not ended by `dt`.

        Raises:
            ValueError: a command is not a finite number, or not one per car.
        """
        return self.drive(cars_of(state), command).state

    def drive(self, before: Cars, command: Command, anew: bool = False) -> Cars:
        """`step`, and with `anew` `step_or_restart`, of cars as the compiled core has them."""
        # Columns of a larger array would be a type of their own, and the core compiled once more.
        curvature = np.asarray(command.curvature, np.float64, order="C")
        accel = np.asarray(command.accel, np.float64, order="C")
        batch = len(before)
        if curvature.shape != (batch,) or accel.shape != (batch,):
            raise ValueError(
                f"a command has one curvature and one acceleration per car, ({batch},); "
                f"got {curvature.shape} and {accel.shape}"
            )
        asked = Command(curvature, accel)
        if self.task.kicked:
            curvature, accel = self._kicked(before.state, asked)
        after = Cars(new_block(batch, self.delay_steps), before.look)
        found = self._advance(before.block, after.block, curvature, accel, self.limits)
        if found & NOT_FINITE:
            raise ValueError("a command is not a finite number; the driver gave NaN or infinity")
        if self.task.kicked:  # a driver knows what it asked for, not how it was pushed
            drives = before.ended == 0
            within = np.stack(self.vehicle.within_limits(asked), axis=-1)
            after.state.command[drives] = within[drives]
        if self.task.hold_speed > 0.0 or self.task.wait > 0.0:
            self._count(before.state, after.state)
        if anew and found & SOME_ENDED:
            return self.start(after, before.ended, further=1)
        return after

    def _advance(
        self,
        before: np.ndarray,
        after: np.ndarray,
        curvature: np.ndarray,
        accel: np.ndarray,
        limits: np.ndarray,
    ) -> int:
        """Fill the block `after` with what follows `before`; see `advance`."""
        nodes, lanes, road_first = self.pool.lanes
        numbers = self.numbers
        if self.threads == 1:
            found: int = advance(
                before, after, nodes, lanes, road_first, numbers, limits, curvature, accel,
                0, len(curvature),
            )  # fmt: skip
            return found
        parts = self._in_slices(
            len(curvature),
            lambda first, stop: advance(
                before, after, nodes, lanes, road_first, numbers, limits, curvature, accel,
                first, stop,
            ),
        )  # fmt: skip
        return int(np.bitwise_or.reduce(parts))

    def _kicked(self, state: CarState, asked: Command) -> tuple[np.ndarray, np.ndarray]:
        """Commands with the task's pushes on top, as they reach the car."""
        task = self.task
        strength = (task.kick_lateral, task.kick_accel)
        if not (np.isfinite(asked.curvature).all() and np.isfinite(asked.accel).all()):
            raise ValueError("a command is not a finite number; the driver gave NaN or infinity")
        lateral, forward = kicks(state.seed, state.episode, state.steps, self.dt, strength)
        limit = self.vehicle.within_limits(asked)
        return (
            limit.curvature + lateral / np.maximum(state.speed, _LEAST_KICKED_SPEED) ** 2,
            limit.accel + forward,
        )

    def _count(self, state: CarState, after: CarState) -> None:
        """Add to `after.tally` what the task counts in this step, in place.

        With a speed to be held: steps at another speed, after the first seconds. With a wait:
        steps at standstill before the stop line.
        """
        drives = state.ended == 0
        if self.task.wait > 0.0:
            way = self.stop_distance(after)
            there = (way > -STOP_AFTER) & (way < STOP_BEFORE)
            after.tally[:] += drives & (after.speed < STANDSTILL) & there
            return
        late = after.steps > round(SETTLING / self.dt)
        wrong = np.abs(after.speed - self._target_speed(after)) > self.task.speed_tolerance
        after.tally[:] += drives & late & wrong

    def has_waited(self, state: CarState) -> np.ndarray:
        """(B,) bool: whether a car has stood for as long as its task's stop sign asks."""
        waited: np.ndarray = state.tally * self.dt >= self.task.wait - 1e-9
        return waited

    def stop_distance(self, state: CarState) -> np.ndarray:
        """(B,) way left to the stop line, from the front of the car [m]; inf without one."""
        front = state.arc_length + self.vehicle.length - self.vehicle.rear_overhang
        way: np.ndarray = self.pool.lanes.lanes["stop"][state.lane] - front
        return way

    def _target_speed(self, state: CarState) -> np.ndarray:
        """(B,) the speed to be driven here [m/s]."""
        target = np.empty(len(state.x))
        _observe_lane(
            self.pool.lanes, state.lane, state.arc_length, state.speed, np.zeros(2),
            np.empty_like(target), np.empty_like(target), target,
        )  # fmt: skip
        return np.minimum(target, self.task.hold_speed or np.inf)

    def step_or_restart(self, state: CarState, command: Command) -> CarState:
        """`step` for the cars that drive; those that had ended start their next episode."""
        return self.drive(cars_of(state), command, anew=True).state

    def observe(
        self, state: CarState, out: Mapping[str, np.ndarray] | None = None
    ) -> dict[str, np.ndarray]:
        """What the sensors see.

        Args:
            out: arrays to draw the pictures into, by sensor; without it, new ones.

        Returns:
            Per sensor: a camera gives (B, H, W, 3) uint8 RGB, odometry (B, 2) float32.
        """
        return self.see(cars_of(state), out)

    def see(self, cars: Cars, out: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """`observe`, of cars as the compiled core has them."""
        view: dict[str, np.ndarray] = {}
        for name, sensor in self.sensors.items():
            if isinstance(sensor, Camera):
                view[name] = self._draw(cars, sensor, out.get(name) if out else None, name)
            elif isinstance(sensor, Route):
                view[name] = cars.state.route.copy()
            else:
                view[name] = measure(*cars.motion)
        if self.task.blackout_share > 0.0:
            self._black_out(cars.state, view)
        return view

    def _black_out(self, state: CarState, view: dict[str, np.ndarray]) -> None:
        """Blacken the pictures that the task's camera fails to take, in place."""
        task = self.task
        dark = dark_frames(
            state.seed, state.episode, state.steps, task.blackout_share, task.blackout_burst
        )
        for name, sensor in self.sensors.items():
            if isinstance(sensor, Camera):
                view[name][dark] = 0

    def draw(self, state: CarState, camera: Camera, out: np.ndarray | None = None) -> np.ndarray:
        """(B, H, W, 3) uint8 RGB: what a camera in each car sees."""
        return self._draw(cars_of(state), camera, out, None)

    def _draw(
        self, cars: Cars, camera: Camera, out: np.ndarray | None, name: str | None
    ) -> np.ndarray:
        """`draw`; a camera that is one of the sensors is known by its name, which is faster."""
        batch = len(cars)
        images = np.empty((batch, *camera.shape), np.uint8) if out is None else out
        if images.shape != (batch, *camera.shape) or images.dtype != np.uint8:
            raise ValueError(
                f"pictures are drawn into uint8 {(batch, *camera.shape)}, "
                f"got {images.dtype} {images.shape}"
            )
        flat = images.reshape(batch, camera.height, -1)
        signs, looks = self.pool.signs, cars.look
        if signs is not None:
            looks = looks.copy()
            looks["noise"] = 0.0  # it comes after the signs
        shown, block, keys = self._shown(camera, name), cars.block, np.empty(batch, np.int32)
        self._in_slices(
            batch,
            lambda first, stop: draw_cars(
                flat, first, stop, scratch(camera), shown, block, looks, keys
            ),
        )
        if signs is not None:
            self._draw_signs(flat, cars.state, camera, keys)
        return images

    def _draw_signs(
        self, flat: np.ndarray, state: CarState, camera: Camera, keys: np.ndarray
    ) -> None:
        """Draw signs over pictures, and then the noise."""
        table, faces, numbers = self.pool.signs, self.sign_faces(state), make_lens(camera).numbers
        self._in_slices(
            len(state.x),
            lambda first, stop: draw_signs(
                flat, first, stop, table, state.slot, faces, glyphs(), numbers, state.look,
                state.x, state.y, state.yaw, keys,
            ),
        )  # fmt: skip

    def _shown(self, camera: Camera, name: str | None) -> Held:
        """What a camera is shown, for the renderer: the roads loaded so far, its lens, the hills."""
        scene = self.pool.scene
        held = self._held.get(name)
        if held is None or held.value[0] is not scene:
            lens = make_lens(camera) if name is None else self._lenses[name]
            held = Held((scene, lens, self._hills))
            if name is not None:
                self._held[name] = held
        return held

    @cached_property
    def _held(self) -> dict[str | None, Held]:
        """What the cameras were shown last, by sensor."""
        return {}

    def branches(self, state: CarState) -> np.ndarray:
        """(B,) int64: how many branches the fork of each car's road has, 1 without a fork."""
        table = self.pool.lanes
        if table.lanes["branches"].max() <= 1:
            return np.ones(len(state.x), np.int64)
        counts = np.maximum.reduceat(np.maximum(table.lanes["branches"], 1), table.road_first[:-1])
        found: np.ndarray = counts[state.slot]
        return found

    def sign_faces(self, state: CarState) -> np.ndarray:
        """(B,) int64: what boards that show the route show to each car now, a `glyphs.Glyph`."""
        shown = self.task.sign_steps
        lit = (state.steps < shown) if shown else np.ones(len(state.x), bool)
        return route_faces(state.route, self.branches(state), lit)

    def lane_view(self, state: CarState) -> LaneView:
        """The privileged view: the lane as it is, where a command that is given now will act."""
        batch = len(state.x)
        now, state = state, self.foresee(state)
        curvature, ahead, target = np.empty(batch), np.empty(batch), np.empty(batch)
        _observe_lane(
            self.pool.lanes, state.lane, state.arc_length, state.speed, self.preview,
            curvature, ahead, target,
        )  # fmt: skip
        if self.task.hold_speed > 0.0:
            target = np.minimum(target, self.task.hold_speed)
        return LaneView(
            state.lateral_offset, state.heading_error, curvature, ahead, state.speed, target,
            np.full(batch, self.preview[0]), now.margin, now.arc_length, now.state_id,
            self._stop_ahead(state),
        )  # fmt: skip

    def _stop_ahead(self, state: CarState) -> np.ndarray:
        """(B,) way left to where the car has to stand [m]; inf where it need not, or no longer."""
        if self.task.wait == 0.0:
            return np.full(len(state.x), np.inf)
        way = self.stop_distance(state) - STOP_GAP
        return np.where(self.has_waited(state) | (way < -STOP_GAP - STOP_AFTER), np.inf, way)

    def foresee(self, state: CarState) -> CarState:
        """The state after the commands that are on their way: a Smith predictor with a true model.

        Source: Smith, Closer control of loops with dead time, 1957.
        """
        if self.delay_steps == 0:
            return state
        nothing_ends_it = np.array([np.inf, np.inf, OFF_LANE_RULES.index("none"), 0.0])
        ahead = cars_of(state).block
        for k in range(self.delay_steps):
            curvature, accel = state.pending[:, k].T.copy()
            before, ahead = ahead, new_block(len(state.x), 0)
            self._advance(before, ahead, curvature, accel, nothing_ends_it)
        return state_of(ahead, state.look)

    def road_name(self, road: int) -> str:
        """Name of a road by its number in the source."""
        return self.pool.source.name(int(road))
