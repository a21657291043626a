"""How well one episode was driven: every figure, from the log of its steps.

`METRICS` says of every figure in a results file what it means; docs/metrics.md has the formulas.
`lane_metrics`, `motion_metrics`, `traffic_metrics` and `score_metrics` compute them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from . import lane_metrics as lane
from . import motion_metrics as felt
from . import score_metrics as score
from . import traffic_metrics as traffic
from .motion_metrics import COMFORT
from .task import CENTRE_LIMIT
from .traffic_metrics import Boxes

VERSION = 2  # of the figures: goes up when one of them would come out differently
FloatArray = np.ndarray
Figure = float | bool | int | None


class Metric(NamedTuple):
    """What a figure in a results file means."""

    label: str
    unit: str
    better: str  # "high" or "low"; "" where neither is
    meaning: str
    source: str = "redrive"
    threshold: str = ""  # the number that decides, in words; "" where none does


_NUPLAN, _NAVSIM, _VISTA, _TARTU = "nuPlan", "NAVSIM v2", "VISTA", "Tartu"
_CARLA = "CARLA leaderboard 2.0"


def _beyond(name: str) -> Metric:
    """The share of time beyond one bound of comfort."""
    low, high, unit = COMFORT[name]
    words = name.replace("lon", "lengthwise").replace("lat", "sideways").replace("_", " ")
    return Metric(
        f"{words} beyond", "", "low", f"share of time in which {words} is out of bounds",
        _NUPLAN, f"{low:g} to {high:g} {unit}",
    )  # fmt: skip


def _term(label: str, meaning: str, threshold: str = "", source: str = _NUPLAN) -> Metric:
    return Metric(label, "", "high", f"term of the PDM-style score: {meaning}", source, threshold)


METRICS = {
    "success": Metric("success", "", "high", "the episode ended as its task asks"),
    "route_completion": Metric("route done", "", "high", "share of the route that was driven"),
    "progress_ratio": Metric(
        "progress", "", "high", "way along the route beside the expert's in the same episode", _NUPLAN
    ),
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
    "heading_rmse_rad": Metric("heading RMSE", "rad", "low", "root mean square of that angle"),
    "beyond_margin_share": Metric(
        "beyond margin", "", "low", "share of time in which the car's outline is over a lane bound",
        _TARTU, "outline over the bound by 0 m",
    ),
    "off_centre_share": Metric(
        "off centre", "", "low", f"share of time more than {CENTRE_LIMIT:g} m from the centre line",
        _VISTA, f"{CENTRE_LIMIT:g} m",
    ),
    "left_lane_free_margin": Metric(
        "left the lane", "", "low", "share of episodes in which the outline crossed a lane bound",
        _VISTA, "outline over the bound by 0 m",
    ),
    "left_lane_centre_2m": Metric(
        f"beyond {CENTRE_LIMIT:g} m", "", "low",
        f"share of episodes that came farther than {CENTRE_LIMIT:g} m from the centre line",
        _VISTA, f"{CENTRE_LIMIT:g} m",
    ),
    "keeps_lane": Metric(
        "keeps its lane", "", "high", "never far from the centre line for long", _NAVSIM,
        f"{lane.KEEPING_WITHIN:g} m for {lane.KEEPING_SECONDS:g} s on end",
    ),
    "wrong_way_m": Metric(
        "wrong way", "m", "low", "longest way against the lane within a second", _NUPLAN,
        f"{score.WRONG_WAY_LITTLE:g} and {score.WRONG_WAY_MUCH:g} m",
    ),
    "interventions": Metric(
        "interventions", "", "low", "times a safety driver had to take over, or that ended it"
    ),
    "interventions_per_km": Metric(
        "interventions per km", "1/km", "low", "over all episodes together; the interval is Garwood's"
    ),
    "distance_per_intervention_km": Metric(
        "distance per intervention", "km", "high", "its inverse; not given where nobody intervened"
    ),
    "decision_correct": Metric(
        "right decision", "", "high", "took the branch, or did what the sign told"
    ),
    "whiteness": Metric(
        "whiteness", "1/(m s)", "low",
        "root mean square rate of the commanded curvature: how much the steering trembles", _TARTU,
    ),
    "reversals_per_min": Metric(
        "steering reversals", "1/min", "low", "how often the commanded curvature turns around",
        "SAE J2944", f"{felt.REVERSAL_GAP:g} 1/m between turning points",
    ),
    "jerk_rms": Metric("jerk", "m/s³", "low", "root mean square jerk, lengthwise and sideways"),
    "jerk_max": Metric("largest jerk", "m/s³", "low", "lengthwise and sideways together"),
    "comfortable": Metric(
        "comfortable", "", "high", "all six comfort bounds kept all the time", _NUPLAN,
        "the bounds below",
    ),
    "comfort_share": Metric(
        "comfort", "", "high", "share of time within all six comfort bounds of nuPlan", _NUPLAN,
        "the bounds below",
    ),
    **{f"{name}_beyond_share": _beyond(name) for name in COMFORT},
    "speed_compliance": Metric(
        "speed kept", "", "high",
        f"1 when never above the limit, 0 at {lane.OVERSPEED:g} m/s above it all the time",
        _NUPLAN, f"{lane.OVERSPEED:g} m/s",
    ),
    "collisions": Metric("collisions", "", "low", "other cars that were touched"),
    "at_fault_collisions": Metric(
        "at fault", "", "low", "of those: ran into one, or sideways while in several lanes", _NUPLAN
    ),
    "min_ttc_s": Metric(
        "least time to collision", "s", "high",
        f"if all kept speed and direction; {traffic.HORIZON:g} where none was nearer", _NUPLAN,
    ),
    "ttc_below_share": Metric(
        "too close", "", "low", "share of time with too little time to collision", _NUPLAN,
        f"{traffic.LEAST_TTC:g} s",
    ),
    "pdm_score": Metric(
        "PDM-style score", "", "high",
        "must-nots multiply, the rest is a weighted mean; its terms stand beside it",
        "nuPlan, NAVSIM",
    ),
    "pdm_no_collision": _term("no collision", "none at fault", "0 collisions"),
    "pdm_in_lane": _term(
        "in lane", "did not leave its lane", f"corner {score.OUTSIDE:g} m over the bound"
    ),
    "pdm_direction": _term("direction", "not against the lane", "2 and 6 m in a second"),
    "pdm_moving": _term(
        "moving", "came some way", f"{score.LEAST_RATIO:g} of the expert's progress"
    ),
    "pdm_progress": _term("progress", "beside the expert's, weight 5"),
    "pdm_ttc": _term("time to collision", "never too little, weight 5", f"{traffic.LEAST_TTC:g} s"),
    "pdm_speed": _term("speed", "limit kept, weight 4", f"{lane.OVERSPEED:g} m/s"),
    "pdm_comfort": _term("comfort", "all bounds kept, weight 2", "six bounds"),
    "pdm_keeping": _term("lane keeping", "weight 2", "0.5 m for 2 s", _NAVSIM),
    "carla_score": Metric(
        "CARLA-style score", "", "high", "route done in percent times the penalty, 0 to 100", _CARLA
    ),
    "carla_penalty": Metric(
        "CARLA penalty", "", "high", "0.6 for each collision, times the share of the way in lane",
        _CARLA, "0.6 a car",
    ),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class EpisodeLog:
    """What the metrics need of one episode; every array is (T,), T >= 1, after each step."""

    dt: float  # [s]
    x: FloatArray  # of the rear axle, world [m]
    y: FloatArray  # world [m]
    yaw: FloatArray  # [rad]
    speed: FloatArray  # [m/s]
    curvature: FloatArray  # of the path that is driven [1/m]
    command_curvature: FloatArray  # that was asked for [1/m]
    lateral_offset: FloatArray  # from the lane's centre line, left is positive [m]
    heading_error: FloatArray  # against the lane's direction [rad]
    margin: FloatArray  # of the car's outline to the lane's bounds, negative is over one [m]
    progress: FloatArray  # along the route, from the start [m]
    distance: FloatArray  # driven, from the start [m]
    intervened: np.ndarray  # bool: after this step, a safety driver put the car back
    route_length: float  # that was to be driven [m]
    speed_limit: float  # [m/s]
    left_lane: bool = False  # the episode was ended because of it
    turned_around: bool = False  # the episode was ended because of it
    outline: tuple[float, float, float] = (3.55, 0.95, 0.9)  # front, rear, half width [m]
    others: Boxes | None = field(default=None)  # None where there is no traffic

    def __post_init__(self) -> None:
        steps = self.x.shape[0]
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray) and (value.shape != (steps,) or steps == 0):
                raise ValueError(
                    f"{name} has shape {value.shape}, expected ({steps},) with one or more steps"
                )
            if isinstance(value, np.ndarray | float) and not np.isfinite(value).all():
                raise ValueError(f"{name} is not finite; find what computed it")

    @property
    def beyond_margin(self) -> np.ndarray:
        """(T,) bool: the car's outline is over a bound of the lane."""
        return self.margin < 0.0

    @property
    def interventions(self) -> int:
        """Times a safety driver took over, and once more where leaving the lane ended it."""
        return int(self.intervened.sum()) + int(self.left_lane or self.turned_around)


