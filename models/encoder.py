"""What a driver sees at one instant, as a short vector; every core shares it, so cores differ in memory only."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from .policy import SPEED, YAW_RATE, Observation, ObservationSpec

SPEED_SCALE = 10.0  # [m/s] an everyday speed, so that the network sees numbers around 1
YAW_RATE_SCALE = 0.3  # [rad/s] a firm bend
KERNELS = (7, 3, 3)  # [px] twice the stride less one: no pixel at any border is left out
ROUTE_START = 0.1  # of a learned route: far apart at first, commands that mean alike stay apart
COMMAND_SCALE = (0.02, 1.0)  # [1/m, m/s²] everyday commands
STRIDES = (4, 2, 2)  # [px] the first layer is most of the cost: stride 4 is twice as fast as 2

RouteInput = Literal["one-hot", "embedding", "none"]


@dataclass(frozen=True)
class EncoderSettings:
    """How one camera frame and the odometry become a vector."""

    top_cut: float = 0.3
    """Share of the picture, from the top, that is never looked at: the sky of a camera whose horizon lies at 0.39."""
    channels: tuple[int, int, int] = (16, 32, 32)
    """Features of the three convolutions."""
    embedding: int = 64
    """Numbers that describe a frame."""
    speed: bool = True
    """See the speed. Without it, it can only be guessed from how the pictures change."""
    yaw_rate: bool = False
    """See the yaw rate. It is the previous curvature command times the speed: a driver who sees it learns to
    repeat itself (the copycat problem), drives well on recorded data and badly on the road."""
    previous_command: bool = False
    """See what was asked for in the step before, curvature and acceleration: the copycat problem in full. It is
    needed where commands act late, and a trap where they do not."""
    told: bool = False
    """See the numbers of the sensor told as they are. No world has it: a study tells with it what a picture
    hides, to find out how well a driver who knows would do."""

    route: RouteInput = "one-hot"
    """How a route command is seen, where the world has the sensor route. one-hot: a number for each that
    there is. embedding: a learned vector for each, so that commands that mean alike can become alike.
    none: not at all."""
    route_size: int = 8
    """Numbers in the vector of a learned embedding."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.top_cut < 1.0:
            raise ValueError(f"top_cut must be a share from 0 to below 1, got {self.top_cut}")
        if any(channels < 8 or channels % 8 for channels in self.channels):
            raise ValueError(f"channels must be multiples of 8, got {self.channels}")
        if min(self.embedding, self.route_size) < 1:
            raise ValueError(
                f"embedding and route_size must be positive, got {self.embedding}, {self.route_size}"
            )


class Odometry(nn.Module):
    """Speed and yaw rate as far as a policy may see them, scaled by fixed constants: (..., `size`)."""

    def __init__(self, spec: ObservationSpec, speed: bool, yaw_rate: bool) -> None:
        super().__init__()
        self.columns = [SPEED] * speed + [YAW_RATE] * yaw_rate
        self.size = len(self.columns)
        if self.columns:
            spec.shape("odometry")
        scale = torch.ones(2)
        scale[SPEED], scale[YAW_RATE] = SPEED_SCALE, YAW_RATE_SCALE
        self.register_buffer("scale", scale[self.columns], persistent=False)
        self.scale: Tensor

    def forward(self, obs: Observation) -> Tensor:
        """(..., size)."""
        if not self.columns:  # then the world need not have this sensor
            camera = obs["camera"]
            return self.scale.new_zeros(*camera.shape[:-3], 0)
        return obs["odometry"][..., self.columns] / self.scale


class PreviousCommand(nn.Module):
    """The command of the step before, where a policy may see it: (..., `size`)."""

    def __init__(self, spec: ObservationSpec, seen: bool) -> None:
        super().__init__()
        self.size = 2 * seen
        if seen:
            spec.shape("previous_command")
        self.register_buffer("scale", torch.tensor(COMMAND_SCALE), persistent=False)
        self.scale: Tensor

    def forward(self, obs: Observation) -> Tensor:
        """(..., size)."""
        if not self.size:  # then nobody need tell it
            return self.scale.new_zeros(*obs["camera"].shape[:-3], 0)
        return obs["previous_command"] / self.scale


class Told(nn.Module):
    """What else a policy is told, in sizes around 1 already: (..., `size`)."""

    def __init__(self, spec: ObservationSpec, told: bool) -> None:
        super().__init__()
        self.size = spec.shape("told")[0] if told else 0

    def forward(self, obs: Observation) -> Tensor:
        """(..., size)."""
        if not self.size:  # then nobody need tell it
            camera = obs["camera"]
            return torch.zeros(*camera.shape[:-3], 0, device=camera.device)
        return obs["told"]


