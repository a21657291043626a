"""What a driver makes of its features: one command, or how likely each command is.

The mean of two right answers can be a wrong one: of "left" and "right" at a fork it is the tree in
the middle. A head that may only say one command and is judged by its error learns the mean; one that
may name several, each with a likelihood, learns both and takes the likelier.
"""

import math
from abc import ABC, abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn

from .loss import LossSettings, command_error
from .policy import ACCEL, CURVATURE, soft_limit

HeadName = Literal["huber", "gaussian", "mixture"]
LEAST_WIDTH = 0.02  # typical commands: nobody is surer, or one exact label would be all that counts
FIRST_MEANS = 0.5  # typical curvatures to the left and right: where the outer components begin


class Head(nn.Module, ABC):
    """Features (..., F) to a prediction (..., P); what P numbers mean is the head's own business."""

    linear: nn.Linear

    def forward(self, features: Tensor) -> Tensor:
        """(..., P)."""
        prediction: Tensor = self.linear(features)
        return prediction

    @abstractmethod
    def command(self, prediction: Tensor) -> Tensor:
        """(..., 2): what to do, in multiples of a typical command."""

    @abstractmethod
    def error(
        self, prediction: Tensor, label: Tensor, scale: Tensor, settings: LossSettings
    ) -> Tensor:
        """(...): how wrong each prediction is, where `label` (..., 2) [1/m, m/s²] was right."""


class HuberHead(Head):
    """One command, judged by its distance from the right one (`command_error`)."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, 2)
        with torch.no_grad():  # a new driver goes straight on at constant speed, nearly
            self.linear.weight.mul_(0.1)
            self.linear.bias.zero_()

    def command(self, prediction: Tensor) -> Tensor:
        return soft_limit(prediction)

    def error(
        self, prediction: Tensor, label: Tensor, scale: Tensor, settings: LossSettings
    ) -> Tensor:
        return command_error(self.command(prediction) * scale, label, scale, settings)


class MixtureHead(Head):
    """Several commands, each with a likelihood and a width; judged by how likely the right one was.

    The error is the negative logarithm of the mixture's density, in multiples of typical commands,
    so it may be below zero. The two columns count as much as in `LossSettings`, by tempering their
    densities. Driving takes the middle of the likeliest component, never a mean of several.

    Source:
        Bishop, Mixture density networks, 1994.
    """

    def __init__(self, inputs: int, components: int) -> None:
        super().__init__()
        self.components = components
        self.linear = nn.Linear(inputs, 5 * components)  # a likelihood, two means, two widths
        with torch.no_grad():
            self.linear.weight.mul_(0.1)
            self.linear.bias.zero_()
            if components > 1:  # or they would all learn the same
                means = self.linear.bias[components : 3 * components].view(components, 2)
                means[:, CURVATURE] = torch.linspace(-FIRST_MEANS, FIRST_MEANS, components)

    def parts(self, prediction: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log-likelihoods (..., K), means and widths (..., K, 2) in multiples of typical commands."""
        k = self.components
        likelihoods, means, widths = prediction.split([k, 2 * k, 2 * k], dim=-1)
        return (
            likelihoods.log_softmax(dim=-1),
            soft_limit(means.unflatten(-1, (k, 2))),
            LEAST_WIDTH + nn.functional.softplus(widths.unflatten(-1, (k, 2))),
        )

    def command(self, prediction: Tensor) -> Tensor:
        likelihoods, means, _ = self.parts(prediction)
        likeliest = likelihoods.argmax(dim=-1)[..., None, None]
        return means.gather(-2, likeliest.expand(*likeliest.shape[:-1], 2)).squeeze(-2)

    def error(
        self, prediction: Tensor, label: Tensor, scale: Tensor, settings: LossSettings
    ) -> Tensor:
        likelihoods, means, widths = self.parts(prediction)
        off = ((label / scale)[..., None, :] - means) / widths
        surprise = 0.5 * off.square() + widths.log() + 0.5 * math.log(2.0 * math.pi)
        counted = (
            settings.curvature * surprise[..., CURVATURE] + settings.accel * surprise[..., ACCEL]
        )
        return -(likelihoods - counted).logsumexp(dim=-1)


def make_head(name: HeadName, inputs: int, components: int) -> Head:
    """The head of a name."""
    if name == "huber":
        return HuberHead(inputs)
    return MixtureHead(inputs, 1 if name == "gaussian" else components)
