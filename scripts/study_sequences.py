"""Short lessons for cores alone: what there is to remember, in the shape of encoded frames.

A core is what remembers in a policy; the encoder only makes frames short. So what is said of memory
here is said of the driver, without the pictures: features (B, T, F) go in, as an encoder would give
them, and a curvature in multiples of a typical one is to come out at every step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor, nn

    from redrive.models.sequence import Core

FEATURES = 8  # of a frame: the sign, the fork, and six that mean nothing
SIGN, FORK = 0, 1  # their columns
SHOWN = 3  # [steps] that a sign is seen: 0.3 s
DECIDING = 5  # [steps] at the fork in which the way is taken
NOISE = 0.3  # of the other features


@dataclass(frozen=True)
class CoreChoice:
    """A core by the name of its policy, with settings as JSON values."""

    policy: str
    settings: Mapping[str, Any] = field(default_factory=dict)


CORES: Mapping[str, CoreChoice] = {
    "rnn, default init": CoreChoice("rnn", {"init": "default"}),
    "rnn, orthogonal": CoreChoice("rnn"),
    "irnn (ReLU, identity)": CoreChoice("irnn"),
    "gru, keep bias 0": CoreChoice("gru", {"keep_bias": "0"}),
    "lstm, forget bias 0": CoreChoice("lstm", {"forget_bias": "0"}),
    "lstm, forget bias +1": CoreChoice("lstm", {"forget_bias": "1"}),
    "lstm, forget bias +3": CoreChoice("lstm", {"forget_bias": "3"}),
    "lstm, chrono": CoreChoice("lstm", {"forget_bias": "chrono", "chrono_steps": 256}),
    "mingru, chrono": CoreChoice("mingru", {"chrono_steps": 256}),
    "attention": CoreChoice("attention", {"window": 272}),
}


class Lesson(NamedTuple):
    """Sequences, what is to come out, and which steps count."""

    features: Tensor  # (B, T, FEATURES)
    label: Tensor  # (B, T) typical curvatures
    counts: Tensor  # (B, T) bool: where the right answer depends on what was seen before


def make_core(choice: CoreChoice, hidden: int) -> Core:
    """A core that has learned nothing; torch's generator decides its weights."""
    from redrive.models.registry import find_policy
    from redrive.models.settings import from_json

    kind: Any = find_policy(choice.policy)
    settings: Any = from_json(kind.Settings, {"hidden": hidden, **choice.settings})
    core: Core = kind.Core(FEATURES, settings)
    return core


def recall(count: int, delay: int, generator: Any) -> Lesson:
    """A sign for 0.3 s, `delay` steps of nothing, a fork: turn by 1 to the side that the sign showed."""
    import torch

    steps = SHOWN + delay + DECIDING
    side = 2.0 * torch.randint(0, 2, (count, 1), generator=generator).float() - 1.0
    features = torch.zeros(count, steps, FEATURES)
    features[:, :, FORK + 1 :] = NOISE * torch.randn(
        count, steps, FEATURES - FORK - 1, generator=generator
    )
    features[:, :SHOWN, SIGN] = side
    features[:, -DECIDING:, FORK] = 1.0
    counts = torch.zeros(count, steps, dtype=torch.bool)
    counts[:, -DECIDING:] = True
    return Lesson(features, torch.where(counts, side, 0.0), counts)


