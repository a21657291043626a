"""Closed-loop evaluation: drive a suite's episodes and measure each of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..sim.any_world import World, open_world
from ..sim.metrics import EpisodeLog, episode_metrics
from ..sim.road import Road
from ..sim.task import Ended
from ..sim.vehicle import Command
from ..sim.world import CarState, Sensor
from .agent import Agent
from .rollout import rollout
from .step_logs import COLUMNS
from .suites import Suite, grid_starts, suite_seeds

BATCH = 64  # cars that drive side by side; results do not depend on it
OF_STATE = [name for name in COLUMNS if not name.startswith("command_")]
RECOVERED_WITHIN = 0.5  # of the centre line ... [m]
RECOVERED_FOR = 2.0  # ... over the last seconds of the episode


@dataclass(frozen=True, eq=False)
class DrivenEpisode:
    """One episode: its figures, and what happened step by step."""

    figures: dict[str, Any]
    trace: dict[str, np.ndarray]


def suite_world(
    suite: Suite,
    sensors: Mapping[str, Sensor] | None = None,
    roads: str | None = None,
    dt: float = 0.1,
    threads: int = 1,
) -> World:
    """The world of a suite.

    Args:
        sensors: that the driver needs; without them the default ones.
        roads: another world than the suite's own.
    """
    return open_world(
        roads or suite.world,
        sensors,
        suite.task,
        suite.vehicle,
        suite.appearance,
        dt,
        threads,
    )


def evaluate(
    suite: Suite,
    world: World,
    driver: Agent,
    episodes: int,
    seed: int,
    on_step: Callable[[int], object] = lambda ended: None,
) -> list[DrivenEpisode]:
    """Drive `episodes` episodes of a suite; of every road, when the suite goes by roads.

    Args:
        on_step: called with the number of episodes that ended since the last call.
    """
    count = world.pool.source.count
    total = episodes * count if suite.starts == "each-road" else episodes
    seeds = suite_seeds(seed, total)
    roads = np.arange(total) % count if suite.starts == "each-road" else None
    driven: list[DrivenEpisode] = []
    for first in range(0, total, BATCH):
        some = slice(first, min(first + BATCH, total))
        state = world.reset(seeds[some], roads=None if roads is None else roads[some])
        if suite.starts == "grid":
            lateral, yaw = grid_starts(total)
            state = world.place(state, lateral[some], yaw[some])
        driven.extend(_drive(suite, world, driver, state, on_step))
    return driven


def _drive(
    suite: Suite,
    world: World,
    driver: Agent,
    start: CarState,
    on_step: Callable[[int], object],
) -> list[DrivenEpisode]:
    """Drive one batch to its end."""
    states: list[CarState] = []
    commands: list[Command] = []
    running = len(start.x)
    for frame in rollout(world, driver, start):
        states.append(frame.after)
        commands.append(frame.command)
        left = int((frame.after.ended == 0).sum())
        if left != running:
            on_step(running - left)
            running = left
    stacked = {name: np.stack([getattr(state, name) for state in states]) for name in OF_STATE}
    stacked["command_curvature"] = np.stack([command.curvature for command in commands])
    stacked["command_accel"] = np.stack([command.accel for command in commands])
    end = states[-1]
    driven = []
    for car in range(len(start.x)):
        steps = int(end.steps[car])
        trace = {name: column[:steps, car] for name, column in stacked.items()}
        figures = _measure(suite, world, start, end, car, trace)
        driven.append(DrivenEpisode(figures, trace))
    return driven


def _measure(
    suite: Suite,
    world: World,
    start: CarState,
    end: CarState,
    car: int,
    trace: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """The figures of one episode."""
    road = world.pool.source.road(int(end.road[car]))
    log = EpisodeLog(
        dt=world.dt,
        x=trace["x"],
        y=trace["y"],
        speed=trace["speed"],
        curvature=trace["curvature"],
        command_curvature=trace["command_curvature"],
        lateral_offset=trace["lateral_offset"],
        heading_error=trace["heading_error"],
        beyond_margin=trace["margin"] < 0.0,
        progress=float(end.progress[car]),
        road_length=float(end.route_length[car]),
        speed_limit=road.speed_limit,
    )
    ended = Ended(int(end.ended[car]))
    return {
        "seed": int(end.seed[car]),
        "road": road.name,
        "condition": "",
        "success": _succeeded(suite, world.dt, log, ended),
        "ended": ended.name.lower(),
        "steps": int(end.steps[car]),
        "route_length_m": log.road_length,
        "speed_limit_mps": road.speed_limit,
        "road_max_curvature": _tightest(world, road, start, car),
        "start_lateral_m": float(start.lateral_offset[car]),
        "start_yaw_rad": float(start.heading_error[car]),
        "left_lane_free_margin": bool((trace["margin"] < 0.0).any()),
        "left_lane_centre_2m": bool((np.abs(trace["lateral_offset"]) > 2.0).any()),
        **episode_metrics(log),
        "distance_m": float(end.distance[car]),
    }


def _tightest(world: World, road: Road, start: CarState, car: int) -> float:
    """The largest curvature of the way that was to be driven, driven or not [1/m]."""
    number = int(start.lane[car] - world.pool.lanes.road_first[start.slot[car]])
    lane = road.lanes[number]
    first = int(start.arc_length[car] / lane.spacing)
    nodes = first + np.arange(int(start.route_length[car] / lane.spacing) + 1)
    count = len(lane.curvature)
    nodes = nodes % count if lane.closed else np.minimum(nodes, count - 1)
    return float(np.abs(lane.curvature[nodes]).max())


def _succeeded(suite: Suite, dt: float, log: EpisodeLog, ended: Ended) -> bool:
    """Whether an episode reached its goal."""
    if suite.task.route_length > 0.0:
        return ended == Ended.ROUTE_COMPLETED
    moved = log.progress >= 0.5 * log.road_length
    stayed = moved and ended in (Ended.TIME_UP, Ended.ROUTE_COMPLETED)
    if suite.starts == "grid":
        last = max(1, round(RECOVERED_FOR / dt))
        return stayed and bool((np.abs(log.lateral_offset[-last:]) < RECOVERED_WITHIN).all())
    return stayed
