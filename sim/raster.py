"""Exact area coverage of polygons on a pixel grid.

Every edge of a closed outline adds, in each row that it crosses, the area to its right; a running
sum along the row then gives the covered share of every pixel. Nothing is sampled, so a marking
that is a tenth of a pixel wide covers a tenth of a pixel, and no line ever flickers. Coverage is
counted in whole 1/1024ths and edges are always cut from top to bottom, so edges shared by two
outlines cancel exactly, and four materials fit side by side in one 64-bit cell.

Edges are first cut into parts, one per row, then all parts are measured together (the compiler
makes vectors of that), then added to the cells.

Source: the signed-area accumulation of FreeType's and font-rs's glyph rasterisers.
"""

from typing import NamedTuple

import numpy as np

from .compiled import compiled, inlined

ROW_BITS = 10
FULL = 1 << ROW_BITS  # coverage of a whole pixel; also the heights of vertices are 1/1024 rows
LAYERS = 4
LAYER_BITS = 16  # of a cell, per material
SPARE = 16  # cells to the right of a row, written and never read
SMALLEST_EDGE = 1e-6  # [px]

_BATCH = 256  # parts that are measured together; they stay in the nearest cache
_MAX_ROWS = 4096
_BLOCK = 8  # cells of a wide part that are added together

_F = np.float32
_I = np.int32
_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_TWO, _THREE = np.float32(2.0), np.float32(3.0)


class Parts(NamedTuple):
    """Scratch: edges cut at the rows of the picture."""

    x0: np.ndarray  # float32, column where it enters the row [px]
    x1: np.ndarray  # float32, where it leaves [px]
    y: np.ndarray  # int32, its upper end below the first row [1/1024 px]
    tall: np.ndarray  # int32, its height, negative where the edge goes up [1/1024 px]
    edge: np.ndarray  # int32, whose part it is
    cell: np.ndarray  # int32, where it begins
    wide: np.ndarray  # int32, 1 where it does not fit into three pixels
    first: np.ndarray  # int32, coverage of its first pixel [1/1024]
    second: np.ndarray  # int32, of the one to the right of it
    third: np.ndarray  # int32


def make_parts() -> Parts:
    """Room for the parts of a batch of edges."""
    x0, x1, *others = scratch_rows(len(Parts._fields), _BATCH + _MAX_ROWS + 2)
    return Parts(x0.view(np.float32), x1.view(np.float32), *others)


def scratch_rows(count: int, room: int) -> np.ndarray:
    """(count, at least `room`) int32, for arrays that are written side by side.

    Their rows begin at different places of a memory page: processors take addresses that differ
    by whole pages for the same one at first, and such kernels then run at half their speed.
    """
    return np.empty((count, room + (112 - room) % 1024), np.int32)


@inlined
def _measure(parts, count, width, stride):  # type: ignore[no-untyped-def]
    """Coverage that each part begins: of its first pixel and the two to the right of it."""
    x0, x1, y, tall, cell, wide = parts.x0, parts.x1, parts.y, parts.tall, parts.cell, parts.wide
    first, second, third = parts.first, parts.second, parts.third
    edge = _F(width)
    for k in range(np.uint64(count)):  # vectorised by the compiler: keep it free of branches
        left, right = min(x0[k], x1[k]), max(x0[k], x1[k])
        crosses = ((left < _ZERO) & (right > _ZERO)) | ((left < edge) & (right > edge))
        left, right = min(max(left, _ZERO), edge), min(max(right, _ZERO), edge)
        column = _I(left)
        left -= _F(column)
        right -= _F(column)
        wide[k] = _I(crosses | (right > _THREE))
        cell[k] = _I(_I(y[k] >> _I(ROW_BITS)) * _I(stride) + column)
        # Of a pixel that the edge crosses from side to side it leaves a triangle; what lies
        # beyond is covered as high as the part is.
        high = _F(abs(tall[k]))
        rate = _HALF * high / max(right - left, _F(SMALLEST_EDGE))
        until = min(right, _ONE)
        one = _I((until - left) * (until - left) * rate + high * (_ONE - until) + _HALF)
        until = min(right, _TWO)
        two = _I((until - left) * (until - left) * rate + high * (_TWO - until) + _HALF)
        three = _I(high * (_THREE - _HALF * (left + right)) + _HALF)
        first[k] = one
        second[k] = _I(two - one)
        third[k] = _I(three - two)


