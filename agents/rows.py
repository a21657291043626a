"""Rows of a batch, taken and put back: states and memories whose every array has the cars first."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

Batch = TypeVar("Batch")


def take(batch: Batch, rows: np.ndarray) -> Batch:
    """The cars `rows` of a batch, in that order.

    Args:
        batch: an array or tensor with the cars first, or such in tuples, dicts and dataclasses.
        rows: (N,) int64.
    """
    taken: Batch = _each(lambda old: old[rows], batch)
    return taken


def put(batch: Batch, rows: np.ndarray, fresh: Batch) -> Batch:
    """`batch` with the cars `rows` replaced by those of `fresh`, one for each row."""

    def replace(old: Any, new: Any) -> Any:
        copy = old.copy() if isinstance(old, np.ndarray) else old.clone()
        copy[rows] = new
        return copy

    changed: Batch = _each(replace, batch, fresh)
    return changed


def _each(change: Callable[..., Any], *batches: Any) -> Any:
    """`change` applied to the arrays that stand at the same place in each batch."""
    first = batches[0]
    if first is None:
        return None
    if isinstance(first, np.ndarray) or hasattr(first, "clone"):  # a tensor; torch is slow to load
        return change(*batches)
    if isinstance(first, dict):
        return {name: _each(change, *(batch[name] for batch in batches)) for name in first}
    if isinstance(first, tuple):
        parts = [_each(change, *same) for same in zip(*batches, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    if dataclasses.is_dataclass(first) and not isinstance(first, type):
        names = [field.name for field in dataclasses.fields(first)]
        parts = [_each(change, *(getattr(batch, name) for batch in batches)) for name in names]
        return dataclasses.replace(first, **dict(zip(names, parts, strict=True)))
    raise TypeError(
        f"a {type(first).__name__} is no batch; a memory is made of arrays with the cars first, "
        "in tuples, dicts and dataclasses"
    )
