"""Procedural roads are roads: smooth, clear of themselves, well painted, and the same every time."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redrive.sim.road import Lane, Material, Road
from redrive.sim.roads import clothoid
from redrive.sim.roads.paving import KERB_WIDTH
from redrive.sim.roads.procedural import procedural_road
from redrive.sim.scene import build_scene

road_of: Callable[[int], Road] = lru_cache(maxsize=None)(procedural_road)
some_roads = pytest.mark.parametrize("seed", range(24))
any_seed = given(seed=st.integers(min_value=0, max_value=10**9))


def positions(lane: Lane) -> np.ndarray:
    return np.column_stack([lane.x, lane.y])


def segments_crossing(first: np.ndarray, second: np.ndarray, skip: int) -> int:
    """How many segments of one polyline cross one of the other, those within `skip` left out."""
    a, b = first[:-1, None], first[1:, None]
    c, d = second[None, :-1], second[None, 1:]

    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> np.ndarray:
        return (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (
            r[..., 0] - p[..., 0]
        )

    cross = (side(a, b, c) * side(a, b, d) < 0.0) & (side(c, d, a) * side(c, d, b) < 0.0)
    index = np.arange(len(first) - 1)
    return int((cross & (np.abs(index[:, None] - np.arange(len(second) - 1)) > skip)).sum())


@settings(max_examples=40)
@any_seed
def test_lanes_are_about_a_kilometre_long_and_their_bends_drivable(seed: int) -> None:
    road = procedural_road(seed)
    assert 8.0 < road.speed_limit < 20.0
    assert 1 <= len(road.lanes) <= 3
    for lane in road.lanes:
        assert 850.0 < lane.length < 1350.0
        assert np.abs(lane.curvature).max() <= 1.0 / 15.0 + 1e-9
        width = lane.left + lane.right
        assert 3.0 <= width.min() == width.max() <= 12.0
        # Steering from straight to the tightest bend takes a second or more.
        speed = np.minimum(road.speed_limit, np.sqrt(3.0 / np.maximum(abs(lane.curvature), 1e-9)))
        rate = np.abs(np.diff(lane.curvature)) / lane.spacing * speed[1:]
        assert rate.max() < 0.07


@settings(max_examples=40)
@any_seed
def test_lanes_are_smooth_and_evenly_sampled(seed: int) -> None:
    for lane in procedural_road(seed).lanes:
        assert lane.spacing == pytest.approx(1.0, abs=0.005)
        assert np.abs(np.diff(lane.curvature)).max() < 0.008
        mean = 0.5 * (lane.curvature[1:] + lane.curvature[:-1])
        np.testing.assert_allclose(np.diff(lane.heading), mean * lane.spacing, atol=1e-3)
        chord = np.hypot(np.diff(lane.x), np.diff(lane.y))
        turned = np.diff(lane.heading)
        arc = chord * (1.0 + turned**2 / 24.0)
        np.testing.assert_allclose(arc, lane.spacing, atol=1e-5)


@some_roads
def test_curvature_alone_leads_to_the_same_place(seed: int) -> None:
    for lane in road_of(seed).lanes:
        line = clothoid.from_curvature(lane.curvature, lane.spacing, lane.heading[0])
        moved = np.column_stack([line.x + lane.x[0], line.y + lane.y[0]])
        assert np.abs(moved - positions(lane)).max() < 0.3


@some_roads
def test_the_edges_of_a_road_cross_nothing(seed: int) -> None:
    (asphalt,) = [r for r in road_of(seed).ribbons if r.material == Material.ASPHALT]
    edges = asphalt.left[::2], asphalt.right[::2]
    for i, j in ((0, 0), (0, 1), (1, 1)):
        assert segments_crossing(edges[i], edges[j], skip=1 if i == j else -1) == 0


@some_roads
def test_other_parts_of_the_road_are_out_of_reach(seed: int) -> None:
    road = road_of(seed)
    (asphalt,) = [r for r in road.ribbons if r.material == Material.ASPHALT]
    width = np.hypot(*(asphalt.left[0] - asphalt.right[0]))
    middle = 0.5 * (asphalt.left + asphalt.right)
    apart = np.hypot(*(middle[:, None] - middle[None]).transpose(2, 0, 1))
    index = np.arange(len(middle))
    far = np.abs(index[:, None] - index) > 0.5 * np.pi * (width + 12.0)
    assert apart[far].min() > width + 5.0


@some_roads
def test_the_road_goes_on_where_its_lanes_end(seed: int) -> None:
    road = road_of(seed)
    for ribbon in road.ribbons:
        if ribbon.material == Material.ASPHALT:
            along = ribbon.stations
            for lane in road.lanes:
                ends = positions(lane)[[0, -1]]
                away = np.hypot(*(ribbon.left[:, None] - ends).transpose(2, 0, 1))
                begins, stops = along[away.argmin(axis=0)]
                assert begins > 15.0
                assert along[-1] - stops > 100.0


@some_roads
def test_every_lane_has_paint_on_both_sides(seed: int) -> None:
    """What is seen tells where to drive: no bound of a lane is left to the imagination."""
    road = road_of(seed)
    paint = np.concatenate(
        [
            0.5 * (ribbon.left + ribbon.right)
            for ribbon in road.ribbons
            if ribbon.material in (Material.WHITE, Material.ACCENT)
        ]
    )
    for lane in road.lanes:
        for node in (10, len(lane.x) // 2, len(lane.x) - 10):
            left = np.array([-np.sin(lane.heading[node]), np.cos(lane.heading[node])])
            for bound in (left * lane.left[node], -left * lane.right[node]):
                place = positions(lane)[node] + bound
                assert np.hypot(*(paint - place).T).min() < 0.6


@some_roads
def test_lanes_lie_side_by_side_from_right_to_left(seed: int) -> None:
    lanes = road_of(seed).lanes
    for i, lane in enumerate(lanes):
        assert lane.right_neighbour == (i - 1 if i > 0 else None)
        assert lane.left_neighbour == (i + 1 if i + 1 < len(lanes) else None)
        if i > 0:
            right = positions(lane)[0] - positions(lanes[i - 1])[0]
            normal = np.array([-np.sin(lane.heading[0]), np.cos(lane.heading[0])])
            assert right @ normal == pytest.approx(lane.right[0] + lanes[i - 1].left[0])


def test_the_same_seed_is_the_same_road_whatever_was_made_before() -> None:
    first = procedural_road(17)
    procedural_road(3)
    again = procedural_road(17)
    assert first.name == again.name == "procedural:17"
    for one, other in zip(first.lanes, again.lanes, strict=True):
        assert all(
            getattr(one, name).tobytes() == getattr(other, name).tobytes()
            for name in ("x", "y", "heading", "curvature", "left", "right")
        )
    for strip, same in zip(first.ribbons, again.ribbons, strict=True):
        assert strip.left.tobytes() == same.left.tobytes()
        assert (strip.material, strip.dash, strip.gap) == (same.material, same.dash, same.gap)


def test_other_seeds_are_other_roads() -> None:
    ends = {tuple(np.round(positions(road_of(seed).lanes[0])[-1], 3)) for seed in range(24)}
    assert len(ends) == 24


def test_the_family_is_varied() -> None:
    roads = [procedural_road(seed) for seed in range(120)]
    assert {len(road.lanes) for road in roads} == {1, 2, 3}
    wide = [road for road in roads if (road.lanes[0].left + road.lanes[0].right)[0] > 4.0]
    assert 0.05 < len(wide) / len(roads) < 0.25
    tightest = [1.0 / max(abs(lane.curvature).max() for lane in road.lanes) for road in roads]
    assert min(tightest) < 17.0
    assert max(tightest) > 150.0
    materials = {ribbon.material for road in roads for ribbon in road.ribbons}
    assert materials == set(Material)
    dashes = {(ribbon.dash, ribbon.gap) for road in roads for ribbon in road.ribbons}
    assert {(0.0, 0.0), (3.0, 6.0), (4.0, 8.0), (6.0, 12.0)} <= dashes
    lefts = sum(road.lanes[0].curvature.sum() > 0.0 for road in roads)
    assert 40 <= lefts <= 80


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="must be 0 or more, got -1"):
        procedural_road(-1)


def test_kerbs_are_red_and_no_road_that_has_them_has_yellow_paint() -> None:
    kerbed = [road_of(seed) for seed in range(50) if road_of(seed).kerbs]
    assert kerbed
    for road in kerbed:
        assert build_scene(road).kerbs.all()
        for ribbon in road.ribbons:
            width = np.hypot(*(ribbon.left - ribbon.right).T).mean()
            assert ribbon.material != Material.ACCENT or width == pytest.approx(KERB_WIDTH)
