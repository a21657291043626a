"""What all policies but the perceptron share: encoder → core → head. Only the core knows of time."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor, nn

from .encoder import Encoder, EncoderSettings
from .head import HeadName, make_head
from .loss import LossSettings
from .policy import Observation, ObservationSpec, Policy, State

ENCODED = "encoded"  # an observation's entry: what the encoder made of a frame before (`two_stage`)


@dataclass(frozen=True)
class SequenceSettings:
    """What every policy with an encoder can be told."""

    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    dropout: float = 0.0
    """Share of the features that is hidden at random while learning."""
    hidden: int = 64
    """Width of the core."""
    head: HeadName = "huber"
    """What it says and how that is judged. huber: one command, by its distance from the right one.
    gaussian: a command and how sure it is of each part, by the likelihood of the right one. mixture:
    several such, the likeliest is driven: where left and right are both right and straight on is not."""
    components: int = 3
    """Of a mixture: how many commands it can have in mind at once."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must be a share from 0 to below 1, got {self.dropout}")
        if self.hidden < 1:
            raise ValueError(f"hidden must be positive, got {self.hidden}")
        if self.components < 1:
            raise ValueError(f"components must be at least 1, got {self.components}")


class Core(nn.Module, ABC):
    """Memory: features of frames to features that know of the frames before. (..., F) -> (..., `size`)."""

    size: int

    @abstractmethod
    def __init__(self, inputs: int, settings: Any) -> None:
        """For features of a size, and the settings of its policy."""
        super().__init__()

    @abstractmethod
    def initial_state(self, batch_size: int) -> State:
        """The memory of drivers who have seen nothing."""

    @abstractmethod
    def step(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        """features (B, F) -> (B, size) and the next state."""

    @abstractmethod
    def forward(
        self, features: Tensor, state: State, is_first: Tensor | None
    ) -> tuple[Tensor, State]:
        """features (B, T, F) -> (B, T, size) and the state after the last step."""


class SequencePolicy(Policy):
    """An encoder for every frame, a core with a memory, a head for the command."""

    Core: ClassVar[type[Core]]  # takes the size of the features and `Settings`

    def __init__(self, spec: ObservationSpec, settings: SequenceSettings) -> None:
        super().__init__(spec, settings)
        self.encoder = Encoder(spec, settings.encoder)
        self.dropout = nn.Dropout(settings.dropout)
        self.core = self.Core(self.encoder.size, settings)
        self.head = make_head(settings.head, self.core.size, settings.components)

    def initial_state(self, batch_size: int) -> State:
        return self.core.initial_state(batch_size)

    def encode(self, obs: Observation) -> Tensor:
        """(..., encoder.size) features of each frame; of frames encoded before, what came out then."""
        return obs[ENCODED] if ENCODED in obs else self.encoder(obs)

    def step(self, obs: Observation, state: State) -> tuple[Tensor, State]:
        features, state = self.core.step(self.dropout(self.encode(obs)), state)
        return self.command(self.head(features)), state

    def forward(
        self, obs: Observation, state: State, is_first: Tensor | None = None
    ) -> tuple[Tensor, State]:
        prediction, state = self.predict(obs, state, is_first)
        return self.command(prediction), state

    def predict(
        self, obs: Observation, state: State, is_first: Tensor | None = None
    ) -> tuple[Tensor, State]:
        features, state = self.core(self.dropout(self.encode(obs)), state, is_first)
        return self.head(features), state

    def command(self, prediction: Tensor) -> Tensor:
        return self.head.command(prediction) * self.command_scale

    def error(self, prediction: Tensor, label: Tensor, settings: LossSettings) -> Tensor:
        return self.head.error(prediction, label, self.command_scale, settings)
