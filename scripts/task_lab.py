"""What the study `tasks` works with: its cases, one pair of eyes for all drivers, cores, a judge.

Learning is in two stages, as in `memory_lab`. The eyes learn frame by frame to measure what tasks hang on
(`task_eyes`); then they stay as they are, and cores learn from frames that were encoded once. All drivers
of a case learn from the same drives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from redrive.agents.agent import Agent, View, keys_of
from redrive.agents.disturbed import NoisyDriver
from redrive.agents.rollout import Frame, look
from redrive.memory_lab import TEST_SEED, Drive, command_column, drives_of, with_eyes
from redrive.sim import chance
from redrive.sim.guidance import guide
from redrive.sim.memory_tasks import (
    blackout_task,
    latency_task,
    stop_sign_task,
    unseen_speed_task,
)
from redrive.sim.sensors.camera import Camera
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.success import is_success, task_figures
from redrive.sim.task import LANE_FOLLOWING, Task
from redrive.sim.vehicle import Command
from redrive.sim.world import CarState, RoadWorld, Sensor
from redrive.study_runs import CLEAR, DT
from redrive.task_cues import LANE_IN_THE_DARK, LANE_THEN, WAITED, Cue
from redrive.task_eyes import PAST, QUANTITIES, SeesChange, WithChange, look_around, single_frames

if TYPE_CHECKING:
    from redrive.models.policy import ObservationSpec, Policy
    from redrive.models.sequence import SequencePolicy

CAMERA = Camera()
LEARNED_ROADS, TEST_ROADS = "0-200", "5000-5200"
COMMAND_SCALE = (0.02, 1.0)  # a typical curvature and acceleration, the same for all [1/m, m/s²]
SEES_NOW = "one frame"
STOP_ROOM = 2.2  # before where the expert stops, in which a stop counts as well [m]
WALKING_PACE = 1.0  # [m/s]
DROPPED = 0.2  # share of cars that have ended, from which they are left out


@dataclass(frozen=True)
class Driver:
    """A kind of driver: a policy, its settings as JSON values, and what it is told."""

    policy: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    speedometer: bool = False  # even where the task hides it: a ceiling
    remembers: bool = True
    told: bool = False  # what a picture hides, the case's cue: a ceiling


DRIVERS = {
    SEES_NOW: Driver("mlp", remembers=False),
    "rnn": Driver("rnn"),
    "gru": Driver("gru"),
    "lstm": Driver("lstm"),
    "attention": Driver("attention"),
}
FOUR_FRAMES = "four frames"  # no memory but the eyes'
TOLD_SPEED = "one frame + speedometer"
TOLD = "one frame, told"  # the case's cue


@dataclass(frozen=True)
class Case:
    """A task as it is learned, the ways in which it is tested, and how long memories are.

    previous: drivers with a memory see what they asked for in the step before; where commands act
        late, nothing else says what is on its way.
    change: drivers with a memory see how the last pictures differ.
    cue: what a picture hides; who is told it needs no memory.
    """

    learned: Task
    tested: Mapping[str, Task]
    window: int = 48  # steps of a window to learn from
    batch: int = 16  # windows in a batch
    look_back: int = 16  # steps that a layer of attention sees
    previous: bool = False
    change: bool = False
    cue: Cue | None = None
    steps: int = 300  # of learning
    from_start: float = 0.25  # share of windows that begin with their drive
    balance: float = 5.0  # a rare curvature counts so much more
    push: tuple[float, float] = (1.6, 1.5)  # of the noise on the expert's hand [m/s²]


def _shorter(task: Task) -> Task:
    """Half of the way: pictures are most of the cost of a test."""
    return replace(task, route_length=0.5 * task.route_length)


def _latency(steps: int) -> Case:
    task = latency_task(steps)
    tested = {f"{steps * DT:.1f} s": _shorter(task)}
    return Case(task, tested, window=64, previous=True, cue=LANE_THEN, steps=1500)


CASES = {
    "stop-sign": Case(
        stop_sign_task(), {"": stop_sign_task()}, window=192, batch=12, look_back=48, steps=1500,
        from_start=1.0, balance=1.0, push=(0.8, 2.5), cue=WAITED,
    ),
    "blackout": Case(
        blackout_task(0.5, 4),
        {f"{share:g}": _shorter(blackout_task(share, 4)) for share in (0.0, 0.5, 0.75)},
        window=64, batch=24, steps=2500, cue=LANE_IN_THE_DARK,
    ),
    "unseen-speed": Case(
        unseen_speed_task(), {"": unseen_speed_task()}, change=True,
        window=64, steps=1500, push=(1.6, 3.0),
    ),
    "latency-4": _latency(4),
    "latency-8": _latency(8),
    "latency-2": _latency(2),
}  # fmt: skip

# What the eyes learn from: lanes, stop lines at which one hardly waits, and many speeds. While a car
# waits, frames do not say what to do; of the way to the line they do.
SEEN = (
    Case(LANE_FOLLOWING, {}),
    Case(stop_sign_task(wait=0.1), {}, push=(0.8, 1.5)),
    Case(unseen_speed_task(), {}, push=(1.6, 4.0)),
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


def demonstration_world(case: Case, seconds: float) -> RoadWorld:
    """Where a case is shown: with wider starts than any test has, and the speed told."""
    task = replace(case.learned, off_lane="centre_2m", start_lateral=0.6, start_yaw=0.08)
    if task.wait == 0.0:
        fastest = 2.0 if task.hold_speed else 1.2  # of the careful speed
        task = replace(task, route_length=0.0, time_limit=seconds, start_speed=(0.2, fastest))
    return task_world(task, LEARNED_ROADS, told=True)


def demonstrate(case: Case, episodes: int, seconds: float, seed: int) -> list[Any]:
    """Drives of the expert with noise on its hand."""
    from redrive.models.previous import WithPreviousCommand

    world = demonstration_world(case, seconds)
    driver = StopsSomewhere()
    noisy: Agent = NoisyDriver(driver, world.dt, *case.push)
    if case.learned.wait:
        noisy = StandsStill(noisy, driver)

    def told(frame: Frame) -> dict[str, np.ndarray]:
        label = driver.act(frame.view, ())[0]
        known = {
            "expert_command": command_column(world, label),
            "command": command_column(world, frame.command),
        }
        cue = case.cue
        return {**known, "told": cue.tell(world, *frame[:2])} if cue else known

    drives = drives_of(world, noisy, told, episodes, seed, at_once=32)
    return [WithPreviousCommand(one) for one in drives]


@dataclass(frozen=True)
class StopsSomewhere:
    """The expert, who stops anywhere in the few metres before a line in which a stop counts.

    The expert proper stops at one place, to the decimetre. Who learns from it and stops half a metre
    elsewhere stands where no demonstration has ever stood, and has not learned how long to stay there.
    """

    def begin(self, batch_size: int) -> Any:
        """Nothing is remembered."""
        return ()

    def act(self, view: View, memory: Any) -> tuple[Command, Any]:
        """The expert's command, as if the line were nearer by a way that the episode draws."""
        lane = view["lane"]
        nearer = STOP_ROOM * chance.uniform(keys_of(view), 0, chance.DRIVER, 5)
        return guide(lane._replace(stop_ahead=lane.stop_ahead - nearer)), memory


