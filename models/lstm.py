"""Long short-term memory: what to keep, to write and to show is decided by gates.

Source:
    Hochreiter and Schmidhuber, Long short-term memory, 1997; the forget gate is of Gers,
    Schmidhuber and Cummins, 2000; chrono initialisation of Tallec and Ollivier, 2018.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .gates import KeepBias, keep_bias, require_chrono_steps
from .policy import State, restart
from .rnn import between_resets
from .sequence import Core, SequencePolicy, SequenceSettings


@dataclass(frozen=True)
class LstmSettings(SequenceSettings):
    """What the long short-term memory can be told."""

    forget_bias: KeepBias = "3"
    """How willing it is to remember before it has learned anything. 0 is PyTorch's own and forgets
    half of everything at each step, as badly as a plain recurrent network; chrono spreads the
    cells over memories of 1 to `chrono_steps` steps. With 3 it learns what was said 128 steps ago,
    with 1 what was said 16 steps ago (see the study gradients)."""
    chrono_steps: int = 64
    """The longest memory that chrono expects to need [steps]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_chrono_steps(self.chrono_steps)


class LstmCore(Core):
    """The state is h and c, each (B, hidden)."""

    def __init__(self, inputs: int, settings: LstmSettings) -> None:
        super().__init__(inputs, settings)
        self.size = settings.hidden
        self.lstm = nn.LSTM(inputs, settings.hidden, batch_first=True)
        _, _, bias, second_bias = self.lstm.all_weights[0]
        with torch.no_grad():
            second_bias.zero_()  # PyTorch adds two biases where one would do
            write, forget, _, _ = bias.chunk(4)
            forget.copy_(keep_bias(settings.forget_bias, settings.chrono_steps, self.size))
            if settings.forget_bias == "chrono":
                write.copy_(-forget)

    def initial_state(self, batch_size: int) -> State:
        zeros = next(self.parameters()).new_zeros(batch_size, self.size)
        return zeros, zeros

    def step(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        w, u, b_w, b_u = self.lstm.all_weights[0]
        gates = nn.functional.linear(features, w, b_w) + nn.functional.linear(h, u, b_u)
        write, forget, candidate, show = gates.chunk(4, dim=-1)
        c = torch.sigmoid(forget) * c + torch.sigmoid(write) * torch.tanh(candidate)
        h = torch.sigmoid(show) * torch.tanh(c)
        return h, (h, c)

    def forward(
        self, features: Tensor, state: State, is_first: Tensor | None
    ) -> tuple[Tensor, State]:
        outputs = []
        for start, stop, begins in between_resets(is_first, features.shape[1]):
            if begins is not None:
                state = restart(begins, self.initial_state(len(features)), state)
            h, c = (value[None].contiguous() for value in state)
            output, (h, c) = self.lstm(features[:, start:stop], (h, c))
            outputs.append(output)
            state = (h[0], c[0])
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1), state


class LstmPolicy(SequencePolicy):
    """Remembers for long what its gates find worth keeping."""

    Settings = LstmSettings
    Core = LstmCore
