"""How fast a careful driver goes along a lane: curves, the limit, and the way to brake for them."""

import numpy as np

from .compiled import compiled
from .road import Lane

LATERAL_ACCEL = 2.5  # in curves; with what a driver lags behind it stays below 3 [m/s²]
BRAKING = 2.0  # [m/s²]
GAINING = 1.5  # [m/s²]


@compiled
def _limit_changes(speed, closed, spacing, gaining, braking):  # type: ignore[no-untyped-def]
    """Lower `speed` until it can be driven with these accelerations."""
    count = speed.size
    for _ in range(2 if closed else 1):  # twice around, so that the seam is smooth too
        for i in range(count if closed else count - 1):
            j = (i + 1) % count
            speed[j] = min(speed[j], np.sqrt(speed[i] ** 2 + 2.0 * gaining * spacing))
    for _ in range(2 if closed else 1):
        for i in range(count - 1 if closed else count - 2, -1, -1):
            j = (i + 1) % count
            speed[i] = min(speed[i], np.sqrt(speed[j] ** 2 + 2.0 * braking * spacing))


def plan_speed(lane: Lane, speed_limit: float) -> np.ndarray:
    """(N,) speed at each node of a lane [m/s].

    Source: the forward-backward pass of quasi-static lap-time simulation.
    """
    curvature = np.maximum(np.abs(lane.curvature), 1e-6)
    speed = np.minimum(np.sqrt(LATERAL_ACCEL / curvature), speed_limit)
    _limit_changes(speed, lane.closed, lane.spacing, GAINING, BRAKING)
    return speed
