"""Figures of the lane: closed forms on constructed ways."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.sim import lane_metrics as metrics

DT = 0.1


def test_progress_is_measured_beside_the_experts() -> None:
    assert metrics.progress_ratio(50.0, 200.0) == 0.25
    assert metrics.progress_ratio(250.0, 200.0) == 1.0
    assert metrics.progress_ratio(0.0, 200.0) == metrics.progress_ratio(-8.0, 200.0) == 0.0
    assert metrics.progress_ratio(0.0, 0.0) == 1.0  # where the expert does not move either


def test_the_wrong_way_is_the_longest_one_within_a_second() -> None:
    time = DT * np.arange(1, 61)
    assert metrics.wrong_way(8.0 * time, DT) == 0.0
    assert metrics.wrong_way(-3.0 * time, DT) == pytest.approx(3.0)  # one second at 3 m/s
    back = np.where(time <= 4.0, 5.0 * time, 20.0 - 4.0 * np.minimum(time - 4.0, 0.5))
    assert metrics.wrong_way(back, DT) == pytest.approx(2.0)
    assert metrics.wrong_way(np.array([-0.4]), DT) == pytest.approx(0.4)


@pytest.mark.parametrize(("seconds", "kept"), [(1.9, True), (2.0, False), (5.0, False)])
def test_a_lane_is_kept_unless_its_centre_is_left_for_two_seconds(
    seconds: float, kept: bool
) -> None:
    offset = np.zeros(100)
    offset[20 : 20 + round(seconds / DT)] = -0.6
    assert metrics.keeps_lane(offset, DT) is kept
    offset[25] = 0.4  # back for a moment
    assert metrics.keeps_lane(offset, DT) is (seconds < 2.5)
    assert metrics.keeps_lane(np.full(100, 0.5), DT)


@pytest.mark.parametrize(("progress", "expected"), [(-3.0, 0.0), (25.0, 0.25), (130.0, 1.0)])
def test_route_completion_lies_between_0_and_1(progress: float, expected: float) -> None:
    assert metrics.route_completion(progress, 100.0) == expected


def test_a_route_needs_a_length() -> None:
    with pytest.raises(ValueError, match="road_length must be above 0 m, got 0.0"):
        metrics.route_completion(1.0, 0.0)


def test_speed_compliance_falls_in_proportion() -> None:
    assert metrics.speed_compliance(np.full(10, 10.0), 10.0) == 1.0
    assert metrics.speed_compliance(np.full(10, 10.0 + 2.23 / 2), 10.0) == pytest.approx(0.5)
    assert metrics.speed_compliance(np.full(10, 20.0), 10.0) == 0.0
    limits = np.array([20.0] * 5 + [5.0] * 5)
    assert metrics.speed_compliance(np.full(10, 7.23), limits) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [([0, 0, 0], 0), ([1, 1, 1], 1), ([1, 0, 1], 2), ([0, 1, 1, 0, 1], 2)],
)
def test_times_begun_counts_beginnings(flags: list[int], expected: int) -> None:
    assert metrics.times_begun(np.array(flags)) == expected


def test_the_two_off_lane_rules_differ_by_the_car() -> None:
    offset = np.array([0.0, 0.7, 0.9, 1.9, 2.1, -0.7, -0.9])
    straight = np.zeros_like(offset)
    margin = metrics.outside_free_margin(
        offset, straight, straight, straight + 1.75, straight + 1.75, 3.7, 0.9, 0.95
    )
    assert margin.tolist() == [False, False, True, True, True, False, True]
    assert metrics.off_centre(offset).tolist() == [False] * 4 + [True] + [False] * 2


def test_a_turned_car_reaches_out_with_its_nose() -> None:
    turned = np.array([0.2, -0.2])
    none = np.zeros(2)
    corners = metrics.corner_offsets(none, turned, none, 3.7, 0.9, 0.95)
    reach = 3.7 * np.sin(0.2) + 0.95 * np.cos(0.2)
    assert corners.max(axis=1) == pytest.approx([reach, 0.95 * np.cos(0.2) + 0.9 * np.sin(0.2)])
    assert corners.min(axis=1) == pytest.approx(-corners.max(axis=1)[::-1])


@given(offset=st.floats(-2.0, 2.0), error=st.floats(-0.5, 0.5), curvature=st.floats(-0.06, 0.06))
def test_corner_offsets_are_distances_to_the_lanes_arc(
    offset: float, error: float, curvature: float
) -> None:
    given_corners = metrics.corner_offsets(
        np.array(offset), np.array(error), np.array(curvature), 3.7, 0.9, 0.95
    )
    for (ahead, aside), found in zip(
        [(3.7, 0.95), (3.7, -0.95), (-0.9, 0.95), (-0.9, -0.95)], given_corners, strict=True
    ):
        x = ahead * np.cos(error) - aside * np.sin(error)
        y = offset + ahead * np.sin(error) + aside * np.cos(error)
        if abs(curvature) < 1e-6:
            expected = y
        else:  # to the circle's centre, which lies at (0, 1 / curvature)
            radius = 1.0 / curvature
            expected = radius - np.sign(radius) * np.hypot(x, y - radius)
        assert found == pytest.approx(expected, abs=1e-4)
