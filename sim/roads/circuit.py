"""Circuits from a seed: closed roads of one lane, on which a car can drive for an hour."""

from dataclasses import dataclass, fields

import numpy as np

from ..road import Road
from .racetrack import circuit_road

RADIUS = (150.0, 300.0)  # of the circle that the waves go around [m]
WAVES = range(2, 7)  # around a lap
SWING = 0.35  # of a wave against the radius, divided by its number squared: all bend alike
HALF_WIDTH = (1.7, 2.0)  # of the lane [m]
POINTS_APART = 3.0  # [m]


@dataclass(frozen=True)
class Circuit:
    """A circle with waves around it; no bend is tighter than a radius of 50 m."""

    seed: int = 0

    @property
    def name(self) -> str:
        """A world string of this very road."""
        return "circuit:" + ",".join(f"{f.name}={getattr(self, f.name)}" for f in fields(self))

    def make(self) -> Road:
        """The road."""
        rng = np.random.default_rng((self.seed, 0xC12C))
        middle = rng.uniform(*RADIUS)
        angle = np.linspace(0.0, 2.0 * np.pi, round(2.0 * np.pi * middle / POINTS_APART), False)
        if rng.random() < 0.5:  # half of the circuits turn to the right
            angle = -angle
        radius = np.full_like(angle, middle)
        for waves in WAVES:
            size = middle * SWING / waves**2 * rng.uniform(0.3, 1.0)
            radius += size * np.cos(waves * angle + rng.uniform(0.0, 2.0 * np.pi))
        side = np.full_like(angle, rng.uniform(*HALF_WIDTH))
        points = [radius * np.cos(angle), radius * np.sin(angle), side, side]
        return circuit_road(self.name, np.stack(points, axis=-1))