class Route(nn.Module):
    """The route command, a whole number below `choices`, where there is one to be seen: (..., `size`)."""

    def __init__(self, spec: ObservationSpec, seen: RouteInput, size: int) -> None:
        super().__init__()
        self.size = 0
        if "route" not in spec.sensors or seen == "none":
            return
        choices = route_choices(spec)
        self.size = choices if seen == "one-hot" else size
        self.table: Tensor
        if seen == "one-hot":
            self.register_buffer("table", torch.eye(choices), persistent=False)
        else:
            self.table = nn.Parameter(ROUTE_START * torch.randn(choices, size))

    def forward(self, obs: Observation) -> Tensor:
        """(..., size)."""
        if not self.size:  # then nobody need tell it
            camera = obs["camera"]
            return torch.zeros(*camera.shape[:-3], 0, device=camera.device)
        return self.table[obs["route"]]


class Encoder(nn.Module):
    """What is seen at one instant -> (..., `size`).

    Camera (..., H, W, 3) uint8 and odometry (..., 2), perhaps the previous command (..., 2), the
    route (...) int64 and what else is told (..., K).

    GroupNorm, not BatchNorm: the frames of a window resemble each other, and a car must not feel
    the others in its batch.
    """

    def __init__(self, spec: ObservationSpec, settings: EncoderSettings) -> None:
        super().__init__()
        height, width, colours = camera_shape(spec)
        self.first_row = int(settings.top_cut * height)
        layers: list[nn.Module] = []
        size = (height - self.first_row, width)
        if min(size) < 8:
            raise ValueError(
                f"a camera picture of {height} x {width} with top_cut {settings.top_cut} leaves "
                f"{size[0]} x {size[1]} pixels; at least 8 x 8 are needed"
            )
        inputs = colours
        for outputs, kernel, stride in zip(settings.channels, KERNELS, STRIDES, strict=True):
            layers += [
                nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2),
                nn.GroupNorm(outputs // 8, outputs),
                nn.ReLU(inplace=True),
            ]
            inputs = outputs
            size = (-(-size[0] // stride), -(-size[1] // stride))  # rounded up: odd kernels, padded
        self.convolutions = nn.Sequential(*layers)
        self.describe = nn.Sequential(
            nn.Linear(inputs * size[0] * size[1], settings.embedding),
            nn.LayerNorm(settings.embedding),
        )
        self.odometry = Odometry(spec, settings.speed, settings.yaw_rate)
        self.previous = PreviousCommand(spec, settings.previous_command)
        self.route = Route(spec, settings.route, settings.route_size)
        self.told = Told(spec, settings.told)
        known = (self.odometry, self.previous, self.route, self.told)
        self.size = settings.embedding + sum(part.size for part in known)

    def forward(self, obs: Observation) -> Tensor:
        camera = obs["camera"]
        road = camera[..., self.first_row :, :, :].flatten(0, -4)
        # Pixels lie in memory as (H, W, colour): seen as (colour, H, W) they are "channels last",
        # which convolutions on a CPU like best. So nothing is copied but to make floats.
        picture = road.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.channels_last)
        picture = picture.mul_(1.0 / 255.0).sub_(0.5)
        embedding = self.describe(self.convolutions(picture).flatten(1))
        embedding = embedding.unflatten(0, camera.shape[:-3])
        known = [self.odometry(obs), self.previous(obs), self.route(obs), self.told(obs)]
        return torch.cat([embedding, *known], dim=-1)


def camera_shape(spec: ObservationSpec) -> tuple[int, int, int]:
    """Height, width and number of colours of the camera; anything else is an error."""
    shape = spec.shape("camera")
    if len(shape) != 3 or spec.sensors["camera"].dtype != "uint8":
        raise ValueError(
            "the camera must give uint8 pictures (height, width, colours), "
            f"got {spec.sensors['camera'].dtype} {shape}"
        )
    return shape[0], shape[1], shape[2]


def route_choices(spec: ObservationSpec) -> int:
    """How many routes there are to be told; anything but such a sensor is an error."""
    sensor = spec.sensors["route"]
    choices = sensor.settings.get("choices")
    if (sensor.shape, sensor.dtype) != ((), "int64") or type(choices) is not int or choices < 1:
        raise ValueError(
            "the route must be a single int64 with the setting choices, how many there are; "
            f"got {sensor.dtype} {sensor.shape} with choices {choices!r}"
        )
    return choices
