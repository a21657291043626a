"""Corridors with forks and roads with stop signs: what a world string names, and how they lie."""

import numpy as np
import pytest

from redrive.sim.glyphs import DISTRACTORS, Glyph
from redrive.sim.road import Material
from redrive.sim.roads.source import RoadSource
from redrive.sim.roads.task_roads import SPEED, START_AT, STEP, Fork, Stop, parse_built


@pytest.mark.parametrize("branches", [2, 3])
def test_branches_begin_where_the_corridor_ends_and_part(branches: int) -> None:
    road = Fork(delay=16, branches=branches, seed=3).make()
    corridor, *others = road.lanes
    assert corridor.successors == tuple(range(1, branches + 1)) and len(others) == branches
    assert np.abs(corridor.curvature).max() == 0.0
    for lane in others:
        assert np.hypot(lane.x[0] - corridor.x[-1], lane.y[0] - corridor.y[-1]) < 1e-9
        assert lane.heading[0] == corridor.heading[-1] and lane.curvature[0] == 0.0
    ends = [lane.y[-1] for lane in others]
    assert (np.diff(ends) < -4.0).all()  # the leftmost first, and all of them apart
    np.testing.assert_allclose(ends, -np.array(ends)[::-1], atol=1e-9)


def test_the_delay_is_the_way_from_the_sign_s_last_step_to_the_fork() -> None:
    for delay in (4, 32, 256):
        corridor = Fork(delay=delay).make().lanes[0].length
        last_shown = START_AT + SPEED * STEP * 2
        steps = (corridor - last_shown) / (SPEED * STEP)
        assert np.ceil(steps) == delay and steps < delay - 0.4


def test_no_line_is_painted_across_another_branch() -> None:
    for branches in (2, 3):
        road = Fork(delay=8, branches=branches, seed=1).make()
        half = 0.5 * float(road.lanes[0].left[0] + road.lanes[0].right[0])
        begin = road.lanes[0].length
        for ribbon in road.ribbons:
            if ribbon.material != Material.WHITE:
                continue
            middle = 0.5 * (ribbon.left + ribbon.right)
            for lane in road.lanes[1:]:
                away = np.hypot(middle[:, :1] - lane.x, middle[:, 1:] - lane.y)
                close = away.min(axis=1) < half - 0.3
                assert not (close & (middle[:, 0] > begin + 1.0)).any()


def test_the_first_board_shows_the_route_and_the_others_are_for_somebody_else() -> None:
    road = Fork(delay=64, boards=5, seed=2).make()
    shown, *others = road.signs
    assert shown.shows_route and len(others) == 5
    assert all(sign.glyph in DISTRACTORS and not sign.shows_route for sign in others)
    for sign in road.signs:
        assert abs(sign.y) - 0.5 * sign.width > float(road.lanes[0].left.max())


def test_a_stop_line_is_painted_where_the_lane_says_and_the_sign_stands_beside_it() -> None:
    for seed in range(8):
        road = Stop(seed=seed).make()
        stop = road.lanes[0].stop
        assert stop is not None and 35.0 <= stop - START_AT <= 60.0
        signs = [sign for sign in road.signs if sign.glyph == Glyph.STOP]
        assert len(signs) == 1 and abs(signs[0].x - stop) < 1.0 and signs[0].y < 0.0
        assert any(r.left[0, 0] == stop for r in road.ribbons if r.material == Material.WHITE)


def test_a_seed_makes_the_same_road_and_another_one_another() -> None:
    one, same, other = (Fork(boards=3, seed=seed).make() for seed in (5, 5, 6))
    assert one.signs == same.signs and one.signs != other.signs
    np.testing.assert_array_equal(one.ribbons[1].left, same.ribbons[1].left)


def test_a_world_string_names_every_combination_with_every_seed() -> None:
    source = RoadSource("fork:delay=4+16,branches=3,seeds=10-13")
    names = [source.name(i) for i in range(source.count)]
    assert names[0] == "fork:delay=4,branches=3,boards=0,seed=10"
    assert names[-1] == "fork:delay=16,branches=3,boards=0,seed=12"
    assert len(set(names)) == source.count == 6
    assert all(source.road(i).name == name for i, name in enumerate(names))
    assert RoadSource(names[-1]).name(0) == names[-1]  # a road's name is a world of its own
    assert RoadSource("fork").count == RoadSource("stop").count == 1000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fork:delai=4", "'delai=4' is no setting of fork; there are delay=32"),
        ("fork:delay=0", "delay is 1 to 2000 steps of 0.1 s, got 0"),
        ("fork:delay=4+0", "delay is 1 to 2000 steps of 0.1 s, got 0"),
        ("fork:branches=5", "branches is 2 or 3, got 5"),
        ("stop:boards=99", "boards is 0 to 50, got 99"),
        ("stop:seeds=5-5", "has no road"),
        ("forc:delay=4", "did you mean 'fork:delay=4'"),
    ],
)
def test_what_names_no_road_is_told(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RoadSource(text)


def test_roads_of_a_family_are_not_made_before_they_are_asked_for() -> None:
    family = parse_built("fork:delay=4+8,seeds=0-1000000")
    assert len(family) == 2_000_000 and family[1_999_999] == Fork(8, 2, 0, 999_999)
