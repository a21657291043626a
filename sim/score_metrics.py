"""Scores that put an episode into one number, with their terms always shown beside it.

`pdm_score` is built like the closed-loop scores of nuPlan and NAVSIM: what must not happen
multiplies, what should be good is a weighted mean. `carla_score` is the driving score of the CARLA
leaderboard 2.0. Neither can be compared with published numbers: roads, traffic and sensors are
others here. docs/metrics.md says where each term differs.

Sources:
    nuPlan: Karnchanachari et al., Towards learning-based planning, ICRA 2024, and its devkit.
    NAVSIM: Dauner et al., NeurIPS 2024 (PDMS); Cao et al., CoRL 2025 (EPDMS: a term counts as
        fulfilled where the human driver did not fulfil it either; here: the expert).
    CARLA leaderboard, branch leaderboard-2.0, statistics_manager.py.
"""

from collections.abc import Mapping

MULTIPLIERS = ("no_collision", "in_lane", "direction", "moving")
WEIGHTS = {"progress": 5.0, "ttc": 5.0, "speed": 4.0, "comfort": 2.0, "keeping": 2.0}
FORGIVEN = ("no_collision", "in_lane", "direction", "ttc", "comfort", "keeping")

OUTSIDE = 0.3  # [m] that a corner may be over a bound of the lane; nuPlan
LEAST_RATIO = 0.2  # of the expert's progress that counts as moving; nuPlan
WRONG_WAY_LITTLE, WRONG_WAY_MUCH = 2.0, 6.0  # [m] in a second; nuPlan
CARLA_VEHICLE = 0.6  # penalty of each collision with a car; leaderboard 2.0

Terms = Mapping[str, float | None]
"""The terms of `pdm_score`, each 0 to 1; None where there was nothing to judge."""


def pdm_terms(
    *,
    at_fault_collisions: int | None,
    least_margin: float,
    left_lane: bool,
    wrong_way: float,
    turned_around: bool,
    progress_ratio: float,
    ttc_kept: bool | None,
    speed_compliance: float,
    comfortable: bool,
    keeps_lane: bool,
) -> dict[str, float | None]:
    """The terms of an episode.

    Args:
        at_fault_collisions: None where there is no traffic.
        least_margin: of the outline to the lane's bounds [m]. We take the own lane for nuPlan's
            drivable area.
        left_lane, turned_around: the episode was ended because of it.
        wrong_way: the longest way against the lane within a second [m].
        ttc_kept: whether the time to collision was never below its bound; None without traffic.
    """
    against = 1.0 if wrong_way < WRONG_WAY_LITTLE else 0.5 if wrong_way <= WRONG_WAY_MUCH else 0.0
    return {
        "no_collision": None if at_fault_collisions is None else float(at_fault_collisions == 0),
        "in_lane": float(not left_lane and least_margin >= -OUTSIDE),
        "direction": 0.0 if turned_around else against,
        "moving": float(progress_ratio > LEAST_RATIO),
        "progress": progress_ratio,
        "ttc": None if ttc_kept is None else float(ttc_kept),
        "speed": speed_compliance,
        "comfort": float(comfortable),
        "keeping": float(keeps_lane),
    }


def forgiven(terms: Terms, experts: Terms) -> dict[str, float | None]:
    """The terms, with 1 for those that the expert does not fulfil in the same episode either."""
    excused = {name for name in FORGIVEN if (found := experts[name]) is not None and found < 1.0}
    return {
        name: 1.0 if name in excused and value is not None else value
        for name, value in terms.items()
    }


def pdm_score(terms: Terms) -> float:
    """The product of the multipliers, times the weighted mean of what else was judged, 0 to 1."""
    score = 1.0
    for name in MULTIPLIERS:
        value = terms[name]
        score *= 1.0 if value is None else value
    judged = {name: value for name in WEIGHTS if (value := terms[name]) is not None}
    total = sum(WEIGHTS[name] for name in judged)
    return score * sum(WEIGHTS[name] * value for name, value in judged.items()) / total


def carla_penalty(vehicle_collisions: int | None, off_lane_share: float) -> float:
    """What multiplies route completion, 0 to 1.

    The off-lane share is of the way, as there. Pedestrians, static objects, red lights, stop
    signs, scenario time-outs, emergency vehicles and the least speed of traffic are not in these
    worlds: their factors are 1.
    """
    return float(CARLA_VEHICLE ** (vehicle_collisions or 0) * (1.0 - off_lane_share))


def carla_score(route_completion: float, penalty: float) -> float:
    """The driving score, 0 to 100: route completion in percent times the penalty."""
    return 100.0 * route_completion * penalty
