"""The privileged driver's law: what to command, knowing the lane exactly.

Lateral: aim at the centre line at an angle that shrinks with the distance to it, on top of the
curvature that the lane will have when the actuators have answered. Longitudinal: follow the speed
plan. The same scalar function serves the compiled core, the environment's `info` and the expert.
"""

import numpy as np

from .compiled import compiled, inlined
from .sensors.lane import LaneView
from .trig import sin_cos, small_sin_cos
from .vehicle import Command

AIM_TIME = 0.5  # the centre line is met in about twice this many seconds
CALM = 2.5  # ... but not in fewer delays of the steering than this: it would swing
AIM_LEAST = 4.0  # [m], at low speed
MAX_APPROACH = 0.4  # steepest angle towards the centre line [rad]
SPEED_TIME = 0.5  # the speed planned this far ahead is met there [s]
BRAKE_LIMIT = 4.0  # [m/s²]
ACCEL_LIMIT = 2.0
COMFORTABLE_BRAKING = 1.5  # to a stop line [m/s²]
HOLD_BRAKING = 1.0  # while standing [m/s²]


@inlined
def steer_to_centre(  # type: ignore[no-untyped-def]
    lateral, cos_error, sin_error, curvature, curvature_ahead, speed, delay
):
    """Commanded curvature [1/m].

    Args:
        lateral: offset from the centre line [m], left positive.
        cos_error, sin_error: of the car's heading against the lane's.
        curvature, curvature_ahead: of the lane here, and where the command will act [1/m].
        speed: [m/s].
        delay: from a command to its effect [s].
    """
    aim = max(AIM_LEAST, max(AIM_TIME, CALM * delay) * speed)
    approach = min(max(-0.5 * lateral / aim, -MAX_APPROACH), MAX_APPROACH)
    # The arc that keeps the offset has the lane's curvature, seen from its own side of the bend.
    keep = curvature_ahead * cos_error / max(1.0 - curvature * lateral, 0.3)
    approach_sin, approach_cos = small_sin_cos(approach)
    wrong = sin_error * approach_cos - cos_error * approach_sin
    if cos_error < 0.0:  # facing backwards: turn as hard as it takes
        wrong = 1.0 if wrong >= 0.0 else -1.0
    return keep - 2.0 / aim * wrong


@inlined
def hold_speed(speed, target):  # type: ignore[no-untyped-def]
    """Commanded acceleration [m/s²]: reaches `target` after the way driven in SPEED_TIME.

    On a plan of constant braking this is that braking, without a lag.
    """
    way = max(speed, 2.0) * SPEED_TIME
    accel = (target * target - speed * speed) / (2.0 * way)
    return min(max(accel, -BRAKE_LIMIT), ACCEL_LIMIT)


@compiled
def command_for(  # type: ignore[no-untyped-def]
    lateral, heading, curvature, curvature_ahead, speed, target, delay
):
    """Commanded curvature [1/m] and acceleration [m/s²]; arguments as `LaneView` has them."""
    sin, cos = sin_cos(heading)
    bend = steer_to_centre(lateral, cos, sin, curvature, curvature_ahead, speed, delay)
    return bend, hold_speed(speed, target)


@compiled
def _guide(  # type: ignore[no-untyped-def]
    lateral, heading, curvature, ahead, speed, target, delay, out_curvature, out_accel
):
    for i in range(speed.size):
        out_curvature[i], out_accel[i] = command_for(
            lateral[i], heading[i], curvature[i], ahead[i], speed[i], target[i], delay[i]
        )


def guide(view: LaneView) -> Command:
    """What the privileged driver commands; see `guidance.py`."""
    curvature, accel = np.empty(len(view.speed)), np.empty(len(view.speed))
    _guide(
        view.lateral_offset, view.heading_error, view.curvature, view.curvature_ahead,
        view.speed, view.target_speed, view.steering_delay, curvature, accel,
    )  # fmt: skip
    return Command(curvature, np.minimum(accel, stop_in(view.speed, view.stop_ahead)))


def stop_in(speed: np.ndarray, way: np.ndarray) -> np.ndarray:
    """(B,) acceleration that stops a car after a way, inf where it may go on [m/s²].

    Nothing is done before COMFORTABLE_BRAKING would be needed; from there on the braking is
    constant. A car that stands, or has gone too far, brakes.
    """
    needed = np.square(speed) / (2.0 * np.maximum(way, 0.05))
    braking = np.where(needed >= COMFORTABLE_BRAKING, -np.minimum(needed, BRAKE_LIMIT), np.inf)
    standing = (way < 0.3) & (speed < 0.5)
    return np.where(np.isinf(way), np.inf, np.where(standing, -HOLD_BRAKING, braking))
