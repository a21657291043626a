"""The plain recurrent network: h' = tanh(W x + U h + b)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from .policy import State, restart
from .sequence import Core, SequencePolicy, SequenceSettings


@dataclass(frozen=True)
class RnnSettings(SequenceSettings):
    """What the recurrent network can be told."""

    init: Literal["default", "orthogonal"] = "orthogonal"
    """How U begins. Orthogonal keeps what is remembered at its length, so gradients reach back
    further than with PyTorch's default, which forgets within a few steps."""


def between_resets(is_first: Tensor | None, steps: int) -> Iterator[tuple[int, int, Tensor | None]]:
    """Cut a window where any driver's memory is reset, so that fused kernels run in between.

    Yields start, stop, and which drivers (B,) begin anew at start (None: nobody). Mostly this is
    the whole window, once: episodes rarely begin inside one.
    """
    if is_first is None:
        yield 0, steps, None
        return
    starts = [t for t, begins in enumerate(is_first.any(dim=0).tolist()) if begins and t > 0]
    for start, stop in zip([0, *starts], [*starts, steps], strict=True):
        yield start, stop, is_first[:, start]


class PlainCore(Core):
    """h' = bend(W x + U h + b), with tanh or ReLU; the state is h (B, hidden)."""

    bend: Callable[[Tensor], Tensor]

    def __init__(self, inputs: int, settings: Any, nonlinearity: Literal["tanh", "relu"]) -> None:
        super().__init__(inputs, settings)
        self.size: int = settings.hidden
        self.rnn = nn.RNN(inputs, self.size, nonlinearity=nonlinearity, batch_first=True)
        self.bend = torch.tanh if nonlinearity == "tanh" else torch.relu

    def initial_state(self, batch_size: int) -> State:
        return (next(self.parameters()).new_zeros(batch_size, self.size),)

    def step(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        w, u, b_w, b_u = self.rnn.all_weights[0]
        h = self.bend(nn.functional.linear(features, w, b_w) + nn.functional.linear(h, u, b_u))
        return h, (h,)

    def forward(
        self, features: Tensor, state: State, is_first: Tensor | None
    ) -> tuple[Tensor, State]:
        outputs = []
        for start, stop, begins in between_resets(is_first, features.shape[1]):
            if begins is not None:
                state = restart(begins, self.initial_state(len(features)), state)
            output, h = self.rnn(features[:, start:stop], state[0][None].contiguous())
            outputs.append(output)
            state = (h[0],)
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1), state


class RnnCore(PlainCore):
    """Bent by tanh."""

    def __init__(self, inputs: int, settings: RnnSettings) -> None:
        super().__init__(inputs, settings, "tanh")
        if settings.init == "orthogonal":
            nn.init.orthogonal_(self.rnn.all_weights[0][1])


class RnnPolicy(SequencePolicy):
    """Remembers what a plain recurrent network can."""

    Settings = RnnSettings
    Core = RnnCore
