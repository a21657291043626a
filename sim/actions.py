"""Actions of the environment, shares of a car's limits in [-1, 1], and commands; one way and back."""

import numpy as np

from .compiled import compiled, inlined
from .vehicle import Command, Vehicle


@compiled
def command_of(steering, pedal, max_curvature, max_accel, max_brake):  # type: ignore[no-untyped-def]
    """Curvature [1/m] and acceleration [m/s²] that an action asks for."""
    accel = pedal * max_accel if pedal >= 0.0 else pedal * max_brake
    return steering * max_curvature, accel


@inlined
def steering_of(curvature, max_curvature):  # type: ignore[no-untyped-def]
    """Steering of a commanded curvature, clipped to [-1, 1]; the inverse of `command_of`."""
    return min(max(curvature / max_curvature, -1.0), 1.0)


@inlined
def pedal_of(accel, max_accel, max_brake):  # type: ignore[no-untyped-def]
    """Pedal of a commanded acceleration, clipped to [-1, 1]; the inverse of `command_of`."""
    pedal = accel / (max_accel if accel >= 0.0 else max_brake)
    return min(max(pedal, -1.0), 1.0)


@compiled
def _to_command(action, max_curvature, max_accel, max_brake, curvature, accel):  # type: ignore[no-untyped-def]
    for i in range(curvature.size):
        curvature[i], accel[i] = command_of(
            action[i, 0], action[i, 1], max_curvature, max_accel, max_brake
        )


@compiled
def _to_action(curvature, accel, max_curvature, max_accel, max_brake, action):  # type: ignore[no-untyped-def]
    for i in range(curvature.size):
        action[i, 0] = steering_of(curvature[i], max_curvature)
        action[i, 1] = pedal_of(accel[i], max_accel, max_brake)


def to_command(vehicle: Vehicle, action: np.ndarray) -> Command:
    """Actions (B, 2) in [-1, 1] as a command: shares of the vehicle's limits."""
    action = np.ascontiguousarray(action, np.float64)
    if action.ndim != 2 or action.shape[1] != 2:
        raise ValueError(
            f"an action is two numbers for each car, steering and pedal; got shape {action.shape}"
        )
    command = Command(*np.empty((2, len(action))))
    _to_command(action, vehicle.max_curvature, vehicle.max_accel, vehicle.max_brake, *command)
    return command


def to_action(vehicle: Vehicle, command: Command) -> np.ndarray:
    """The inverse of `to_command`, clipped to [-1, 1]: (B, 2) float32."""
    action = np.empty((len(command.accel), 2), np.float32)
    curvature, accel = (np.ascontiguousarray(part, np.float64) for part in command)
    _to_action(
        curvature, accel, vehicle.max_curvature, vehicle.max_accel, vehicle.max_brake, action
    )
    return action
