"""All figures of an episode together: a circle, a stop, and a log that checks itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from redrive.sim import metrics
from redrive.sim.metrics import METRICS, EpisodeLog, Yardstick
from redrive.sim.motion_metrics import COMFORT
from redrive.sim.traffic_metrics import Boxes

DT = 0.1
TIME = DT * np.arange(1, 601)


def circle(radius: float, speed: float, offset: float = 0.0) -> EpisodeLog:
    """A held arc to the left, all the way `offset` m beside the lane's centre."""
    angle = speed * TIME / radius
    still = np.zeros_like(TIME)
    return EpisodeLog(
        dt=DT,
        x=radius * np.sin(angle),
        y=radius * (1.0 - np.cos(angle)),
        yaw=angle,
        speed=still + speed,
        curvature=still + 1.0 / radius,
        command_curvature=still + 1.0 / radius,
        lateral_offset=still + offset,
        heading_error=still - 0.02,
        margin=np.where(TIME < 15.0, -0.1, 0.4),
        progress=speed * TIME,
        distance=speed * TIME,
        intervened=still > 0.0,
        route_length=1200.0,
        speed_limit=15.0,
    )


def test_a_circle_at_a_held_speed_is_known_exactly() -> None:
    log = circle(radius=50.0, speed=10.0, offset=-0.3)
    told = metrics.episode_metrics(log, Yardstick(800.0, metrics.yardstick_of(log).terms))
    share = 149 / 600  # of the time beyond the margin, and of the way
    assert told == pytest.approx(
        {
            "route_completion": 0.5,
            "progress_ratio": 0.75,
            "distance_m": 600.0,
            "mean_speed_mps": 10.0,
            "lateral_mae_m": 0.3,
            "lateral_rmse_m": 0.3,
            "lateral_max_m": 0.3,
            "heading_mae_rad": 0.02,
            "heading_rmse_rad": 0.02,
            "beyond_margin_share": share,
            "off_centre_share": 0.0,
            "left_lane_free_margin": True,
            "left_lane_centre_2m": False,
            "keeps_lane": True,
            "wrong_way_m": 0.0,
            "interventions": 0,
            "whiteness": 0.0,
            "reversals_per_min": 0.0,
            "jerk_rms": 0.0,
            "jerk_max": 0.0,
            "comfortable": True,
            "comfort_share": 1.0,
            **{f"{name}_beyond_share": 0.0 for name in COMFORT},
            "speed_compliance": 1.0,
            "collisions": None,
            "at_fault_collisions": None,
            "min_ttc_s": None,
            "ttc_below_share": None,
            "pdm_no_collision": None,
            "pdm_ttc": None,
            "pdm_in_lane": 1.0,
            "pdm_direction": 1.0,
            "pdm_moving": 1.0,
            "pdm_progress": 0.75,
            "pdm_speed": 1.0,
            "pdm_comfort": 1.0,
            "pdm_keeping": 1.0,
            "pdm_score": (5 * 0.75 + 4 + 2 + 2) / 13,
            "carla_score": 50.0 * (1.0 - share),
            "carla_penalty": 1.0 - share,
        },
        abs=1e-9,
    )
    assert told.keys() <= METRICS.keys()


def test_a_circle_that_is_too_fast_is_not_comfortable() -> None:
    pull = COMFORT["lat_accel"].high
    for speed, share in [(np.sqrt(50.0 * pull) - 0.01, 1.0), (np.sqrt(50.0 * pull) + 0.01, 0.0)]:
        told = metrics.episode_metrics(circle(radius=50.0, speed=float(speed)))
        assert told["comfort_share"] == share
        assert told["comfortable"] is bool(share)
        assert told["lat_accel_beyond_share"] == 1.0 - share


def still(steps: int = 50) -> EpisodeLog:
    none = np.zeros(steps)
    return EpisodeLog(
        DT, none, none, none, none, none, none, none, none, none + 0.5, none, none, none > 0,
        100.0, 10.0,
    )  # fmt: skip


def test_standing_still_completes_nothing_and_disturbs_nobody() -> None:
    beside = metrics.yardstick_of(circle(50.0, 10.0))
    told = metrics.episode_metrics(still(), beside)
    assert told["route_completion"] == told["distance_m"] == told["jerk_rms"] == 0.0
    assert told["comfort_share"] == told["speed_compliance"] == 1.0
    assert told["progress_ratio"] == told["pdm_score"] == told["carla_score"] == 0.0


def test_who_leaves_the_lane_scores_nothing_by_pdm() -> None:
    log = circle(50.0, 10.0)
    beside = metrics.yardstick_of(log)
    assert metrics.episode_metrics(log, beside)["pdm_score"] == 1.0
    for change in ({"left_lane": True}, {"turned_around": True}, {"margin": log.margin - 0.3}):
        told = metrics.episode_metrics(replace(log, **change), beside)
        assert told["pdm_score"] == 0.0
    assert metrics.episode_metrics(replace(log, left_lane=True))["interventions"] == 1


def test_without_a_yardstick_nothing_is_measured_beside_the_expert() -> None:
    told = metrics.episode_metrics(still())
    assert told["progress_ratio"] is None and told["pdm_score"] is None
    assert told["carla_score"] == 0.0


def test_traffic_is_measured_where_it_is() -> None:
    log = circle(50.0, 10.0)
    one = np.ones((len(TIME), 1))
    wall = Boxes(0.0 * one, 100.0 * one, 0.0 * one, 0.0 * one, 4.0 * one, 2.0 * one)
    told = metrics.episode_metrics(replace(log, others=wall), metrics.yardstick_of(log))
    assert told["collisions"] == told["at_fault_collisions"] == 1
    assert told["pdm_no_collision"] == told["pdm_score"] == 0.0
    assert told["carla_penalty"] == pytest.approx(0.6 * (1.0 - 149 / 600))
    far = replace(wall, x=wall.x + 1000.0)
    told = metrics.episode_metrics(replace(log, others=far))
    assert told["collisions"] == 0 and told["min_ttc_s"] == 3.0 and told["ttc_below_share"] == 0.0


@pytest.mark.parametrize("name", sorted(METRICS))
def test_every_figure_says_what_it_is(name: str) -> None:
    metric = METRICS[name]
    assert metric.label and metric.meaning and metric.source
    assert metric.better in ("high", "low", "")


def test_the_page_on_metrics_has_every_figure() -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    assert [name for name in METRICS if f"`{name}`" not in page] == []
    assert f"# Metrics, version {metrics.VERSION}" in page


def test_a_log_checks_itself() -> None:
    log = circle(50.0, 10.0)
    with pytest.raises(ValueError, match=r"speed has shape \(3,\), expected \(600,\)"):
        replace(log, speed=np.zeros(3))
    with pytest.raises(ValueError, match="lateral_offset is not finite"):
        replace(log, lateral_offset=np.full(600, np.nan))
    with pytest.raises(ValueError, match="route_length is not finite"):
        replace(log, route_length=float("nan"))
