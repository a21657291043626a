"""A trained policy at the wheel: where networks and worlds meet."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..models.checkpoint import load_policy, require_same_sensors
from ..models.policy import ObservationSpec, Policy, SensorSpec
from ..sim.any_world import World
from ..sim.sensors.camera import Camera
from ..sim.vehicle import Command
from .agent import View


def observation_spec(world: World) -> ObservationSpec:
    """What a policy would see of a world, with the settings of every sensor."""
    sensors = {
        name: SensorSpec(sensor.shape, "uint8", sensor.to_json())
        if isinstance(sensor, Camera)
        else SensorSpec(sensor.shape, "float32")
        for name, sensor in world.sensors.items()
    }
    sensors["previous_command"] = SensorSpec((2,), "float32")  # every world knows it (`look`)
    return ObservationSpec(sensors, world.dt)


class LearnedDriver:
    """Drives with a policy; its memory is the policy's."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy.eval()
        self._sensors = tuple(policy.spec.sensors)

    @classmethod
    def load(cls, run: str | Path, world: World) -> "LearnedDriver":
        """The driver of a run folder, for a world with the sensors that it was trained with.

        Raises:
            FileNotFoundError, ValueError: no checkpoint, a broken one, or one for other sensors.
        """
        policy = load_policy(run)
        require_same_sensors(policy.spec, observation_spec(world), run)
        return cls(policy)

    def begin(self, batch_size: int) -> Any:
        """The memory of a driver who has seen nothing."""
        with torch.inference_mode():
            return self.policy.initial_state(batch_size)

    def act(self, view: View, memory: Any) -> tuple[Command, Any]:
        """One step of the policy."""
        with torch.inference_mode():
            obs = {name: torch.from_numpy(view[name]) for name in self._sensors}
            command, memory = self.policy.step(obs, memory)
        columns = command.numpy().astype(np.float64)
        return Command(columns[:, 0], columns[:, 1]), memory
