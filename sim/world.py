"""A world of roads: B cars, each on a road of its own, moved and observed together.

State goes in, state comes out. Everything that happens to car i depends on its own seed, episode
and commands, never on its neighbours: a car in a batch equals the same car alone, bit for bit.
"""

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from . import chance
from .appearance import Appearance, make_look, skylines
from .compiled import compiled
from .faults import dark_frames, kicks
from .glyphs import glyphs
from .guidance import SPEED_TIME
from .lanes import curvature_at, curve_at, follower, lane_ahead, target_speed_at
from .motion import Counts, Measures, advance, find_on_lane
from .pool import RoadPool, open_source
from .render import Lens, Scratch, draw_pictures, make_lens, make_scratch
from .sensors.camera import Camera
from .sensors.lane import LaneView
from .sensors.odometry import Odometry, measure
from .sensors.route import Route
from .signs import draw_signs, route_faces
from .task import LANE_FOLLOWING, OFF_LANE_RULES, Task
from .trig import angle_of, sin_cos
from .vehicle import Command, Vehicle

Sensor = Camera | Odometry | Route
DEFAULT_SENSORS: Mapping[str, Sensor] = {"camera": Camera(), "odometry": Odometry()}

_DRAWN = ("route_length", "road", "slot", "episode", "route")  # by a new episode, beside its start
_LEAST_KICKED_SPEED = 4.0  # a slower car is not turned further by a push [m/s]
STOP_GAP = 0.5  # that the expert leaves between its bumper and a stop line [m]
STOP_BEFORE = 3.0  # a car stands at a stop line from so far before it ... [m]
STOP_AFTER = 0.5  # ... to so far over it [m]
STANDSTILL = 0.05  # slower than this is standing still [m/s]
CURVATURE_BINS = 10  # of starts that are balanced by the road's curvature
SETTLING = 5.0  # from the start, in which a speed that is to be held may still be found [s]


def _copy(column: np.ndarray) -> np.ndarray:
    """A copy; of records as bytes, which numpy copies ten times as fast."""
    if column.dtype.names and column.flags.c_contiguous:
        return column.view(np.uint8).copy().view(column.dtype)
    return column.copy()


class CarState(NamedTuple):
    """Everything that is true of B cars; every field is (B,) unless it says so."""

    x: np.ndarray  # of the rear axle, world frame [m]
    y: np.ndarray
    yaw: np.ndarray  # [rad], in [-pi, pi)
    speed: np.ndarray  # [m/s]
    curvature: np.ndarray  # of the path now [1/m]
    accel: np.ndarray  # [m/s²]
    command: np.ndarray  # (B, 2) asked for in the last step, within limits; 0 before the first
    pending: np.ndarray  # (B, delay, 2) commands on their way to the actuators
    lane: np.ndarray  # int64, number in the pool's lane table
    arc_length: np.ndarray  # along the lane [m]
    lateral_offset: np.ndarray  # left positive [m]
    heading_error: np.ndarray  # [rad]
    margin: np.ndarray  # of the outline to the lane's bounds [m]
    progress: np.ndarray  # along the route since the start [m]
    route_length: np.ndarray  # to drive, or what the speed plan drives in the time limit [m]
    distance: np.ndarray  # driven [m]
    steps: np.ndarray  # int64, since the start
    ended: np.ndarray  # int64, an `Ended`; a car that has ended stays as it is
    road: np.ndarray  # int64, number in the source
    slot: np.ndarray  # int64, number in the pool
    seed: np.ndarray  # uint64
    episode: np.ndarray  # int64, counted from 0
    look: np.ndarray  # LOOK: what this episode's world looks like
    route: np.ndarray  # int64, which of a fork's branches to take, the leftmost is 0
    tally: np.ndarray  # int64, steps that the task counts, see `RoadWorld._count`

    def own(self, names: Collection[str]) -> "CarState":
        """The same state, with copies of the named arrays: those may be written to."""
        return self._replace(**{name: _copy(getattr(self, name)) for name in names})

    @property
    def state_id(self) -> np.ndarray:
        """(B,) int64: one number per state of a car; observations and labels carry it."""
        return self.episode * np.int64(1 << 24) + self.steps


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


@compiled
def _way_left(lanes, number, route, s, most):  # type: ignore[no-untyped-def]
    """To the end of the last lane that follows, or `most` where the road goes on [m]."""
    if lanes[number].closed:
        return most
    left = lanes[number].length - s
    while left < most and lanes[number].successor >= 0:
        number = follower(lanes[number], route)
        left += lanes[number].length
    return min(left, most)