@dataclass(frozen=True)
class StandsStill:
    """A pushed driver who is not pushed at a walking pace: a car that has stopped is to stand.

    So the push can be strong enough to bring it too slow or too fast to the line.
    """

    pushed: Agent
    driver: Agent

    def begin(self, batch_size: int) -> Any:
        """Both memories."""
        return self.pushed.begin(batch_size), self.driver.begin(batch_size)

    def act(self, view: View, memory: Any) -> tuple[Command, Any]:
        """What the pushed driver does, or the other one at a walking pace."""
        command, one = self.pushed.act(view, memory[0])
        plain, other = self.driver.act(view, memory[1])
        slow = view["lane"].speed < WALKING_PACE
        chosen = (np.where(slow, a, b) for a, b in zip(plain, command, strict=True))
        return Command(*chosen), (one, other)


def drives_to_see(episodes: int, seconds: float, seed: int) -> list[Drive]:
    """What eyes learn from: the worlds of `SEEN` in turn, in no order."""
    drives: list[Drive] = []
    for case in SEEN:
        world = demonstration_world(case, seconds)
        drives += look_around(world, case.push, episodes // len(SEEN), seed)
    order = np.random.default_rng(seed).permutation(len(drives))
    return [drives[k] for k in order]


def observed(case: Case, driver: Driver) -> tuple[ObservationSpec, dict[str, Any]]:
    """What a driver sees, and the settings of its encoder that say so."""
    from redrive.agents.learned import observation_spec
    from redrive.models.policy import ObservationSpec, SensorSpec

    world = task_world(case.learned, LEARNED_ROADS, told=driver.speedometer)
    everything = observation_spec(world)
    previous = case.previous and driver.remembers
    seen = {n: s for n, s in everything.sensors.items() if previous or n in world.sensors}
    if moving_eyes(case, driver):
        camera = seen["camera"]
        seen["camera"] = replace(camera, shape=(*camera.shape[:2], (1 + PAST) * camera.shape[2]))
    if driver.told and case.cue:
        seen["told"] = SensorSpec((case.cue.size,), "float32")
    encoder = {
        "speed": "odometry" in world.sensors, "previous_command": previous, "told": driver.told,
    }  # fmt: skip
    return ObservationSpec(seen, everything.dt), encoder


def make_eyes(
    case: Case, driver: Driver, drives: Sequence[Any], steps: int, tick: Callable[[int], object]
) -> tuple[SequencePolicy, dict[str, float]]:
    """A memoryless policy whose encoder measures, and how wrong it is on drives it has not learned from.

    Who sees what has changed is taught the speed as well; others are told.

    Args:
        case, driver: who is to see with them.
        drives: with the column `quantity`.
        tick: called after each step of learning.
    """
    import torch

    from redrive.models.measuring import MeasuringSettings, measuring_error, teach_to_measure
    from redrive.models.registry import make_policy
    from redrive.models.sequence import SequencePolicy
    from redrive.models.settings import from_json

    torch.set_num_threads(1)
    spec, encoder = observed(case, driver)
    settings = from_json(_settings("mlp"), {"encoder": encoder})
    policy = make_policy("mlp", spec, settings, command_scale=COMMAND_SCALE, seed=0)
    assert isinstance(policy, SequencePolicy)
    held_out, moving = max(1, len(drives) // 10), moving_eyes(case, driver)
    seen = [WithChange(drive) for drive in drives] if moving else drives
    known = single_frames(seen[held_out:], list(spec.sensors), told=not moving)
    measuring = teach_to_measure(
        policy, known, MeasuringSettings(steps=steps, batch=256), lambda step, loss: tick(1)
    )
    new = single_frames(seen[:held_out], list(spec.sensors), told=not moving)
    wrong = measuring_error(policy, measuring, new).tolist()
    return policy, dict(zip(QUANTITIES, wrong, strict=False))


def moving_eyes(case: Case, driver: Driver) -> bool:
    """Whether a driver sees what has changed."""
    return case.change and driver.remembers


def eyes_name(case: Case, driver: Driver) -> str:
    """Drivers with the same name have the same eyes."""
    return "eyes-moving" if moving_eyes(case, driver) else "eyes-still"


def eyes_of(case: Case, driver: Driver, eyes: Path) -> SequencePolicy:
    """The eyes as a driver of this case has them.

    Args:
        eyes: the folder of these.
    """
    from redrive.models.checkpoint import load_policy
    from redrive.models.settings import from_json

    spec, encoder = observed(case, driver)
    teacher: Any = load_policy(eyes)
    return with_eyes(spec, teacher, from_json(_settings("mlp"), {"encoder": encoder}))


def at_the_wheel(policy: Policy, *, moving: bool) -> Agent:
    """A learned policy as it drives."""
    from redrive.agents.learned import LearnedDriver

    return SeesChange(LearnedDriver(policy)) if moving else LearnedDriver(policy)


def learn_core(
    case: Case,
    driver: Driver,
    eyes: SequencePolicy,
    drives: Sequence[Any],
    run: Path,
    seed: int,
    steps: int,
    start: Policy | None = None,
) -> Policy:
    """Fit a core and its head to encoded drives; the policy, which drives from pictures.

    Args:
        start: whose weights it begins with.
    """
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
    if start is not None:
        policy.load_state_dict(start.state_dict())
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


def judge(
    task: Task,
    driver: Agent,
    episodes: int,
    *,
    speedometer: bool = False,
    cue: Cue | None = None,
) -> dict[str, Any]:
    """How a driver does in closed loop on roads and episodes that nobody has learned from.

    Args:
        speedometer: the speed is there even where the task hides it.
        cue: what the driver is told besides.
    """
    world = task_world(task, TEST_ROADS, told=speedometer)
    state = drive(world, driver, TEST_SEED + np.arange(episodes), cue)
    driven = np.clip(state.progress / state.route_length, 0.0, 1.0)
    figures = task_figures(task, world.pool.lanes, state, world.dt)
    return {
        "success": float(is_success(task, state, world.dt).mean()),
        "episodes": episodes,
        "route_completion": float(driven.mean()),
        "waited_s": float(figures["waited_s"].mean()) if task.wait else None,
        "wrong_speed_share": float(figures["wrong_speed_share"].mean()) if task.hold_speed else None,
    }  # fmt: skip


def drive(world: RoadWorld, driver: Agent, seeds: np.ndarray, cue: Cue | None = None) -> CarState:
    """Drive one episode for each seed to its end; how they ended, in order.

    Cars that have ended are looked at no more: pictures are nearly all of the cost.

    Args:
        driver: whose memory is a tuple with the batch first in every part.
        cue: what it sees besides, as `told`.
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
        view = look(world, state)
        if cue:
            view = {**view, "told": cue.tell(world, state, view)}
        command, memory = driver.act(view, memory)
        state = world.step(state, command)
    order = np.argsort(np.concatenate([cars for cars, _ in ended]))
    parts = zip(*(some for _, some in ended), strict=True)
    return CarState(*(np.concatenate(columns)[order] for columns in parts))
