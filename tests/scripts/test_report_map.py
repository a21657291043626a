"""Roads from above: lines keep their shape, and a road is only drawn where it was driven."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redrive.agents.results import PolicyResult, Results
from redrive.report_course import Course
from redrive.report_map import along_axis, draw_road, find_road, map_of, simplify
from redrive.report_study import Study
from redrive.sim.pool import open_source

from .test_report import episode


def along(road_name: str, beside: float) -> Course:
    """A drive along the first 150 m of a road's first lane, at one distance from its centre."""
    lane = open_source(road_name).road(0).lanes[0]
    normal = np.stack([-np.sin(lane.heading), np.cos(lane.heading)], axis=1)[:150]
    points = np.stack([lane.x, lane.y], axis=1)[:150] + beside * normal
    return Course(
        0.1, {"x": points[:, 0], "y": points[:, 1], "lateral_offset": np.full(150, beside)}
    )


def distances(points: np.ndarray, line: np.ndarray) -> np.ndarray:
    """From each point to the nearest part of a polyline, by dense sampling."""
    dense = np.concatenate([np.linspace(a, b, 200) for a, b in itertools.pairwise(line)])
    return np.hypot(*(points[:, None] - dense[None]).transpose(2, 0, 1)).min(axis=1)


@settings(max_examples=20)
@given(st.floats(5.0, 200.0), st.floats(0.02, 0.5))
def test_a_simpler_line_stays_within_its_distance(radius: float, within: float) -> None:
    angle = np.linspace(0.0, 2.0, 60)
    arc = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    simple = simplify(arc, within)
    assert (simple[0] == arc[0]).all() and (simple[-1] == arc[-1]).all()
    assert len(simple) <= len(arc)
    step = radius * 2.0 / 59 / 200
    assert distances(arc, simple).max() <= within + step


def test_what_is_nearly_straight_is_two_points() -> None:
    line = np.stack([np.arange(50.0), 0.02 * np.sin(np.arange(50.0))], axis=1)
    assert len(simplify(line)) == 2


@given(st.floats(-3.0, 3.0))
def test_a_drive_lies_across_the_picture_from_left_to_right(angle: float) -> None:
    way = np.stack([np.linspace(0.0, 100.0, 40), 3.0 * np.sin(np.linspace(0.0, 6.0, 40))], axis=1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    placed = (way @ turn.T) @ along_axis(way @ turn.T).T
    assert placed[-1, 0] - placed[0, 0] == pytest.approx(100.0, rel=0.01)
    assert np.ptp(placed[:, 1]) < 20.0


def test_a_road_is_drawn_around_the_drive_and_no_farther() -> None:
    road = open_source("procedural:1000001").road(0)
    course = along("procedural:1000001", 0.4)
    drawing = draw_road(road, [course])
    assert drawing is not None and course.points is not None
    assert len(drawing.surfaces) >= 1
    drawn = np.concatenate(drawing.surfaces)
    low, high = course.points.min(axis=0), course.points.max(axis=0)
    assert (drawn > low - 25.0).all() and (drawn < high + 25.0).all()
    assert any(paint.dash > 0.0 for paint in drawing.paints)
    assert {paint.material for paint in drawing.paints} == {"white", "accent"}


def test_a_road_that_is_another_one_is_not_drawn() -> None:
    course = along("procedural:1000001", 0.4)
    assert draw_road(open_source("procedural:1000002").road(0), [course]) is None
    lying = Course(0.1, {**course.columns, "lateral_offset": np.full(150, -1.5)})
    assert draw_road(open_source("procedural:1000001").road(0), [lying]) is None


def test_a_road_is_found_by_its_name_or_not_at_all(tmp_path: Path) -> None:
    policy = PolicyResult("lstm", "r", [episode(0, True, 0.1)])
    study = Study(tmp_path / "results.json", Results("roads", 0, 0.1, [policy]), {"lstm": 1})
    road = find_road(study, "procedural:7")
    assert road is not None and road.name == "procedural:7"
    assert find_road(study, "Monza") is None
    assert find_road(study, str(tmp_path / "gone.csv")) is None


def test_the_map_marks_where_the_bound_was_crossed_and_how_it_ended() -> None:
    course = along("procedural:1000001", 0.4)
    margin = np.full(150, 0.5)
    margin[100:110] = -0.1
    over = Course(0.1, {**course.columns, "margin": margin})
    failed = str(map_of(None, over, 1, True, "a drive"))
    assert failed.count('class="over"') == 1 and '<path class="end"' in failed
    passed = str(map_of(None, course, 1, False, "a drive"))
    assert 'class="over"' not in passed and '<circle class="end"' in passed
