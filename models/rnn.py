"""The plain recurrent network: h' = tanh(W x + U h + b)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from .encoder import Encoder
from .policy import ObservationSpec, State, restart
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


class RnnCore(Core):
    """The state is h (B, hidden)."""

    def __init__(self, inputs: int, settings: RnnSettings) -> None:
        super().__init__()
        self.size = settings.hidden
        self.rnn = nn.RNN(inputs, settings.hidden, batch_first=True)
        if settings.init == "orthogonal":
            _, recurrent, _, _ = self.rnn.all_weights[0]
            nn.init.orthogonal_(recurrent)

    def initial_state(self, batch_size: int) -> State:
        return (next(self.parameters()).new_zeros(batch_size, self.size),)

    def step(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        (h,) = state
        w, u, b_w, b_u = self.rnn.all_weights[0]
        h = torch.tanh(nn.functional.linear(features, w, b_w) + nn.functional.linear(h, u, b_u))
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


class RnnPolicy(SequencePolicy):
    """Remembers what a plain recurrent network can."""

    Settings = RnnSettings

    def __init__(self, spec: ObservationSpec, settings: RnnSettings) -> None:
        encoder = Encoder(spec, settings.encoder)
        super().__init__(spec, settings, encoder, RnnCore(encoder.size, settings))
