"""Sequence tasks without a road: small enough that a whole grid of memories is learned in minutes.

The memories are the very ones of the drivers (`redrive.models`); only the encoder is left out, as
there are no pictures: what is seen at a step is a short vector. These tasks have no camera and drive
nothing; they isolate one property of a memory, and the page of each study says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

# One batch of a task: what is seen (B, T, F) float32, and the bits to say at the end (B, N) of 0 or 1.
Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
TEST_SEED = 1_000_000  # no training step has it


@dataclass(frozen=True)
class Task:
    """See a sequence, then say `bits` bits."""

    draw: Draw
    inputs: int  # F
    bits: int  # N


@dataclass(frozen=True)
class Trial:
    """One memory that learns one task."""

    policy: str  # by name, as drivers are
    settings: Mapping[str, Any]
    steps: int = 500
    batch: int = 64
    learning_rate: float = 3e-3
    seed: int = 0
    tested: int = 1024  # sequences


def make_reader(trial: Trial, task: Task) -> tuple[nn.Module, nn.Module]:
    """A core with memory, and a layer that reads bits from what it knows at the end."""
    import torch
    from torch import nn

    from redrive.models.registry import find_policy
    from redrive.models.sequence import SequencePolicy
    from redrive.models.settings import from_json

    kind: Any = find_policy(trial.policy)
    assert issubclass(kind, SequencePolicy)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trial.seed)
        core = kind.Core(task.inputs, from_json(kind.Settings, dict(trial.settings)))
        return core, nn.Linear(core.size, task.bits)


def learn_task(trial: Trial, task: Task) -> dict[str, float]:
    """How well it says the bits of sequences that it has never seen.

    Returns:
        bit: share of bits that are right; whole: share of sequences with all bits right; loss: the
        cross-entropy at the end [nats].
    """
    import torch
    from torch import nn

    torch.set_num_threads(1)
    core, read = make_reader(trial, task)
    parameters = [*core.parameters(), *read.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=trial.learning_rate, weight_decay=1e-4)
    for step in range(trial.steps):
        for group in optimizer.param_groups:  # rising for a twentieth, falling along half a cosine
            group["lr"] = trial.learning_rate * _schedule(step / trial.steps)
        seen, bits = _batch(task, trial.batch, [trial.seed, step])
        loss = nn.functional.binary_cross_entropy_with_logits(_say(core, read, seen), bits)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
    with torch.no_grad():
        core.eval()
        seen, bits = _batch(task, trial.tested, [trial.seed, TEST_SEED])
        said = _say(core, read, seen)
        right = (said > 0.0) == (bits > 0.5)
        loss = nn.functional.binary_cross_entropy_with_logits(said, bits)
    return {
        "bit": right.double().mean().item(),
        "whole": right.all(dim=1).double().mean().item(),
        "loss": loss.item(),
    }


def _batch(task: Task, size: int, seed: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    seen, bits = task.draw(np.random.default_rng(seed), size)
    return torch.from_numpy(seen.astype(np.float32)), torch.from_numpy(bits.astype(np.float32))


def _say(core: nn.Module, read: nn.Module, seen: Tensor) -> Tensor:
    """(B, N): above 0 means 1."""
    known, _ = core(seen, core.initial_state(len(seen)), None)  # type: ignore[operator]
    said: Tensor = read(known[:, -1])
    return said


def _schedule(done: float) -> float:
    if done < 0.05:
        return done / 0.05
    return float(0.5 * (1.0 + np.cos(np.pi * (done - 0.05) / 0.95)))
