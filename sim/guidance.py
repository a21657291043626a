"""The privileged driver's law: what to command, knowing the lane exactly.

Lateral: aim at the centre line at an angle that shrinks with the distance to it, on top of the
curvature that the lane will have when the actuators have answered. Longitudinal: follow the speed
plan. The same scalar function serves the compiled core, the environment's `info` and the expert.
"""

import numpy as np

from .compiled import compiled

AIM_TIME = 0.9  # the centre line is met in about twice this many seconds
AIM_LEAST = 5.0  # [m], at low speed
MAX_APPROACH = 0.4  # steepest angle towards the centre line [rad]
SPEED_GAIN = 1.2  # [1/s]
BRAKE_LIMIT = 4.0  # [m/s²]
ACCEL_LIMIT = 2.0


@compiled
def steer_to_centre(lateral, cos_error, sin_error, curvature, curvature_ahead, speed):  # type: ignore[no-untyped-def]
    """Commanded curvature [1/m].

    Args:
        lateral: offset from the centre line [m], left positive.
        cos_error, sin_error: of the car's heading against the lane's.
        curvature, curvature_ahead: of the lane here, and where the command will act [1/m].
        speed: [m/s].
    """
    aim = max(AIM_LEAST, AIM_TIME * speed)
    approach = min(max(-0.5 * lateral / aim, -MAX_APPROACH), MAX_APPROACH)
    # The arc that keeps the offset has the lane's curvature, seen from its own side of the bend.
    keep = curvature_ahead * cos_error / max(1.0 - curvature * lateral, 0.3)
    wrong = sin_error * np.cos(approach) - cos_error * np.sin(approach)
    if cos_error < 0.0:  # facing backwards: turn as hard as it takes
        wrong = 1.0 if wrong >= 0.0 else -1.0
    return keep - 2.0 / aim * wrong


@compiled
def hold_speed(speed, target):  # type: ignore[no-untyped-def]
    """Commanded acceleration [m/s²]."""
    return min(max(SPEED_GAIN * (target - speed), -BRAKE_LIMIT), ACCEL_LIMIT)
