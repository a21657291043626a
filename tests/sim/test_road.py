"""The road container refuses what is not a road, and says why."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from redrive.sim.road import Lane, Material, Ribbon, Road

N = 60
RADIUS = 40.0


def arc_lane(turn: float = 1.0, count: int = N) -> Lane:
    """An open lane that bends to the left (turn > 0) or to the right, 4 m wide."""
    curvature = turn / RADIUS
    along = np.arange(count, dtype=float)
    return Lane(
        x=np.sin(curvature * along) / curvature,
        y=(1.0 - np.cos(curvature * along)) / curvature,
        heading=curvature * along,
        curvature=np.full(count, curvature),
        spacing=1.0,
        left=np.full(count, 2.0),
        right=np.full(count, 2.0),
        closed=False,
    )


def circle_lane() -> Lane:
    """A closed lane: N nodes once round, the last one step before the first."""
    angle = 2.0 * np.pi * np.arange(N) / N
    return Lane(
        x=RADIUS * np.cos(angle),
        y=RADIUS * np.sin(angle),
        heading=angle + 0.5 * np.pi,
        curvature=np.full(N, 1.0 / RADIUS),
        spacing=2.0 * np.pi * RADIUS / N,
        left=np.full(N, 2.0),
        right=np.full(N, 2.0),
        closed=True,
    )


def changed(lane: Lane, **fields: Any) -> Lane:
    return replace(lane, **fields)


def strip(count: int = 30) -> Ribbon:
    along = np.arange(count, dtype=float)
    return Ribbon(
        left=np.column_stack([along, np.full(count, 1.0)]),
        right=np.column_stack([along, np.full(count, -1.0)]),
        material=Material.WHITE,
        closed=False,
    )


def test_an_open_lane_is_as_long_as_its_steps_and_a_closed_one_has_one_more() -> None:
    assert arc_lane().length == N - 1.0
    assert circle_lane().length == pytest.approx(2.0 * np.pi * RADIUS)


def test_a_road_is_as_long_as_its_longest_lane() -> None:
    short = arc_lane(count=20)
    assert Road("two", (short, arc_lane()), (), False, 10.0).length == N - 1.0


@pytest.mark.parametrize("name", ["x", "y", "heading", "curvature", "left", "right"])
def test_a_lane_refuses_values_that_are_not_finite(name: str) -> None:
    values = getattr(arc_lane(), name).copy()
    values[7] = np.nan
    with pytest.raises(ValueError, match=rf"lane\.{name} is nan at node 7"):
        changed(arc_lane(), **{name: values})


def test_a_lane_refuses_other_types_and_shapes() -> None:
    lane = arc_lane()
    with pytest.raises(ValueError, match="lane.x must be a 1-d numpy array of float64, got list"):
        changed(lane, x=list(lane.x))
    with pytest.raises(ValueError, match="float64, got float32 of shape"):
        replace(lane, y=lane.y.astype(np.float32))
    with pytest.raises(ValueError, match="lane.left has 59 nodes, lane.x has 60"):
        replace(lane, left=lane.left[:-1])


def test_a_lane_needs_a_few_nodes() -> None:
    one = np.zeros(1)
    with pytest.raises(ValueError, match="an open lane needs at least 2 nodes, got 1"):
        Lane(one, one, one, one, 1.0, one + 1.0, one + 1.0, closed=False)


@pytest.mark.parametrize("spacing", [0.0, -1.0, np.inf, np.nan])
def test_a_lane_refuses_a_spacing_that_is_no_length(spacing: float) -> None:
    with pytest.raises(ValueError, match="spacing must be positive and finite"):
        replace(arc_lane(), spacing=spacing)


@pytest.mark.parametrize("side", ["left", "right"])
def test_both_bounds_lie_beside_the_centre_line(side: str) -> None:
    width = np.full(N, 2.0)
    width[3] = 0.0
    with pytest.raises(ValueError, match=rf"lane\.{side} is 0 m at node 3"):
        changed(arc_lane(), **{side: width})


def test_nodes_lie_as_far_apart_as_the_lane_says() -> None:
    with pytest.raises(ValueError, match="1 m apart, the lane says 2 m"):
        replace(arc_lane(), spacing=2.0)


def test_a_closed_lane_does_not_repeat_its_first_node() -> None:
    lane = circle_lane()
    again = {
        name: np.append(getattr(lane, name), getattr(lane, name)[0])
        for name in ("x", "y", "heading", "curvature", "left", "right")
    }
    with pytest.raises(ValueError, match="last node of a closed lane is one step before the first"):
        changed(lane, **again)


def test_headings_are_radians_along_the_lane_and_do_not_jump() -> None:
    lane = arc_lane()
    with pytest.raises(ValueError, match="headings are radians"):
        replace(lane, heading=lane.heading + np.pi / 2.0)
    wrapped = lane.heading.copy()
    wrapped[30:] -= 2.0 * np.pi
    with pytest.raises(ValueError, match="after node 29; it must be unwrapped"):
        replace(lane, heading=wrapped)


def test_left_turns_have_positive_curvature_and_the_mirror_image_passes_too() -> None:
    assert arc_lane(1.0).y[-1] > 0.0 > arc_lane(-1.0).y[-1]


def test_a_ribbon_knows_its_arc_length() -> None:
    np.testing.assert_allclose(strip().stations, np.arange(30.0))


def test_a_ribbon_refuses_edges_that_do_not_match() -> None:
    with pytest.raises(ValueError, match=r"ribbon.right has shape \(29, 2\)"):
        replace(strip(), right=strip().right[:-1])
    with pytest.raises(ValueError, match="ribbon.left must be a 2-d numpy array"):
        replace(strip(), left=np.zeros(30))
    broken = strip().left.copy()
    broken[4, 1] = np.inf
    with pytest.raises(ValueError, match="ribbon.left is inf at node 4"):
        replace(strip(), left=broken)


@pytest.mark.parametrize(("dash", "gap"), [(3.0, 0.0), (0.0, 3.0), (-1.0, 2.0), (3.0, np.inf)])
def test_a_ribbon_is_solid_or_dashed(dash: float, gap: float) -> None:
    with pytest.raises(ValueError, match="both be positive"):
        replace(strip(), dash=dash, gap=gap)


def test_a_road_needs_a_lane_and_a_speed_limit() -> None:
    with pytest.raises(ValueError, match="road 'bare' has no lane"):
        Road("bare", (), (strip(),), False, 10.0)
    with pytest.raises(ValueError, match="speed_limit must be positive and finite"):
        Road("fast", (arc_lane(),), (), False, np.inf)


def test_a_road_is_closed_when_a_lane_is() -> None:
    assert Road("ring", (circle_lane(),), (), True, 10.0).closed
    with pytest.raises(ValueError, match="road 'ring' says closed=False"):
        Road("ring", (circle_lane(),), (), False, 10.0)
    with pytest.raises(ValueError, match="road 'arc' says closed=True"):
        Road("arc", (arc_lane(),), (), True, 10.0)


def test_links_name_lanes_that_exist_and_agree() -> None:
    lane = arc_lane()
    right, left = replace(lane, left_neighbour=1), replace(lane, right_neighbour=0)
    Road("two", (right, left), (), False, 10.0)
    with pytest.raises(ValueError, match="lane 0 names lane 1, there are lanes 0 to 0"):
        Road("one", (right,), (), False, 10.0)
    with pytest.raises(ValueError, match="but the right neighbour of lane 1 is None"):
        Road("two", (right, lane), (), False, 10.0)
    with pytest.raises(ValueError, match="lane 0 has lane 0 to its left"):
        Road("self", (replace(lane, left_neighbour=0),), (), False, 10.0)


def test_successors_begin_where_lanes_end() -> None:
    lane = arc_lane()
    with pytest.raises(ValueError, match="lane 1 follows lane 0, but begins"):
        Road("gap", (replace(lane, successors=(1,)), lane), (), False, 10.0)
    with pytest.raises(ValueError, match=r"its successors must be \(\)"):
        Road("ring", (replace(circle_lane(), successors=(0,)),), (), True, 10.0)
