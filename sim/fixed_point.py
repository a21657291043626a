"""Shares in 16-bit integers: a product whose upper half is kept, 32 of them at once."""

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic

from .compiled import inlined

WHOLE = np.uint16(65535)
HALF = np.uint16(32768)


@intrinsic
def _upper_half(_context: Any, _a: Any, _b: Any) -> Any:
    """(a * b) >> 16 of uint16, as one operation.

    Written with operators it is one instruction only if the compiler sees through it; in a sum of
    products LLVM widens everything to 32 bits instead, which is three times as slow.
    """

    def generate(_target: Any, builder: Any, _signature: Any, numbers: Any) -> Any:
        short, word = ir.IntType(16), ir.IntType(32)
        kind = ir.FunctionType(short, [short, short, word])
        product = builder.module.declare_intrinsic("llvm.umul.fix", [short], kind)
        return builder.call(product, [*numbers, ir.Constant(word, 16)])

    return types.uint16(types.uint16, types.uint16), generate


@inlined
def share_of(a, b):  # type: ignore[no-untyped-def]
    """The share `a` / 65536 of `b`; both uint16."""
    return _upper_half(a, b)  # type: ignore[call-arg]
