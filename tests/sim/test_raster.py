"""Coverage is the exact area: against counting samples, against closed forms, on every row."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.sim.compiled import compiled
from redrive.sim.raster import (
    FULL,
    draw_edges,
    make_cells,
    make_edges,
    make_parts,
    ready_edges,
)

HEIGHT, WIDTH = 12, 20
Outline = Sequence[tuple[float, float]]


ROOM, EDGES = make_parts(), make_edges(16)


@compiled
def add_edges(cells, room, edges, count, u, y, layer, width, plane, stride, above, below):  # type: ignore[no-untyped-def]
    listed = ready_edges(
        edges, np.uint64(0), u[:-1], u[1:], y, y, 1, layer, count, np.int32(1), plane, stride, above,
        below, width,
    )  # fmt: skip
    draw_edges(cells, room, edges, listed, width, stride)


def cells_of(outline: Outline, layer: int = 0, top: int = 0) -> np.ndarray:
    """What the edges of one outline leave in the cells of each layer, rows top..HEIGHT."""
    cells = make_cells(HEIGHT - top, WIDTH)
    # Read eight at a time: some more, which are not of the outline.
    corners = np.array([*outline, outline[0], *[(5.0, 5.0), (6.0, 3.0)] * 4], float)
    add_edges(
        cells.reshape(-1),
        ROOM,
        EDGES,
        len(outline),
        corners[:, 0].astype(np.float32),
        np.floor(corners[:, 1] * FULL + 0.5).astype(np.int32),
        np.full(len(corners), layer, np.int32),
        WIDTH,
        np.int32(cells[0].size),
        np.int32(cells.shape[-1]),
        np.int32(top * FULL),
        np.int32(HEIGHT * FULL),
    )
    return cells


def coverage(outline: Outline, layer: int = 0, top: int = 0) -> np.ndarray:
    """(rows, W) the covered share of every pixel."""
    return np.asarray(np.cumsum(cells_of(outline, layer, top)[layer], axis=1)[:, :WIDTH] / FULL)


def sampled(outline: Outline, fine: int = 16) -> np.ndarray:
    """The same by counting the samples for which the outline winds around."""
    u = (np.arange(WIDTH * fine) + 0.5) / fine
    v = (np.arange(HEIGHT * fine) + 0.5) / fine
    winding = np.zeros((len(v), len(u)))
    for (u0, v0), (u1, v1) in zip(outline, [*outline[1:], outline[0]], strict=True):
        if v0 == v1:
            continue
        crosses = (v >= min(v0, v1)) & (v < max(v0, v1))
        at = u0 + (v - v0) * (u1 - u0) / (v1 - v0)
        winding += np.where(crosses[:, None] & (u > at[:, None]), np.sign(v1 - v0), 0.0)
    return np.asarray(winding.reshape(HEIGHT, fine, WIDTH, fine).mean(axis=(1, 3)))


columns = st.floats(-8.0, WIDTH + 8.0, width=32)
rows = st.floats(-4.0, HEIGHT + 4.0, width=32)
outlines = st.lists(st.tuples(columns, rows), min_size=3, max_size=6)


def test_a_rectangle_covers_what_it_covers() -> None:
    covered = coverage([(3.25, 2.5), (3.25, 6.0), (7.5, 6.0), (7.5, 2.5)])
    truth = np.zeros((HEIGHT, WIDTH))
    truth[2:6, 3:8] = [0.75, 1.0, 1.0, 1.0, 0.5]
    truth[2] *= 0.5
    np.testing.assert_allclose(np.abs(covered), truth, atol=1.0 / FULL)


@pytest.mark.parametrize("width", [0.001, 0.01, 0.1, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("lean", [0.0, 0.3, 4.0, 60.0])
def test_a_ribbon_of_any_width_has_its_area(width: float, lean: float) -> None:
    u = 10.0 - 0.5 * lean / HEIGHT * 2.0
    outline = [(u, 5.0), (u + lean / 6.0, 7.0), (u + lean / 6.0 + width, 7.0), (u + width, 5.0)]
    covered = np.abs(coverage(outline))
    # Counted in 1/1024 per pixel and edge.
    touched = 4 * (2 + lean)
    assert covered.sum() == pytest.approx(2.0 * width, abs=touched * 0.5 / FULL)


@given(outlines)
def test_coverage_agrees_with_counting_samples(outline: Outline) -> None:
    # Along an edge, 16 x 16 samples are wrong by up to a row of them per edge.
    difference = np.abs(coverage(outline) - sampled(outline))
    assert difference.max() < len(outline) * 1.2 / 16.0
    assert difference.mean() < 0.01


@given(outlines, st.integers(0, 3))
def test_a_closed_outline_leaves_nothing_to_its_right(outline: Outline, layer: int) -> None:
    inside = [(min(u, WIDTH - 0.5), v) for u, v in outline]
    cells = cells_of(inside, layer)
    np.testing.assert_array_equal(cells.sum(axis=-1), 0)


@given(outlines)
def test_turned_around_an_outline_covers_the_negative(outline: Outline) -> None:
    np.testing.assert_array_equal(cells_of(outline), -cells_of(list(reversed(outline))))


@given(outlines, st.tuples(columns, rows))
def test_edges_that_two_outlines_share_cancel(outline: Outline, extra: tuple[float, float]) -> None:
    # A polygon is the sum of two that share a diagonal, to the last bit.
    whole = cells_of([*outline, extra])
    parts = cells_of(outline) + cells_of([outline[0], outline[-1], extra])
    np.testing.assert_array_equal(whole, parts)


@given(outlines, st.integers(1, HEIGHT - 1))
def test_rows_above_the_first_are_cut_off_and_the_others_the_same(
    outline: Outline, top: int
) -> None:
    np.testing.assert_allclose(
        coverage(outline, top=top), coverage(outline)[top:], atol=2.0 * len(outline) / FULL
    )


@given(outlines, st.integers(0, 3))
def test_layers_do_not_feel_each_other(outline: Outline, layer: int) -> None:
    cells = cells_of(outline, layer)
    np.testing.assert_array_equal(cells[layer], cells_of(outline, 0)[0])
    cells[layer] = 0
    np.testing.assert_array_equal(cells, 0)


def test_what_lies_outside_the_picture_leaves_it_alone() -> None:
    for dx, dy in ((-40.0, 0.0), (40.0, 0.0), (0.0, -30.0), (0.0, 30.0)):
        outline = [(2 + dx, 2 + dy), (9 + dx, 4 + dy), (5 + dx, 9 + dy)]
        np.testing.assert_array_equal(coverage(outline), 0.0)
