"""How our kernels are compiled: once, cached on disk, without the interpreter's lock."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Machine code of `function`.

    IEEE arithmetic stays as written (no contraction, no reassociation): the same inputs give the
    same bits whatever the batch size, the thread count or the processor's vector width. Division
    by zero gives inf or nan as in numpy. The lock is released, so threads may each take a slice
    of the batch.
    """
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


def inlined(function: Function) -> Function:
    """The same, as part of its caller: for small functions that are called per pixel or edge.

    A call hands every array over as seven numbers; below a hundred operations that is most of it.
    """
    return cast(
        Function, njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function)
    )
