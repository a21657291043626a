"""What is written in LLVM's own terms does what plain numpy does."""

import numpy as np
import pytest

from redrive.sim.compiled import compiled
from redrive.sim.vectors import (
    add_four,
    cut_eight,
    fill_sixteen,
    ready_eight,
    see_eight,
    see_pieces,
    take_row,
)


@compiled
def _take(cells, row, stride, rows, most, shift, shares, room, width):  # type: ignore[no-untyped-def]
    take_row(
        cells, np.uint64(row * stride), np.uint64(rows * stride), np.uint64(stride),
        np.int16(most), np.int16(shift), shares, np.uint64(0), np.uint64(room), np.uint64(width),
    )  # fmt: skip


@compiled
def _add(cells, at, amounts, first):  # type: ignore[no-untyped-def]
    add_four(cells, np.uint64(at), amounts, np.uint64(first))


@compiled
def _fill(image, at, colour):  # type: ignore[no-untyped-def]
    fill_sixteen(image, np.uint64(at), np.uint32(colour))


@compiled
def _cut(x0, x1, tall, row, n, at, start, stop, top, upper, slope, sign):  # type: ignore[no-untyped-def]
    cut_eight(
        x0, x1, tall, row, np.uint64(n), np.int32(at), np.int32(1024), np.int32(start), np.int32(stop),
        np.int32(top), np.float32(upper), np.float32(slope), np.int32(sign), np.int32(70), np.int32(24),
    )  # fmt: skip


@compiled
def _ready(u0, u1, y, layer, k, edges, at):  # type: ignore[no-untyped-def]
    ready_eight(
        u0, u1, y, y, layer, np.uint64(k), np.uint64(k + 1), np.int32(-1), np.int32(500),
        np.int32(50), np.int32(2048), np.int32(10240), np.int32(10), np.float32(40.0),
        edges.reshape(-1), np.uint64(at), np.uint64(edges.shape[1]),
    )  # fmt: skip


@compiled
def _see(circles, group, x0, y0, cos, sin, view):  # type: ignore[no-untyped-def]
    return see_eight(circles.reshape(-1), np.uint64(24 * group), x0, y0, cos, sin, view)


@compiled
def _see_pieces(circles, group, x0, y0, cos, sin, view, blur, slack, levels):  # type: ignore[no-untyped-def]
    return see_pieces(
        circles.reshape(-1), np.uint64(48 * group), x0, y0, cos, sin, view, blur, slack,
        np.float32(1e-5), np.float32(3.0), levels,
    )  # fmt: skip


@pytest.mark.parametrize("width", [1, 7, 8, 9, 33, 96, 97])
def test_a_row_is_summed_cut_off_and_cleared(width: int) -> None:
    rows, stride, room = 5, (width + 23) // 8 * 8, width + 12
    cells = np.zeros((4, rows, stride), np.int16)
    cells[...] = np.random.default_rng(width).integers(-700, 700, cells.shape)
    before = cells.copy()
    shares = np.full((4, room), 9, np.uint16)
    _take(cells.reshape(-1), 3, stride, rows, 1023, 6, shares.reshape(-1), room, width)
    sums = np.cumsum(before[:, 3, :width], axis=1, dtype=np.int16)
    np.testing.assert_array_equal(shares[:, :width], np.clip(sums, 0, 1023).astype(np.int32) * 64)
    np.testing.assert_array_equal(cells[:, 3], 0)
    np.testing.assert_array_equal(np.delete(cells, 3, 1), np.delete(before, 3, 1))


@pytest.mark.parametrize("at", [0, 1, 2, 3, 12])
def test_four_are_added_each_for_itself(at: int) -> None:
    cells = np.arange(16, dtype=np.int16)
    amounts = np.array([5, -1, 30000, -30000, -7, 2], np.int16)
    _add(cells, at, amounts, 1)
    expected = np.arange(16)
    expected[at : at + 4] += amounts[1:5]
    np.testing.assert_array_equal(cells, expected)


def test_sixteen_pixels_get_one_colour() -> None:
    image = np.zeros((3, 60), np.uint8)
    _fill(image, 63, 10 + (20 << 8) + (250 << 16))
    expected = np.zeros(180, np.uint8)
    expected[63 : 63 + 48] = np.tile([10, 20, 250], 16)
    np.testing.assert_array_equal(image.reshape(-1), expected)


