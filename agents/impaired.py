"""A driver whose camera has something wrong with it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..sim.picture_faults import PictureFaults, spoil
from ..sim.vehicle import Command
from .agent import Agent, View, keys_of


@dataclass(frozen=True)
class Impaired:
    """The same driver behind a lens with faults; it knows nothing of them."""

    driver: Agent
    faults: PictureFaults

    def begin(self, batch_size: int) -> Any:
        """The driver's memory."""
        return self.driver.begin(batch_size)

    def act(self, view: View, memory: Any) -> tuple[Command, Any]:
        """What the driver does, for what it sees."""
        return self.driver.act(self.sees(view), memory)

    def sees(self, view: View) -> View:
        """The view through the lens with faults."""
        return {
            name: spoil(values, keys_of(view), self.faults) if _is_pictures(values) else values
            for name, values in view.items()
        }


def _is_pictures(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype == np.uint8 and values.ndim == 4
