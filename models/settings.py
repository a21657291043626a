"""Settings are frozen dataclasses; here they become JSON and come back, and a misspelt one is an error."""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Settings = TypeVar("Settings")


def to_json(settings: Any) -> dict[str, Any]:
    """A settings dataclass as plain JSON values; `from_json` is its inverse."""
    return {
        field.name: _plain(getattr(settings, field.name)) for field in dataclasses.fields(settings)
    }


def from_json(kind: type[Settings], values: Mapping[str, Any], where: str = "") -> Settings:
    """The settings of class `kind` that `values` spell out; what is left out keeps its default.

    Args:
        where: what stands in front of a setting's name in an error, such as "encoder.".

    Raises:
        ValueError: a name that `kind` does not have, or a value of another type.
    """
    hints = get_type_hints(kind)
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for name in values:
        if name not in known:
            raise ValueError(
                f"{kind.__name__} has no setting {where}{name}; {suggest(name, known)}"
            )
    return kind(**{name: _typed(hints[name], values[name], where + name) for name in values})


def suggest(word: str, known: Iterable[str]) -> str:
    """What to tell somebody who typed a `word` that is not among the `known` ones."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, n=1)
    return (f"did you mean {near[0]}? " if near else "") + f"Known: {', '.join(known)}"


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_json(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _typed(hint: Any, value: Any, name: str) -> Any:
    """`value` as `hint` wants it; JSON has no tuples, and writes 1.0 as 1."""
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return from_json(hint, value, name + ".")  # type: ignore[arg-type]
    origin, choices = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value in choices and type(value) in map(type, choices):
            return value
        raise ValueError(f"{name} must be one of {', '.join(map(str, choices))}, got {value!r}")
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_typed(choices[0], item, name) for item in value)
    if origin in (Union, UnionType) and NoneType in choices:
        (inner,) = (choice for choice in choices if choice is not NoneType)
        return None if value is None else _typed(inner, value, name)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is hint:
        return value
    wanted = "a list" if origin is tuple else f"of type {getattr(hint, '__name__', hint)}"
    raise ValueError(f"{name} must be {wanted}, got {value!r}")
