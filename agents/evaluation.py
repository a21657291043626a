"""Closed-loop evaluation: drive a suite's episodes and measure each of them.

The batch is kept full: where a car's episode ends, the next one begins in its place. That changes
nothing, because a car drives the same alone and in any batch.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..sim.any_world import World, open_world
from ..sim.metrics import EpisodeLog, Yardstick, episode_metrics, yardstick_of
from ..sim.road import Road
from ..sim.sensors.camera import Camera
from ..sim.sensors.odometry import Odometry
from ..sim.success import is_success, task_figures
from ..sim.task import Ended
from ..sim.trace import is_recording
from ..sim.vehicle import Command
from ..sim.world import CarState, Sensor
from . import rows
from .agent import Agent
from .expert import Expert
from .impaired import Impaired
from .rollout import look
from .step_logs import COLUMNS, INTERVENED
from .suites import Suite, grid_starts, suite_seeds

BATCH = 128  # cars that drive side by side; results do not depend on it
RECOVERED_WITHIN = 0.5  # of the centre line ... [m]
RECOVERED_FOR = 2.0  # ... over the last seconds of the episode
_OF_STATE = [name for name in COLUMNS if name in CarState._fields]
_ALL = [*_OF_STATE, "command_curvature", "command_accel", INTERVENED]


@dataclass(frozen=True, eq=False)
class DrivenEpisode:
    """One episode: its figures, and what happened step by step."""

    index: int  # its place in the suite
    figures: dict[str, Any]
    trace: dict[str, np.ndarray]


@dataclass
class Clock:
    """Where the time of an evaluation goes [s]; it is told, and nothing depends on it."""

    seconds: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("observe", "driver", "move", "bookkeeping"), 0.0)
    )
    car_steps: int = 0
    _last: float = 0.0

    def start(self) -> None:
        self._last = time.perf_counter()

    def lap(self, what: str) -> None:
        now = time.perf_counter()
        self.seconds[what] += now - self._last
        self._last = now


def suite_world(
    suite: Suite,
    sensors: Mapping[str, Sensor] | None = None,
    roads: str | None = None,
    dt: float = 0.1,
    threads: int = 1,
    route: int | None = None,
    camera: Camera | None = None,
) -> World:
    """The world of a suite, or of one of its variants.

    Args:
        sensors: that the driver needs; without them the default ones.
        roads: another world than the suite's own.
        route: choices of the route command, for drivers who are told one (`drivers.told_route`).
        camera: that the driver was trained with (`drivers.trained_camera`); not with `sensors`.

    Raises:
        ValueError: the suite asks for weather that the world cannot have, or a recording does not
            show what the camera sees.
    """
    text, looks = roads or suite.world, suite.appearance
    if is_recording(text) and (looks.sensor_noise, looks.fog, looks.daylight) != (0.0, 0.0, 1.0):
        raise ValueError(
            f"suite {suite.name} asks for noise, fog or night, but {text} is a recording, which looks "
            "as it looked; drive it on drawn roads"
        )
    return open_world(
        text,
        sensors,
        suite.task,
        suite.vehicle,
        suite.appearance,
        dt,
        threads,
        route,
        camera,
    )


def yardsticks(
    suite: Suite, roads: str | None, episodes: int, seed: int, dt: float = 0.1
) -> list[DrivenEpisode]:
    """What the expert does in every episode: what others are measured beside.

    It looks at no pictures, so none are drawn. Its figures are measured beside itself.
    """
    world = suite_world(suite, {"odometry": Odometry()}, roads, dt)
    driven = evaluate(suite, world, Expert(), episodes, seed)
    return [measured_beside(suite, world, one, yardstick(suite, world, one)) for one in driven]


def yardstick(suite: Suite, world: World, expert: DrivenEpisode) -> Yardstick:
    """What an episode of the expert says of other drivers."""
    return yardstick_of(log_of(suite, world.dt, expert.figures, expert.trace))


def measured_beside(
    suite: Suite, world: World, episode: DrivenEpisode, beside: Yardstick
) -> DrivenEpisode:
    """An episode, with the figures that are measured beside the expert."""
    told = episode_metrics(log_of(suite, world.dt, episode.figures, episode.trace), beside)
    return replace(episode, figures=episode.figures | told)


def count_episodes(suite: Suite, world: World, episodes: int) -> int:
    """How many episodes one variant of a suite has."""
    return episodes * world.pool.source.count if suite.starts == "each-road" else episodes


def evaluate(
    suite: Suite,
    world: World,
    driver: Agent,
    episodes: int,
    seed: int,
    on_step: Callable[[int], object] = lambda ended: None,
    *,
    beside: Sequence[Yardstick] | None = None,
    skip: Collection[int] = frozenset(),
    keep: Callable[[DrivenEpisode], object] = lambda episode: None,
    clock: Clock | None = None,
) -> list[DrivenEpisode]:
    """Drive `episodes` episodes of a suite; of every road, when the suite goes by roads.

    Args:
        suite: without conditions, or one of the `variants` of one that has them.
        on_step: called with the number of episodes that ended since the last call.
        beside: what the expert did in each episode; without it, figures beside it are None.
        skip: episodes that are not driven, because they were.
        keep: called with each episode as it ends, in the order in which they end.

    Returns:
        The episodes that were driven, in the suite's order.
    """
    total = count_episodes(suite, world, episodes)
    plan = _Plan.of(suite, world, total, seed)
    if suite.faults.any:
        driver = Impaired(driver, suite.faults)
    waiting = [index for index in range(total) if index not in skip]
    driven: list[DrivenEpisode] = []
    if not waiting:
        return driven
    clock = clock or Clock()
    first, waiting = np.array(waiting[:BATCH]), waiting[BATCH:]
    start = state = plan.begin(first)
    cars = first  # which episode each car of the batch drives
    memory, notes = driver.begin(len(first)), _Notes(len(first))
    clock.start()
    while len(cars):
        clock.car_steps += len(cars)
        view = look(world, state)
        clock.lap("observe")
        command, memory = driver.act(view, memory)
        clock.lap("driver")
        after = world.step(state, command)
        clock.lap("move")
        state, helped = put_back(suite, world, after)
        notes.add(after, command, helped)
        over = np.flatnonzero(state.ended)
        for car in over.tolist():
            trace = notes.of(car)
            told = _measure(suite, world, start, state, car, trace, beside, int(cars[car]))
            driven.append(DrivenEpisode(int(cars[car]), told, trace))
            keep(driven[-1])
        if len(over):
            on_step(len(over))
            follow = np.array(waiting[: len(over)], dtype=int)
            waiting = waiting[len(over) :]
            taken, free = over[: len(follow)], over[len(follow) :]
            if len(follow):
                fresh = plan.begin(follow)
                start, state = rows.put(start, taken, fresh), rows.put(state, taken, fresh)
                memory = rows.put(memory, taken, driver.begin(len(follow)))
                cars = rows.put(cars, taken, follow)
                notes.clear(taken)
            if len(free):
                left = np.setdiff1d(np.arange(len(cars)), free)
                start, state, memory, cars = rows.take((start, state, memory, cars), left)
                notes.take(left)
        clock.lap("bookkeeping")
    return sorted(driven, key=lambda episode: episode.index)


def start_of(suite: Suite, world: World, episodes: int, seed: int, index: int) -> CarState:
    """A car at the start of one episode of a variant."""
    total = count_episodes(suite, world, episodes)
    return _Plan.of(suite, world, total, seed).begin(np.array([index]))


def log_of(
    suite: Suite, dt: float, figures: Mapping[str, Any], trace: Mapping[str, np.ndarray]
) -> EpisodeLog:
    """The log that an episode's figures are computed from: its steps, and what was asked of it."""
    vehicle = suite.vehicle
    columns: dict[str, Any] = {
        name: trace[name] for name in EpisodeLog.__annotations__ if name in trace
    }
    return EpisodeLog(
        **(columns | {INTERVENED: trace[INTERVENED] > 0.0}),
        dt=dt,
        route_length=figures["route_length_m"],
        speed_limit=figures["speed_limit_mps"],
        left_lane=figures["ended"] == Ended.OFF_LANE.name.lower(),
        turned_around=figures["ended"] == Ended.WRONG_WAY.name.lower(),
        outline=(vehicle.length - vehicle.rear_overhang, vehicle.rear_overhang, vehicle.width / 2),
    )