@compiled
def _plan_distance(nodes, lanes, number, route, s, seconds):  # type: ignore[no-untyped-def]
    """How far the speed plan drives in a time, from an arc length [m]."""
    driven, left = 0.0, seconds
    while left > 0.0:
        lane = lanes[number]
        if not lane.closed and s >= lane.length:
            if lane.successor < 0:
                break
            s -= lane.length
            number = follower(lane, route)
            continue
        speed = max(target_speed_at(nodes, lane, s), 0.1)
        step = min(lane.spacing, speed * left)
        s += step
        driven += step
        left -= step / speed
    return driven


@compiled
def _pose_beside(nodes, lane, s, lateral, turn):  # type: ignore[no-untyped-def]
    """x, y, yaw of a car at an arc length, beside the centre line and turned against it."""
    cx, cy, dx, dy = curve_at(nodes, lane, s)
    scale = lateral / np.sqrt(dx * dx + dy * dy)
    yaw = angle_of(dy, dx) + turn
    yaw -= 2.0 * np.pi * np.floor((yaw + np.pi) / (2.0 * np.pi))
    return cx - dy * scale, cy + dx * scale, yaw


@compiled
def _place_beside(state, table, numbers, car, number, s, lateral, turn):  # type: ignore[no-untyped-def]
    """Set a car's pose and where that is on the lane, in place."""
    x, y, yaw = _pose_beside(table.nodes, table.lanes[number], s, lateral, turn)
    sin, cos = sin_cos(yaw)
    lane, s, lateral, error, margin = find_on_lane(
        table, numbers, number, state.route[car], s, x, y, cos, sin
    )
    state.x[car], state.y[car], state.yaw[car] = x, y, yaw
    state.lane[car], state.arc_length[car] = lane, s
    state.lateral_offset[car], state.heading_error[car] = lateral, error
    state.margin[car] = margin


@compiled
def _draw_roads(road, slot, seed, episode, cars, slots):  # type: ignore[no-untyped-def]
    """Choose the roads of cars' episodes, in place; whether all of them have a slot in the pool.

    Args:
        slots: (R,) of every road of the source, -1 where it is not loaded.
    """
    loaded = True
    for k in range(cars.size):
        i = cars[k]
        road[i] = chance.one_of(slots.size, seed[i], episode[i], chance.ROAD, 0)
        slot[i] = slots[road[i]]
        loaded = loaded and slot[i] >= 0
    return loaded


@compiled
def _all_finite(one, other):  # type: ignore[no-untyped-def]
    """Whether two arrays of one length hold finite numbers only."""
    worst = 0.0
    for i in range(one.size):
        worst += 0.0 * one[i] + 0.0 * other[i]  # NaN from the first that is not
    return worst == 0.0


@compiled
def _balanced_start(nodes, lane, first, room, where, most):  # type: ignore[no-untyped-def]
    """An arc length in `room` metres from `first` on, rare curvatures as likely as common ones.

    Args:
        where: 0 to 1, share of the way when each place counts by its weight.
        most: times that a place may count as much as one of the commonest curvature.
    """
    pieces = max(np.int64(room / lane.spacing), np.int64(1))
    size = room / pieces
    bend = np.empty(pieces)
    for k in range(pieces):
        bend[k] = abs(curvature_at(nodes, lane, first + (k + 0.5) * size))
    scale = (CURVATURE_BINS - 1e-6) / max(bend.max(), 1e-9)
    counts = np.zeros(CURVATURE_BINS, np.int64)
    for k in range(pieces):
        counts[np.int64(bend[k] * scale)] += 1
    commonest, total = counts.max(), 0.0
    for k in range(pieces):  # from now on its weight
        bend[k] = min(commonest / counts[np.int64(bend[k] * scale)], most)
        total += bend[k]
    left = where * total
    for k in range(pieces - 1):
        if left < bend[k]:
            return first + (k + left / bend[k]) * size
        left -= bend[k]
    return first + (pieces - 1 + min(left / bend[pieces - 1], 1.0)) * size


