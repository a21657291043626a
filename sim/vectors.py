"""Operations on several 16-bit numbers at once that the compiler does not find by itself.

They are written in LLVM's own terms, which are the same for every processor.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_SHORT, _WORD, _FLOAT = ir.IntType(16), ir.IntType(32), ir.FloatType()
_EIGHT = 8


def _operation(function: Any) -> Any:
    """For kernels; what it does is written down when one is compiled."""
    return intrinsic(function)


def _pointer(context: Any, builder: Any, kind: Any, array: Any, at: Any, lanes: int) -> Any:
    """To `lanes` numbers of a one-dimensional array, from index `at` on."""
    data = context.make_array(kind)(context, builder, array).data
    vector = ir.VectorType(data.type.pointee, lanes)
    return builder.bitcast(builder.gep(data, [at]), vector.as_pointer())


def _load(builder: Any, pointer: Any) -> Any:
    return builder.load(pointer, align=2)


def _store(builder: Any, value: Any, pointer: Any) -> None:
    builder.store(value, pointer, align=2)


def _smaller(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.icmp_signed("<", a, b), a, b)


def _larger(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.icmp_signed(">", a, b), a, b)


def _greater(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


@_operation
def add_four(_context: Any, cells: Any, at: Any, amounts: Any, first: Any) -> Any:
    """cells[at : at + 4] += amounts[first : first + 4]; int16 arrays, uint64 indices, no checks."""
    signature = types.void(cells, types.uint64, amounts, types.uint64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        target = _pointer(context, builder, kinds[0], arguments[0], arguments[1], 4)
        source = _pointer(context, builder, kinds[2], arguments[2], arguments[3], 4)
        _store(builder, builder.add(_load(builder, target), _load(builder, source)), target)
        return context.get_dummy_value()

    return signature, generate


def _shuffle(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    mask = ir.Constant(ir.VectorType(_WORD, len(lanes)), lanes)
    return builder.shuffle_vector(a, b, mask)


def _running_sum(builder: Any, pair: Any, carry: Any) -> tuple[Any, Any]:
    """Of two times eight numbers side by side, and what they carry to the next."""
    zero = ir.Constant(pair.type, [0] * 16)
    for step in (1, 2, 4):
        moved = [
            half + lane - step if lane >= step else 16 + lane
            for half in (0, _EIGHT)
            for lane in range(_EIGHT)
        ]
        pair = builder.add(pair, _shuffle(builder, pair, zero, moved))
    pair = builder.add(pair, carry)
    return pair, _shuffle(builder, pair, zero, [7] * 8 + [15] * 8)


def _all(builder: Any, number: Any, lanes: int) -> Any:
    """A vector of so many times the same number."""
    none = ir.Constant(ir.VectorType(number.type, lanes), ir.Undefined)
    one = builder.insert_element(none, number, ir.Constant(_WORD, 0))
    return _shuffle(builder, one, none, [0] * lanes)


def _clamp(builder: Any, vector: Any, full: Any) -> Any:
    return _smaller(builder, _larger(builder, vector, ir.Constant(vector.type, [0] * 16)), full)


@_operation
def take_row(
    _context: Any, cells: Any, at: Any, plane: Any, stride: Any, most: Any, shift: Any,
    shares: Any, to: Any, room: Any, width: Any,
) -> Any:  # fmt: skip
    """Running sums of one row of four layers; the row is zero afterwards.

    Args:
        cells: int16; layer k of the row is cells[at + k * plane :][:stride].
        most, shift: int16; sums are cut off below 0 and above `most`, and times 2**shift.
        shares: uint16, written: shares[to + k * room :][:width], and up to 7 beyond.
        width: uint64, at most `stride`; `stride`: a multiple of 8.
    """
    signature = types.void(
        cells, types.uint64, types.uint64, types.uint64, types.int16, types.int16, shares,
        types.uint64, types.uint64, types.uint64,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        array, at, plane, stride, most, shift, shares, to, room, width = arguments
        most, shift = _all(builder, most, 16), _all(builder, shift, 16)
        pair_type = ir.VectorType(_SHORT, 16)
        zeros = ir.Constant(pair_type, [0] * 16)
        nothing = ir.Constant(ir.VectorType(_SHORT, _EIGHT), [0] * _EIGHT)
        carries = [cgutils.alloca_once_value(builder, zeros) for _ in range(2)]
        long = at.type
        eight = ir.Constant(long, _EIGHT)
        both = list(range(16))

        def place(kind: Any, array: Any, start: Any, each: Any, layer: int, u: Any) -> Any:
            index = builder.add(builder.add(start, u), builder.mul(each, ir.Constant(long, layer)))
            return _pointer(context, builder, kind, array, index, _EIGHT)

        with cgutils.for_range_slice(builder, ir.Constant(long, 0), width, eight, long) as (u, _):
            for half in range(2):
                layers = (2 * half, 2 * half + 1)
                sources = [place(kinds[0], array, at, plane, layer, u) for layer in layers]
                low, high = (_load(builder, source) for source in sources)
                pair = _shuffle(builder, low, high, both)
                pair, carry = _running_sum(builder, pair, builder.load(carries[half]))
                builder.store(carry, carries[half])
                pair = _clamp(builder, pair, most)
                pair = builder.shl(pair, shift)
                for layer, source, lanes in zip(layers, sources, (both[:8], both[8:]), strict=True):
                    part = _shuffle(builder, pair, zeros, lanes)
                    _store(builder, part, place(kinds[6], shares, to, room, layer, u))
                    _store(builder, nothing, source)
        done = builder.mul(builder.udiv(builder.add(width, ir.Constant(long, 7)), eight), eight)
        with cgutils.for_range_slice(builder, done, stride, eight, long) as (u, _):
            for layer in range(4):
                _store(builder, nothing, place(kinds[0], array, at, plane, layer, u))
        return context.get_dummy_value()

    return signature, generate


@_operation
def fetch(_context: Any, array: Any, at: Any) -> Any:
    """Have memory brought near that is going to be read: from row `at` (uint64) of an array on."""
    signature = types.void(array, types.uint64)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        parts = context.make_array(kind)(context, builder, arguments[0])
        step = cgutils.unpack_tuple(builder, parts.strides, kind.ndim)[0]
        byte = ir.IntType(8).as_pointer()
        where = builder.gep(builder.bitcast(parts.data, byte), [builder.mul(step, arguments[1])])
        call = ir.FunctionType(ir.VoidType(), [byte, _WORD, _WORD, _WORD])
        function = cgutils.get_or_insert_function(builder.module, call, "llvm.prefetch.p0")
        builder.call(function, [where, *(ir.Constant(_WORD, n) for n in (0, 3, 1))])
        return context.get_dummy_value()

    return signature, generate


@_operation
def fill_sixteen(_context: Any, image: Any, at: Any, colour: Any) -> Any:
    """Sixteen pixels of one colour, from byte `at` (uint64) of a contiguous uint8 image on.

    Args:
        colour: uint32, red + 256 green + 65536 blue.
    """
    signature = types.void(image, types.uint64, types.uint32)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        image, at, colour = arguments
        pixel = builder.bitcast(_all(builder, colour, 4), ir.VectorType(ir.IntType(8), 16))
        for part in range(3):  # of sixteen bytes, as processors have them
            some = _shuffle(builder, pixel, pixel, [(16 * part + i) % 3 for i in range(16)])
            where = builder.add(at, ir.Constant(at.type, 16 * part))
            target = _pointer(context, builder, signature.args[0], image, where, 16)
            builder.store(some, target, align=1)
        return context.get_dummy_value()

    return signature, generate


class _Circles:
    """Eight circles on the ground, as they lie in an array: x, y, radius, and more."""

    def __init__(self, context: Any, builder: Any, kind: Any, array: Any, at: Any) -> None:
        self._all = (context, builder, kind, array, at)

    def row(self, number: int) -> Any:
        context, builder, kind, array, at = self._all
        index = builder.add(at, ir.Constant(at.type, _EIGHT * number))
        return builder.load(_pointer(context, builder, kind, array, index, _EIGHT), align=4)

    def seen(self, place: list[Any], view: list[Any]) -> tuple[Any, Any, Any]:
        """Which are in view (<8 x i1>), and how far east and north of the camera they lie."""
        builder = self._all[1]
        x0, y0, cos, sin = place
        add, sub, mul = builder.fadd, builder.fsub, builder.fmul
        nearest, reach, edge_left, norm_left, edge_right, norm_right, tall = view
        dx, dy, radius = sub(self.row(0), x0), sub(self.row(1), y0), self.row(2)
        ahead = add(mul(cos, dx), mul(sin, dy))
        aside = sub(mul(cos, dy), mul(sin, dx))
        least = sub(builder.fneg(radius), tall)
        left = mul(sub(mul(ahead, edge_left), aside), norm_left)
        right = mul(add(mul(ahead, edge_right), aside), norm_right)
        found = builder.fcmp_ordered(">=", add(ahead, radius), nearest)
        for test in (
            builder.fcmp_ordered("<=", sub(ahead, radius), reach),
            builder.fcmp_ordered(">=", left, least),
            builder.fcmp_ordered(">=", right, least),
        ):
            found = builder.and_(found, test)
        return found, dx, dy


def _bits(builder: Any, mask: Any) -> Any:
    """<8 x i1> as the lowest bits of a word."""
    return builder.zext(builder.bitcast(mask, ir.IntType(_EIGHT)), _WORD)


@_operation
def see_eight(
    _context: Any, circles: Any, at: Any, x0: Any, y0: Any, cos: Any, sin: Any, view: Any
) -> Any:
    """Which of eight circles on the ground are in view, a bit for each; uint32.

    Args:
        circles: float32; from index `at` (uint64) on eight x, eight y, eight radii.
        x0, y0, cos, sin: float32, the camera's foot and yaw.
        view: 7 float32: the nearest and the greatest distance ahead; how far the view's edges lie
            aside per metre ahead, each with the cosine of its angle, left and right; a margin.
    """
    real = types.float32
    signature = types.uint32(circles, types.uint64, real, real, real, real, view)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, *numbers, view = arguments
        group = _Circles(context, builder, signature.args[0], array, at)
        place = [_all(builder, number, _EIGHT) for number in numbers]
        sides = [_all(builder, n, _EIGHT) for n in cgutils.unpack_tuple(builder, view, 7)]
        return _bits(builder, group.seen(place, sides)[0])

    return signature, generate


@_operation
def see_pieces(
    _context: Any, circles: Any, at: Any, x0: Any, y0: Any, cos: Any, sin: Any, view: Any,
    blur: Any, slack: Any, straight: Any, near: Any, levels: Any,
) -> Any:  # fmt: skip
    """`see_eight` of `Scene.circles`, and how coarsely each may be drawn.

    Args:
        blur, slack, straight, near: float32. Pieces are shown where their `beyond` * blur < their
            distance squared <= their `until` * blur. Level k may be drawn where 4**k < slack[0] *
            distance / (slack[1] * bend), with at least `near` for the distance to the circle and
            `straight` for the bend; `slack` is a pair.
        levels: int32, written: levels[:8] are 0 to 6.
    """
    real = types.float32
    signature = types.uint32(
        circles, types.uint64, real, real, real, real, view, real, slack, real, real, levels
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, x0, y0, cos, sin, view, blur, slack, straight, near, levels = arguments
        group = _Circles(context, builder, signature.args[0], array, at)
        place = [_all(builder, number, _EIGHT) for number in (x0, y0, cos, sin)]
        sides = [_all(builder, n, _EIGHT) for n in cgutils.unpack_tuple(builder, view, 7)]
        blur, straight, near = (_all(builder, n, _EIGHT) for n in (blur, straight, near))
        over, under = (_all(builder, n, _EIGHT) for n in cgutils.unpack_tuple(builder, slack, 2))
        found, dx, dy = group.seen(place, sides)
        mul = builder.fmul
        square = builder.fadd(mul(dx, dx), mul(dy, dy))
        beyond = builder.fcmp_ordered(">", square, mul(blur, group.row(3)))
        until = builder.fcmp_ordered("<=", square, mul(blur, group.row(4)))
        found = builder.and_(found, builder.and_(beyond, until))
        kind = ir.FunctionType(square.type, [square.type])
        root = cgutils.get_or_insert_function(builder.module, kind, "llvm.sqrt.v8f32")
        close = _greater(builder, builder.fsub(builder.call(root, [square]), group.row(2)), near)
        bend = _greater(builder, group.row(5), straight)
        room = builder.fdiv(mul(over, close), mul(under, bend))
        words = ir.VectorType(_WORD, _EIGHT)
        level = ir.Constant(words, [0] * _EIGHT)
        for k in range(6):
            enough = ir.Constant(square.type, [4.0 * 4.0**k] * _EIGHT)
            level = builder.sub(level, builder.sext(builder.fcmp_ordered("<", enough, room), words))
        zero = ir.Constant(at.type, 0)
        target = _pointer(context, builder, signature.args[-1], levels, zero, _EIGHT)
        builder.store(level, target, align=4)
        return _bits(builder, found)

    return signature, generate


@_operation
def ready_eight(
    _context: Any, u0: Any, u1: Any, y0: Any, y1: Any, layer: Any, k: Any, next_k: Any, turned: Any,
    plane: Any, stride: Any, above: Any, below: Any, bits: Any, width: Any, edges: Any, at: Any,
    room: Any,
) -> Any:  # fmt: skip
    """What `cut_eight` wants to know of eight edges.

    Args:
        u0, u1: float32, from `k` on: columns where the edges begin and end.
        y0, y1: int32, rows where they do, from `k` and `next_k` on.
        layer: int32, from `k` on, below 0 where there is no edge.
        turned: int32, 1, or -1 where the edges go the other way.
        plane, stride: int32, cells of a layer and of a row.
        above, below: int32, the picture's rows, of 2**bits units each; width: float32.
        edges: int32, written: edges[at + i * room :][:8] is where the first row begins, where the
            edge does in it, where it ends, its top, the column there (float32), columns per unit
            of rows (float32), 1 where it adds or -1, the first cell of the row, how many rows.
    """
    word, long = types.int32, types.uint64
    signature = types.void(
        u0, u1, y0, y1, layer, long, long, word, word, word, word, word, word, types.float32, edges,
        long, long,
    )  # fmt: skip

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kinds = signature.args
        words = ir.VectorType(_WORD, _EIGHT)
        reals = ir.VectorType(_FLOAT, _EIGHT)

        def take(which: int, index: int) -> Any:
            where = _pointer(context, builder, kinds[which], arguments[which], arguments[index], 8)
            return builder.load(where, align=4)

        u0, u1, y0, y1, layer = take(0, 5), take(1, 5), take(2, 5), take(3, 6), take(4, 5)
        turned, plane, stride, above, below, bits, width = (
            _all(builder, number, _EIGHT) for number in arguments[7:14]
        )
        edges, at, room = arguments[14:]
        zero, one = ir.Constant(words, [0] * 8), ir.Constant(words, [1] * 8)
        part = builder.sub(builder.shl(one, bits), one)  # of a row
        down = builder.icmp_signed("<", y0, y1)
        upper, lower = builder.select(down, u0, u1), builder.select(down, u1, u0)
        top, bottom = _smaller(builder, y0, y1), _larger(builder, y0, y1)
        sign = builder.select(down, turned, builder.sub(zero, turned))
        tall = builder.sitofp(builder.sub(bottom, top), reals)
        slope = builder.fdiv(builder.fsub(lower, upper), tall)
        start, stop = _larger(builder, top, above), _smaller(builder, bottom, below)
        first = builder.sub(start, builder.and_(start, part))
        down_by = builder.mul(builder.ashr(builder.sub(first, above), bits), stride)
        begin = builder.add(builder.mul(layer, plane), down_by)
        leftmost = builder.select(builder.fcmp_ordered("<", u0, u1), u0, u1)
        seen = builder.and_(
            builder.icmp_signed("<", start, stop), builder.fcmp_ordered("<", leftmost, width)
        )
        seen = builder.and_(seen, builder.icmp_signed(">=", layer, zero))
        rows = builder.ashr(builder.add(builder.sub(stop, first), part), bits)
        rows = builder.select(seen, rows, zero)
        values = (first, start, stop, top, upper, slope, sign, begin, rows)
        for i, value in enumerate(values):
            index = builder.add(at, builder.mul(room, ir.Constant(at.type, i)))
            target = _pointer(context, builder, kinds[14], edges, index, _EIGHT)
            if value.type == reals:
                value = builder.bitcast(value, words)
            builder.store(value, target, align=4)
        return context.get_dummy_value()

    return signature, generate


@_operation
def cut_eight(
    _context: Any, x0: Any, x1: Any, tall: Any, row: Any, n: Any, at: Any, high: Any, start: Any,
    stop: Any, top: Any, upper: Any, slope: Any, sign: Any, begin: Any, stride: Any,
) -> Any:  # fmt: skip
    """Cut an edge at eight rows, one after the other; some may lie below its end.

    Args:
        x0, x1: float32, written from `n` on: columns where the edge enters and leaves the row.
        tall: int32, written: its height in it, times `sign`, which is 1 or -1.
        row: int32, written: begin, begin + stride, ...
        n: uint64; at: int32, where the first row begins; high: int32, of a row; start, stop: int32,
            between which rows the edge is; top: int32, where it has the column `upper`.
        slope: float32, columns per unit of rows.
    """
    word, real = types.int32, types.float32
    signature = types.void(
        x0, x1, tall, row, types.uint64, word, word, word, word, word, real, real, word, word, word
    )

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x0, x1, tall, row, n, *numbers = arguments
        at, high, start, stop, top, upper, slope, sign, begin, stride = (
            _all(builder, number, _EIGHT) for number in numbers
        )
        each = ir.Constant(ir.VectorType(_WORD, _EIGHT), list(range(_EIGHT)))
        above = builder.add(at, builder.mul(each, high))
        first = _larger(builder, above, start)
        last = _smaller(builder, builder.add(above, high), stop)
        reals = ir.VectorType(_FLOAT, _EIGHT)

        def column(where: Any) -> Any:
            down = builder.sitofp(builder.sub(where, top), reals)
            return builder.fadd(upper, builder.fmul(slope, down))

        values = (
            column(first),
            column(last),
            builder.mul(builder.sub(last, first), sign),
            builder.add(begin, builder.mul(each, stride)),
        )
        for kind, array, value in zip(signature.args, (x0, x1, tall, row), values, strict=False):
            builder.store(value, _pointer(context, builder, kind, array, n, _EIGHT), align=4)
        return context.get_dummy_value()

    return signature, generate
