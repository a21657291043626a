"""What the studies of memory share: drives to a fork, eyes that can read the board, cores that learn.

Learning is in two stages: an encoder learns frame by frame to steer and to name what the board shows
now (`models/reading.py`); then it stays as it is, and cores learn from whole drives of encoded frames
(`models/two_stage.py`). What comes out drives from pictures, in closed loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from redrive.agents.agent import Agent
from redrive.agents.disturbed import NoisyDriver
from redrive.agents.expert import Expert
from redrive.agents.rollout import Frame, rollout
from redrive.sim.appearance import Appearance
from redrive.sim.glyphs import Glyph
from redrive.sim.guidance import guide
from redrive.sim.memory_tasks import recall_task
from redrive.sim.sensors.camera import Camera
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.sensors.route import Route
from redrive.sim.success import is_success, task_figures
from redrive.sim.vehicle import Command
from redrive.sim.world import RoadWorld, Sensor

if TYPE_CHECKING:
    from torch import Tensor

    from redrive.models.policy import ObservationSpec, Policy
    from redrive.models.reading import Frames
    from redrive.models.sequence import SequencePolicy

LOOKS = Appearance(randomise=0.5)
LEARNED_ROADS, TEST_ROADS = "seeds=0-200", "seeds=5000-5200"
TEST_SEED = 50_000_000
HIDDEN = 64
FORK_WEIGHT = 50.0  # a step in the fork's bend counts up to so many steps of the corridor
COMMAND_SCALE = (0.02, 0.5)  # a typical curvature and acceleration, the same for all [1/m, m/s²]


@dataclass(frozen=True)
class Core:
    """One kind of memory: a policy and its settings as JSON values."""

    name: str
    policy: str
    settings: Mapping[str, Any]

    def settings_for(self, delay: int, length: int) -> dict[str, Any]:
        """Its settings for a delay [steps], in drives of a length: memories that need to know it are told."""
        told: dict[str, Any] = {"hidden": HIDDEN, **self.settings}
        if "chrono" in self.settings.values():
            told["chrono_steps"] = max(4, 2 * delay)
        if self.policy == "attention":
            told["window"] = length
        return told


CORES = {
    core.name: core
    for core in (
        Core("mlp", "mlp", {}),
        Core("mlp-stack8", "mlp", {"frames": 8}),
        Core("rnn-default", "rnn", {"init": "default"}),
        Core("rnn-orthogonal", "rnn", {"init": "orthogonal"}),
        Core("irnn", "irnn", {}),
        Core("gru", "gru", {"keep_bias": "0"}),
        Core("lstm-bias0", "lstm", {"forget_bias": "0"}),
        Core("lstm-bias1", "lstm", {"forget_bias": "1"}),
        Core("lstm-bias3", "lstm", {"forget_bias": "3"}),
        Core("lstm-chrono", "lstm", {"forget_bias": "chrono"}),
        Core("mingru", "mingru", {"keep_bias": "chrono"}),
        Core("attention", "attention", {}),
    )
}


def recall_world(
    delay: int | str, roads: str, *, branches: int = 2, boards: int = 0, told: bool = False
) -> RoadWorld:
    """Where drives to a fork take place.

    Args:
        delay: in steps; or several, as a world string has them ("4+8").
        told: the drivers have a sensor for the route.
    """
    longest = max(int(part) for part in str(delay).split("+"))
    task = recall_task(longest, branches, boards)
    sensors: dict[str, Sensor] = {"camera": Camera(), "odometry": Odometry()}
    if told:
        sensors["route"] = Route(branches)
    text = f"fork:delay={delay},branches={branches},boards={boards},{roads}"
    return RoadWorld(text, sensors, task, appearance=LOOKS)


def observed(world: RoadWorld) -> ObservationSpec:
    """What drivers of these studies see: everything but their own last command."""
    from redrive.agents.learned import observation_spec
    from redrive.models.policy import ObservationSpec

    everything = observation_spec(world)
    sensors = {name: s for name, s in everything.sensors.items() if name in world.sensors}
    return ObservationSpec(sensors, everything.dt)


@dataclass(frozen=True, eq=False)
class Drive:
    """One drive in memory, with the columns that learning asks for."""

    columns: Mapping[str, np.ndarray]  # each (T, ...)

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.columns["expert_command"])

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        """Rows of a column, time first."""
        return self.columns[column][start:stop]


def demonstrate(world: RoadWorld, episodes: int, seed: int) -> list[Drive]:
    """Drives of the expert, with noise on its hand; beside what is seen, `board`: what the board shows."""
    driver = NoisyDriver(Expert(), world.dt, lateral=0.8, longitudinal=0.3)

    def told(frame: Frame) -> dict[str, np.ndarray]:
        label = command_column(world, guide(frame.view["lane"]))
        return {"expert_command": label, "board": world.sign_faces(frame.state)}

    return drives_of(world, driver, told, episodes, seed, at_once=64)


def drives_of(
    world: RoadWorld,
    driver: Agent,
    told: Callable[[Frame], Mapping[str, np.ndarray]],
    episodes: int,
    seed: int,
    *,
    at_once: int,
) -> list[Drive]:
    """Drives of a driver in memory.

    Args:
        told: the columns of a step beside what is seen, each (B, ...).
        seed: of the first episode. at_once: how many cars drive side by side.
    """
    drives: list[Drive] = []
    for first in range(0, episodes, at_once):
        start = world.reset(seed + first + np.arange(min(at_once, episodes - first)))
        rows: list[dict[str, np.ndarray]] = []
        end = start
        for frame in rollout(world, driver, start):
            rows.append({name: frame.view[name] for name in world.sensors} | dict(told(frame)))
            end = frame.after
        drives += [
            Drive({name: np.stack([row[name][car] for row in rows[:steps]]) for name in rows[0]})
            for car, steps in enumerate(end.steps)  # each to its own end
        ]
    return drives


def command_column(world: RoadWorld, command: Command) -> np.ndarray:
    """(B, 2) float32: commands within what the vehicle can do, as learning reads them."""
    return np.stack(world.vehicle.within_limits(command), axis=-1).astype(np.float32)


def all_rows(drives: Sequence[Any], column: str) -> Tensor:
    """A column of some drives, one after the other."""
    import torch

    return torch.from_numpy(np.concatenate([one.read(column, 0, one.steps) for one in drives]))


def single_frames(drives: Sequence[Drive], sensors: Sequence[str]) -> Frames:
    """All frames of some drives, as an encoder learns from them."""
    import torch

    from redrive.models.reading import Frames

    board = all_rows(drives, "board")
    names = torch.zeros_like(board)
    for name, glyph in enumerate((Glyph.LEFT, Glyph.STRAIGHT, Glyph.RIGHT), start=1):
        names[board == int(glyph)] = name
    obs = {sensor: all_rows(drives, sensor) for sensor in sensors}
    return Frames(obs, all_rows(drives, "expert_command"), names)


def make_eyes(
    world: RoadWorld,
    drives: Sequence[Drive],
    steps: int,
    batch: int,
    seed: int,
    tick: Callable[[int], object],
) -> tuple[SequencePolicy, dict[str, float]]:
    """A memoryless policy whose encoder can read, and how well it reads drives it has not learned from."""
    import torch

    from redrive.models.reading import ReadingSettings, reading_score, teach
    from redrive.models.registry import make_policy
    from redrive.models.sequence import SequencePolicy

    torch.set_num_threads(1)
    spec = observed(world)
    policy = make_policy("mlp", spec, command_scale=COMMAND_SCALE, seed=seed)
    assert isinstance(policy, SequencePolicy)
    held_out = max(1, len(drives) // 8)
    known = single_frames(drives[held_out:], list(spec.sensors))
    new = single_frames(drives[:held_out], list(spec.sensors))
    naming = teach(
        policy,
        known,
        ReadingSettings(steps=steps, batch=batch, seed=seed),
        lambda step, loss: tick(1),
    )
    shown, nothing = reading_score(policy, naming, new)
    return policy, {"read_shown": shown, "read_nothing": nothing}


def with_eyes(
    spec: ObservationSpec, teacher: SequencePolicy, settings: Any = None
) -> SequencePolicy:
    """The same eyes for whoever is told more than the picture: numbers and one-hots need no weights."""
    from redrive.models.registry import make_policy
    from redrive.models.sequence import SequencePolicy

    policy = make_policy("mlp", spec, settings, command_scale=COMMAND_SCALE)
    assert isinstance(policy, SequencePolicy)
    policy.encoder.load_state_dict(teacher.encoder.state_dict())
    return policy


def learn_core(
    core: Core,
    delay: int,
    teacher: SequencePolicy,
    drives: Sequence[Any],
    run: Path,
    seed: int,
    steps: int,
    learning_rate: float = 3e-3,
    balance: float = 5.0,
) -> Policy:
    """Fit a core and its head to encoded drives; the policy, which drives from pictures.

    Args:
        balance: a rare curvature counts up to so many times a common one. The longer the corridor,
            the less of the loss is about the fork.
    """
    import torch

    from redrive.models.checkpoint import STATE
    from redrive.models.dataset import WindowSettings
    from redrive.models.fit import FitSettings
    from redrive.models.registry import find_policy, make_policy
    from redrive.models.settings import from_json
    from redrive.models.two_stage import fit_memory

    torch.set_num_threads(1)
    length = max(drive.steps for drive in drives)
    kind: Any = find_policy(core.policy)
    settings: Any = from_json(kind.Settings, core.settings_for(delay, length))
    policy = make_policy(
        core.policy, teacher.spec, settings, command_scale=COMMAND_SCALE, seed=seed
    )
    held_out = max(2, len(drives) // 10)
    fit_memory(
        policy,
        teacher,
        drives[held_out:],
        drives[:held_out],
        WindowSettings(
            batch=16 if core.policy == "attention" and delay > 64 else 32,
            steps=length,
            burn_in=0,
            from_start=1.0,
            balance=balance,
        ),
        FitSettings(
            steps=steps,
            learning_rate=learning_rate,
            validate_every=max(1, steps // 4),
            save_every=steps,
            log_every=max(1, steps // 20),
            seed=seed,
        ),
        run,
        seed=seed,
        resume=(run / STATE).is_file(),
        about={"core": core.name, "delay": delay, "seed": seed},
    )
    return policy


def judge(world: RoadWorld, driver: Agent, episodes: int) -> dict[str, Any]:
    """How a driver does in closed loop on roads and episodes that nobody has learned from."""
    state = world.reset(TEST_SEED + np.arange(episodes))
    for frame in rollout(world, driver, state):
        state = frame.after
    success = is_success(world.task, state, world.dt)
    figures = task_figures(world.task, world.pool.lanes, state, world.dt)
    return {
        "success": float(success.mean()),
        "episodes": episodes,
        "decision_correct": float(figures["decision_correct"].mean()),
        "decided": float((figures["decision"] >= 0).mean()),
    }
