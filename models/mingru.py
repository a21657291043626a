"""Minimal gated units: the gate sees only the present, so a whole sequence is one parallel scan.

As h' = keep h + (1 - keep) candidate is linear in h, and neither keep nor candidate knows h, the
steps of a sequence can be put together in pairs, pairs of pairs, ...: log2(T) rounds instead of T.

Source:
    Feng, Tung, Ahmed, Bengio and Hajimirsadeghi, Were RNNs all we needed?, 2024. We scan products
    and sums as they are (Hillis and Steele, 1986) and not logarithms: candidates may be negative.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .gates import KeepBias, keep_bias, require_chrono_steps
from .policy import State
from .sequence import Core, SequencePolicy, SequenceSettings


@dataclass(frozen=True)
class MinGruSettings(SequenceSettings):
    """What the minimal gated units can be told."""

    layers: int = 2
    """One above the other: only through the lower ones does a gate know the past."""
    keep_bias: KeepBias = "chrono"
    """How willing it is to remember before it has learned anything: 0, 1, 3, or chrono, which spreads
    the cells over memories of 1 to `chrono_steps` steps."""
    chrono_steps: int = 64
    """The longest memory that chrono expects to need [steps]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_chrono_steps(self.chrono_steps)
        if self.layers < 1:
            raise ValueError(f"layers must be at least 1, got {self.layers}")


def scan(keep: Tensor, write: Tensor) -> Tensor:
    """h[t] = keep[t] h[t-1] + write[t] for all t at once, with h[-1] = 0; all (B, T, D)."""
    reach = 1  # how many steps each entry stands for already
    while reach < keep.shape[1]:
        write = torch.cat(
            [write[:, :reach], write[:, reach:] + keep[:, reach:] * write[:, :-reach]], dim=1
        )
        keep = torch.cat([keep[:, :reach], keep[:, reach:] * keep[:, :-reach]], dim=1)
        reach *= 2
    return write


class Layer(nn.Module):
    """Remember (one minimal gated unit), then think (two linear layers), each added to what was known."""

    def __init__(self, size: int, settings: MinGruSettings) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.keep = nn.Linear(size, size)
        self.candidate = nn.Linear(size, size)
        self.think = nn.Sequential(
            nn.LayerNorm(size), nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size)
        )
        self.dropout = nn.Dropout(settings.dropout)
        with torch.no_grad():
            self.keep.bias.copy_(keep_bias(settings.keep_bias, settings.chrono_steps, size))

    def gates(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """How much of the old is kept, and what is added to it, each (..., D)."""
        x = self.norm(x)
        keep = torch.sigmoid(self.keep(x))
        return keep, (1.0 - keep) * self.candidate(x)

    def add(self, x: Tensor, remembered: Tensor) -> Tensor:
        """What is known after this layer."""
        x = x + self.dropout(remembered)
        return x + self.dropout(self.think(x))


class MinGruCore(Core):
    """The state is h of every layer (B, layers, hidden)."""

    layers: Any  # a ModuleList of Layer, which has no type for its entries

    def __init__(self, inputs: int, settings: MinGruSettings) -> None:
        super().__init__(inputs, settings)
        self.size = settings.hidden
        self.enter = nn.Linear(inputs, self.size)
        self.layers = nn.ModuleList(Layer(self.size, settings) for _ in range(settings.layers))
        self.leave = nn.LayerNorm(self.size)

    def initial_state(self, batch_size: int) -> State:
        return (self.enter.weight.new_zeros(batch_size, len(self.layers), self.size),)

    def step(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        x = self.enter(features)
        remembered = []
        for layer, h in zip(self.layers, state[0].unbind(1), strict=True):
            keep, write = layer.gates(x)
            h = keep * h + write
            x = layer.add(x, h)
            remembered.append(h)
        return self.leave(x), (torch.stack(remembered, dim=1),)

    def forward(
        self, features: Tensor, state: State, is_first: Tensor | None
    ) -> tuple[Tensor, State]:
        x = self.enter(features)
        remembered = []
        for layer, h in zip(self.layers, state[0].unbind(1), strict=True):
            keep, write = layer.gates(x)
            if is_first is not None:  # keeps nothing of another episode
                keep = torch.where(is_first[..., None], 0.0, keep)
            write = torch.cat([write[:, :1] + keep[:, :1] * h[:, None], write[:, 1:]], dim=1)
            line = scan(keep, write)
            x = layer.add(x, line)
            remembered.append(line[:, -1])
        return self.leave(x), (torch.stack(remembered, dim=1),)


class MinGruPolicy(SequencePolicy):
    """Remembers with gates that see only the present: learned in parallel, driven step by step."""

    Settings = MinGruSettings
    Core = MinGruCore
