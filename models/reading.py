"""An encoder that is taught to name what it sees, besides steering by it.

A cue that is a few pixels large for three frames, and matters a minute later, is found by an encoder
after a very long time, if ever: the gradient of the loss has to come back all the way. What a frame
shows *now* can be taught at once, frame by frame. What to remember of it is left to the core.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .loss import LossSettings, average
from .policy import Observation
from .sequence import SequencePolicy
from .teaching import command_seen, descend, question


@dataclass(frozen=True)
class ReadingSettings:
    """How an encoder learns to read."""

    steps: int = 600
    batch: int = 192
    """Frames of a step."""
    shown: float = 0.5
    """Share of a batch whose frames show something (a name other than 0): they are rare."""
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    naming: float = 0.5
    """What a wrong name counts, against a wrong command."""
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch) < 1:
            raise ValueError(f"steps and batch must be at least 1, got {self.steps}, {self.batch}")
        if not 0.0 <= self.shown <= 1.0:
            raise ValueError(f"shown is a share from 0 to 1, got {self.shown}")


@dataclass(frozen=True, eq=False)
class Frames:
    """N single frames, what to do in each, and what each shows."""

    obs: Observation  # each (N, ...)
    command: Tensor  # (N, 2) float32
    name: Tensor  # (N,) int64; 0: nothing


def teach(
    policy: SequencePolicy,
    frames: Frames,
    settings: ReadingSettings,
    on_step: Callable[[int, float], object] = lambda step, loss: None,
) -> nn.Linear:
    """Teach the encoder of `policy` to name what frames show, and to steer by single frames.

    Returns:
        What names: features (N, encoder.size) -> (N, names).

    Raises:
        ValueError: only one name occurs.
    """
    names = int(frames.name.max()) + 1
    where = [torch.nonzero(frames.name == 0)[:, 0], torch.nonzero(frames.name > 0)[:, 0]]
    if not all(len(rows) for rows in where):
        raise ValueError(
            "frames must show nothing (name 0) in some cases and something in others; "
            f"got {len(where[0])} and {len(where[1])}"
        )
    naming = question(settings, policy.encoder.size, names)
    shown = round(settings.shown * settings.batch)

    def loss_of(rng: np.random.Generator) -> Tensor:
        some = torch.cat(
            [
                rows[torch.from_numpy(rng.integers(len(rows), size=count))]
                for rows, count in zip(where, (settings.batch - shown, shown), strict=True)
            ]
        )
        features = policy.encoder({name: column[some] for name, column in frames.obs.items()})
        prediction = command_seen(policy, features)
        error = policy.error(prediction, frames.command[some][:, None], LossSettings())
        named = nn.functional.cross_entropy(naming(features), frames.name[some])
        return average(error, torch.ones_like(error)) + settings.naming * named

    descend((policy, naming), settings, loss_of, on_step)
    return naming


@torch.inference_mode()
def reading_score(policy: SequencePolicy, naming: nn.Linear, frames: Frames) -> tuple[float, float]:
    """Share of frames that are named rightly: of those that show something, and of the others."""
    policy.eval()
    rows = torch.arange(len(frames.name)).split(256)
    guessed = torch.cat(
        [
            naming(policy.encoder({n: column[some] for n, column in frames.obs.items()})).argmax(-1)
            for some in rows
        ]
    )
    right = guessed == frames.name
    return right[frames.name > 0].float().mean().item(), right[
        frames.name == 0
    ].float().mean().item()
