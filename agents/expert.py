"""The driver who knows the lane: the teacher, and the yardstick."""

from ..sim.guidance import guide
from ..sim.vehicle import Command
from .agent import View, lane_of


class Expert:
    """Keeps to the centre of its lane at a careful speed; see `sim/guidance.py`."""

    def begin(self, batch_size: int) -> tuple[()]:
        """It needs no memory: it sees everything."""
        return ()

    def act(self, view: View, memory: tuple[()]) -> tuple[Command, tuple[()]]:
        """The privileged law, applied to what the lane is."""
        return guide(lane_of(view)), memory
