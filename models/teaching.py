"""How an encoder is taught frame by frame: what `reading` and `measuring` share.

They differ in what the encoder is asked for besides the command, and in which frames make a batch.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from .sequence import SequencePolicy


class TeachingSettings(Protocol):
    """What a descent needs to know."""

    @property
    def steps(self) -> int:
        """Of learning."""

    @property
    def learning_rate(self) -> float:
        """The largest; it rises for a tenth of the steps and falls for the others."""

    @property
    def weight_decay(self) -> float:
        """Of AdamW."""

    @property
    def seed(self) -> int:
        """Of the batches, and of what is asked."""


def question(settings: TeachingSettings, features: int, answers: int) -> nn.Linear:
    """A linear layer that asks features for something; its weights follow from the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return nn.Linear(features, answers)


def command_seen(policy: SequencePolicy, features: Tensor) -> Any:
    """What a policy would do in single frames, from their features (B, F): its head's prediction."""
    state = policy.initial_state(len(features))
    remembered, _ = policy.core(features[:, None], state, None)
    return policy.head(remembered)


def descend(
    taught: Sequence[nn.Module],
    settings: TeachingSettings,
    loss_of: Callable[[np.random.Generator], Tensor],
    on_step: Callable[[int, float], object],
) -> None:
    """Teach modules by AdamW on a one-cycle rate, gradients clipped at norm 1.

    Args:
        taught: all that learns.
        loss_of: the loss of a batch, which it draws from the generator of its step.
        on_step: called after each step with its number and loss.
    """
    parameters = [one for module in taught for one in module.parameters()]
    optimizer = torch.optim.AdamW(
        parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=settings.steps + 1, pct_start=0.1
    )
    for module in taught:
        module.train()
    for step in range(settings.steps):
        loss = loss_of(np.random.default_rng([settings.seed, step]))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        on_step(step, loss.item())
    for module in taught:
        module.eval()
