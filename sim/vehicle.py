"""How a car moves: a kinematic bicycle on its rear axle, with actuators that are not perfect.

The command is a curvature and an acceleration, so the same command means the same path in every
car. With lag, delay and rate limits off, the motion is exact: an arc of the commanded curvature.
"""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from .compiled import inlined
from .trig import sin_cos


class Command(NamedTuple):
    """What B drivers ask of their cars."""

    curvature: np.ndarray  # (B,) of the rear axle's path [1/m], positive turns left
    accel: np.ndarray  # (B,) along the car's x axis [m/s²]


@dataclass(frozen=True)
class Vehicle:
    """A car's size, limits and actuators. 0 turns a lag, a delay or a rate limit off."""

    length: float = 4.5  # [m]
    width: float = 1.8  # [m]
    rear_overhang: float = 0.95  # from the rear axle to the back [m]
    max_curvature: float = 0.2  # [1/m]
    max_accel: float = 3.0  # [m/s²]
    max_brake: float = 6.0  # [m/s²]
    max_speed: float = 60.0  # [m/s]
    steer_lag: float = 0.0  # time constant [s]
    accel_lag: float = 0.0  # time constant [s]
    max_curvature_rate: float = 0.0  # [1/(m s)]
    delay_steps: int = 0  # from a command to its first effect

    def __post_init__(self) -> None:
        positive = ("length", "width", "max_curvature", "max_accel", "max_brake", "max_speed")
        for name, value in asdict(self).items():
            if not np.isfinite(value) or value < 0 or (name in positive and value == 0):
                word = "positive" if name in positive else "0 (off) or positive"
                raise ValueError(f"vehicle {name} must be {word} and finite, got {value}")
        if self.rear_overhang >= self.length:
            raise ValueError(
                f"rear_overhang {self.rear_overhang} m leaves nothing of a car "
                f"that is {self.length} m long"
            )

    def within_limits(self, command: Command) -> Command:
        """The nearest command that the car can follow."""
        return Command(
            np.clip(command.curvature, -self.max_curvature, self.max_curvature),
            np.clip(command.accel, -self.max_brake, self.max_accel),
        )

    def to_json(self) -> dict[str, Any]:
        """Settings as plain numbers, for files."""
        return asdict(self)

    def numbers(self, dt: float) -> np.ndarray:
        """(11,) float64, as the kernels want them."""
        return np.array(
            [
                dt,
                self.max_curvature,
                self.max_accel,
                self.max_brake,
                self.max_speed,
                1.0 - np.exp(-dt / self.steer_lag) if self.steer_lag > 0.0 else 1.0,
                1.0 - np.exp(-dt / self.accel_lag) if self.accel_lag > 0.0 else 1.0,
                self.max_curvature_rate * dt if self.max_curvature_rate > 0.0 else np.inf,
                self.length - self.rear_overhang,
                self.rear_overhang,
                0.5 * self.width,
            ]
        )


@inlined
def approach(value, wanted, share, most):  # type: ignore[no-untyped-def]
    """`value` after a share of the way to `wanted`, at most `most`; exactly `wanted` for all of it."""
    if share < 1.0:
        wanted = value + (wanted - value) * share
    return min(max(wanted, value - most), value + most)


@inlined
def way_of(speed, accel, dt, max_speed):  # type: ignore[no-untyped-def]
    """Speed after `dt` seconds and distance driven [m]; a braking car stops, a fast one stays at `max_speed`."""
    after = speed + accel * dt
    if after < 0.0:
        return 0.0, 0.5 * speed * speed / -accel
    if after > max_speed and accel > 0.0:
        rising = max(max_speed - speed, 0.0) / accel  # [s]
        return max_speed, (speed + 0.5 * accel * rising) * rising + max_speed * (dt - rising)
    return after, (speed + 0.5 * accel * dt) * dt


@inlined
def wrapped(yaw):  # type: ignore[no-untyped-def]
    """The same direction in [-pi, pi) [rad]."""
    while yaw >= np.pi:  # more than once only for half a circle and more in one step
        yaw -= 2.0 * np.pi
    while yaw < -np.pi:
        yaw += 2.0 * np.pi
    return yaw


@inlined
def along_arc(distance, half, half_sin, half_cos, sin, cos):  # type: ignore[no-untyped-def]
    """Along the chord of an arc, which lies half the turned angle away from the old heading.

    Args:
        distance: along the arc [m]. half: of the angle that is turned [rad]; its sine and cosine.
        sin, cos: of the yaw before.

    Returns:
        The way in x and y [m]; sine and cosine of the yaw after.
    """
    # sin(half) / half, from its series where the quotient would lose digits
    bent = half_sin / half
    straight = 1.0 - half * half / 6.0
    chord = distance * (straight if abs(half) < 1e-4 else bent)
    sin, cos = sin * half_cos + cos * half_sin, cos * half_cos - sin * half_sin
    gone_x, gone_y = chord * cos, chord * sin
    return gone_x, gone_y, sin * half_cos + cos * half_sin, cos * half_cos - sin * half_sin


@inlined
def move(x, y, yaw, speed, curvature, accel, dt, max_speed):  # type: ignore[no-untyped-def]
    """Pose and speed after `dt` seconds of constant curvature and acceleration; exact.

    The path is an arc. A braking car stops and stays; a fast one stays at `max_speed`.

    Returns:
        x, y, yaw, speed, distance driven [m]; cosine and sine of the yaw.
    """
    after, distance = way_of(speed, accel, dt, max_speed)
    half = 0.5 * curvature * distance
    half_sin, half_cos = sin_cos(half)
    sin, cos = sin_cos(yaw)
    gone_x, gone_y, sin, cos = along_arc(distance, half, half_sin, half_cos, sin, cos)
    x += gone_x
    y += gone_y
    return x, y, wrapped(yaw + 2.0 * half), after, distance, cos, sin