@pytest.mark.parametrize("sign", [1, -1])
def test_an_edge_is_cut_at_each_row(sign: int) -> None:
    x0, x1 = np.zeros((2, 20), np.float32)
    tall, row = np.zeros((2, 20), np.int32)
    top, bottom, upper, slope = 700, 5000, 3.0, 0.002
    _cut(x0, x1, tall, row, 2, 0, top, bottom, top, upper, slope, sign)
    edges = np.clip(np.arange(6) * 1024, top, bottom)
    np.testing.assert_allclose(x0[2:7], upper + slope * (edges[:-1] - top), rtol=1e-6)
    np.testing.assert_allclose(x1[2:7], upper + slope * (edges[1:] - top), rtol=1e-6)
    np.testing.assert_array_equal(tall[2:7], sign * np.diff(edges))
    np.testing.assert_array_equal(row[2:10], 70 + 24 * np.arange(8))
    for array in (x0, x1, tall, row):
        np.testing.assert_array_equal(np.delete(array, np.arange(2, 10)), 0)


def test_edges_are_written_down_as_one_by_one() -> None:
    rng = np.random.default_rng(0)
    u = rng.uniform(-20.0, 60.0, 40).astype(np.float32)
    y = rng.integers(0, 12000, 40).astype(np.int32)
    layer = rng.integers(-1, 4, 40).astype(np.int32)
    edges = np.full((9, 50), 7, np.int32)
    for k in range(0, 32, 8):
        _ready(u[:-1], u[1:], y, layer, k, edges, k + 3)
    for k in range(32):
        down = y[k] < y[k + 1]
        (top, bottom), columns = sorted(y[k : k + 2]), u[k : k + 2][:: 1 if down else -1]
        start, stop = max(top, 2048), min(bottom, 10240)
        first = start // 1024 * 1024
        seen = layer[k] >= 0 and start < stop and columns.min() < 40.0
        found = edges[:, k + 3]
        assert (*found[:4], found[6]) == (first, start, stop, top, -1 if down else 1)
        begin = layer[k] * 500 + (first - 2048) // 1024 * 50
        assert tuple(found[7:]) == (begin, -(-(stop - first) // 1024) if seen else 0)
        upper, slope = found[4:6].copy().view(np.float32)
        assert upper == columns[0]
        assert slope == pytest.approx((columns[1] - columns[0]) / (bottom - top), rel=1e-6)
    np.testing.assert_array_equal(np.delete(edges, np.arange(3, 35), 1), 7)


def some_circles(names: int) -> tuple[np.ndarray, np.ndarray]:
    """(3, names, 8) of circles around a camera at the origin, and which it sees."""
    circles = np.random.default_rng(1).uniform(-60.0, 60.0, (3, names, 8)).astype(np.float32)
    circles[:, 2] = np.abs(circles[:, 2]) / 6.0
    x, y, radius = circles[:, 0], circles[:, 1], circles[:, 2]
    aside = (x - np.abs(y)) / np.sqrt(2.0) >= -radius - 1.5
    return circles, (x + radius >= 2.0) & (x - radius <= 50.0) & aside


EDGE, NORM = np.float32(1.0), np.float32(np.sqrt(0.5))
VIEW = (np.float32(2.0), np.float32(50.0), EDGE, NORM, EDGE, NORM, np.float32(1.5))
HERE = (np.float32(0.0), np.float32(0.0), np.float32(1.0), np.float32(0.0))  # x, y, cos, sin


def test_circles_in_view_are_seen_and_others_not() -> None:
    circles, expected = some_circles(3)
    assert 0 < expected.sum() < expected.size
    for group in range(3):
        seen = _see(circles, group, *HERE, VIEW)
        assert [bool(seen >> j & 1) for j in range(8)] == expected[group].tolist()


def test_pieces_are_shown_between_their_distances_and_as_coarsely_as_they_may_be() -> None:
    circles, expected = some_circles(6)
    square = circles[:, 0] ** 2 + circles[:, 1] ** 2
    circles[:, 3] = np.where(circles[:, 3] > 0.0, -1.0, 300.0)
    circles[:, 4] = np.where(circles[:, 4] > -30.0, np.inf, 500.0)
    circles[:, 5] = np.abs(circles[:, 5]) ** 3 * 1e-6
    expected &= (square > 2.0 * circles[:, 3]) & (square <= 2.0 * circles[:, 4])
    close = np.maximum(np.sqrt(square) - circles[:, 2], 3.0)
    coarse = 1.6 * close / (48.0 * np.maximum(circles[:, 5], 1e-5))
    levels, slack = np.zeros(8, np.int32), (np.float32(1.6), np.float32(48.0))
    for group in range(3):
        seen = _see_pieces(circles, group, *HERE, VIEW, np.float32(2.0), slack, levels)
        assert [bool(seen >> j & 1) for j in range(8)] == expected[group].tolist()
        wanted = [min(sum(4.0**k < room for k in range(1, 9)), 6) for room in coarse[group]]
        assert levels.tolist() == wanted
