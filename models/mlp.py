"""A multi-layer perceptron after the encoder, over the last few frames: memory as a stack."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .policy import State, steps_since_reset
from .sequence import Core, SequencePolicy, SequenceSettings


@dataclass(frozen=True)
class MlpSettings(SequenceSettings):
    """What the multi-layer perceptron can be told."""

    frames: int = 1
    """How many frames, the present one included, are seen side by side. With 1 it has no memory."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frames < 1:
            raise ValueError(f"frames must be at least 1 (the present one), got {self.frames}")


class MlpCore(Core):
    """The state is the features of the past frames, oldest first; zero where there were none."""

    def __init__(self, inputs: int, settings: MlpSettings) -> None:
        super().__init__(inputs, settings)
        self.inputs = inputs
        self.past = settings.frames - 1
        self.size = settings.hidden
        self.layers = nn.Sequential(
            nn.Linear(inputs * settings.frames, settings.hidden),
            nn.ReLU(),
            nn.Linear(settings.hidden, settings.hidden),
            nn.ReLU(),
        )

    def initial_state(self, batch_size: int) -> State:
        if self.past == 0:
            return ()
        return (next(self.parameters()).new_zeros(batch_size, self.past, self.inputs),)

    def step(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        if self.past == 0:
            return self.layers(features), state
        stack = torch.cat([state[0], features[:, None]], dim=1)
        return self.layers(stack.flatten(1)), (stack[:, 1:],)

    def forward(
        self, features: Tensor, state: State, is_first: Tensor | None
    ) -> tuple[Tensor, State]:
        if self.past == 0:
            return self.layers(features), state
        batch, steps, _ = features.shape
        # The state is already zero where nothing was seen, so every driver may count as old.
        old = torch.full((batch,), self.past, device=features.device)
        seen = steps_since_reset(is_first, old, steps)  # (B, T)
        age = torch.arange(self.past, -1, -1, device=features.device)  # of the frames in a stack
        line = torch.cat([state[0], features], dim=1)  # (B, past + T, F)
        stacks = line.unfold(1, self.past + 1, 1).transpose(2, 3)  # (B, T, frames, F)
        stacks = torch.where((age <= seen[..., None])[..., None], stacks, 0.0)
        return self.layers(stacks.flatten(2)), (stacks[:, -1, 1:],)


class MlpPolicy(SequencePolicy):
    """Sees the last frames side by side and forgets the rest."""

    Settings = MlpSettings
    Core = MlpCore
