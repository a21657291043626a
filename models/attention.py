"""Attention over the last steps: every step asks all steps of a window, and nothing is squeezed into one vector.

Causal (nobody sees the future) and banded (nobody looks back further than `window` steps), in
`forward` exactly as in `step`: a driver must not meet on the road what it did not meet in training.
With L layers a command depends on up to L (window - 1) + 1 frames.

Source:
    Vaswani et al., Attention is all you need, 2017; pre-norm of Xiong et al., 2020; rotary
    positions of Su et al., RoFormer, 2021.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from .policy import Observation, State, steps_since_reset
from .sequence import Core, SequencePolicy, SequenceSettings

Turn = tuple[Tensor, Tensor]  # cosine and sine
LONGEST_WAVE = 1000.0  # [steps] the slowest position encoding turns by one radian in this time


@dataclass(frozen=True)
class AttentionSettings(SequenceSettings):
    """What the attention driver can be told."""

    layers: int = 2
    heads: int = 4
    window: int = 16
    """How many steps each layer sees, the present one included. Windows to learn from should have at
    least layers * (window - 1) + 1 steps: what lies further back is seen only on the road, untrained."""
    position: Literal["none", "sinusoidal", "learned", "rotary"] = "rotary"
    """How it knows when something was. rotary: only how long ago. sinusoidal: waves of the time since
    the episode began; times later than any in training are new to it. learned: a vector for each step
    of the window, used again every `window` steps. none: only through causality."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.layers, self.heads, self.window) < 1:
            raise ValueError("layers, heads and window must be at least 1")
        if self.hidden % (2 * self.heads):
            raise ValueError(
                f"hidden must be a multiple of twice the heads, got {self.hidden} and {self.heads}"
            )


