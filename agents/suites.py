"""Suites: named lists of seeded episodes that drivers are compared on.

A suite is data. Its roads are never those that `redrive record` draws from: recordings use the
seeds 0..999 of the procedural family, suites use seeds from a million on.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..sim.appearance import Appearance
from ..sim.task import LANE_FOLLOWING, RACETRACK, RECOVERY, Task
from ..sim.vehicle import Vehicle

HELD_OUT_ROADS = "procedural:1000000-1001000"
VERSION = 1

RECOVERY_LATERAL = (-1.5, -1.0, -0.5, 0.5, 1.0, 1.5)  # [m]
RECOVERY_YAW = tuple(float(np.deg2rad(angle)) for angle in (-10.0, -5.0, 0.0, 5.0, 10.0))


@dataclass(frozen=True)
class Suite:
    """What a suite's episodes have in common.

    starts: "drawn" by each seed; "grid": every offset with every angle in turn; "each-road":
        every road of the world equally often.
    """

    name: str
    purpose: str
    task: Task
    world: str = HELD_OUT_ROADS
    appearance: Appearance = field(default_factory=lambda: Appearance(randomise=1.0))
    vehicle: Vehicle = field(default_factory=Vehicle)
    starts: str = "drawn"

    def to_json(self) -> dict[str, Any]:
        """Settings as plain values, for files."""
        return {"version": VERSION, **asdict(self)}


SUITES = {
    suite.name: suite
    for suite in (
        Suite("roads", "400 m of lane following on unseen roads", LANE_FOLLOWING),
        Suite(
            "racetracks",
            "60 s on each circuit of --roads, from --episodes starts each",
            RACETRACK,
            starts="each-road",
        ),
        Suite(
            "recovery",
            "back to the lane from 0.5 to 1.5 m beside it and up to 10 degrees askew",
            RECOVERY,
            starts="grid",
        ),
    )
}


def suite_seeds(seed: int, episodes: int) -> np.ndarray:
    """The seeds of a suite's episodes; suites of another `seed` share none."""
    if seed < 0 or episodes < 1:
        raise ValueError(
            f"a suite has at least one episode and a seed from 0; got {episodes} and {seed}"
        )
    return seed * 1_000_000 + np.arange(episodes)


def grid_starts(episodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Lateral offsets [m] and angles [rad] of the recovery grid, cell after cell."""
    cells = [(lateral, yaw) for lateral in RECOVERY_LATERAL for yaw in RECOVERY_YAW]
    chosen = np.array([cells[i % len(cells)] for i in range(episodes)])
    return chosen[:, 0], chosen[:, 1]
