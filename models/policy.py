"""What a policy is: observations to commands, one step at a time or a whole sequence at once."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from .loss import LossSettings

CURVATURE, ACCEL = 0, 1  # the columns of a command: [1/m], [m/s²]
SPEED, YAW_RATE = 0, 1  # the columns of odometry: [m/s], [rad/s]
LIMIT = 10.0  # typical commands: beyond anything in the demonstrations, nearly straight below 3

Observation = Mapping[str, Tensor]  # what each sensor saw, a batch first
State = tuple[Tensor, ...]  # a memory: every tensor has the batch first; () remembers nothing


@dataclass(frozen=True)
class SensorSpec:
    """What one sensor gives at one step, and the settings it was built with."""

    shape: tuple[int, ...]  # of one observation, without batch and time
    dtype: str  # numpy's name for it, such as "uint8"
    settings: Mapping[str, Any] = field(default_factory=dict)  # plain JSON values

    def __post_init__(self) -> None:
        if any(size < 1 for size in self.shape):
            raise ValueError(f"a sensor's shape must be positive, got {self.shape}")
        # As a file will give them back (a tuple becomes a list), so that == means the same.
        object.__setattr__(self, "settings", json.loads(json.dumps(dict(self.settings))))


@dataclass(frozen=True)
class ObservationSpec:
    """Everything a policy sees of a world, by the name of the sensor."""

    sensors: Mapping[str, SensorSpec]
    dt: float = 0.1  # from one observation to the next [s]

    def __post_init__(self) -> None:
        if not self.dt > 0.0:
            raise ValueError(f"dt must be a positive number of seconds, got {self.dt}")
        if not self.sensors:
            raise ValueError("an observation needs at least one sensor, such as camera")

    def shape(self, sensor: str) -> tuple[int, ...]:
        """The shape of what `sensor` sees; a world without it gets one clear error."""
        if sensor not in self.sensors:
            raise ValueError(
                f"this policy needs the sensor {sensor}, the world gives {', '.join(self.sensors)}"
            )
        return self.sensors[sensor].shape

    def to_json(self) -> dict[str, Any]:
        sensors = {
            name: {
                "shape": list(sensor.shape),
                "dtype": sensor.dtype,
                "settings": dict(sensor.settings),
            }
            for name, sensor in self.sensors.items()
        }
        return {"dt": self.dt, "sensors": sensors}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ObservationSpec":
        sensors = {
            name: SensorSpec(tuple(sensor["shape"]), sensor["dtype"], sensor.get("settings", {}))
            for name, sensor in values["sensors"].items()
        }
        return cls(sensors, float(values["dt"]))


class Policy(nn.Module, ABC):
    """Observations to commands: one step at a time, or a whole sequence at once.

    The two agree: `forward` gives what T calls of `step` would give. Memory is passed and
    returned, never kept. Commands are (curvature [1/m], acceleration [m/s²]); inside, a policy
    works in multiples of `command_scale`, the size of a typical one.
    """

    Settings: ClassVar[type]  # the frozen dataclass that its constructor takes
    command_scale: Tensor  # (2,) [1/m, m/s²]

    def __init__(self, spec: ObservationSpec, settings: Any) -> None:
        super().__init__()
        self.spec = spec
        self.settings = settings
        self.register_buffer("command_scale", torch.ones(2))

    @abstractmethod
    def initial_state(self, batch_size: int) -> State:
        """The memory of drivers who have seen nothing."""

    @abstractmethod
    def step(self, obs: Observation, state: State) -> tuple[Tensor, State]:
        """obs (B, ...) -> commands (B, 2) and the next state."""

    @abstractmethod
    def forward(
        self, obs: Observation, state: State, is_first: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """obs (B, T, ...) -> commands (B, T, 2) and the state after the last step.

        Where `is_first` (B, T) is true an episode begins: its driver has seen nothing before.
        """

    def predict(
        self, obs: Observation, state: State, is_first: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """As `forward`, but the predictions (B, T, P) that `command` and `error` understand.

        Here and in the next two: of a policy whose prediction is the command itself.
        """
        prediction: tuple[Tensor, State] = self(obs, state, is_first)
        return prediction

    def command(self, prediction: Tensor) -> Tensor:
        """Predictions (..., P) -> what to do (..., 2)."""
        return prediction

    def error(self, prediction: Tensor, label: Tensor, settings: "LossSettings") -> Tensor:
        """(...): how wrong predictions (..., P) are where commands `label` (..., 2) were right."""
        from .loss import command_error  # which knows what a policy's columns are

        return command_error(prediction, label, self.command_scale, settings)

    def set_command_scale(self, scale: Sequence[float]) -> None:
        """Say how large a typical command is, as (curvature [1/m], acceleration [m/s²])."""
        values = torch.as_tensor(scale, dtype=torch.float32)
        if values.shape != (2,) or not (values.isfinite() & (values > 0.0)).all():
            raise ValueError(
                "command_scale must be two positive numbers, curvature [1/m] and acceleration "
                f"[m/s²], got {list(scale)}"
            )
        self.command_scale.copy_(values)


def soft_limit(command: Tensor) -> Tensor:
    """Commands in multiples of a typical one, bent by tanh to stay within -LIMIT..LIMIT."""
    return LIMIT * torch.tanh(command / LIMIT)


def restart(where: Tensor, fresh: State, state: State) -> State:
    """`state`, but `fresh` for the drivers whose episode begins: `where` is (B,) bool."""
    return tuple(
        torch.where(where.view(-1, *[1] * (new.ndim - 1)), new, old)
        for new, old in zip(fresh, state, strict=True)
    )


def steps_since_reset(is_first: Tensor | None, taken: Tensor, steps: int) -> Tensor:
    """How many steps of its episode a driver had taken before each step of a window.

    Args:
        is_first: (B, T) bool, where episodes begin; None: nowhere.
        taken: (B,) int64 steps taken before the window.
        steps: T.

    Returns:
        (B, T) int64, 0 at the first step of an episode.
    """
    t = torch.arange(steps, device=taken.device)
    if is_first is None:
        return taken[:, None] + t
    reset = torch.where(is_first, t, -1).cummax(dim=1).values  # when the episode began, -1: before
    return torch.where(reset >= 0, t - reset, taken[:, None] + t)
