"""Exact area coverage of polygons on a pixel grid.

Every edge of a closed outline adds, in each row that it crosses, the area to its right; a running
sum along the row then gives the covered share of every pixel. Nothing is sampled, so a marking
that is a tenth of a pixel wide covers a tenth of a pixel, and no line ever flickers. Coverage is
counted in whole 1/1024ths and edges are always cut from top to bottom, so edges shared by two
outlines cancel exactly. Each material has a layer of 16-bit cells of its own.

Edges are first written down, eight at a time, then cut into parts, one per row, then all parts are
measured together (the compiler makes vectors of it), then added to the cells, four at a time.

Source: the signed-area accumulation of FreeType's and font-rs's glyph rasterisers.
"""

from typing import NamedTuple

import numpy as np

from .compiled import uncounted, uncounted_inlined
from .vectors import add_four, cut_eight, ready_eight

ROW_BITS = 10
FULL = 1 << ROW_BITS  # coverage of a whole pixel; also the heights of vertices are 1/1024 rows
LAYERS = 4
SPARE = 16  # cells to the right of a row at least; what is written there is never read
SMALLEST_EDGE = 1e-6  # [px]

_BATCH = 256  # parts that are measured together; they stay in the nearest cache
_MAX_ROWS = 4096
_ROWS = 8  # into which an edge is cut together
_BLOCK = 8  # cells of a wide part that are added together

_F = np.float32
_I = np.int32
_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_TWO, _THREE = np.float32(2.0), np.float32(3.0)


class Parts(NamedTuple):
    """Scratch: edges cut at the rows of the picture."""

    x0: np.ndarray  # float32, column where it enters the row [px]
    x1: np.ndarray  # float32, where it leaves [px]
    tall: np.ndarray  # int32, its height, negative where the edge goes up [1/1024 px]
    row: np.ndarray  # int32, the first cell of its row in its layer
    cell: np.ndarray  # int32, the cell where it begins
    wide: np.ndarray  # int32, 1 where it does not fit into three pixels
    rest: np.ndarray  # int32, the parts that do not
    amounts: np.ndarray  # (2 parts,) int32: four int16 for each part, what it adds to four cells


def make_parts() -> np.ndarray:
    """Room for the parts of a batch of edges: `parts_in` shows what lies where."""
    return scratch_rows(len(Parts._fields) + 1, _BATCH + _MAX_ROWS + _ROWS)


@uncounted_inlined
def parts_in(room):  # type: ignore[no-untyped-def]
    """The `Parts` in what `make_parts` has made; one array is quicker to hand over than eight."""
    real = np.float32
    return Parts(
        room[0].view(real), room[1].view(real), room[2], room[3], room[4], room[5], room[6],
        room[7:9].reshape(-1),
    )  # fmt: skip


def make_edges(most: int) -> np.ndarray:
    """Room for `most` edges, or a few more, as `ready_edges` writes them down."""
    return scratch_rows(9, most + _ROWS)


