"""What the layers ask of the driver's network, once for each step and not for each picture."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from redrive.agents.agent import View
from redrive.agents.impaired import Impaired
from redrive.watch_drive import Drive

if TYPE_CHECKING:
    from redrive.agents.insight import Saliency


@lru_cache(maxsize=16)
def saliency_of(drive: Drive) -> Saliency | None:
    """What every pixel added to the command of this step."""
    if not _learned(drive):
        return None
    from redrive.agents.insight import saliency

    return saliency(drive.agent, drive.view, drive.before)


@lru_cache(maxsize=16)
def attention_of(drive: Drive) -> np.ndarray | None:
    """(layers, heads, window) how much was looked at each past step, by its age."""
    if not _learned(drive):
        return None
    from redrive.agents.insight import attention

    return attention(drive.agent, drive.view, drive.before)


@lru_cache(maxsize=16)
def hidden_states(drive: Drive, steps: int) -> np.ndarray | None:
    """(N, T) the driver's memory after each of the last T steps, at most `steps`; None: it has none.

    The values of lstm's cells, which have no bound, are bent by tanh, as the cell shows them.
    """
    if not _learned(drive):
        return None
    from redrive.agents.insight import hidden_state

    shown = [hidden_state(drive.agent, step.memory) for step in drive.steps[-steps:]]
    if not shown[-1]:
        return None
    columns = [np.concatenate([vectors[0], *map(np.tanh, vectors[1:])]) for vectors in shown]
    return np.stack(columns, axis=-1)


@lru_cache(maxsize=16)
def seen_by(drive: Drive) -> View:
    """What the driver saw when it decided: the view, through its lens."""
    return drive.agent.sees(drive.view) if isinstance(drive.agent, Impaired) else drive.view


def _learned(drive: Drive) -> bool:
    """Whether a network drives; only then torch, which is slow to load, is there already."""
    agent = drive.agent.driver if isinstance(drive.agent, Impaired) else drive.agent
    return "torch" in sys.modules and hasattr(agent, "policy")
