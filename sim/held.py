"""Arguments of kernels that stay the same from call to call: taken over once.

A call of a kernel takes over its arrays one by one, 0.2 us each; the fifty that a picture is drawn
with take as long as a third of the picture. `Held` has that done once; a kernel gets a pointer.
"""

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import typeof, types
from numba.extending import NativeValue, intrinsic, models, register_model, unbox

from .compiled import compiled

_BYTES = 128  # that the description of an array takes at most, of up to five axes


class HeldType(types.Type):
    """The type of a `Held` in kernels."""

    def __init__(self, inner: types.Type) -> None:
        self.inner = inner
        super().__init__(f"Held({inner})")


register_model(HeldType)(models.OpaqueModel)


@unbox(HeldType)
def _unbox(typ: Any, held: Any, c: Any) -> NativeValue:
    address = c.pyapi.object_getattr_string(held, "address")
    pointer = c.pyapi.long_as_voidptr(address)
    c.pyapi.decref(address)
    return NativeValue(pointer)


def _unowned(context: Any, builder: Any, typ: Any, value: Any) -> Any:
    """The same tuple of arrays, which nobody counts references to."""
    if hasattr(typ, "types"):
        for k, part in enumerate(typ.types):
            inner = _unowned(context, builder, part, builder.extract_value(value, k))
            value = builder.insert_value(value, inner, k)
        return value
    array = context.make_array(typ)(context, builder, value)
    array.meminfo = ir.Constant(array.meminfo.type, None)
    array.parent = ir.Constant(array.parent.type, None)
    return array._getvalue()


def _write_intrinsic(typing: Any, value: Any, address: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = context.get_value_type(value)
        pointer = builder.inttoptr(args[1], kind.as_pointer())
        builder.store(_unowned(context, builder, value, args[0]), pointer)
        return context.get_dummy_value()

    return types.void(value, address), build


_write: Any = intrinsic(_write_intrinsic)


@compiled
def _write_down(value, address):  # type: ignore[no-untyped-def]
    _write(value, address)


def _held_intrinsic(typing: Any, argument: Any) -> Any:
    """In a kernel: the value of a `Held`."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = context.get_value_type(argument.inner)
        return builder.load(builder.bitcast(args[0], kind.as_pointer()))

    return argument.inner(argument), build


held: Any = intrinsic(_held_intrinsic)


def _arrays(value: Any) -> int:
    return sum(map(_arrays, value)) if isinstance(value, tuple) else 1


class Held:
    """A tuple of arrays, or of such tuples, as a kernel sees it; it keeps the arrays alive."""

    def __init__(self, value: tuple[Any, ...]) -> None:
        self.value = value
        self._room = np.zeros(_BYTES * _arrays(value), np.uint8)
        self.address = self._room.ctypes.data
        self._numba_type_ = HeldType(typeof(value))
        _write_down(value, np.uint64(self.address))