def make_cells(rows: int, width: int) -> np.ndarray:
    """(LAYERS, rows, at least width + SPARE) int16, zero."""
    stride = -(-(width + SPARE) // _BLOCK) * _BLOCK
    return np.zeros((LAYERS, rows, stride), np.int16)


def scratch_rows(count: int, room: int) -> np.ndarray:
    """(count, at least `room`) int32, for arrays that are written side by side.

    Their rows begin at different places of a memory page: processors take addresses that differ
    by whole pages for the same one at first, and such kernels then run at half their speed.
    """
    return np.empty((count, room + (112 - room) % 1024), np.int32)


@uncounted_inlined
def _measure(parts, count, width):  # type: ignore[no-untyped-def]
    """What each part adds to the cell where it begins and to the three to the right of it."""
    x0, x1, tall, row = parts.x0, parts.x1, parts.tall, parts.row
    cell, wide, amounts = parts.cell, parts.wide, parts.amounts
    edge, low = _F(width), _I(0xFFFF)
    two_each = np.uint64(2)
    for k in range(np.uint64(count)):  # vectorised by the compiler: keep it free of branches
        left, right = min(x0[k], x1[k]), max(x0[k], x1[k])
        crosses = ((left < _ZERO) & (right > _ZERO)) | ((left < edge) & (right > edge))
        left, right = min(max(left, _ZERO), edge), min(max(right, _ZERO), edge)
        column = _I(left)
        left -= _F(column)
        right -= _F(column)
        narrow = _I(~(crosses | (right > _THREE)))
        wide[k] = _I(_I(1) - narrow)
        cell[k] = _I(row[k] + column)
        # Of a pixel that the edge crosses from side to side it leaves a triangle; what lies
        # beyond is covered as high as the part is.
        height = tall[k]
        high = _F(abs(height))
        rate = _HALF * high / max(right - left, _F(SMALLEST_EDGE))
        until = min(right, _ONE)
        one = _I((until - left) * (until - left) * rate + high * (_ONE - until) + _HALF)
        until = min(right, _TWO)
        two = _I((until - left) * (until - left) * rate + high * (_TWO - until) + _HALF)
        three = _I(high * (_THREE - _HALF * (left + right)) + _HALF)
        three, two = _I(three - two), _I(two - one)
        sign = narrow if height > 0 else _I(-narrow)
        first, second = _I(one * sign), _I(_I(two - one) * sign)
        third, fourth = _I(_I(three - two) * sign), _I(_I(_I(abs(height)) - three) * sign)
        amounts[two_each * k] = _I(_I(first & low) | _I(second << _I(16)))
        amounts[two_each * k + np.uint64(1)] = _I(_I(third & low) | _I(fourth << _I(16)))


@uncounted_inlined
def _add_wide(cells, start, x0, x1, tall, width):  # type: ignore[no-untyped-def]
    """Add one part of any width to the row of cells that begins at `start`."""
    left, right = min(x0, x1), max(x0, x1)
    run = right - left
    high = _F(abs(tall))
    sign = _I(1) if tall > 0 else _I(-1)
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
            cells[at + np.uint64(j)] += np.int16(sign * _I(_I(here + _HALF) - _I(before + _HALF)))
        column = _I(column + _I(_BLOCK))


@uncounted_inlined
def _add(cells, parts, count, width):  # type: ignore[no-untyped-def]
    """Add parts to the cells."""
    cell, wide, rest = parts.cell, parts.wide, parts.rest
    amounts = parts.amounts.view(np.int16)
    four, others = np.uint64(4), np.uint64(0)
    for k in range(np.uint64(count)):
        add_four(cells, np.uint64(np.uint32(cell[k])), amounts, four * k)
        rest[others] = _I(k)
        others += np.uint64(np.uint32(wide[k]))
    x0, x1, tall, row = parts.x0, parts.x1, parts.tall, parts.row
    for i in range(others):
        which = np.uint64(np.uint32(rest[i]))
        _add_wide(cells, row[which], x0[which], x1[which], tall[which], width)


@uncounted
def add_parts(cells, room, count, width):  # type: ignore[no-untyped-def]
    """Add so many parts in `room`, of `make_parts`, to the cells."""
    parts = parts_in(room)
    _measure(parts, count, width)
    _add(cells, parts, count, width)


@uncounted_inlined
def ready_edges(  # type: ignore[no-untyped-def]
    edges, n, u0, u1, y0, y1, skipped, layer, count, turned, plane, stride, above, below, width
):
    """Write down edges for `draw_edges`, after `n` others; returns how many there are then.

    Arrays are read up to seven numbers beyond `count`.

    Args:
        edges: of `make_edges`.
        u0, u1: float32, columns where each edge begins and ends [px].
        y0, y1: int32, rows where edge k does: y0[k] and y1[k + skipped] [1/1024 px]. Whole
            numbers, so that an outline adds up to nothing.
        layer: int32, of each edge; -1 where there is none.
        turned: int32, -1 where the edges go the other way, else 1.
        plane, stride, width: cells of a layer and of a row, columns of the picture.
        above, below: int32, the picture's rows, whole ones [1/1024 px].
    """
    room, flat = np.uint64(edges.shape[1]), edges.reshape(-1)
    for k in range(np.uint64(0), np.uint64(count), np.uint64(_ROWS)):
        ready_eight(
            u0, u1, y0, y1, layer, k, k + np.uint64(skipped), turned, plane, stride, above, below,
            _I(ROW_BITS), _F(width), flat, n + k, room,
        )  # fmt: skip
    return n + np.uint64(count)


@uncounted_inlined
def draw_edges(cells, room, edges, count, width, stride):  # type: ignore[no-untyped-def]
    """Cut so many edges into parts, and add those to the cells.

    Args:
        cells: (LAYERS * rows * stride,) int16, of `make_cells`.
        room: scratch, of `make_parts`. edges: of `ready_edges`.
        width, stride: columns of the picture, cells of a row.
    """
    parts = parts_in(room)
    x0, x1, tall, row = parts.x0, parts.x1, parts.tall, parts.row
    ats, starts, stops, tops = edges[0], edges[1], edges[2], edges[3]
    uppers, slopes = edges[4].view(np.float32), edges[5].view(np.float32)
    signs, begins, heights = edges[6], edges[7], edges[8]
    n = np.uint64(0)
    for k in range(count):
        at, start, stop, top = ats[k], starts[k], stops[k], tops[k]
        upper, slope, sign, begin = uppers[k], slopes[k], signs[k], begins[k]
        rows = heights[k]
        # Without branches but for long edges: which is in the picture, processors guess badly.
        cut_eight(
            x0, x1, tall, row, n, at, _I(FULL), start, stop, top, upper, slope, sign, begin, stride
        )
        while rows > _I(_ROWS):
            n += np.uint64(_ROWS)
            at = _I(at + _I(_ROWS * FULL))
            begin = _I(begin + _I(_I(_ROWS) * stride))
            rows = _I(rows - _I(_ROWS))
            cut_eight(
                x0, x1, tall, row, n, at, _I(FULL), start, stop, top, upper, slope, sign, begin,
                stride,
            )  # fmt: skip
        n += np.uint64(np.uint32(rows))
        if n >= np.uint64(_BATCH):
            add_parts(cells, room, n, width)
            n = np.uint64(0)
    add_parts(cells, room, n, width)
