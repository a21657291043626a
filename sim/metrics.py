"""How well one episode was driven: pure functions of its log, each with unit and source.

An array is over time, one value a step, `dt` seconds apart. `METRICS` says of every figure in a
results file what it means. Where a rate of change is needed we fit a short polynomial
(Savitzky-Golay): plain differences of a 10 Hz log make jerk look many times what it is.

Sources:
    nuPlan: Karnchanachari et al., Towards learning-based planning, ICRA 2024; its devkit's
        metrics give the bounds. We take curvature and speed from the simulator where nuPlan
        differentiates positions.
    Tartu: Tampuu et al., LiDAR-as-camera for end-to-end driving, Sensors 23 (2023): whiteness,
        and the share of time beyond a margin.
    VISTA: Amini et al., Learning robust control policies, RA-L 5 (2020): the 2 m rule.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

VERSION = 2  # of the figures: goes up when one of them would come out differently
FloatArray = np.ndarray
FIT_SECONDS, FIT_ORDER = (
    0.7,
    2,
)  # of the polynomial that is differentiated; nuPlan: 7-8 steps at 10 Hz
OVERSPEED = 2.23  # [m/s] that make speed compliance 0 when held for the whole episode; nuPlan
CENTRE_LIMIT = 2.0  # [m] from the lane's centre that end an episode by the `centre_2m` rule; VISTA


class Metric(NamedTuple):
    """What a figure in a results file means."""

    label: str
    unit: str
    better: str  # "high" or "low"; "" where neither is
    meaning: str


METRICS = {
    "success": Metric("success", "", "high", "the episode ended as its task asks"),
    "route_completion": Metric("route done", "", "high", "share of the route that was driven"),
    "distance_m": Metric("distance", "m", "high", "length of the path that was driven"),
    "mean_speed_mps": Metric("mean speed", "m/s", "", "distance over time"),
    "steps": Metric("steps", "", "", "how long the episode lasted"),
    "lateral_mae_m": Metric(
        "lateral MAE", "m", "low", "mean distance from the lane's centre line, either side"
    ),
    "lateral_rmse_m": Metric(
        "lateral RMSE", "m", "low", "as MAE, but large distances count more: root mean square"
    ),
    "lateral_max_m": Metric("lateral maximum", "m", "low", "largest distance from the centre line"),
    "heading_mae_rad": Metric("heading MAE", "rad", "low", "mean angle to the lane's direction"),
    "beyond_margin_share": Metric(
        "beyond margin", "", "low", "share of time in which the car's outline is over a lane bound"
    ),
    "off_centre_share": Metric(
        "off centre", "", "low", f"share of time more than {CENTRE_LIMIT:g} m from the centre line"
    ),
    "left_lane_free_margin": Metric(
        "left the lane", "", "low", "share of episodes in which the outline crossed a lane bound"
    ),
    "left_lane_centre_2m": Metric(
        f"beyond {CENTRE_LIMIT:g} m",
        "",
        "low",
        f"share of episodes that came farther than {CENTRE_LIMIT:g} m from the centre line (VISTA)",
    ),
    "whiteness": Metric(
        "whiteness",
        "1/(m s)",
        "low",
        "root mean square rate of the commanded curvature: how much the steering trembles (Tartu)",
    ),
    "jerk_rms": Metric("jerk", "m/s³", "low", "root mean square jerk, lengthwise and sideways"),
    "comfort_share": Metric(
        "comfort", "", "high", "share of time within all six comfort bounds of nuPlan"
    ),
    "speed_compliance": Metric(
        "speed kept",
        "",
        "high",
        f"1 when never above the limit, 0 at {OVERSPEED:g} m/s above it all the time (nuPlan)",
    ),
}


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


@dataclass(frozen=True, eq=False)
class EpisodeLog:
    """What the metrics need of one episode; every array is (T,), T >= 1."""

    dt: float  # [s]
    x: FloatArray  # [m] world
    y: FloatArray  # [m] world
    speed: FloatArray  # [m/s]
    curvature: FloatArray  # of the path that is driven [1/m]
    command_curvature: FloatArray  # that was asked for [1/m]
    lateral_offset: FloatArray  # from the lane's centre line, left is positive [m]
    heading_error: FloatArray  # against the lane's direction [rad]
    beyond_margin: np.ndarray  # bool: the car's outline is over a bound of the lane
    progress: float  # along the road, from the start [m]
    road_length: float  # that was to be driven [m]
    speed_limit: float  # [m/s]

    def __post_init__(self) -> None:
        steps = self.x.shape[0]
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray) and (value.shape != (steps,) or steps == 0):
                raise ValueError(
                    f"{name} has shape {value.shape}, expected ({steps},) with one or more steps"
                )
            if not np.isfinite(value).all():
                raise ValueError(f"{name} is not finite; find what computed it")


def episode_metrics(log: EpisodeLog) -> dict[str, float]:
    """Every figure of an episode that follows from its log, by its name in `METRICS`."""
    jerk = motion(log.speed, log.curvature, log.dt)["jerk"]
    path = distance(log.x, log.y)
    return {
        "route_completion": route_completion(log.progress, log.road_length),
        "distance_m": path,
        "mean_speed_mps": float(np.mean(log.speed)),
        "lateral_mae_m": mean_absolute(log.lateral_offset),
        "lateral_rmse_m": root_mean_square(log.lateral_offset),
        "lateral_max_m": float(np.abs(log.lateral_offset).max()),
        "heading_mae_rad": mean_absolute(log.heading_error),
        "beyond_margin_share": share(log.beyond_margin),
        "off_centre_share": share(off_centre(log.lateral_offset)),
        "whiteness": whiteness(log.command_curvature, log.dt),
        "jerk_rms": root_mean_square(jerk),
        "comfort_share": share(comfortable(log.speed, log.curvature, log.dt)),
        "speed_compliance": speed_compliance(log.speed, log.speed_limit),
    }


def mean_absolute(values: FloatArray) -> float:
    """MAE when `values` are errors; in their unit."""
    return float(np.abs(values).mean())


def root_mean_square(values: FloatArray) -> float:
    """RMSE when `values` are errors; in their unit."""
    return float(np.sqrt(np.square(values).mean()))


def share(flags: np.ndarray) -> float:
    """The share of time in which something holds, 0 to 1."""
    return float(np.asarray(flags, dtype=bool).mean())


def times_begun(flags: np.ndarray) -> int:
    """How often something begins to hold; at the first step counts."""
    flags = np.asarray(flags, dtype=bool)
    return int(np.count_nonzero(flags & ~np.concatenate(([False], flags[:-1]))))


def route_completion(progress: float, road_length: float) -> float:
    """The share of a route that was driven, 0 to 1; standing still is 0, backwards too."""
    if not road_length > 0.0:
        raise ValueError(f"road_length must be above 0 m, got {road_length!r}")
    return float(np.clip(progress / road_length, 0.0, 1.0))


def distance(x: FloatArray, y: FloatArray) -> float:
    """The length of a path through its points [m]; an arc is a little longer than its chords."""
    return float(np.hypot(np.diff(x), np.diff(y)).sum())


def whiteness(curvature: FloatArray, dt: float) -> float:
    """Root mean square rate of change of a command [1/(m s)]; 0 for one that is held.

    Source:
        Tartu, there of the steering angle. Plain differences: trembling is what is looked for.
    """
    return root_mean_square(np.diff(curvature) / dt) if len(curvature) > 1 else 0.0


def speed_compliance(speed: FloatArray, speed_limit: float | FloatArray) -> float:
    """How well a speed limit is kept, 0 to 1.

    Source:
        nuPlan, speed_limit_compliance: 1 - (mean overspeed) / (2.23 m/s), at least 0.
    """
    overspeed = np.maximum(0.0, speed - speed_limit)
    return float(max(0.0, 1.0 - overspeed.mean() / OVERSPEED))


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


def comfortable(speed: FloatArray, curvature: FloatArray, dt: float) -> np.ndarray:
    """Whether each step is within all bounds of `COMFORT`, (T,) bool."""
    felt = motion(speed, curvature, dt)
    within = [
        (felt[name] >= low) & (felt[name] <= high) for name, (low, high, _) in COMFORT.items()
    ]
    return np.logical_and.reduce(within)


def off_centre(lateral_offset: FloatArray, limit: float = CENTRE_LIMIT) -> np.ndarray:
    """Off-lane by the rule `centre_2m`: farther than 2 m from the lane's centre line.

    Source:
        VISTA. It ignores how wide car and lane are, so figures are comparable with theirs only.
    """
    return np.abs(lateral_offset) > limit


def outside_free_margin(
    lateral_offset: FloatArray,
    heading_error: FloatArray,
    lane_curvature: FloatArray,
    left: FloatArray,
    right: FloatArray,
    front: float,
    rear: float,
    half_width: float,
) -> np.ndarray:
    """Off-lane by the rule `free_margin`: a corner of the car is over a bound of the lane.

    Args:
        lateral_offset: of the rear axle's middle from the centre line, left positive [m].
        heading_error: of the car against the lane [rad].
        lane_curvature: at the car [1/m]; the lane is taken for an arc along the car.
        left, right: from the centre line to the bounds, both positive [m].
        front, rear: from the rear axle to the car's ends, both positive [m].
        half_width: of the car [m].
    """
    corners = corner_offsets(lateral_offset, heading_error, lane_curvature, front, rear, half_width)
    return (corners.max(axis=-1) > left) | (corners.min(axis=-1) < -np.asarray(right))


def corner_offsets(
    lateral_offset: FloatArray,
    heading_error: FloatArray,
    lane_curvature: FloatArray,
    front: float,
    rear: float,
    half_width: float,
) -> FloatArray:
    """Lateral offsets of the car's corners from the lane's centre line, (..., 4), left positive.

    The lane is an arc of curvature k through the point beside the rear axle. A corner a ahead and
    b to the left of that point lies at n with (1 - k n)² = (1 - k b)² + (k a)².
    """
    ahead = np.array([front, front, -rear, -rear])
    aside = np.array([half_width, -half_width, half_width, -half_width])
    offset, error, k = (
        np.asarray(values, dtype=float)[..., None]
        for values in (lateral_offset, heading_error, lane_curvature)
    )
    a = ahead * np.cos(error) - aside * np.sin(error)
    b = offset + ahead * np.sin(error) + aside * np.cos(error)
    return (2.0 * b - k * (a**2 + b**2)) / (1.0 + np.hypot(1.0 - k * b, k * a))


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
