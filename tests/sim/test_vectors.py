"""What is written in LLVM's own terms does what plain numpy does."""

import numpy as np
import pytest

from redrive.sim.compiled import compiled
from redrive.sim.vectors import add_four, cut_eight, fill_sixteen, take_row


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
