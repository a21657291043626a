"""Learning from what a person did: the steps that they drove, with their commands as labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from redrive.agents.by_hand import BY_HAND, stretches
from redrive.sim.files import Column

LABEL, DONE = "expert_command", "command"
SHORTEST = 4  # steps of a stretch that is worth learning from


class Recorded(Protocol):
    """An episode, or a part of one, of a recording."""

    @property
    def steps(self) -> int: ...

    @property
    def sidecar(self) -> Mapping[str, Any]: ...

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        """Rows start to stop of a column."""


@dataclass(frozen=True)
class DrivenByHand:
    """A stretch that a person drove; used like an episode. Its labels are what they did."""

    episode: Recorded
    start: int
    stop: int

    @property
    def steps(self) -> int:
        """How many it has."""
        return self.stop - self.start

    @property
    def sidecar(self) -> Mapping[str, Any]:
        """What is known of the whole drive."""
        return self.episode.sidecar

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        """Rows of a column, counted from the stretch's beginning."""
        column = DONE if column == LABEL else column
        return self.episode.read(column, self.start + start, self.start + min(stop, self.steps))


def labelled_by_hand(train: Sequence[Any], held_out: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """The stretches that a person drove; recordings without a person are left as they are.

    So demonstrations of the expert and a person's corrections can be learned from together, as in
    HG-DAgger. A driver's own steps between the corrections are left out.

    Raises:
        ValueError: no person drove, or nothing is left to hold out.
    """
    learned, kept = _stretches_of(train), _stretches_of(held_out)
    if not any(isinstance(part, DrivenByHand) for part in learned):
        raise ValueError(
            "nobody drove by hand in these recordings, or never for long; leave out "
            "--labels person, or drive: redrive record --agent human"
        )
    if not kept:
        raise ValueError(
            "none of the drives that are held out was by hand; record on more roads, "
            "or learn together with a recording of the expert"
        )
    return learned, kept


def _stretches_of(episodes: Sequence[Any]) -> list[Any]:
    found: list[Any] = []
    for episode in episodes:
        if not has_column(episode, BY_HAND):
            found.append(episode)
            continue
        found += [
            DrivenByHand(episode, first, stop)
            for first, stop in stretches(episode.read(BY_HAND, 0, episode.steps))
            if stop - first >= SHORTEST
        ]
    return found


def has_column(episode: Any, name: str) -> bool:
    """Whether an episode, or what it is a part of, has a column."""
    columns: Mapping[str, Column] | None = getattr(episode, "columns", None)
    return name in columns if columns is not None else has_column(episode.episode, name)
