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
