"""Collisions and time to collision, on ways that were laid out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.sim import traffic_metrics as traffic
from redrive.sim.traffic_metrics import Boxes, Kind

DT = 0.1
TIME = DT * np.arange(100)
FRONT, REAR, HALF = 3.5, 1.0, 0.9  # of our car: 4.5 m long


def ours(speed: float, lateral: float = 0.0) -> Boxes:
    """Straight on from the origin; the rear axle is at x = speed * t."""
    none = np.zeros_like(TIME)
    return traffic.ego_box(speed * TIME, none + lateral, none, none + speed, FRONT, REAR, HALF)


def other(x: float, y: float, yaw: float = 0.0, speed: float = 0.0, length: float = 4.0) -> Boxes:
    """Another car, 2 m wide, whose middle begins at (x, y)."""
    one = np.ones((len(TIME), 1))
    way = speed * TIME[:, None]
    return Boxes(
        x + way * np.cos(yaw),
        y + way * np.sin(yaw),
        yaw * one,
        speed * one,
        length * one,
        2.0 * one,
    )


NOWHERE = np.zeros(len(TIME), bool)


def test_a_box_lies_around_the_middle_of_the_car() -> None:
    box = traffic.ego_box(
        np.zeros(1), np.zeros(1), np.array([np.pi / 2.0]), np.ones(1), FRONT, REAR, HALF
    )
    assert (box.x[0], box.y[0]) == pytest.approx((0.0, 1.25))
    assert (box.length[0], box.width[0]) == (4.5, 1.8)


def test_running_into_a_standing_car_is_at_fault_at_the_moment_of_touch() -> None:
    (met,) = traffic.collisions(ours(10.0), other(30.0, 0.0), NOWHERE)
    # bumper at 3.5 + 10 t, its rear at 28 m: 2.45 s
    assert (met.step, met.kind, met.at_fault) == (25, Kind.STOPPED_OTHER, True)


def test_running_into_a_slower_car_is_at_fault() -> None:
    (met,) = traffic.collisions(ours(10.0), other(30.0, 0.0, speed=5.0), NOWHERE)
    assert (met.step, met.kind, met.at_fault) == (49, Kind.FRONT, True)


def test_being_hit_from_behind_is_not_at_fault() -> None:
    (met,) = traffic.collisions(ours(5.0), other(-20.0, 0.0, speed=10.0), NOWHERE)
    assert (met.kind, met.at_fault) == (Kind.REAR, False)


def test_who_stands_is_not_at_fault() -> None:
    (met,) = traffic.collisions(ours(0.0), other(20.0, 0.0, np.pi, speed=5.0), NOWHERE)
    assert (met.kind, met.at_fault) == (Kind.STOPPED_EGO, False)


@pytest.mark.parametrize("in_several_lanes", [False, True])
def test_a_touch_sideways_is_at_fault_only_in_several_lanes(in_several_lanes: bool) -> None:
    beside = other(1.0, 4.0, yaw=-0.15, speed=10.0 / np.cos(0.15))  # comes over from the left
    where = np.full(len(TIME), in_several_lanes)
    (met,) = traffic.collisions(ours(10.0), beside, where)
    assert (met.kind, met.at_fault) == (Kind.LATERAL, in_several_lanes)


def test_each_car_counts_once_and_an_absent_one_never() -> None:
    cars = [other(30.0, 0.0), other(60.0, 0.0), other(30.0, 8.0)]
    together = Boxes(*(np.concatenate([vars(c)[n] for c in cars], axis=1) for n in vars(cars[0])))
    assert [met.other for met in traffic.collisions(ours(10.0), together, NOWHERE)] == [0, 1]
    gone = Boxes(*(np.full((len(TIME), 1), np.nan) for _ in range(6)))
    assert traffic.collisions(ours(10.0), gone, NOWHERE) == []
    assert np.isinf(traffic.time_to_collision(ours(10.0), gone, NOWHERE)).all()


def test_time_to_collision_is_the_gap_over_the_closing_speed() -> None:
    left = traffic.time_to_collision(ours(10.0), other(60.0, 0.0, speed=4.0), NOWHERE)
    gap = (58.0 + 4.0 * TIME) - (3.5 + 10.0 * TIME)
    exact = gap / 6.0
    seen = (exact > 0.0) & (exact < 2.9)
    assert seen.sum() > 10
    assert np.all(left[seen] >= exact[seen] - 1e-9)
    assert np.all(left[seen] <= exact[seen] + traffic.LOOK_STEP + 1e-9)
    assert np.isinf(left[exact > 3.1]).all()
    assert np.isinf(left[exact < -0.1]).all()  # touched already


def test_only_what_lies_ahead_has_a_time_to_collision_unless_we_are_in_several_lanes() -> None:
    beside = other(3.0, 6.0, yaw=-np.pi / 4.0, speed=14.0)  # comes from the left
    alone = traffic.time_to_collision(ours(10.0), beside, NOWHERE)
    assert np.isinf(alone[0])
    assert traffic.time_to_collision(ours(10.0), beside, ~NOWHERE)[0] < 1.0
    behind = other(-10.0, 0.0, speed=20.0)
    assert np.isinf(traffic.time_to_collision(ours(10.0), behind, NOWHERE)[0])
    assert np.isinf(
        traffic.time_to_collision(ours(0.0), other(8.0, 0.0, np.pi, 5.0), NOWHERE)
    ).all()


@given(
    x=st.floats(-6, 6), y=st.floats(-6, 6), yaw=st.floats(-3, 3), turn=st.floats(-3, 3),
    length=st.floats(0.5, 6), width=st.floats(0.5, 3),
)  # fmt: skip
def test_boxes_overlap_when_a_dense_grid_of_points_does(
    x: float, y: float, yaw: float, turn: float, length: float, width: float
) -> None:
    one = Boxes(*(np.array(v) for v in (0.0, 0.0, yaw, 0.0, 4.5, 1.8)))
    two = Boxes(*(np.array(v) for v in (x, y, turn, 0.0, length, width)))
    u, v = np.meshgrid(np.linspace(-0.5, 0.5, 41) * length, np.linspace(-0.5, 0.5, 41) * width)
    px = x + u * np.cos(turn) - v * np.sin(turn)
    py = y + u * np.sin(turn) + v * np.cos(turn)
    along, across = px * np.cos(yaw) + py * np.sin(yaw), py * np.cos(yaw) - px * np.sin(yaw)
    inside = ((np.abs(along) < 2.25) & (np.abs(across) < 0.9)).any()
    found = bool(traffic.overlap(one, two))
    assert found or not inside
    if not inside and found:  # they overlap by less than the grid is wide, or only at a corner
        grown = ((np.abs(along) < 2.25 + 0.16) & (np.abs(across) < 0.9 + 0.16)).any()
        assert grown
    assert found == bool(traffic.overlap(two, one))
