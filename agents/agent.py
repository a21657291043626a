"""What a driver is to the loop that lets it drive."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from ..sim.sensors.lane import LaneView
from ..sim.vehicle import Command

View = Mapping[str, Any]
"""What B cars see: an array per sensor, and beside them

`lane`: LaneView, privileged: for experts and labels, never given to a policy;
`previous_command`: (B, 2) float32, what was asked for in the step before [1/m, m/s²]; 0 at the start;
`state_id`: (B,) int64, the state that all of this was seen in;
`chance`: (B,) uint64, a key for whoever drives with a die.
"""


class Agent(Protocol):
    """A driver of B cars. Its memory is passed in and out, never kept."""

    def begin(self, batch_size: int) -> Any:
        """The memory of a driver who has seen nothing."""
        ...

    def act(self, view: View, memory: Any) -> tuple[Command, Any]:
        """What to do now, and the memory after it."""
        ...


def lane_of(view: View) -> LaneView:
    """The privileged part of a view."""
    lane: LaneView = view["lane"]
    return lane


def keys_of(view: View) -> np.ndarray:
    """(B,) uint64, one for each car and episode."""
    keys: np.ndarray = view["chance"]
    return keys
