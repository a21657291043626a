"""The careful speed: as fast as bends, the limit and the brakes allow, and no faster."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from redrive.sim.road import Lane
from redrive.sim.roads.procedural import procedural_road
from redrive.sim.speed_plan import BRAKING, GAINING, LATERAL_ACCEL, plan_speed

LaneBuilder = Callable[..., Lane]
LIMIT = 20.0


@pytest.mark.parametrize("radius", [15.0, 60.0, 140.0, 400.0])
def test_a_circle_is_driven_at_the_speed_of_its_sideways_pull(
    circle_lane: LaneBuilder, radius: float
) -> None:
    speed = plan_speed(circle_lane(radius), LIMIT)
    np.testing.assert_allclose(speed, min(np.sqrt(LATERAL_ACCEL * radius), LIMIT), rtol=1e-9)


def test_a_straight_is_driven_at_the_limit(lane_of_curvature: LaneBuilder) -> None:
    np.testing.assert_array_equal(plan_speed(lane_of_curvature(np.zeros(50)), 13.0), 13.0)


def test_brakes_come_on_just_in_time_before_a_bend_and_off_after_it(
    lane_of_curvature: LaneBuilder,
) -> None:
    bend = np.zeros(601)
    bend[300:330] = 1.0 / 20.0
    slow = np.sqrt(LATERAL_ACCEL * 20.0)
    speed = plan_speed(lane_of_curvature(bend), LIMIT)
    s = np.arange(601.0)
    before = np.sqrt(slow**2 + 2.0 * BRAKING * np.clip(300.0 - s, 0.0, None))
    after = np.sqrt(slow**2 + 2.0 * GAINING * np.clip(s - 329.0, 0.0, None))
    expected = np.minimum(np.maximum(before, after), LIMIT)
    np.testing.assert_allclose(speed, expected, rtol=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_no_node_asks_for_more_than_the_bounds_and_none_could_be_faster(seed: int) -> None:
    road = procedural_road(seed)
    for lane in road.lanes:
        speed = plan_speed(lane, road.speed_limit)
        pull = speed**2 * np.abs(lane.curvature)
        change = np.diff(speed**2) / (2.0 * lane.spacing)
        assert pull.max() <= LATERAL_ACCEL * (1.0 + 1e-9)
        assert speed.max() <= road.speed_limit
        assert change.max() <= GAINING + 1e-9
        assert change.min() >= -BRAKING - 1e-9
        gains = np.append(False, change > GAINING - 1e-6)
        brakes = np.append(change < -BRAKING + 1e-6, False)
        bound = pull > LATERAL_ACCEL - 1e-6
        assert (gains | brakes | bound | (speed > road.speed_limit - 1e-9)).all()


@pytest.mark.parametrize("bend", [slice(3, 10), slice(-10, -3)])
def test_the_seam_of_a_circuit_is_no_special_place(circle_lane: LaneBuilder, bend: slice) -> None:
    """Brakes come on before it for a bend behind it, and speed is gained across it."""
    lane = circle_lane(60.0)
    curvature = lane.curvature.copy()
    curvature[bend] = 1.0 / 12.0
    rolled = replace(lane, curvature=np.roll(curvature, 150))
    np.testing.assert_allclose(
        plan_speed(rolled, LIMIT),
        np.roll(plan_speed(replace(lane, curvature=curvature), LIMIT), 150),
    )
    assert plan_speed(replace(lane, curvature=curvature), LIMIT)[-1] < 10.0