@inlined
def _add_wide(cells, start, x0, x1, tall, unit, width):  # type: ignore[no-untyped-def]
    """Add one part of any width to the row of cells that begins at `start`."""
    left, right = min(x0, x1), max(x0, x1)
    run = right - left
    high = _F(tall)
    rate = _HALF * high / run
    inside = max(-left, _ZERO)  # what lies left of the picture is not counted
    column = _I(max(left, _ZERO))
    stop = _I(min(right, _F(width)))
    while column <= _I(stop + _I(1)):
        begin = _F(column) - left
        at = np.uint64(start) + np.uint64(column)
        for j in range(np.uint64(_BLOCK)):  # vectorised
            # From the left edge of the pixel before to the right edge of this one.
            b = begin + _F(_I(j))
            a, c = b - _ONE, b + _ONE
            p = min(max(a, inside), run)
            q = min(max(b, inside), run)
            r = min(max(c, inside), run)
            beyond = max(b - run, _ZERO)
            here = (r - q) * (r + q) * rate + high * (max(c - run, _ZERO) - beyond)
            before = (q - p) * (q + p) * rate + high * (beyond - max(a - run, _ZERO))
            cells[at + np.uint64(j)] += unit * np.int64(_I(_I(here + _HALF) - _I(before + _HALF)))
        column = _I(column + _I(_BLOCK))


@inlined
def _add(cells, parts, unit, count, width, stride):  # type: ignore[no-untyped-def]
    """Add parts to the cells."""
    x0, x1, y, tall, edge = parts.x0, parts.x1, parts.y, parts.tall, parts.edge
    cell, wide = parts.cell, parts.wide
    first, second, third = parts.first, parts.second, parts.third
    for k in range(np.uint64(count)):
        high = tall[k]
        amount = unit[np.uint32(edge[k])]
        if high < 0:
            high, amount = _I(-high), -amount
        if wide[k] != 0:
            start = _I(_I(y[k] >> _I(ROW_BITS)) * _I(stride))
            _add_wide(cells, start, x0[k], x1[k], high, amount, width)
            continue
        at = np.uint32(cell[k])
        cells[at] += amount * np.int64(first[k])
        cells[at + np.uint32(1)] += amount * np.int64(_I(second[k] - first[k]))
        cells[at + np.uint32(2)] += amount * np.int64(_I(third[k] - second[k]))
        cells[at + np.uint32(3)] += amount * np.int64(_I(high - third[k]))


@compiled
def add_edges(cells, parts, u0, u1, y, unit, count, width, first, last):  # type: ignore[no-untyped-def]
    """Add edges of closed outlines to `cells`.

    Args:
        cells: (rows * (width + SPARE),) int64; its row 0 is image row `first` / 1024.
        parts: scratch.
        u0, u1: (count,) float32, columns where each edge begins and ends [px].
        y: (count + 1,) int32 [1/1024 px]; edge k goes from row y[k] to y[k + 1]. Whole numbers, so
            that the parts of an outline add up to nothing.
        unit: (count,) int64, 1 << (16 * layer) for each edge, negative to turn the outline around;
            0 where there is none.
        width: columns of the picture; first, last: its rows [1/1024 px].
    """
    x0, x1, part_y, tall, edges = parts.x0, parts.x1, parts.y, parts.tall, parts.edge
    stride = width + SPARE
    above, below = _I(first), _I(last)
    right = _F(width)
    one = np.uint64(1)
    n = np.uint64(0)
    for k in range(np.uint64(count)):
        ya, yb = y[k], y[k + one]
        ua, ub = u0[k], u1[k]
        top, bottom = min(ya, yb), max(ya, yb)
        if (
            (unit[k] == 0)
            | (top == bottom)
            | (bottom <= above)
            | (top >= below)
            | (min(ua, ub) >= right)
        ):
            continue
        down = ya < yb
        upper, lower = (ua, ub) if down else (ub, ua)
        slope = (lower - upper) / _F(bottom - top)
        at, stop = max(top, above), min(bottom, below)
        x = upper + slope * _F(at - top)
        while at < stop:
            until = min(_I(((at >> _I(ROW_BITS)) + _I(1)) << _I(ROW_BITS)), stop)
            x0[n] = x
            x = upper + slope * _F(until - top)
            x1[n] = x
            part_y[n] = at - above
            tall[n] = until - at if down else at - until
            edges[n] = k
            n += one
            at = until
        if n >= np.uint64(_BATCH):
            _measure(parts, n, width, stride)
            _add(cells, parts, unit, n, width, stride)
            n = np.uint64(0)
    _measure(parts, n, width, stride)
    _add(cells, parts, unit, n, width, stride)
