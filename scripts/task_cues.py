"""What the study `tasks` can tell a driver of what a picture hides: ceilings.

Who is told needs no memory. What then is missing to the expert is the eyes' and the learning's fault, not
a memory's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from redrive.agents.agent import View, lane_of
from redrive.sim.world import CarState, RoadWorld

# Sizes of what the expert sees: lateral, heading, two curvatures, speed, what is missing to the
# planned one [m, rad, 1/m, 1/m, m/s, m/s].
LANE_SIZES = np.array([1.0, 0.1, 0.02, 0.02, 10.0, 3.0])


@dataclass(frozen=True)
class Cue:
    """Numbers that are told in every step.

    tell: what they are, (B, size) float32, of cars in a state and what is seen of it.
    """

    size: int
    tell: Callable[[RoadWorld, CarState, View], np.ndarray]


def _waited(world: RoadWorld, state: CarState, view: View) -> np.ndarray:
    """Whether a car has stood for as long as it has to: 0 or 1.

    How long it has stood tells as much, but a network makes a slope of a step and goes too soon.
    """
    return world.has_waited(state)[:, None].astype(np.float32)


def _lane_then(world: RoadWorld, state: CarState, view: View) -> np.ndarray:
    """What the expert sees: the lane where a command that is given now will act."""
    lane = lane_of(view)
    columns = (
        lane.lateral_offset, lane.heading_error, lane.curvature, lane.curvature_ahead,
        lane.speed, lane.target_speed - lane.speed,
    )  # fmt: skip
    return (np.stack(columns, axis=-1) / LANE_SIZES).astype(np.float32)


def _lane_in_the_dark(world: RoadWorld, state: CarState, view: View) -> np.ndarray:
    """Whether the picture is black, and if so, what the expert sees; else zeros."""
    dark = ~view["camera"].any(axis=(1, 2, 3))[:, None]
    lane = np.where(dark, _lane_then(world, state, view), 0.0)
    return np.concatenate([dark, lane], axis=1).astype(np.float32)


WAITED = Cue(1, _waited)
LANE_THEN = Cue(len(LANE_SIZES), _lane_then)
LANE_IN_THE_DARK = Cue(1 + len(LANE_SIZES), _lane_in_the_dark)
