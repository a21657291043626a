"""Closed-form continuous-time cells, of the package `ncps` (pip install 'redrive[cfc]').

Source:
    Hasani et al., Closed-form continuous-time neural networks, 2022. The cell is its authors' own,
    from `ncps`; the loop over time and the state are ours, so that the policy keeps our contract.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .policy import State
from .sequence import Core, SequencePolicy, SequenceSettings

TIME = 1.0  # [steps] from one observation to the next: a policy knows one dt only


@dataclass(frozen=True)
class CfcSettings(SequenceSettings):
    """What the continuous-time cells can be told."""

    backbone: int = 64
    """Width of the layer that the cell's gates share."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.backbone < 1:
            raise ValueError(f"backbone must be at least 1, got {self.backbone}")


class CfcCore(Core):
    """The state is h (B, hidden)."""

    def __init__(self, inputs: int, settings: CfcSettings) -> None:
        super().__init__(inputs, settings)
        self.size = settings.hidden
        self.cell = _cell()(inputs, settings.hidden, backbone_units=settings.backbone)

    def initial_state(self, batch_size: int) -> State:
        return (next(self.parameters()).new_zeros(batch_size, self.size),)

    def step(self, features: Tensor, state: State) -> tuple[Tensor, State]:
        h, _ = self.cell(features, state[0], TIME)
        return h, (h,)

    def forward(
        self, features: Tensor, state: State, is_first: Tensor | None
    ) -> tuple[Tensor, State]:
        outputs = []
        for t, now in enumerate(features.unbind(1)):  # the next needs the last: no way around it
            if is_first is not None:
                state = (torch.where(is_first[:, t, None], 0.0, state[0]),)
            h, state = self.step(now, state)
            outputs.append(h)
        return torch.stack(outputs, dim=1), state


def _cell() -> Any:
    try:
        from ncps.torch import CfCCell
    except ImportError as error:
        raise ModuleNotFoundError(
            "the policy cfc needs the package ncps, which is not installed; "
            "`pip install 'redrive[cfc]'`, or choose another policy, such as lstm"
        ) from error
    return CfCCell


class CfcPolicy(SequencePolicy):
    """Remembers in continuous time, by closed-form cells (needs the extra redrive[cfc])."""

    Settings = CfcSettings
    Core = CfcCore
