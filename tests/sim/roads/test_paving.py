"""Strips lie where they are laid, and do not fold over."""

import numpy as np
import pytest

from redrive.sim.road import Material
from redrive.sim.roads.paving import KERB_RADIUS, KERB_RUN, KERB_WIDTH, Paver

RADIUS = 30.0


def circle(turn: float = 1.0, radius: float = RADIUS) -> Paver:
    """Once round the origin, to the left (turn 1) or to the right (turn -1)."""
    count = round(2.0 * np.pi * radius)
    angle = turn * 2.0 * np.pi * np.arange(count) / count
    return Paver(
        radius * np.cos(angle),
        radius * np.sin(angle),
        angle + turn * 0.5 * np.pi,
        np.full(count, turn / radius),
        closed=True,
    )


def straight_with_bend(radius: float) -> tuple[Paver, np.ndarray]:
    """100 m straight, a quarter circle to the right, 100 m straight; and where it bends."""
    bend = np.zeros(200 + round(0.5 * np.pi * radius), dtype=bool)
    bend[100:-100] = True
    curvature = np.where(bend, -1.0 / radius, 0.0)
    heading = np.cumsum(curvature)
    return Paver(
        np.cumsum(np.cos(heading)), np.cumsum(np.sin(heading)), heading, curvature, closed=False
    ), bend


def distances(points: np.ndarray) -> np.ndarray:
    return np.hypot(points[:, 0], points[:, 1])


def test_left_is_towards_the_centre_of_a_left_turn() -> None:
    ribbon = circle(1.0).strip(2.0, -1.0, Material.ASPHALT)
    np.testing.assert_allclose(distances(ribbon.left), RADIUS - 2.0)
    np.testing.assert_allclose(distances(ribbon.right), RADIUS + 1.0)
    mirrored = circle(-1.0).strip(2.0, -1.0, Material.ASPHALT)
    np.testing.assert_allclose(distances(mirrored.left), RADIUS + 2.0)


def test_a_line_is_as_wide_as_asked_and_keeps_its_dashes() -> None:
    ribbon = circle().line(3.0, 0.2, Material.WHITE, 3.0, 6.0)
    np.testing.assert_allclose(distances(ribbon.right - ribbon.left), 0.2)
    assert (ribbon.dash, ribbon.gap, ribbon.closed) == (3.0, 6.0, True)


@pytest.mark.parametrize("turn", [1.0, -1.0])
def test_a_strip_wider_than_the_radius_stops_short_of_the_centre(turn: float) -> None:
    ribbon = circle(turn, radius=6.0).strip(9.0, -9.0, Material.ASPHALT)
    inner, outer = (ribbon.left, ribbon.right) if turn > 0.0 else (ribbon.right, ribbon.left)
    assert 0.0 < distances(inner).max() < 0.2
    np.testing.assert_allclose(distances(outer), 15.0)


def test_a_tight_bend_has_a_kerb_on_its_inside_only() -> None:
    paver, bend = straight_with_bend(0.5 * KERB_RADIUS)
    accent, white = paver.kerbs(4.0, -5.0)
    assert (accent.material, white.material) == (Material.ACCENT, Material.WHITE)
    assert accent.dash == 0.0 < white.dash
    assert len(accent.left) == bend.sum() + 2 * KERB_RUN
    where = slice(100 - KERB_RUN, len(bend) - 100 + KERB_RUN)
    np.testing.assert_allclose(accent.left, paver.strip(0.0, -5.0, Material.WHITE).right[where])
    np.testing.assert_allclose(distances(accent.left - accent.right), KERB_WIDTH)


def test_a_wide_bend_has_no_kerb() -> None:
    paver, _ = straight_with_bend(1.5 * KERB_RADIUS)
    assert paver.kerbs(4.0, -5.0) == []


@pytest.mark.parametrize("first", [0, 60, 120, 230])
def test_a_kerb_is_one_piece_wherever_a_circuit_begins(first: int) -> None:
    """Two straights of 80 m and two half circles; the start may lie in a bend."""
    radius, straight = 25.0, 80
    half = round(np.pi * radius)
    curvature = np.tile(np.r_[np.zeros(straight), np.full(half, np.pi / half)], 2)
    heading = np.cumsum(curvature)
    x, y, heading, curvature = (
        np.roll(column, -first)
        for column in (np.cumsum(np.cos(heading)), np.cumsum(np.sin(heading)), heading, curvature)
    )
    kerbs = Paver(x, y, heading, curvature, closed=True).kerbs(4.0, -4.0)
    assert [kerb.material for kerb in kerbs] == [Material.ACCENT, Material.WHITE] * 2
    assert all(len(kerb.left) == half + 2 * KERB_RUN for kerb in kerbs)
    assert all(distances(np.diff(kerb.left, axis=0)).max() < 1.1 for kerb in kerbs)
