"""How wrong commands are."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .policy import ACCEL, CURVATURE


@dataclass(frozen=True)
class LossSettings:
    """What counts how much."""

    delta: float = 0.1
    """Errors below this share of a typical command count by their square, above it by their size.
    Small enough that a bend a little too wide still matters next to a wrong turn."""
    curvature: float = 1.0
    """What curvature counts."""
    accel: float = 0.5
    """What acceleration counts."""

    def __post_init__(self) -> None:
        if not self.delta > 0.0:
            raise ValueError(f"delta must be positive, got {self.delta}")
        if min(self.curvature, self.accel) < 0.0 or self.curvature + self.accel == 0.0:
            raise ValueError("curvature and accel must not be negative, nor both zero")


def command_loss(
    predicted: Tensor, label: Tensor, scale: Tensor, weight: Tensor, settings: LossSettings
) -> Tensor:
    """Huber loss of commands in multiples of a typical one, averaged over the steps that count.

    Args:
        predicted, label: (B, T, 2) commands [1/m, m/s²].
        scale: (2,) a typical command [1/m, m/s²].
        weight: (B, T) what each step counts; what stands where it is 0 changes nothing.
    """
    return average(command_error(predicted, label, scale, settings), weight)


def command_error(
    predicted: Tensor, label: Tensor, scale: Tensor, settings: LossSettings
) -> Tensor:
    """Huber loss of each command (..., 2), in multiples of a typical one: (...).

    Source:
        Huber, Robust estimation of a location parameter, 1964, divided by delta (PyTorch's
        smooth L1), so that far errors weigh the same whatever delta is.
    """
    error = nn.functional.smooth_l1_loss(
        predicted / scale, label / scale, reduction="none", beta=settings.delta
    )
    return settings.curvature * error[..., CURVATURE] + settings.accel * error[..., ACCEL]


def average(per_step: Tensor, weight: Tensor) -> Tensor:
    """The mean of (B, T) over the steps that count; what stands where `weight` is 0 changes nothing."""
    counted = torch.where(weight > 0.0, per_step * weight, 0.0)
    return counted.sum() / weight.sum().clamp_min(1e-12)
