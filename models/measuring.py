"""An encoder that is taught to measure what it sees, besides steering by it.

A core can remember and reckon with what its eyes say, not with what they leave out. What a frame tells
of the road (where the car is in its lane, how the road bends ahead, how far it is to a line, how fast it
goes by) can be taught at once, frame by frame: the gradient has no way to come back. What to make of it
over time is left to the core.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .loss import LossSettings
from .policy import Observation
from .sequence import SequencePolicy
from .teaching import command_seen, descend, question


@dataclass(frozen=True)
class MeasuringSettings:
    """How an encoder learns to measure."""

    steps: int = 800
    batch: int = 384
    """Frames of a step."""
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    commands: float = 0.5
    """What a wrong command counts, against a wrong quantity."""
    delta: float = 0.1
    """Errors of a quantity below this count by their square, above it by their size."""
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch) < 1:
            raise ValueError(f"steps and batch must be at least 1, got {self.steps}, {self.batch}")


@dataclass(frozen=True, eq=False)
class MeasuredFrames:
    """N single frames, what to do in each, and what is true in each."""

    obs: Observation  # each (N, ...)
    command: Tensor  # (N, 2) float32
    quantity: Tensor  # (N, Q) float32, in sizes around 1; NaN: not to be told from this frame

    def some(self, rows: Tensor) -> "MeasuredFrames":
        """Those with the numbers `rows`."""
        obs = {name: column[rows] for name, column in self.obs.items()}
        return MeasuredFrames(obs, self.command[rows], self.quantity[rows])


def teach_to_measure(
    policy: SequencePolicy,
    frames: MeasuredFrames,
    settings: MeasuringSettings,
    on_step: Callable[[int, float], object] = lambda step, loss: None,
) -> nn.Linear:
    """Teach the encoder of `policy` to measure, and the policy to steer by single frames.

    Returns:
        What measures: the picture's embedding (N, encoder.embedding) -> (N, Q). It is given nothing else
        that the encoder is told, such as the speed.
    """
    measuring = question(settings, policy.settings.encoder.embedding, frames.quantity.shape[1])

    def loss_of(rng: np.random.Generator) -> Tensor:
        rows = torch.from_numpy(rng.integers(len(frames.command), size=settings.batch))
        batch = frames.some(rows)
        features = policy.encoder(batch.obs)
        prediction = command_seen(policy, features)
        wrong = policy.error(prediction, batch.command[:, None], LossSettings(accel=1.0)).mean()
        known = ~batch.quantity.isnan()
        error = nn.functional.smooth_l1_loss(
            measuring(features[:, : measuring.in_features]), batch.quantity.nan_to_num(),
            reduction="none", beta=settings.delta,
        )  # fmt: skip
        each = (error * known).sum(0) / known.sum(0).clamp_min(1)
        return torch.as_tensor(each.sum() + settings.commands * wrong)

    descend((policy, measuring), settings, loss_of, on_step)
    return measuring


@torch.inference_mode()
def measuring_error(policy: SequencePolicy, measuring: nn.Linear, frames: MeasuredFrames) -> Tensor:
    """(Q,) root mean square error of each quantity, where it is known; NaN where it never is."""
    policy.eval()
    told = []
    for rows in torch.arange(len(frames.command)).split(256):
        features = policy.encoder(frames.some(rows).obs)
        told.append(measuring(features[:, : measuring.in_features]))
    return (torch.cat(told) - frames.quantity).square().nanmean(0).sqrt()