def wave_speeds(size: int) -> Tensor:
    """(size / 2,) radians a step, from 1 to 1 / LONGEST_WAVE."""
    # In double precision: a drive of a day has positions whose angles single precision blurs.
    return LONGEST_WAVE ** -(torch.arange(size // 2, dtype=torch.float64) / (size // 2))


def waves(position: Tensor, speeds: Tensor) -> Turn:
    """Cosine and sine (..., D) of a position (...) turning at so many speeds (D,)."""
    angle = position[..., None] * speeds
    return angle.cos().float(), angle.sin().float()


def rotate(x: Tensor, turn: Turn) -> Tensor:
    """Turn each pair of numbers in x (B, heads, N, D) by the angles of its position (N, D / 2)."""
    cos, sin = turn
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


class Block(nn.Module):
    """One layer: look around (attention), then think (two linear layers), each added to what was known."""

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(size)
        self.query_key_value = nn.Linear(size, 3 * size)
        self.join = nn.Linear(size, size)
        self.think = nn.Sequential(
            nn.LayerNorm(size), nn.Linear(size, 2 * size), nn.GELU(), nn.Linear(2 * size, size)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        keys: Tensor,
        values: Tensor,
        visible: Tensor,
        turn: Turn | None,
        weights: list[Tensor] | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Attend from T new steps to themselves and to P past ones.

        Args:
            x: (B, T, E) the new steps.
            keys, values: (B, P, E) of the past steps, not yet turned by their positions.
            visible: (B, T, P + T) bool, who may look at whom.
            turn: the rotation (P + T, D / 2) of each step, or None.
            weights: gets what was looked at, (B, heads, T, P + T), rows that sum to 1; None: the
                fused kernel is used, which does not tell.

        Returns:
            x (B, T, E), and keys and values (B, P + T, E) with the new steps appended.
        """
        steps = x.shape[1]
        query, key, value = self.query_key_value(self.norm(x)).chunk(3, dim=-1)
        keys, values = torch.cat([keys, key], dim=1), torch.cat([values, value], dim=1)
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (query, keys, values)
        )
        if turn is not None:
            q = rotate(q, (turn[0][-steps:], turn[1][-steps:]))
            k = rotate(k, turn)
        # An explicit mask, never is_causal=True: that aligns the *first* query with the first key.
        if weights is None:
            looked = nn.functional.scaled_dot_product_attention(q, k, v, visible[:, None])
        else:
            similar = q @ k.transpose(2, 3) / math.sqrt(q.shape[-1])
            weights.append(similar.masked_fill(~visible[:, None], -math.inf).softmax(dim=-1))
            looked = weights[-1] @ v
        x = x + self.dropout(self.join(looked.transpose(1, 2).flatten(2)))
        return x + self.dropout(self.think(x)), keys, values


class AttentionCore(Core):
    """The state is what each layer said of the last window - 1 steps, and the steps taken so far.

    keys and values: (B, layers, window - 1, E), oldest first; steps: (B,) since the episode began.
    Entries older than the episode are there, but never visible. The cache has the size of the window
    from the first step on, so no step costs more than another. It is shifted, not written round a
    ring: as states are never changed in place, it is copied once a step either way, and an entry's
    place then is its age.
    """

    def __init__(self, inputs: int, settings: AttentionSettings) -> None:
        super().__init__(inputs, settings)
        self.size = settings.hidden
        self.past = settings.window - 1
        self.position = settings.position
        self.enter = nn.Linear(inputs, self.size)
        self.blocks = nn.ModuleList(
            Block(self.size, settings.heads, settings.dropout) for _ in range(settings.layers)
        )
        self.leave = nn.LayerNorm(self.size)
        turned = self.size if self.position == "sinusoidal" else self.size // settings.heads
        self.register_buffer("speeds", wave_speeds(turned), persistent=False)
        self.speeds: Tensor
        if self.position == "learned":
            self.table = nn.Parameter(0.1 * torch.randn(settings.window, self.size))

    def initial_state(self, batch_size: int) -> State:
        cache = self.enter.weight.new_zeros(batch_size, len(self.blocks), self.past, self.size)
        steps = torch.zeros(batch_size, dtype=torch.int64, device=cache.device)
        return cache, cache, steps

    def step(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        output, state = self(features[:, None], state, None)
        return output[:, 0], state

    def forward(
        self, features: Tensor, state: State, is_first: Tensor | None
    ) -> tuple[Tensor, State]:
        return self._attend(features, state, is_first, None)

    def forward_with_weights(
        self, features: Tensor, state: State, is_first: Tensor | None = None
    ) -> tuple[Tensor, State, Tensor]:
        """What `forward` gives, and what was looked at: (B, layers, heads, T, window).

        The last axis is the age of what is looked at: 0 the present step, 1 the one before. Each row
        sums to 1, and is 0 for ages before the episode began.
        """
        weights: list[Tensor] = []
        output, state = self._attend(features, state, is_first, weights)
        by_step = torch.stack(weights, dim=1)  # (B, layers, heads, T, P + T)
        steps = features.shape[1]
        by_step = nn.functional.pad(by_step, (self.past + steps - by_step.shape[-1], 0))
        t = torch.arange(self.past, self.past + steps, device=by_step.device)
        place = t[:, None] - torch.arange(self.past + 1, device=by_step.device)  # (T, window)
        return output, state, by_step.gather(-1, place.expand(*by_step.shape[:3], -1, -1))

    def step_with_weights(self, features: Tensor, state: State) -> tuple[Tensor, State, Tensor]:
        """What `step` gives, and what was looked at: (B, layers, heads, window), by age."""
        output, state, weights = self.forward_with_weights(features[:, None], state)
        return output[:, 0], state, weights[..., 0, :]

    def _attend(
        self, features: Tensor, state: State, is_first: Tensor | None, weights: list[Tensor] | None
    ) -> tuple[Tensor, State]:
        past_keys, past_values, taken = state
        steps = features.shape[1]
        since = steps_since_reset(is_first, taken, steps)  # (B, T)
        # Windows to learn from all begin anew: then the past is not worth the time to mask it.
        fresh = is_first is not None and bool(is_first[:, 0].all())
        past = 0 if fresh else self.past
        line = torch.arange(past + steps, device=features.device)  # the past, then the window
        age = line[past:, None] - line  # (T, P + T) of each step, for each who looks
        visible = (age >= 0) & (age <= self.past) & (age <= since[..., None])
        turn = waves(line, self.speeds) if self.position == "rotary" else None

        x = self.enter(features)
        if self.position == "sinusoidal":
            x = x + torch.cat(waves(since, self.speeds), dim=-1) / math.sqrt(2.0)
        elif self.position == "learned":
            x = x + self.table[since % (self.past + 1)]
        new_keys, new_values = [], []
        for layer, block in enumerate(self.blocks):
            seen = slice(self.past - past, None)
            x, keys, values = block(
                x, past_keys[:, layer, seen], past_values[:, layer, seen], visible, turn, weights
            )
            new_keys.append(self._latest(keys))
            new_values.append(self._latest(values))
        state = (torch.stack(new_keys, 1), torch.stack(new_values, 1), since[:, -1] + 1)
        return self.leave(x), state

    def _latest(self, line: Tensor) -> Tensor:
        """The last window - 1 of (B, N, E); zero where there are not so many."""
        missing = self.past - line.shape[1]
        if missing > 0:
            return nn.functional.pad(line, (0, 0, missing, 0))
        return line[:, line.shape[1] - self.past :]


class AttentionPolicy(SequencePolicy):
    """Looks back at its last steps and takes from each what it needs."""

    Settings = AttentionSettings
    Core = AttentionCore
    core: AttentionCore

    def forward_with_weights(
        self, obs: Observation, state: State, is_first: Tensor | None = None
    ) -> tuple[Tensor, State, Tensor]:
        """What `forward` gives, and what was looked at: (B, layers, heads, T, window), by age.

        Entry a of the last axis is the share of the step a steps ago. With several layers, what is
        looked at in the upper ones has itself looked back.
        """
        features = self.dropout(self.encode(obs))
        features, state, weights = self.core.forward_with_weights(features, state, is_first)
        return self.command(self.head(features)), state, weights

    def step_with_weights(self, obs: Observation, state: State) -> tuple[Tensor, State, Tensor]:
        """What `step` gives, and what was looked at: (B, layers, heads, window), by age."""
        features = self.dropout(self.encode(obs))
        features, state, weights = self.core.step_with_weights(features, state)
        return self.command(self.head(features)), state, weights
