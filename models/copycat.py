"""Copycat diagnostics: has a driver learned to drive, or to repeat itself?

Commands hardly change from one step to the next, so repeating the last one is nearly right on
recorded drives, and fatal on the road. These figures are of held-out drives, where the two can
hardly be told apart by the loss alone; commands are in multiples of typical ones (`command_scale`).

Sources:
    Wen et al., Fighting copycat agents in behavioral cloning from observation histories, 2020;
    Wen et al., Keyframe-focused visual imitation learning, 2021 (errors where the action changes).
"""

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from .dataset import Batch, Windows
from .policy import Policy
from .previous import PREVIOUS_COMMAND

CHANGES = 0.1  # share of the steps that count as changes: those where the command changes most
NUDGE = 0.1  # of the previous command, in multiples of a typical one, to see what it moves


@dataclass(frozen=True)
class Copycat:
    """How much a driver resembles one that repeats the last command."""

    error: float
    """Root mean square error of the commands, in multiples of typical ones."""
    repeat_error: float
    """That of repeating what was right in the step before."""
    copycat_ratio: float
    """Squared error as a share of that of repeating. Below 1.2 and driving badly: a copycat."""
    residual_correlation: float
    """Of the error with the way back to the last command, -1 to 1: above 0 it lags behind."""
    change_ratio: float
    """Mean error in the tenth of the steps where the command changes most, against that in the rest."""
    history_change: float
    """Root mean square change of the commands when all steps before are forgotten; 0: no memory used."""
    echo_gain: float | None
    """How far a nudge of the previous command moves the next one: 1 is a parrot. None: it is not seen."""


@torch.no_grad()
def diagnose(policy: Policy, windows: Windows) -> dict[str, Any]:
    """The figures of `Copycat` for held-out drives, as JSON values.

    Args:
        windows: as `evaluate` takes them; the first step of an episode has no step before and is
            left out, as is burn-in.
    """
    policy.eval()
    device = policy.command_scale.device
    parts: dict[str, list[Tensor]] = {}
    for batch in windows.once():
        for name, value in _compare(policy, batch.to(device)).items():
            parts.setdefault(name, []).append(value.double().cpu())
    whole = {name: torch.cat(values) for name, values in parts.items()}  # (N, 2) each
    wrong, back = whole["wrong"], whole["back"]
    error, repeat_error = _rms(wrong), _rms(back)
    change, size = back.abs().sum(dim=1), wrong.abs().sum(dim=1)
    most = change.argsort(descending=True, stable=True)
    few = max(1, round(CHANGES * len(most)))
    rest = size[most[few:]].mean().item() if few < len(most) else float("nan")
    echo = whole.get("echo")
    return asdict(
        Copycat(
            error=error,
            repeat_error=repeat_error,
            copycat_ratio=_share(error**2, repeat_error**2),
            residual_correlation=_share((wrong * back).mean().item(), error * repeat_error),
            change_ratio=_share(size[most[:few]].mean().item(), rest),
            history_change=_rms(whole["forgot"]),
            echo_gain=None if echo is None else echo.abs().mean().item(),
        )
    )


def _compare(policy: Policy, batch: Batch) -> dict[str, Tensor]:
    """Of every step that counts and has a step before it, (N, 2) in multiples of typical commands.

    wrong: the error; back: from the label to the one before; forgot: what forgetting changes;
    echo: what a nudge of the previous command moves, per unit.
    """
    scale = policy.command_scale
    fresh = policy.initial_state(len(batch.command))
    predicted, _ = policy(batch.obs, fresh, batch.is_first)
    forgetful, _ = policy(batch.obs, fresh, torch.ones_like(batch.is_first))
    counts = batch.weight > 0.0
    counts[:, 0] = False
    before = torch.roll(batch.command, 1, dims=1)
    found = {
        "wrong": (predicted - batch.command) / scale,
        "back": (before - batch.command) / scale,
        "forgot": (forgetful - predicted) / scale,
    }
    if PREVIOUS_COMMAND in batch.obs:
        found["echo"] = _echo(policy, batch) / scale
    return {name: value[counts] for name, value in found.items()}


def _echo(policy: Policy, batch: Batch) -> Tensor:
    """(B, T, 2): what each command moves, per unit, when the previous one alone is nudged.

    Step by step: a nudge is seen once, and forgotten.
    """
    state = policy.initial_state(len(batch.command))
    nudge = NUDGE * policy.command_scale
    moved = []
    for t in range(batch.command.shape[1]):
        now = {name: value[:, t] for name, value in batch.obs.items()}
        nudged = {**now, PREVIOUS_COMMAND: now[PREVIOUS_COMMAND] + nudge}
        other, _ = policy.step(nudged, state)
        command, state = policy.step(now, state)
        moved.append((other - command) / NUDGE)
    return torch.stack(moved, dim=1)


def _rms(values: Tensor) -> float:
    return values.square().mean().sqrt().item()


def _share(part: float, whole: float) -> float:
    """A quotient; 0 where there is nothing to compare with."""
    return part / whole if whole > 0.0 else 0.0
