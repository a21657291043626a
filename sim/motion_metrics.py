"""What a passenger feels, and how calm the steering is: pure functions of speed and curvature.

Where a rate of change is needed we fit a short polynomial (Savitzky-Golay): plain differences of a
10 Hz log make jerk look many times what it is.

Sources:
    nuPlan: Karnchanachari et al., Towards learning-based planning, ICRA 2024; its devkit's
        metrics give the bounds. We take curvature and speed from the simulator where nuPlan
        differentiates positions.
    Tartu: Tampuu et al., LiDAR-as-camera for end-to-end driving, Sensors 23 (2023): whiteness.
    SAE J2944 (2015), section 10.5: steering reversals.
"""

from typing import NamedTuple

import numpy as np

FloatArray = np.ndarray
FIT_SECONDS = 0.7  # of the polynomial that is differentiated; nuPlan: 7-8 steps at 10 Hz
FIT_ORDER = 2
REVERSAL_GAP = 0.005  # [1/m] between two turning points that count: 0.8 degrees at the wheels


class Bound(NamedTuple):
    """What a passenger still finds comfortable."""

    low: float
    high: float
    unit: str


COMFORT = {  # nuPlan, ego_is_comfortable
    "lon_accel": Bound(-4.05, 2.40, "m/s²"),
    "lat_accel": Bound(-4.89, 4.89, "m/s²"),
    "yaw_rate": Bound(-0.95, 0.95, "rad/s"),
    "yaw_accel": Bound(-1.93, 1.93, "rad/s²"),
    "lon_jerk": Bound(-4.13, 4.13, "m/s³"),
    "jerk": Bound(0.0, 8.37, "m/s³"),
}


def motion(speed: FloatArray, curvature: FloatArray, dt: float) -> dict[str, FloatArray]:
    """What a passenger feels, each (T,), by its name in `COMFORT`.

    Args:
        speed: [m/s]
        curvature: of the path that is driven [1/m]; `speed**2 * curvature` is the sideways pull.

    Source:
        nuPlan; its `jerk` is the change of the acceleration's size, ours is the size of its
        change in the car's axes, which is never smaller.
    """
    lon_accel = derivative(speed, dt)
    lon_jerk = derivative(lon_accel, dt)
    lat_accel = speed**2 * curvature
    yaw_rate = speed * curvature
    return {
        "lon_accel": lon_accel,
        "lat_accel": lat_accel,
        "yaw_rate": yaw_rate,
        "yaw_accel": derivative(yaw_rate, dt),
        "lon_jerk": lon_jerk,
        "jerk": np.hypot(lon_jerk, derivative(lat_accel, dt)),
    }


def within_comfort(felt: dict[str, FloatArray]) -> dict[str, np.ndarray]:
    """Whether each step of a `motion` is within each bound of `COMFORT`, (T,) bool by name."""
    return {
        name: (felt[name] >= low) & (felt[name] <= high) for name, (low, high, _) in COMFORT.items()
    }


def comfortable(speed: FloatArray, curvature: FloatArray, dt: float) -> np.ndarray:
    """Whether each step is within all bounds of `COMFORT`, (T,) bool."""
    return np.logical_and.reduce(list(within_comfort(motion(speed, curvature, dt)).values()))


def whiteness(curvature: FloatArray, dt: float) -> float:
    """Root mean square rate of change of a command [1/(m s)]; 0 for one that is held.

    Source:
        Tartu, there of the steering angle. Plain differences: trembling is what is looked for.
    """
    if len(curvature) < 2:
        return 0.0
    return float(np.sqrt(np.square(np.diff(curvature) / dt).mean()))


def reversals(curvature: FloatArray, gap: float = REVERSAL_GAP) -> int:
    """How often a command turns around by `gap` or more [1/m].

    Source:
        SAE J2944: of the steering wheel's angle, there. The first way taken is no reversal.
    """
    low = high = float(curvature[0])
    way, count = 0, 0  # the way it goes: 1 up, -1 down, 0 none yet
    for value in curvature.tolist():
        if way >= 0 and value <= high - gap:
            count += way > 0
            way, low, high = -1, value, value
        elif way <= 0 and value >= low + gap:
            count += way < 0
            way, low, high = 1, value, value
        low, high = min(low, value), max(high, value)
    return count


def derivative(values: FloatArray, dt: float) -> FloatArray:
    """The rate of change, by a polynomial fitted around each step (Savitzky-Golay).

    The window is 0.7 s; at the ends, the first and last window's polynomial is used. An episode
    shorter than the window is one window; a single step has rate 0.

    Source:
        Savitzky and Golay, Analytical Chemistry 36 (1964); nuPlan uses order 2 and 7-8 steps.
    """
    window = min(max(3, round(FIT_SECONDS / dt)) | 1, len(values))
    order = min(FIT_ORDER, window - 1)
    if order == 0:
        return np.zeros_like(values, dtype=float)
    offsets = np.arange(window) - (window - 1) / 2
    fit = np.linalg.pinv(np.vander(offsets, order + 1, increasing=True))  # values to coefficients
    powers = np.arange(1, order + 1)
    slope_at = powers * offsets[:, None] ** (powers - 1)  # coefficients to slopes in the window
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(values, dtype=float), window)
    coefficients = windows @ fit[1:].T
    half = (window - 1) // 2
    inner = coefficients[:, 0] if window % 2 else coefficients @ slope_at[half]
    first = slope_at[:half] @ coefficients[0]
    last = slope_at[half + 1 :] @ coefficients[-1]
    return np.concatenate((first, inner, last)) / dt
