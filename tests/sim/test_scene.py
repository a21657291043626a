"""What is listed for drawing is what the road has, and each piece lies in its circle."""

import numpy as np
import pytest

from redrive.sim.road import Lane, Material, Ribbon, Road
from redrive.sim.roads.source import RoadSource
from redrive.sim.scene import (
    CIRCLE,
    COARSEST,
    LEVEL_BEGINS,
    PIECE_CIRCLE,
    Scene,
    build_scene,
    of_eights,
    points_of_level,
)


def straight(length: int = 101, width: float = 0.2, dash: float = 0.0, gap: float = 0.0) -> Ribbon:
    along = np.arange(float(length))
    left = np.column_stack([along, np.full(length, 0.5 * width)])
    return Ribbon(left, left * [1.0, -1.0], Material.WHITE, closed=False, dash=dash, gap=gap)


def road_of(*ribbons: Ribbon) -> Road:
    nodes = np.arange(101.0)
    zero = np.zeros(101)
    lane = Lane(nodes, zero, zero, zero, 1.0, zero + 2.0, zero + 2.0, closed=False)
    return Road("hand-made", (lane,), ribbons, closed=False, speed_limit=20.0)


def finest(scene: Scene, piece: np.void) -> np.ndarray:
    """(steps + 1, 4) the points of a piece."""
    first = piece["first"] + LEVEL_BEGINS[piece["steps"], 0]
    return scene.points[first : first + piece["steps"] + 1].astype(float)


def area(scene: Scene, metres: float) -> float:
    """Of the pieces that are shown at a distance [m²], by the shoelace formula; blur is 1."""
    total, circles = 0.0, of_eights(scene.circles, PIECE_CIRCLE)
    shown = (circles["beyond"] < metres**2) & (circles["until"] >= metres**2)
    for piece in scene.pieces[shown & (scene.pieces["steps"] > 0)]:
        part = finest(scene, piece)
        outline = np.concatenate([part[:, :2], part[::-1, 2:]])
        x, y = outline.T
        total += 0.5 * abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
    return total


def test_a_solid_line_keeps_its_area() -> None:
    assert area(build_scene(road_of(straight())), 1.0) == pytest.approx(100.0 * 0.2)


def test_dashes_cover_their_share_and_the_far_form_as_much() -> None:
    scene = build_scene(road_of(straight(dash=3.0, gap=6.0)))
    dashes = np.ceil((100.0 - 3.0) / 9.0)
    assert area(scene, 1.0) == pytest.approx(dashes * 3.0 * 0.2, rel=1e-5)
    assert area(scene, 50.0) == pytest.approx(100.0 * 0.2 / 3.0, rel=1e-5)


def test_a_closed_ribbon_comes_back_to_its_start() -> None:
    angle = 2.0 * np.pi * np.arange(100) / 100
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    ring = Ribbon(19.0 * circle, 20.0 * circle, Material.ASPHALT, closed=True)
    scene = build_scene(road_of(ring))
    share = 50.0 / np.pi * np.sin(np.pi / 50.0)  # of a circle, in a polygon of 100 corners
    assert area(scene, 1.0) == pytest.approx(np.pi * (400.0 - 361.0) * share, rel=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_pieces_and_blocks_lie_in_their_circles(seed: int) -> None:
    scene = build_scene(RoadSource("procedural").road(seed))
    circles, areas = of_eights(scene.circles, PIECE_CIRCLE), of_eights(scene.areas, CIRCLE)
    listed: list[int] = []
    for b, block in enumerate(scene.blocks):
        inside = range(block["first"], block["first"] + block["count"])
        listed += inside
        for p in inside:
            corners = finest(scene, scene.pieces[p]).reshape(-1, 2)
            for among, k in ((circles, p), (areas, b)):
                away = np.hypot(*(corners - [among["x"][k], among["y"][k]]).T)
                assert away.max() <= among["radius"][k] + 1e-2
    np.testing.assert_array_equal(listed, np.flatnonzero(scene.pieces["steps"]))


def test_what_only_fills_up_an_eight_is_never_seen() -> None:
    scene = build_scene(RoadSource("procedural").road(0))
    circles, areas = of_eights(scene.circles, PIECE_CIRCLE), of_eights(scene.areas, CIRCLE)
    np.testing.assert_array_equal(circles["radius"] == -np.inf, scene.pieces["steps"] == 0)
    np.testing.assert_array_equal(areas["radius"] == -np.inf, scene.blocks["count"] == 0)


def test_every_level_has_its_share_of_the_points_and_both_ends() -> None:
    scene = build_scene(road_of(straight(108, dash=0.0), straight(dash=5.0, gap=5.0)))
    for piece in scene.pieces[scene.pieces["steps"] > 0]:
        steps, fine = piece["steps"], finest(scene, piece)
        for level in range(COARSEST[steps] + 1):
            which = points_of_level(steps, level)
            first = piece["first"] + LEVEL_BEGINS[steps, level]
            np.testing.assert_array_equal(scene.points[first : first + len(which)], fine[which])
        assert (which[0], which[-1], len(which)) == (0, steps, 2)


def test_a_straight_does_not_bend_and_a_circle_bends_by_its_radius() -> None:
    assert build_scene(road_of(straight())).circles[:, -1].max() < 1e-6
    angle = np.arange(60) / 40.0
    arc = np.column_stack([np.sin(angle), 1.0 - np.cos(angle)])
    bent = Ribbon(39.9 * arc, 40.1 * arc, Material.WHITE, closed=False)
    scene = build_scene(road_of(bent))
    bends = of_eights(scene.circles, PIECE_CIRCLE)["bend"][scene.pieces["steps"] > 0]
    np.testing.assert_allclose(bends, 1.0 / 40.0, rtol=1e-2)


def test_a_road_without_ribbons_has_nothing_to_draw() -> None:
    scene = build_scene(road_of())
    assert len(scene.pieces) == len(scene.blocks) == 0
    np.testing.assert_array_equal(scene.first_block, [0, 0])
