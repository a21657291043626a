"""Inside a drive that was recorded in our own world: the same states, with the true pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..sim.appearance import Appearance
from ..sim.sensors.camera import Camera
from ..sim.trace import TraceSource
from ..sim.trace_world import TraceWorld
from ..sim.world import CarState, RoadWorld


@dataclass(frozen=True)
class TruePictures(TraceWorld):
    """A recorded drive whose off-path views are drawn, not synthesized: what no real drive has.

    Cars move, end and are labelled as in the `TraceWorld`; only the pictures differ. So what two
    drivers who learned from the one and the other do differently is the price of the synthesis.

    roads: the world that the drive was recorded in; see `recorded_roads`.
    appearance: what it looks like now; the recorded day itself is not known.
    """

    roads: str = "procedural"
    appearance: Appearance = field(default_factory=Appearance)

    @cached_property
    def drawn(self) -> RoadWorld:
        """Where it was recorded."""
        return RoadWorld(world=self.roads, sensors=self.sensors, appearance=self.appearance)

    @cached_property
    def _road_of(self) -> Mapping[int, int]:
        """The number of each drive's road in `drawn`."""
        roads, drives = self.drawn.pool.source, self.source
        numbers = {roads.name(i): i for i in range(roads.count)}
        missing = sorted({drives.road_world(i) for i in range(drives.count)} - set(numbers))
        if missing:
            raise ValueError(f"{self.world} was driven on {missing[0]}, which {self.roads} has not")
        return {i: numbers[drives.road_world(i)] for i in range(drives.count)}

    def draw(self, state: CarState, camera: Camera) -> np.ndarray:
        """(B, H, W, 3) uint8 RGB: what a camera in each car truly sees."""
        drawn = self.drawn
        roads = np.array([self._road_of[int(road)] for road in state.road], np.int64)
        looks = drawn.reset(state.seed.astype(np.int64), roads=roads)
        there = state._replace(road=roads, slot=looks.slot, look=looks.look)
        return drawn.draw(there, camera)


def recorded_roads(recording: str) -> str:
    """The world that a recording was made in: the roads that its drives name.

    Args:
        recording: its folder.

    Raises:
        ValueError: these are no procedural roads, so they cannot be drawn again.
    """
    drives = TraceSource(recording)
    names = sorted({drives.road_world(i) for i in range(drives.count)})
    seeds = [name.removeprefix("procedural:") for name in names]
    if not all(seed.isdecimal() for seed in seeds):
        raise ValueError(
            f"{recording} was driven on {names[0]}; only procedural roads, such as procedural:7, "
            "can be drawn again"
        )
    return "procedural:" + ",".join(sorted(seeds, key=int))
