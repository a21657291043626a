"""How willing a gate is to remember before it has learned anything."""

from typing import Literal

import torch
from torch import Tensor

KeepBias = Literal["0", "1", "3", "chrono"]
SHORTEST_CHRONO = 3  # [steps] below this there is nothing to spread


def keep_bias(kind: KeepBias, longest: int, size: int) -> Tensor:
    """(size,) what to add before the sigmoid of a gate that keeps what was remembered.

    A bias b keeps a share sigmoid(b) at each step, so a memory lasts about 1 + exp(b) steps: 2 for
    0, 4 for 1, 21 for 3. chrono spreads the cells over memories of 1 to `longest` steps.

    Source:
        Gers, Schmidhuber and Cummins, Learning to forget, 2000; Tallec and Ollivier, Can recurrent
        neural networks warp time?, 2018.
    """
    if kind == "chrono":
        return torch.empty(size).uniform_(1.0, longest - 1.0).log_()
    return torch.full((size,), float(kind))


def require_chrono_steps(steps: int) -> None:
    """Refuse a longest memory that cannot be."""
    if steps < SHORTEST_CHRONO:
        raise ValueError(f"chrono_steps must be at least {SHORTEST_CHRONO}, got {steps}")
