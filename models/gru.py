"""The gated recurrent unit: one gate decides between the old and the new.

Source:
    Cho et al., Learning phrase representations using RNN encoder-decoder, 2014; in PyTorch's form,
    where the reset gate stands behind the recurrent weights.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .gates import KeepBias, keep_bias, require_chrono_steps
from .policy import State, restart
from .rnn import between_resets
from .sequence import Core, SequencePolicy, SequenceSettings


@dataclass(frozen=True)
class GruSettings(SequenceSettings):
    """What the gated recurrent unit can be told."""

    keep_bias: KeepBias = "3"
    """How willing it is to remember before it has learned anything. 0 is PyTorch's own, which forgets
    half of everything at each step; chrono spreads the cells over memories of 1 to `chrono_steps`."""
    chrono_steps: int = 64
    """The longest memory that chrono expects to need [steps]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_chrono_steps(self.chrono_steps)


class GruCore(Core):
    """The state is h (B, hidden)."""

    def __init__(self, inputs: int, settings: GruSettings) -> None:
        super().__init__(inputs, settings)
        self.size = settings.hidden
        self.gru = nn.GRU(inputs, settings.hidden, batch_first=True)
        with torch.no_grad():
            _, _, bias, second_bias = self.gru.all_weights[0]
            keep = bias.chunk(3)[1]
            second_bias.chunk(3)[1].zero_()  # PyTorch adds two biases where one would do
            keep.copy_(keep_bias(settings.keep_bias, settings.chrono_steps, self.size))

    def initial_state(self, batch_size: int) -> State:
        return (next(self.parameters()).new_zeros(batch_size, self.size),)

    def step(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        w, u, b_w, b_u = self.gru.all_weights[0]
        seen = nn.functional.linear(features, w, b_w).chunk(3, dim=-1)
        known = nn.functional.linear(h, u, b_u).chunk(3, dim=-1)
        reset = torch.sigmoid(seen[0] + known[0])
        keep = torch.sigmoid(seen[1] + known[1])
        candidate = torch.tanh(seen[2] + reset * known[2])
        h = candidate + keep * (h - candidate)
        return h, (h,)

    def forward(
        self, features: Tensor, state: State, is_first: Tensor | None
    ) -> tuple[Tensor, State]:
        outputs = []
        for start, stop, begins in between_resets(is_first, features.shape[1]):
            if begins is not None:
                state = restart(begins, self.initial_state(len(features)), state)
            output, h = self.gru(features[:, start:stop], state[0][None].contiguous())
            outputs.append(output)
            state = (h[0],)
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1), state


class GruPolicy(SequencePolicy):
    """Remembers what one gate, between old and new, finds worth keeping."""

    Settings = GruSettings
    Core = GruCore