@compiled
def _place(state, table, numbers, limits, starts, cars):  # type: ignore[no-untyped-def]
    """Put cars at the start of their episodes, in place.

    Args:
        starts: (7,) route length, lateral, yaw, least and greatest share of the careful speed,
            the arc length on the first lane, below 0 where lane and place are drawn, and how much
            rare curvatures are favoured.
    """
    nodes, lanes = table.nodes, table.lanes
    for k in range(cars.size):
        i = cars[k]
        first, stop = table.road_first[state.slot[i]], table.road_first[state.slot[i] + 1]
        seed, episode = state.seed[i], state.episode[i]
        which = chance.one_uniform(seed, episode, chance.LANE, 0)
        where = chance.one_uniform(seed, episode, chance.START, 0)
        aside = chance.one_uniform(seed, episode, chance.OFFSET, 0)
        askew = chance.one_uniform(seed, episode, chance.OFFSET, 1)
        speed = chance.one_uniform(seed, episode, chance.OFFSET, 2)
        branches = np.int64(1)
        for k in range(first, stop):
            branches = max(branches, lanes[k].branches)
        state.route[i] = np.int64(chance.one_uniform(seed, episode, chance.ROUTE, 0) * branches)
        number = first + np.int64(which * (stop - first))
        if starts[5] >= 0.0:
            number = first
        lane = lanes[number]
        route = starts[0]
        if starts[5] >= 0.0:
            s = min(starts[5], lane.length)
        else:
            s, room = 0.0, lane.length
            if not lane.closed:
                room = max(lane.length - max(route, 100.0) - 12.0, 0.0)
                s = min(6.0, 0.1 * lane.length)
            if starts[6] > 1.0:
                s = _balanced_start(nodes, lane, s, room, where, starts[6])
            else:
                s += where * room
        lateral = (2.0 * aside - 1.0) * starts[1]
        turn = (2.0 * askew - 1.0) * starts[2]
        _place_beside(state, table, numbers, i, number, s, lateral, turn)
        careful = min(target_speed_at(nodes, lane, s), limits[4])
        speed = careful * (starts[3] + speed * (starts[4] - starts[3]))
        state.speed[i] = min(speed, numbers[4])
        bend = curvature_at(nodes, lane, s)
        state.curvature[i] = min(max(bend, -numbers[1]), numbers[1])
        state.accel[i] = state.command[i, 0] = state.command[i, 1] = 0.0
        for d in range(state.pending.shape[1]):
            state.pending[i, d, 0], state.pending[i, d, 1] = state.curvature[i], 0.0
        state.progress[i] = state.distance[i] = 0.0
        state.steps[i] = state.ended[i] = state.tally[i] = 0
        if route > 0.0:
            state.route_length[i] = _way_left(lanes, number, state.route[i], s, route)
        else:
            state.route_length[i] = _plan_distance(
                nodes, lanes, number, state.route[i], s, limits[0]
            )


@compiled
def _offset(state, table, numbers, lateral, yaw):  # type: ignore[no-untyped-def]
    for i in range(lateral.size):
        number, s = state.lane[i], state.arc_length[i]
        _place_beside(state, table, numbers, i, number, s, lateral[i], yaw[i])


_SCRATCH = threading.local()
_MAX_KEPT = 8  # cameras that a thread keeps room for