@dataclass(frozen=True, eq=False)
class _Plan:
    """Where every episode of a variant begins."""

    suite: Suite
    world: World
    seeds: np.ndarray
    roads: np.ndarray | None
    grid: tuple[np.ndarray, np.ndarray] | None  # lateral [m], yaw [rad]

    @classmethod
    def of(cls, suite: Suite, world: World, total: int, seed: int) -> "_Plan":
        if suite.conditions:
            raise ValueError(f"suite {suite.name} has conditions; evaluate each of its variants()")
        each_road = suite.starts == "each-road"
        return cls(
            suite,
            world,
            suite_seeds(seed, total),
            np.arange(total) % world.pool.source.count if each_road else None,
            grid_starts(suite, total) if suite.starts == "grid" else None,
        )

    def begin(self, indices: np.ndarray) -> CarState:
        """Cars at the start of these episodes."""
        state = self.world.reset(
            self.seeds[indices], roads=None if self.roads is None else self.roads[indices]
        )
        if self.grid is None:
            return state
        return self.world.place(state, self.grid[0][indices], self.grid[1][indices])


class _Notes:
    """What every car of a batch did so far; it grows with the longest episode."""

    def __init__(self, batch: int) -> None:
        self._values = np.empty((batch, 1024, len(_ALL)))
        self._steps = np.zeros(batch, np.int64)

    def add(self, after: CarState, command: Command, helped: np.ndarray) -> None:
        if self._steps.max() == self._values.shape[1]:
            self._values = np.concatenate([self._values, np.empty_like(self._values)], axis=1)
        columns = [getattr(after, name) for name in _OF_STATE]
        now = np.stack([*columns, command.curvature, command.accel, helped], axis=-1)
        self._values[np.arange(len(now)), self._steps] = now
        self._steps += 1

    def of(self, car: int) -> dict[str, np.ndarray]:
        """The columns of one car."""
        values = self._values[car, : self._steps[car]]
        return dict(zip(_ALL, np.ascontiguousarray(values.T), strict=True))

    def clear(self, cars: np.ndarray) -> None:
        self._steps[cars] = 0

    def take(self, cars: np.ndarray) -> None:
        self._values, self._steps = self._values[cars], self._steps[cars]