class Yardstick(NamedTuple):
    """What the expert did in the same episode."""

    progress: float  # [m]
    terms: dict[str, float | None]


def episode_metrics(log: EpisodeLog, yardstick: Yardstick | None = None) -> dict[str, Figure]:
    """Every figure of an episode that follows from its log, by its name in `METRICS`.

    Args:
        yardstick: without it, what is measured beside the expert is None.
    """
    return {
        **_lane(log),
        **_motion(log),
        **_traffic(log),
        **_scores(log, yardstick),
    }


def yardstick_of(log: EpisodeLog) -> Yardstick:
    """The yardstick that the expert's log is for others."""
    progress = float(log.progress[-1])
    return Yardstick(progress, _terms(log, progress))


def _lane(log: EpisodeLog) -> dict[str, Figure]:
    offset, error = log.lateral_offset, log.heading_error
    return {
        "route_completion": lane.route_completion(float(log.progress[-1]), log.route_length),
        "distance_m": float(log.distance[-1]),
        "mean_speed_mps": float(np.mean(log.speed)),
        "lateral_mae_m": lane.mean_absolute(offset),
        "lateral_rmse_m": lane.root_mean_square(offset),
        "lateral_max_m": float(np.abs(offset).max()),
        "heading_mae_rad": lane.mean_absolute(error),
        "heading_rmse_rad": lane.root_mean_square(error),
        "beyond_margin_share": lane.share(log.beyond_margin),
        "off_centre_share": lane.share(lane.off_centre(offset)),
        "left_lane_free_margin": bool(log.beyond_margin.any()),
        "left_lane_centre_2m": bool(lane.off_centre(offset).any()),
        "keeps_lane": lane.keeps_lane(offset, log.dt),
        "wrong_way_m": lane.wrong_way(log.progress, log.dt),
        "interventions": log.interventions,
        "speed_compliance": lane.speed_compliance(log.speed, log.speed_limit),
    }