def _scratch(camera: Camera) -> Scratch:
    """Room to draw in, kept for the next picture of the same thread."""
    kept: dict[Camera, Scratch] = _SCRATCH.__dict__.setdefault("kept", {})
    if camera not in kept:
        if len(kept) >= _MAX_KEPT:
            kept.clear()
        kept[camera] = make_scratch(camera)
    return kept[camera]


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
    def _numbers(self) -> np.ndarray:
        return self.vehicle.numbers(self.dt)

    @cached_property
    def _limits(self) -> np.ndarray:
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
    def _starts(self) -> np.ndarray:
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

    @property
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

    def _in_slices(self, batch: int, work: Callable[[int, int], Any]) -> None:
        """Call `work(first, stop)` for slices of the batch, one thread each."""
        if self.threads == 1 or batch < 2 * self.threads:
            work(0, batch)
            return
        edges = np.linspace(0, batch, self.threads + 1).astype(int)
        list(self._workers.map(work, edges[:-1].tolist(), edges[1:].tolist()))

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

        def zeros() -> np.ndarray:
            return np.zeros(batch)

        def counts() -> np.ndarray:
            return np.zeros(batch, np.int64)

        state = CarState(
            x=zeros(), y=zeros(), yaw=zeros(), speed=zeros(), curvature=zeros(), accel=zeros(),
            command=np.zeros((batch, 2)), pending=np.zeros((batch, self.delay_steps, 2)),
            lane=counts(), arc_length=zeros(), lateral_offset=zeros(), heading_error=zeros(),
            margin=zeros(), progress=zeros(), route_length=zeros(), distance=zeros(),
            steps=counts(), ended=counts(), road=counts(), slot=counts(),
            seed=seeds.astype(np.uint64), episode=counts() + episode,
            look=np.full(batch, self._plain_look), route=counts(), tally=counts(),
        )  # fmt: skip
        self._start(state, np.arange(batch), roads)
        return state

    def restart(self, state: CarState, which: np.ndarray) -> CarState:
        """Start the next episode of the cars in `which` (B,) bool; the others stay as they are."""
        cars = np.flatnonzero(which)
        if not len(cars):
            return state
        state = state.own(CarState._fields)
        state.episode[cars] += 1
        self._start(state, cars)
        return state

    def _start(self, state: CarState, cars: np.ndarray, roads: np.ndarray | None = None) -> None:
        loaded = False
        if roads is None:
            loaded = _draw_roads(
                state.road, state.slot, state.seed, state.episode, cars, self.pool.slots
            )
        else:
            state.road[cars] = roads
        if not loaded:
            state.slot[cars] = self.pool.load(state.road[cars])
        _place(state, self.pool.lanes, self._numbers, self._limits, self._starts, cars)
        task = self.task
        if task.hold_speed > 0.0 and task.route_length == 0.0:
            usual = task.hold_speed * task.time_limit
            state.route_length[cars] = np.minimum(state.route_length[cars], usual)
        if self.appearance.randomise == 0.0:
            return
        for car in cars:
            rng = chance.generator(int(state.seed[car]), int(state.episode[car]), chance.LOOK)
            state.look[car] = make_look(self.appearance, rng)

    @cached_property
    def _drawn(self) -> tuple[str, ...]:
        """What a new episode sets beside what moves; looks that do not differ stay as they are."""
        return (*_DRAWN, "look") if self.appearance.randomise > 0.0 else _DRAWN

    @cached_property
    def _plain_look(self) -> np.ndarray:
        return make_look(self.appearance, np.random.default_rng(0))

    def place(self, state: CarState, lateral: np.ndarray, yaw: np.ndarray) -> CarState:
        """Move cars sideways and turn them, relative to the lane where they are.

        Args:
            lateral: (B,) offset from the centre line [m]; yaw: (B,) against the lane [rad].
        """
        state = state.own(CarState._fields)
        _offset(state, self.pool.lanes, self._numbers, np.asarray(lateral, float),
                np.asarray(yaw, float))  # fmt: skip
        return state

    def step(self, state: CarState, command: Command) -> CarState:
        """Move every car that has not ended by `dt`.

        Raises:
            ValueError: a command is not a finite number, or not one per car.
        """
        curvature = np.asarray(command.curvature, np.float64)
        accel = np.asarray(command.accel, np.float64)
        batch = len(state.x)
        if curvature.shape != (batch,) or accel.shape != (batch,):
            raise ValueError(
                f"a command has one curvature and one acceleration per car, ({batch},); "
                f"got {curvature.shape} and {accel.shape}"
            )
        if not _all_finite(curvature, accel):
            raise ValueError("a command is not a finite number; the driver gave NaN or infinity")
        asked = Command(curvature, accel)
        if self.task.kicked:
            curvature, accel = self._kicked(state, asked)
        after = self._moved(state, curvature, accel, self._limits)
        if self.task.kicked:  # a driver knows what it asked for, not how it was pushed
            drives = state.ended == 0
            after.command[drives] = np.stack(self.vehicle.within_limits(asked), axis=-1)[drives]
        if self.task.hold_speed > 0.0 or self.task.wait > 0.0:
            self._count(state, after)
        return after

    def _moved(
        self, state: CarState, curvature: np.ndarray, accel: np.ndarray, limits: np.ndarray
    ) -> CarState:
        """The state after one step with these commands, in arrays of its own."""
        batch = len(state.x)
        measures = np.empty((len(Measures._fields), batch))
        counts = np.empty((len(Counts._fields), batch), np.int64)
        command, pending = np.empty((batch, 2)), np.empty_like(state.pending)
        table = self.pool.lanes
        self._in_slices(
            batch,
            lambda first, stop: advance(
                state, measures, counts, command, pending, table, self._numbers, limits,
                curvature, accel, first, stop,
            ),
        )  # fmt: skip
        x, y, yaw, speed, bend, push, arc_length, lateral, error, margin, progress, distance = (
            measures
        )
        lane, steps, ended, tally = counts
        return CarState(
            x, y, yaw, speed, bend, push, command, pending, lane, arc_length, lateral, error,
            margin, progress, state.route_length, distance, steps, ended, state.road, state.slot,
            state.seed, state.episode, state.look, state.route, tally,
        )  # fmt: skip

    def _kicked(self, state: CarState, asked: Command) -> tuple[np.ndarray, np.ndarray]:
        """Commands with the task's pushes on top, as they reach the car."""
        task = self.task
        strength = (task.kick_lateral, task.kick_accel)
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
        after = self.step(state, command)
        cars = np.flatnonzero(state.ended)
        if not len(cars):
            return after
        after = after.own(self._drawn)
        after.episode[cars] += 1
        self._start(after, cars)
        return after

    def observe(
        self, state: CarState, out: Mapping[str, np.ndarray] | None = None
    ) -> dict[str, np.ndarray]:
        """What the sensors see.

        Args:
            out: arrays to draw the pictures into, by sensor; without it, new ones.

        Returns:
            Per sensor: a camera gives (B, H, W, 3) uint8 RGB, odometry (B, 2) float32.
        """
        view: dict[str, np.ndarray] = {}
        for name, sensor in self.sensors.items():
            if isinstance(sensor, Camera):
                view[name] = self.draw(state, sensor, out.get(name) if out else None, name)
            elif isinstance(sensor, Route):
                view[name] = state.route.copy()
            else:
                view[name] = measure(state.speed, state.curvature)
        if self.task.blackout_share > 0.0:
            self._black_out(state, view)
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

    def draw(
        self,
        state: CarState,
        camera: Camera,
        out: np.ndarray | None = None,
        name: str | None = None,
    ) -> np.ndarray:
        """(B, H, W, 3) uint8 RGB: what a camera in each car sees."""
        batch = len(state.x)
        lens = self._lenses[name] if name in self._lenses else make_lens(camera)
        images = np.empty((batch, *camera.shape), np.uint8) if out is None else out
        if images.shape != (batch, *camera.shape) or images.dtype != np.uint8:
            raise ValueError(
                f"pictures are drawn into uint8 {(batch, *camera.shape)}, "
                f"got {images.dtype} {images.shape}"
            )
        flat = images.reshape(batch, camera.height, -1)
        keys = chance.bits(state.seed, state.episode, chance.PICTURE, state.steps)
        keys = (keys >> np.uint64(33)).astype(np.int32)
        scene, signs, looks = self.pool.scene, self.pool.signs, state.look
        if signs is not None:
            looks = looks.copy()
            looks["noise"] = 0.0  # it comes after the signs
        self._in_slices(
            batch,
            lambda first, stop: draw_pictures(
                flat, first, stop, _scratch(camera), scene, state.slot, lens, self._hills, looks,
                state.x, state.y, state.yaw, keys,
            ),
        )  # fmt: skip
        if signs is not None:
            table, faces = signs, self.sign_faces(state)
            self._in_slices(
                batch,
                lambda first, stop: draw_signs(
                    flat, first, stop, table, state.slot, faces, glyphs(), lens.numbers, state.look,
                    state.x, state.y, state.yaw, keys,
                ),
            )  # fmt: skip
        return images

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
        waited = state.tally * self.dt >= self.task.wait - 1e-9
        return np.where(waited | (way < -STOP_GAP - STOP_AFTER), np.inf, way)

    def foresee(self, state: CarState) -> CarState:
        """The state after the commands that are on their way: a Smith predictor with a true model.

        Source: Smith, Closer control of loops with dead time, 1957.
        """
        if self.delay_steps == 0:
            return state
        nothing_ends_it = np.array([np.inf, np.inf, OFF_LANE_RULES.index("none"), 0.0])
        ahead = state
        for k in range(self.delay_steps):
            curvature, accel = state.pending[:, k].T.copy()
            ahead = ahead._replace(pending=np.empty((len(state.x), 0, 2)))
            ahead = self._moved(ahead, curvature, accel, nothing_ends_it)
        return ahead

    def road_name(self, road: int) -> str:
        """Name of a road by its number in the source."""
        return self.pool.source.name(int(road))
