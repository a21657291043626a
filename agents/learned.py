"""A trained policy at the wheel: where networks and worlds meet."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..models.checkpoint import load_policy, require_same_sensors
from ..models.policy import Observation, ObservationSpec, Policy, SensorSpec, State
from ..sim.any_world import World
from ..sim.sensors.camera import Camera
from ..sim.sensors.route import Route
from ..sim.vehicle import Command
from .agent import View


def observation_spec(world: World) -> ObservationSpec:
    """What a policy would see of a world, with the settings of every sensor."""
    sensors = {
        name: SensorSpec(sensor.shape, "uint8", sensor.to_json())
        if isinstance(sensor, Camera)
        else SensorSpec((), "int64", sensor.to_json())
        if isinstance(sensor, Route)
        else SensorSpec(sensor.shape, "float32")
        for name, sensor in world.sensors.items()
    }
    sensors["previous_command"] = SensorSpec((2,), "float32")  # every world knows it (`look`)
    return ObservationSpec(sensors, world.dt)


GROUP = 16  # cars that the network sees at a time, always so many; also what fits its caches best


class LearnedDriver:
    """Drives with a policy; its memory is the policy's.

    A network's last bits depend on how many rows it is given at a time: other sizes are computed
    by other kernels. So it is always given `GROUP` rows, the last group filled up, and a car drives
    the same way, bit for bit, alone or in any batch.

    Args:
        threads: groups that are computed at the same time; the commands do not depend on it.
    """

    def __init__(self, policy: Policy, threads: int = 1) -> None:
        self.policy = policy.eval()
        self.threads = threads
        self._sensors = tuple(policy.spec.sensors)

    @classmethod
    def load(cls, run: str | Path, world: World) -> "LearnedDriver":
        """The driver of a run folder, for a world with the sensors that it was trained with.

        Raises:
            FileNotFoundError, ValueError: no checkpoint, a broken one, or one for other sensors.
        """
        policy = load_policy(run)
        require_same_sensors(policy.spec, observation_spec(world), run)
        return cls(policy, world.threads)

    def begin(self, batch_size: int) -> Any:
        """The memory of a driver who has seen nothing."""
        with torch.inference_mode():
            return self.policy.initial_state(batch_size)

    def act(self, view: View, memory: Any) -> tuple[Command, Any]:
        """One step of the policy."""
        obs = {name: torch.from_numpy(view[name]) for name in self._sensors}
        batch = len(next(iter(obs.values())))
        firsts = range(0, batch, GROUP)
        with torch.inference_mode():
            if self.threads > 1 and len(firsts) > 1:
                groups = self._workers.map(lambda first: self._step(obs, memory, first), firsts)
                command, memory = _joined(groups)
            else:
                command, memory = _joined(self._step(obs, memory, first) for first in firsts)
        columns = command.numpy().astype(np.float64)
        return Command(columns[:, 0], columns[:, 1]), memory

    @cached_property
    def _workers(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix="redrive-network")

    def _step(self, obs: Observation, memory: State, first: int) -> tuple[torch.Tensor, State]:
        """The commands and memories of one group of cars."""
        with torch.inference_mode():  # of this thread
            seen = {name: _group(values, first) for name, values in obs.items()}
            command, after = self.policy.step(seen, tuple(_group(part, first) for part in memory))
        here = min(GROUP, len(next(iter(obs.values()))) - first)
        return command[:here], tuple(part[:here] for part in after)


def _group(values: torch.Tensor, first: int) -> torch.Tensor:
    """GROUP rows from `first`; where there are fewer, the last one again and again."""
    rows = values[first : first + GROUP]
    missing = GROUP - len(rows)
    return torch.cat([rows, rows[-1:].expand(missing, *rows.shape[1:])]) if missing else rows


def _joined(groups: Iterable[tuple[torch.Tensor, State]]) -> tuple[torch.Tensor, State]:
    """The groups of a batch, one after the other."""
    commands, memories = zip(*groups, strict=True)
    if len(commands) == 1:
        return commands[0], memories[0]
    return torch.cat(commands), tuple(torch.cat(parts) for parts in zip(*memories, strict=True))
