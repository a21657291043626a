"""The previous command as something that is seen: a column that every recording holds, one step late."""

from dataclasses import dataclass

import numpy as np

from .dataset import EpisodeSource

PREVIOUS_COMMAND = "previous_command"  # the sensor and the column


@dataclass(frozen=True, eq=False)
class WithPreviousCommand:
    """An episode with one more column: the command of the step before, 0 at the start.

    Bit for bit what a world gives a driver as `previous_command` while the episode is driven.
    """

    episode: EpisodeSource

    @property
    def steps(self) -> int:
        """How many there are."""
        return self.episode.steps

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        """Rows of a column, time first."""
        if column != PREVIOUS_COMMAND:
            return self.episode.read(column, start, stop)
        if start > 0:
            return self.episode.read("command", start - 1, min(stop, self.steps) - 1)
        before = self.episode.read("command", 0, max(min(stop, self.steps) - 1, 1))
        return np.concatenate([np.zeros_like(before[:1]), before])[: min(stop, self.steps)]
