"""What the car knows of its own motion."""

from dataclasses import dataclass

import numpy as np

from ..compiled import compiled


@dataclass(frozen=True)
class Odometry:
    """Speed [m/s] and yaw rate [rad/s], exact."""

    shape = (2,)


@compiled
def _measure(speed, curvature, out):  # type: ignore[no-untyped-def]
    for i in range(speed.size):
        out[i, 0], out[i, 1] = speed[i], speed[i] * curvature[i]


def measure(speed: np.ndarray, curvature: np.ndarray) -> np.ndarray:
    """(B, 2) float32: speed [m/s] and yaw rate [rad/s] of cars on paths of these curvatures."""
    out = np.empty((len(speed), 2), np.float32)
    _measure(speed, curvature, out)
    return out