def latest_sign(count: int, steps: int, longest: int, generator: Any) -> Lesson:
    """Signs come again and again, at most `longest` steps apart: turn to the side of the latest one.

    Nothing in it grows with the length: whoever looks back `longest` steps knows all there is to know.
    """
    import torch

    gap = torch.randint(longest // 2, longest + 1, (count, steps), generator=generator)
    begins = torch.zeros(count, steps, dtype=torch.bool)
    place = torch.zeros(count, dtype=torch.int64)
    while bool((place < steps).any()):
        car = torch.nonzero(place < steps)[:, 0]
        begins[car, place[car]] = True
        place[car] += gap[car, place[car]]
    sides = 2.0 * torch.randint(0, 2, (count, steps), generator=generator).float() - 1.0
    since = torch.where(begins, torch.arange(steps), 0).cummax(dim=1).values
    label = sides.gather(1, since)
    features = NOISE * torch.randn(count, steps, FEATURES, generator=generator)
    features[:, :, SIGN] = torch.where(torch.arange(steps) - since < SHOWN, label, 0.0)
    features[:, :, FORK] = 0.0
    return Lesson(features, label, torch.arange(steps) - since >= SHOWN)


class Learned(NamedTuple):
    """What came of learning."""

    core: Core
    head: nn.Linear
    right: float  # share of the counting steps with the right side, on lessons it has not seen
    steps_to_learn: int | None  # until `stop_at` of the answers were right; None: never
    norms: list[float]  # of the gradient, before clipping, of every step
    losses: list[float]  # of every step; the last may be no number
    diverged: bool  # the loss or the gradient was no number, and learning stopped


def teach(
    core: Core,
    lesson: Callable[[int, Any], Lesson],
    *,
    steps: int,
    seed: int,
    batch: int = 32,
    learning_rate: float = 2e-3,
    clip: float | None = 1.0,
    optimizer: str = "adamw",
    report: Callable[[int, str], object] = lambda count, note: None,
    look_every: int = 50,
    stop_at: float = 0.99,
) -> Learned:
    """Fit a core and a linear head to lessons, drawn anew for every step, until all is right.

    Args:
        lesson: draws so many sequences with a generator.
        stop_at: share of right answers at which it has learned.
    """
    import math

    import torch
    from torch import nn

    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    head = nn.Linear(core.size, 1)
    weights = [*core.parameters(), *head.parameters()]
    rule: Any = torch.optim.AdamW(weights, lr=learning_rate)
    if optimizer == "sgd":
        rule = torch.optim.SGD(weights, lr=learning_rate, momentum=0.9)
    norms: list[float] = []
    losses: list[float] = []
    learned_at: int | None = None
    right = 0.0
    for step in range(1, steps + 1):
        given = lesson(batch, generator)
        said = answer(core, head, given.features)
        loss = nn.functional.smooth_l1_loss(said, given.label, beta=0.1)
        rule.zero_grad()
        loss.backward()
        norm = float(nn.utils.clip_grad_norm_(weights, clip or math.inf))
        losses.append(float(loss.detach()))
        if not (math.isfinite(norm) and math.isfinite(losses[-1])):
            return Learned(core, head, 0.5, None, norms, losses, True)
        norms.append(norm)
        rule.step()
        if step % look_every == 0 or step == steps:
            report(min(look_every, step - (step - 1) // look_every * look_every), "")
            right = share_right(core, head, lesson(256, torch.Generator().manual_seed(10_000)))
            if right > stop_at:
                learned_at = step
                report(steps - step, "")
                break
    return Learned(core, head, right, learned_at, norms, losses, False)


def answer(core: Core, head: nn.Linear, features: Tensor) -> Tensor:
    """(B, T) what is said at every step, by drivers who had seen nothing before."""
    import torch

    first = torch.zeros(features.shape[:2], dtype=torch.bool)
    first[:, 0] = True
    remembered, _ = core(features, core.initial_state(len(features)), first)
    said: Tensor = head(remembered)[..., 0]
    return said


def share_right(core: Core, head: nn.Linear, lesson: Lesson) -> float:
    """Share of the counting steps in which the right side is taken."""
    import torch

    with torch.no_grad():
        right = torch.sign(answer(core, head, lesson.features)) == torch.sign(lesson.label)
    return float(right[lesson.counts].float().mean())


def gradient_by_lag(core: Core, head: nn.Linear, lesson: Lesson, lags: int) -> list[float]:
    """Length of d loss(T) / d input(T - k) for k = 0 ... lags - 1, mean over the sequences.

    The loss is that of the last step alone. In double precision: single would be 0 where it only is small.
    """
    import copy

    from torch import nn

    core, head = copy.deepcopy(core).double(), copy.deepcopy(head).double()
    features = lesson.features.double().requires_grad_(True)
    said = answer(core, head, features)[:, -1]
    nn.functional.smooth_l1_loss(
        said, lesson.label[:, -1].double(), reduction="sum", beta=0.1
    ).backward()
    assert features.grad is not None
    lengths = features.grad.norm(dim=-1).mean(dim=0).flip(0)  # (T,), the last step first
    return [float(value) for value in lengths[:lags]]
