"""The recurrent network of rectifiers that begins as a sum: h' = relu(W x + U h + b), U the identity.

Source:
    Le, Jaitly and Hinton, A simple way to initialize recurrent networks of rectified linear units,
    2015: U the identity, b zero, W small.
"""

from dataclasses import dataclass

import torch
from torch import nn

from .rnn import PlainCore
from .sequence import SequencePolicy, SequenceSettings


@dataclass(frozen=True)
class IrnnSettings(SequenceSettings):
    """What the network of rectifiers can be told."""

    input_scale: float = 0.001
    """Standard deviation of W to begin with. Small: the sum grows with every step, and what the
    first layers of learning write into it is never bent back, as tanh would."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.input_scale > 0.0:
            raise ValueError(f"input_scale must be positive, got {self.input_scale}")


class IrnnCore(PlainCore):
    """Bent by ReLU. A gradient neither shrinks nor grows on its way back, until U has learned."""

    def __init__(self, inputs: int, settings: IrnnSettings) -> None:
        super().__init__(inputs, settings, "relu")
        w, u, *biases = self.rnn.all_weights[0]
        nn.init.normal_(w, std=settings.input_scale)
        nn.init.eye_(u)
        with torch.no_grad():
            for bias in biases:
                bias.zero_()


class IrnnPolicy(SequencePolicy):
    """Adds up what it sees, as rectifiers with an identity to begin with do."""

    Settings = IrnnSettings
    Core = IrnnCore