def put_back(suite: Suite, world: World, after: CarState) -> tuple[CarState, np.ndarray]:
    """The state after a safety driver has put those back who left the lane, and who that was.

    They go on from the lane's centre line beside where they left it, along the lane, as fast as
    they were. What the driver remembers stays.
    """
    helped = np.zeros(len(after.ended), bool)
    if suite.interventions:
        helped = (after.ended == Ended.OFF_LANE) | (after.ended == Ended.WRONG_WAY)
    if not helped.any():
        return after, helped
    which, none = np.flatnonzero(helped), np.zeros(len(helped))
    placed = rows.take(world.place(after, none, none), which)
    placed = placed._replace(ended=np.zeros(len(which), np.int64))
    return rows.put(after, which, placed), helped


def _measure(
    suite: Suite,
    world: World,
    start: CarState,
    end: CarState,
    car: int,
    trace: Mapping[str, np.ndarray],
    beside: Sequence[Yardstick] | None,
    index: int,
) -> dict[str, Any]:
    """The figures of one episode."""
    road = world.pool.source.road(int(end.road[car]))
    alone = rows.take(end, np.array([car]))
    told: dict[str, Any] = {
        "seed": int(end.seed[car]),
        "road": road.name,
        "condition": "",
        "success": _succeeded(suite, world, alone, trace),
        "ended": Ended(int(end.ended[car])).name.lower(),
        "steps": int(end.steps[car]),
        "route_length_m": float(end.route_length[car]),
        "speed_limit_mps": road.speed_limit,
        "road_max_curvature": _tightest(world, road, start, car),
        "start_lateral_m": float(start.lateral_offset[car]),
        "start_yaw_rad": float(start.heading_error[car]),
        "start_speed_mps": float(start.speed[car]),
        "decision_correct": None,
    }
    counted = task_figures(suite.task, world.pool.lanes, alone, world.dt)
    own = {name: values[0].item() for name, values in counted.items()}
    log = log_of(suite, world.dt, told, trace)
    figures = episode_metrics(log, None if beside is None else beside[index])
    return told | figures | own


def _tightest(world: World, road: Road, start: CarState, car: int) -> float:
    """The largest curvature of the way that was to be driven, driven or not [1/m]."""
    number = int(start.lane[car] - world.pool.lanes.road_first[start.slot[car]])
    lane = road.lanes[number]
    first = int(start.arc_length[car] / lane.spacing)
    nodes = first + np.arange(int(start.route_length[car] / lane.spacing) + 1)
    count = len(lane.curvature)
    nodes = nodes % count if lane.closed else np.minimum(nodes, count - 1)
    return float(np.abs(lane.curvature[nodes]).max())


def _succeeded(suite: Suite, world: World, end: CarState, trace: Mapping[str, np.ndarray]) -> bool:
    """Whether the episode of one car reached its goal."""
    reached = bool(is_success(suite.task, end, world.dt)[0])
    if suite.interventions:
        return reached and not trace[INTERVENED].any()
    if suite.starts == "grid":
        last = max(1, round(RECOVERED_FOR / world.dt))
        back = np.abs(trace["lateral_offset"][-last:]) < RECOVERED_WITHIN
        return reached and bool(back.all())
    return reached
