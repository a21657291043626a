"""What the study `tasks` works with: its cases, one pair of eyes for all drivers, cores, a judge.

Learning is in two stages, as in `memory_lab`. The eyes learn frame by frame to keep to the lane and to
brake for a line; then they stay as they are, and cores learn from frames that were encoded once. All
drivers of a case learn from the same drives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from redrive.agents.agent import Agent
from redrive.agents.demonstrations import drive_episodes
from redrive.agents.disturbed import NoisyDriver
from redrive.agents.expert import Expert
from redrive.agents.rollout import look
from redrive.memory_lab import TEST_SEED, Drive, with_eyes
from redrive.sim.memory_tasks import (
    blackout_task,
    latency_task,
    stop_sign_task,
    unseen_speed_task,
)
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.success import is_success, task_figures
from redrive.sim.task import LANE_FOLLOWING, Task
from redrive.sim.world import CarState, RoadWorld, Sensor
from redrive.study_runs import CAMERA, CLEAR, DT, Report

if TYPE_CHECKING:
    from redrive.models.policy import ObservationSpec, Policy
    from redrive.models.sequence import SequencePolicy

LEARNED_ROADS, TEST_ROADS = "0-200", "5000-5200"
COMMAND_SCALE = (0.02, 1.0)  # a typical curvature and acceleration, the same for all [1/m, m/s²]
SEES_NOW = "one frame"
DROPPED = 0.2  # share of cars that have ended, from which they are left out


@dataclass(frozen=True)
class Driver:
    """A kind of driver: a policy, its settings as JSON values, and what it is told."""

    policy: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    speedometer: bool = False  # even where the task hides it: a ceiling
    remembers: bool = True


DRIVERS = {
    SEES_NOW: Driver("mlp", remembers=False),
    "rnn": Driver("rnn"),
    "lstm": Driver("lstm"),
    "attention": Driver("attention"),
}
TOLD_SPEED = "one frame + speedometer"


@dataclass(frozen=True)
class Case:
    """A task as it is learned, the ways in which it is tested, and how long memories are.

    previous: drivers with a memory see what they asked for in the step before; where commands act
        late, nothing else says what is on its way.
    """

    learned: Task
    tested: Mapping[str, Task]
    window: int = 48  # steps of a window to learn from
    batch: int = 16  # windows in a batch
    look_back: int = 16  # steps that a layer of attention sees
    previous: bool = False
    steps: int = 300  # of learning
    from_start: float = 0.25  # share of windows that begin with their drive
    balance: float = 5.0  # a rare curvature counts so much more
    push: tuple[float, float] = (1.6, 1.5)  # of the noise on the expert's hand [m/s²]
    ceiling: bool = False  # a driver who is told the speed is there, too


def _shorter(task: Task) -> Task:
    """Half of the way: pictures are most of the cost of a test."""
    return replace(task, route_length=0.5 * task.route_length)


def _latency(steps: int) -> Case:
    task = latency_task(steps)
    return Case(task, {f"{steps * DT:.1f} s": _shorter(task)}, previous=True)


CASES = {
    "blackout": Case(
        blackout_task(0.5, 4),
        {f"{share:g}": _shorter(blackout_task(share, 4)) for share in (0.0, 0.5, 0.75)},
    ),
    "latency-8": _latency(8),
    "stop-sign": Case(
        stop_sign_task(), {"": stop_sign_task()}, window=192, batch=12, look_back=48, steps=700,
        from_start=1.0, balance=1.0, push=(0.8, 0.5),
    ),
    "latency-2": _latency(2),
    "latency-4": _latency(4),
    "unseen-speed": Case(
        unseen_speed_task(), {"": unseen_speed_task()}, steps=3000, ceiling=True
    ),
}  # fmt: skip

# What the eyes learn from: lanes, and stop lines at which one hardly waits. While a car waits, frames do
# not say what to do; of the way to the line they do.
SEEN = (
    Case(LANE_FOLLOWING, {}),
    Case(stop_sign_task(wait=0.1), {}, push=(0.8, 1.5)),
)


def task_world(task: Task, roads: str, *, told: bool = False) -> RoadWorld:
    """Where a task is driven, on a clear day.

    Args:
        roads: seeds of the task's family of roads, "0-200".
        told: the speed is there even where the task hides it.
    """
    family = f"{task.world.rsplit(',', 1)[0]},seeds={roads}"
    text = family if task.world.startswith("stop:") else f"procedural:{roads}"
    sensors: dict[str, Sensor] = {"camera": CAMERA}
    if told or "odometry" not in task.hides:
        sensors["odometry"] = Odometry()
    return RoadWorld(text, sensors, task, appearance=CLEAR)


def demonstrate(case: Case, episodes: int, seconds: float, seed: int) -> list[Any]:
    """Drives of the expert with noise on its hand, from wider starts than any test has."""
    from redrive.models.previous import WithPreviousCommand

    task = replace(case.learned, off_lane="centre_2m", start_lateral=0.6, start_yaw=0.08)
    if task.wait == 0.0:
        fastest = 2.0 if task.hold_speed else 1.2  # of the careful speed
        task = replace(task, route_length=0.0, time_limit=seconds, start_speed=(0.2, fastest))
    world = task_world(task, LEARNED_ROADS, told=True)
    driver = NoisyDriver(Expert(), world.dt, *case.push)
    drives: list[Any] = []
    for first in range(0, episodes, 32):
        seeds = seed + first + np.arange(min(32, episodes - first))
        drives += [
            WithPreviousCommand(Drive(columns))
            for columns, _ in drive_episodes(world, driver, seeds)
        ]
    return drives


def observed(case: Case, driver: Driver) -> tuple[ObservationSpec, dict[str, Any]]:
    """What a driver sees, and the settings of its encoder that say so."""
    from redrive.agents.learned import observation_spec
    from redrive.models.policy import ObservationSpec

    world = task_world(case.learned, LEARNED_ROADS, told=driver.speedometer)
    everything = observation_spec(world)
    previous = case.previous and driver.remembers
    seen = {n: s for n, s in everything.sensors.items() if previous or n in world.sensors}
    encoder = {"speed": "odometry" in world.sensors, "previous_command": previous}
    return ObservationSpec(seen, everything.dt), encoder


def make_eyes(drives: Sequence[Any], run: Path, steps: int, report: Report) -> None:
    """Learn the eyes that all drivers see with; the run's folder is a driver of its own."""
    from redrive.models.checkpoint import STATE
    from redrive.models.dataset import Windows, WindowSettings
    from redrive.models.fit import FitSettings, Progress, fit
    from redrive.models.loss import LossSettings
    from redrive.models.registry import make_policy
    from redrive.models.settings import from_json

    spec, encoder = observed(SEEN[0], DRIVERS[SEES_NOW])
    settings = from_json(_settings("mlp"), {"encoder": encoder})
    policy = make_policy("mlp", spec, settings, command_scale=COMMAND_SCALE)
    window = WindowSettings(batch=256, steps=2, burn_in=0)
    held_out = max(2, len(drives) // 10)
    parts = (drives[held_out:], drives[:held_out])
    done = 0

    def show(progress: Progress) -> None:
        nonlocal done
        report(progress.step - done, "eyes")
        done = progress.step

    train, validation = (Windows(part, list(spec.sensors), window) for part in parts)
    often = max(1, steps // 4)
    fitting = FitSettings(
        steps=steps, learning_rate=4e-3, validate_every=often, save_every=often, log_every=20,
        loss=LossSettings(accel=1.0),
    )  # fmt: skip
    resume = (run / STATE).is_file()
    fit(policy, train, validation, fitting, run, resume=resume, on_progress=show)


def eyes_of(case: Case, driver: Driver, eyes: Path) -> SequencePolicy:
    """The eyes as a driver of this case has them."""
    from redrive.models.checkpoint import load_policy
    from redrive.models.settings import from_json

    spec, encoder = observed(case, driver)
    teacher: Any = load_policy(eyes)
    return with_eyes(spec, teacher, from_json(_settings("mlp"), {"encoder": encoder}))


def learn_core(
    case: Case,
    driver: Driver,
    eyes: SequencePolicy,
    drives: Sequence[Any],
    run: Path,
    seed: int,
    steps: int,
) -> Policy:
    """Fit a core and its head to encoded drives; the policy, which drives from pictures."""
    from redrive.models.checkpoint import STATE
    from redrive.models.dataset import WindowSettings
    from redrive.models.fit import FitSettings
    from redrive.models.registry import make_policy
    from redrive.models.settings import from_json, to_json
    from redrive.models.two_stage import fit_memory

    told = {**driver.settings, "encoder": to_json(eyes.settings)["encoder"]}
    if driver.policy == "attention":
        told["window"] = case.look_back
    policy = make_policy(
        driver.policy, eyes.spec, from_json(_settings(driver.policy), told),
        command_scale=COMMAND_SCALE, seed=seed,
    )  # fmt: skip
    held_out = max(2, len(drives) // 10)
    fit_memory(
        policy, eyes, drives[held_out:], drives[:held_out],
        WindowSettings(
            batch=case.batch, steps=case.window, burn_in=min(8, case.window // 2),
            from_start=case.from_start, balance=case.balance,
        ),
        FitSettings(
            steps=steps, learning_rate=3e-3, validate_every=max(1, steps // 4), save_every=steps,
            seed=seed,
        ),
        run, seed=seed, resume=(run / STATE).is_file(),
    )  # fmt: skip
    return policy


def _settings(policy: str) -> Any:
    from redrive.models.registry import find_policy

    return find_policy(policy).Settings


def judge(task: Task, driver: Agent, episodes: int, *, told: bool = False) -> dict[str, Any]:
    """How a driver does in closed loop on roads and episodes that nobody has learned from."""
    world = task_world(task, TEST_ROADS, told=told)
    state = drive(world, driver, TEST_SEED + np.arange(episodes))
    driven = np.clip(state.progress / state.route_length, 0.0, 1.0)
    figures = task_figures(task, world.pool.lanes, state, world.dt)
    return {
        "success": float(is_success(task, state, world.dt).mean()),
        "episodes": episodes,
        "route_completion": float(driven.mean()),
        "waited_s": float(figures["waited_s"].mean()) if task.wait else None,
        "wrong_speed_share": float(figures["wrong_speed_share"].mean()) if task.hold_speed else None,
    }  # fmt: skip


def drive(world: RoadWorld, driver: Agent, seeds: np.ndarray) -> CarState:
    """Drive one episode for each seed to its end; how they ended, in order.

    Cars that have ended are looked at no more: pictures are nearly all of the cost.

    Args:
        driver: whose memory is a tuple with the batch first in every part.
    """
    state, memory = world.reset(seeds), driver.begin(len(seeds))
    left = np.arange(len(seeds))
    ended: list[tuple[np.ndarray, CarState]] = []
    while len(left):
        over = state.ended != 0
        if over.mean() >= DROPPED:
            ended.append((left[over], CarState(*(column[over] for column in state))))
            state = CarState(*(column[~over] for column in state))
            memory = tuple(part[~over] for part in memory)
            left = left[~over]
            continue
        command, memory = driver.act(look(world, state), memory)
        state = world.step(state, command)
    order = np.argsort(np.concatenate([cars for cars, _ in ended]))
    parts = zip(*(some for _, some in ended), strict=True)
    return CarState(*(np.concatenate(columns)[order] for columns in parts))
