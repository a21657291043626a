"""Where in its lane a car drove, how far it came, and how well it kept to the rules of the road.

Sources:
    VISTA: Amini et al., Learning robust control policies, RA-L 5 (2020): the 2 m rule.
    Tartu: Tampuu et al., LiDAR-as-camera for end-to-end driving, Sensors 23 (2023): the share of
        time beyond a margin.
    nuPlan: Karnchanachari et al., Towards learning-based planning, ICRA 2024, and its devkit.
    NAVSIM: Cao et al., Pseudo-simulation for autonomous driving, CoRL 2025: lane keeping.
"""

import numpy as np

from .task import CENTRE_LIMIT

FloatArray = np.ndarray
OVERSPEED = 2.23  # [m/s] that make speed compliance 0 when held for the whole episode; nuPlan
KEEPING_WITHIN = 0.5  # [m] of the centre line ...
KEEPING_SECONDS = 2.0  # ... or back there before so long; NAVSIM v2
WRONG_WAY_SECONDS = 1.0  # over which a way against the lane is measured; nuPlan
LEAST_PROGRESS = 0.1  # [m], of either driver, before they are divided; nuPlan


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


def progress_ratio(progress: float, experts: float) -> float:
    """How far a driver came beside the expert in the same episode, 0 to 1.

    Source:
        nuPlan, ego_progress_along_expert_route: min(1, max(ego, 0.1 m) / max(expert, 0.1 m)).
        A driver who has not moved 0.1 m has 0 here; there it has 0.1 m.
    """
    if progress < LEAST_PROGRESS <= experts:
        return 0.0
    return float(min(1.0, max(progress, LEAST_PROGRESS) / max(experts, LEAST_PROGRESS)))


def wrong_way(progress: FloatArray, dt: float) -> float:
    """The longest way against the lane within a second [m].

    Args:
        progress: (T,) along the route since the start [m].

    Source:
        nuPlan, driving_direction_compliance.
    """
    whole = np.concatenate([[0.0], progress])
    steps = min(max(1, round(WRONG_WAY_SECONDS / dt)), len(progress))
    return float(max(0.0, (whole[:-steps] - whole[steps:]).max()))


def keeps_lane(lateral_offset: FloatArray, dt: float) -> bool:
    """Whether the car is never farther than 0.5 m from the centre line for 2 s on end.

    Source:
        NAVSIM v2, lane keeping.
    """
    away = np.abs(lateral_offset) > KEEPING_WITHIN
    edges = np.flatnonzero(np.diff(np.concatenate([[False], away, [False]]).astype(np.int8)))
    longest = (edges[1::2] - edges[::2]).max(initial=0)
    return bool(longest * dt < KEEPING_SECONDS - 1e-9)


def speed_compliance(speed: FloatArray, speed_limit: float | FloatArray) -> float:
    """How well a speed limit is kept, 0 to 1.

    Source:
        nuPlan, speed_limit_compliance: 1 - (mean overspeed) / (2.23 m/s), at least 0.
    """
    overspeed = np.maximum(0.0, speed - speed_limit)
    return float(max(0.0, 1.0 - overspeed.mean() / OVERSPEED))


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
