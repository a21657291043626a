"""How our kernels are compiled: once, cached on disk, without the interpreter's lock."""

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher
from numba.core.extending import _Intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])

_stamps: dict[Dispatcher, str] = {}


def compiled(function: Function) -> Function:
    """Machine code of `function`.

    IEEE arithmetic stays as written (no contraction, no reassociation): the same inputs give the
    same bits whatever the batch size, the thread count or the processor's vector width. Division
    by zero gives inf or nan as in numpy. The lock is released, so threads may each take a slice
    of the batch.
    """
    return _kernel(function)


def inlined(function: Function) -> Function:
    """The same, as part of its caller: for small functions that are called per pixel or edge.

    A call hands every array over as seven numbers; below a hundred operations that is most of it.
    """
    return _kernel(function, forceinline=True)


def uncounted(function: Function) -> Function:
    """As `compiled`, for a function that makes no arrays and neither takes nor gives any by return.

    Numba counts references to arrays: it calls a function for every access through a tuple of
    them, and nothing that an inner loop works with stays in registers. Here nobody counts. So an
    array that came from, or went to, a function that counts by `return` would be freed too early,
    or never; handed over as arguments, arrays are the caller's to keep.
    """
    return _kernel(function, _nrt=False)


def uncounted_inlined(function: Function) -> Function:
    """As `inlined`, part of a function that is `uncounted`; to those it may return arrays."""
    return _kernel(function, _nrt=False, forceinline=True)


def on_disk(kernel: Any) -> bool:
    """Whether a kernel was compiled before, for some arguments, as it is now."""
    if not isinstance(kernel, Dispatcher):
        return True  # numba is switched off: there is nothing to compile
    return bool(kernel._cache._cache_file._load_index())  # type: ignore[attr-defined]


def _kernel(function: Function, **options: Any) -> Function:
    make: Any = njit(cache=True, nogil=True, error_model="numpy", **options)
    kernel = make(function)
    return cast(Function, _fresh(kernel, function, repr(options)))


def _fresh(kernel: Any, function: Callable[..., Any], options: str) -> Any:
    """`kernel`, which forgets what it has cached when anything that it was made of changes.

    Numba looks at the date of the function's own file alone: after a change in `vehicle.py` the
    world would go on driving with the old cars.
    """
    if isinstance(kernel, Dispatcher):  # it is not where numba is switched off
        _stamps[kernel] = _stamp(function, options)
        kernel._cache._cache_file._source_stamp = _stamps[kernel]  # type: ignore[attr-defined]
    return kernel


def _stamp(function: Callable[..., Any], options: str) -> str:
    """A digest of a function's file, of how it is compiled, of what it calls and its constants."""
    digest = hashlib.sha256(_file_digest(function.__code__.co_filename) + options.encode())
    for value in _globals_of(function):
        if isinstance(value, Dispatcher):
            digest.update(_stamps.get(value, "").encode())
        elif isinstance(value, _Intrinsic):
            digest.update(_file_digest(value._defn.__code__.co_filename))
        elif isinstance(value, np.ndarray):
            digest.update(value.tobytes())
        elif isinstance(value, bool | int | float | str | tuple | np.generic):
            digest.update(repr(value).encode())
    return digest.hexdigest()


def _globals_of(function: Callable[..., Any]) -> Iterator[Any]:
    """What the global names in a function stand for, and the names behind a module's dot."""
    names = function.__code__.co_names
    for name in names:
        value = function.__globals__.get(name)
        yield value
        if isinstance(value, ModuleType):
            yield from (vars(value).get(other) for other in names)


@cache
def _file_digest(path: str) -> bytes:
    return hashlib.sha256(Path(path).read_bytes()).digest()
