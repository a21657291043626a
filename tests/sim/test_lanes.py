"""Lane coordinates: closed forms on lines and circles, and there and back everywhere."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.sim.lane_metrics import corner_offsets
from redrive.sim.lanes import lane_to_world, outline_margin, world_to_lane
from redrive.sim.road import Lane
from redrive.sim.roads.procedural import procedural_road
from redrive.sim.roads.racetrack import load_racetrack
from redrive.sim.vehicle import Vehicle
from redrive.sim.world import RoadWorld

LaneBuilder = Callable[..., Lane]
EXACT = 1e-6  # [m]
CAR = Vehicle()
FRONT, REAR, HALF = CAR.length - CAR.rear_overhang, CAR.rear_overhang, 0.5 * CAR.width


def scatter(lane: Lane, count: int = 2000, beyond: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Places along a lane and beside it, up to 3 m and no farther than half the bend's radius."""
    rng = np.random.default_rng(0)
    s = rng.uniform(-beyond, lane.length + beyond, count)
    radius = 1.0 / max(np.abs(lane.curvature).max(), 1e-9)
    return s, rng.uniform(-1.0, 1.0, count) * min(3.0, 0.5 * radius)


def there_and_back(lane: Lane, s: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far arc length and offset are from themselves after a way through the world [m]."""
    found_s, found_offset = world_to_lane(lane, lane_to_world(lane, s, offset))
    wrong = found_s - s
    if lane.closed:
        wrong = (wrong + 0.5 * lane.length) % lane.length - 0.5 * lane.length
    return np.abs(wrong), np.abs(found_offset - offset)


@pytest.mark.parametrize("seed", range(8))
def test_lane_to_world_and_back_is_the_same_place_on_procedural_roads(seed: int) -> None:
    for lane in procedural_road(seed).lanes:
        wrong_s, wrong_offset = there_and_back(lane, *scatter(lane))
        assert wrong_s.max() < EXACT
        assert wrong_offset.max() < EXACT


def test_lane_to_world_and_back_is_the_same_place_beyond_the_ends_of_an_open_lane() -> None:
    lane = procedural_road(3).lanes[0]
    s, offset = scatter(lane, beyond=30.0)
    assert s.min() < -5.0 and s.max() > lane.length + 5.0
    wrong_s, wrong_offset = there_and_back(lane, s, offset)
    assert max(wrong_s.max(), wrong_offset.max()) < EXACT


@pytest.mark.parametrize("curvature", [0.03, -0.03])
def test_an_open_lane_goes_straight_on_beyond_its_ends(
    lane_of_curvature: LaneBuilder, curvature: float
) -> None:
    lane = lane_of_curvature(np.full(41, curvature), start=(5.0, 6.0, 0.7))
    beyond = np.array([0.5, 3.0, 20.0])
    for node, sign in ((0, -1.0), (-1, 1.0)):
        at = lane.length + beyond if node else -beyond
        direction = np.array([np.cos(lane.heading[node]), np.sin(lane.heading[node])])
        end = np.array([lane.x[node], lane.y[node]])
        expected = end + sign * beyond[:, None] * direction
        np.testing.assert_allclose(lane_to_world(lane, at, 0.0), expected, atol=1e-9)
        aside = expected + 1.5 * np.array([-direction[1], direction[0]])
        s, offset = world_to_lane(lane, aside)
        np.testing.assert_allclose(s, at, atol=1e-9)
        np.testing.assert_allclose(offset, 1.5, atol=1e-9)


def write_circuit(path: Path) -> Path:
    """An ellipse with a dent, 8 m wide to the right and 6 m to the left."""
    angle = np.linspace(0.0, 2.0 * np.pi, 120, endpoint=False)
    radius = 1.0 + 0.15 * np.cos(3.0 * angle)
    rows = zip(150.0 * radius * np.cos(angle), 90.0 * radius * np.sin(angle), strict=True)
    lines = [f"{x:.6f},{y:.6f},8.0,6.0" for x, y in rows]
    path.write_text("\n".join(["# x_m,y_m,w_tr_right_m,w_tr_left_m", *lines]) + "\n")
    return path


def test_lane_to_world_and_back_is_the_same_place_around_a_circuit(tmp_path: Path) -> None:
    lane = load_racetrack(write_circuit(tmp_path / "ring.csv")).lanes[0]
    s, offset = scatter(lane, beyond=100.0)  # beyond its end a closed lane begins again
    wrong_s, wrong_offset = there_and_back(lane, s, offset)
    assert max(wrong_s.max(), wrong_offset.max()) < EXACT


@pytest.mark.parametrize("name", ["Nuerburgring", "Monza", "Norisring", "Spa"])
def test_lane_to_world_and_back_is_the_same_place_on_real_circuits(
    shared_data: Path, name: str
) -> None:
    lane = load_racetrack(shared_data / "tum_racetracks" / "tracks" / f"{name}.csv").lanes[0]
    wrong_s, wrong_offset = there_and_back(lane, *scatter(lane))
    assert max(wrong_s.max(), wrong_offset.max()) < EXACT


def test_a_closed_lane_has_one_place_for_each_point(circle_lane: LaneBuilder) -> None:
    lane = circle_lane(40.0)
    s = np.array([-1.0, -1e-7, 0.0, lane.length - 1e-7, lane.length, 3.0 * lane.length + 2.0])
    found, _ = world_to_lane(lane, lane_to_world(lane, s, 0.5))
    assert ((0.0 <= found) & (found < lane.length)).all()
    np.testing.assert_allclose(
        lane_to_world(lane, s, 0.5), lane_to_world(lane, s + lane.length, 0.5), atol=1e-9
    )


def test_a_straight_lane_is_its_own_coordinates(lane_of_curvature: LaneBuilder) -> None:
    lane = lane_of_curvature(np.zeros(101), start=(10.0, 20.0, 0.5 * np.pi))
    s, offset = scatter(lane, beyond=20.0)
    points = lane_to_world(lane, s, np.asarray(offset))
    np.testing.assert_allclose(points, np.stack([10.0 - offset, 20.0 + s], axis=-1), atol=1e-9)


@pytest.mark.parametrize("turn", [1.0, -1.0])
def test_an_offset_to_the_left_lies_inside_a_left_bend(
    circle_lane: LaneBuilder, turn: float
) -> None:
    lane = circle_lane(40.0, turn)
    s, offset = scatter(lane)
    angle = turn * s / 40.0
    radius = 40.0 - turn * offset
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    np.testing.assert_allclose(lane_to_world(lane, s, offset), points, atol=EXACT)
    found_s, found_offset = world_to_lane(lane, points)
    np.testing.assert_allclose(found_offset, offset, atol=EXACT)
    np.testing.assert_allclose(found_s, s, atol=EXACT)


def test_any_shape_of_points_keeps_its_shape(lane_of_curvature: LaneBuilder) -> None:
    lane = lane_of_curvature(np.zeros(50))
    points = np.zeros((2, 3, 2))
    s, offset = world_to_lane(lane, points)
    assert s.shape == offset.shape == (2, 3)
    assert lane_to_world(lane, 5.0, 0.0).shape == (2,)


@pytest.mark.parametrize("curvature", [0.0, 0.02, -0.02])
def test_a_car_beside_the_lane_and_askew_is_told_so(
    lane_of_curvature: LaneBuilder, world_of: Callable[..., RoadWorld], curvature: float
) -> None:
    world = world_of(lane_of_curvature(np.full(300, curvature)))
    lateral, yaw = np.array([0.0, 0.7, -0.7, 1.2]), np.array([0.0, 0.3, -0.3, -0.2])
    state = world.place(world.reset(np.arange(4)), lateral, yaw)
    np.testing.assert_allclose(state.lateral_offset, lateral, atol=1e-6)
    np.testing.assert_allclose(state.heading_error, yaw, atol=1e-6)
    assert np.argmax(world.lane_view(state).lateral_offset) == 3


def brute_margin(
    lateral: float, error: float, curvature: float, left: float, right: float
) -> float:
    """The corners one by one, beside a lane that starts at the origin along x and stays a circle."""
    margin = np.inf
    for ahead, aside in [(FRONT, HALF), (FRONT, -HALF), (-REAR, HALF), (-REAR, -HALF)]:
        x = ahead * np.cos(error) - aside * np.sin(error)
        y = lateral + ahead * np.sin(error) + aside * np.cos(error)
        offset = y
        if curvature != 0.0:
            radius = 1.0 / curvature
            offset = radius - np.copysign(np.hypot(x, y - radius), radius)
        margin = min(margin, left - offset, right + offset)
    return float(margin)


@given(
    lateral=st.floats(-3.0, 3.0),
    error=st.floats(-1.5, 1.5),
    curvature=st.one_of(st.just(0.0), st.floats(1e-3, 0.07), st.floats(-0.07, -1e-3)),
    left=st.floats(1.0, 5.0),
    right=st.floats(1.0, 5.0),
)
def test_the_free_margin_is_that_of_the_nearest_corner(
    lateral: float, error: float, curvature: float, left: float, right: float
) -> None:
    margin = outline_margin(
        lateral, np.cos(error), np.sin(error), curvature, left, right, FRONT, REAR, HALF
    )
    assert margin == pytest.approx(brute_margin(lateral, error, curvature, left, right), abs=1e-9)
    corners = corner_offsets(
        np.array(lateral), np.array(error), np.array(curvature), FRONT, REAR, HALF
    )
    measured = np.minimum(left - corners, right + corners).min()
    assert margin == pytest.approx(float(measured), abs=1e-9)


def test_a_car_in_the_middle_has_half_of_what_it_leaves_free() -> None:
    margin = outline_margin(0.0, 1.0, 0.0, 0.0, 2.0, 2.0, FRONT, REAR, HALF)
    assert margin == pytest.approx(2.0 - HALF)
    assert outline_margin(1.3, 1.0, 0.0, 0.0, 2.0, 2.0, FRONT, REAR, HALF) == pytest.approx(-0.2)


@pytest.mark.parametrize("seed", [0, 5])
def test_the_margin_of_a_car_on_a_real_road_is_that_of_its_corners_in_the_world(seed: int) -> None:
    world = RoadWorld(world=f"procedural:{seed}", sensors={})
    rng = np.random.default_rng(seed)
    start = world.reset(np.arange(200))
    state = world.place(start, rng.uniform(-1.0, 1.0, 200), rng.uniform(-0.2, 0.2, 200))
    road = world.pool.source.road(0)
    a = np.array([FRONT, FRONT, -REAR, -REAR])
    b = np.array([HALF, -HALF, HALF, -HALF])
    cos, sin = np.cos(state.yaw)[:, None], np.sin(state.yaw)[:, None]
    x, y = state.x[:, None] + a * cos - b * sin, state.y[:, None] + a * sin + b * cos
    for car in range(200):
        lane = road.lanes[state.lane[car]]
        s, offset = world_to_lane(lane, np.stack([x[car], y[car]], axis=-1))
        left = np.interp(s, lane.spacing * np.arange(len(lane.left)), lane.left)
        right = np.interp(s, lane.spacing * np.arange(len(lane.right)), lane.right)
        true = np.minimum(left - offset, right + offset).min()
        # the lane is taken for a circle along the car; its bends change slowly
        assert state.margin[car] == pytest.approx(true, abs=0.03)