def _motion(log: EpisodeLog) -> dict[str, Figure]:
    moved = felt.motion(log.speed, log.curvature, log.dt)
    within = felt.within_comfort(moved)
    comfort = np.logical_and.reduce(list(within.values()))
    minutes = log.dt * len(log.x) / 60.0
    return {
        "whiteness": felt.whiteness(log.command_curvature, log.dt),
        "reversals_per_min": felt.reversals(log.command_curvature) / minutes,
        "jerk_rms": lane.root_mean_square(moved["jerk"]),
        "jerk_max": float(moved["jerk"].max()),
        "comfortable": bool(comfort.all()),
        "comfort_share": lane.share(comfort),
        **{f"{name}_beyond_share": lane.share(~kept) for name, kept in within.items()},
    }


def _traffic(log: EpisodeLog) -> dict[str, Figure]:
    if log.others is None:
        names = ("collisions", "at_fault_collisions", "min_ttc_s", "ttc_below_share")
        return dict.fromkeys(names)
    ego = traffic.ego_box(log.x, log.y, log.yaw, log.speed, *log.outline)
    met = traffic.collisions(ego, log.others, log.beyond_margin)
    left = traffic.time_to_collision(ego, log.others, log.beyond_margin)
    return {
        "collisions": len(met),
        "at_fault_collisions": sum(collision.at_fault for collision in met),
        "min_ttc_s": float(min(traffic.HORIZON, left.min())),
        "ttc_below_share": lane.share(left <= traffic.LEAST_TTC),
    }


def _terms(log: EpisodeLog, experts_progress: float) -> dict[str, float | None]:
    met = _traffic(log)
    least, fault = met["min_ttc_s"], met["at_fault_collisions"]
    return score.pdm_terms(
        at_fault_collisions=None if fault is None else int(fault),
        least_margin=float(log.margin.min()),
        left_lane=log.left_lane or bool(log.intervened.any()),
        wrong_way=lane.wrong_way(log.progress, log.dt),
        turned_around=log.turned_around,
        progress_ratio=lane.progress_ratio(float(log.progress[-1]), experts_progress),
        ttc_kept=None if least is None else float(least) > traffic.LEAST_TTC,
        speed_compliance=lane.speed_compliance(log.speed, log.speed_limit),
        comfortable=bool(felt.comfortable(log.speed, log.curvature, log.dt).all()),
        keeps_lane=lane.keeps_lane(log.lateral_offset, log.dt),
    )


def _scores(log: EpisodeLog, yardstick: Yardstick | None) -> dict[str, Figure]:
    met = _traffic(log)["collisions"]
    moved = np.abs(log.speed)
    outside = float(moved[log.beyond_margin].sum() / moved.sum()) if moved.any() else 0.0
    penalty = score.carla_penalty(None if met is None else int(met), outside)
    done = lane.route_completion(float(log.progress[-1]), log.route_length)
    told: dict[str, Figure] = {
        "carla_score": score.carla_score(done, penalty),
        "carla_penalty": penalty,
    }
    if yardstick is None:
        names: Sequence[str] = (*score.MULTIPLIERS, *score.WEIGHTS)
        return {**told, "progress_ratio": None, "pdm_score": None} | dict.fromkeys(
            [f"pdm_{name}" for name in names]
        )
    terms = score.forgiven(_terms(log, yardstick.progress), yardstick.terms)
    return {
        **told,
        "progress_ratio": lane.progress_ratio(float(log.progress[-1]), yardstick.progress),
        "pdm_score": score.pdm_score(terms),
        **{f"pdm_{name}": value for name, value in terms.items()},
    }
