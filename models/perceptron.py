"""The smallest driver: one neuron per command, straight from the pixels. Its weights are a picture."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .encoder import Odometry, Route, camera_shape
from .policy import Observation, ObservationSpec, Policy, State, soft_limit


@dataclass(frozen=True)
class PerceptronSettings:
    """What the perceptron can be told."""

    speed: bool = True
    """One more input: the speed."""
    yaw_rate: bool = False
    """One more input: the yaw rate, which is nearly the previous command (see `EncoderSettings`)."""
    route: bool = True
    """One more input for each route there is to be told, where there is one."""
    nonlinearity: bool = True
    """Bend the sum by tanh. Without it the command is a linear function of the pixels."""


class PerceptronPolicy(Policy):
    """Weigh every input, sum up, add the bias, bend by tanh: that is all."""

    Settings = PerceptronSettings

    def __init__(self, spec: ObservationSpec, settings: PerceptronSettings) -> None:
        super().__init__(spec, settings)
        shape = camera_shape(spec)
        self.bent = settings.nonlinearity
        self.odometry = Odometry(spec, settings.speed, settings.yaw_rate)
        self.pixel_weights = nn.Parameter(torch.zeros(2, *shape))
        self.odometry_weights = nn.Parameter(torch.zeros(2, self.odometry.size))
        self.route = Route(spec, "one-hot" if settings.route else "none", 0)
        if self.route.size:
            self.route_weights = nn.Parameter(torch.zeros(2, self.route.size))
        self.bias = nn.Parameter(torch.zeros(2))
        # Thousands of pixels that change together would make every step of learning a leap:
        # divided by the root of their number, they learn as fast as the layers of other policies.
        self.pixel_scale = 1.0 / (255.0 * math.sqrt(math.prod(shape)))

    def initial_state(self, batch_size: int) -> State:
        return ()

    def step(self, obs: Observation, state: State) -> tuple[Tensor, State]:
        pixels = obs["camera"].flatten(-3).float().sub_(127.5)
        weights = self.pixel_weights.flatten(1) * self.pixel_scale
        sums = nn.functional.linear(pixels, weights, self.bias)
        sums = sums + nn.functional.linear(self.odometry(obs), self.odometry_weights)
        if self.route.size:
            sums = sums + nn.functional.linear(self.route(obs), self.route_weights)
        return (soft_limit(sums) if self.bent else sums) * self.command_scale, state

    def forward(
        self, obs: Observation, state: State, is_first: Tensor | None = None
    ) -> tuple[Tensor, State]:
        return self.step(obs, state)  # nothing is remembered: time is only one more batch axis

    def weight_picture(self) -> Tensor:
        """(2, H, W, 3): what each pixel and colour adds to curvature and to acceleration."""
        return self.pixel_weights.detach().clone()
