"""Where the files of a recording lie, and the sidecars that say which episodes exist."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import files
from .recording_header import read_json

EPISODES = "episodes"
INDEX_FILE = "index.jsonl"
REQUIRED = {"seed": int, "world": str, "driver": str, "regime": str}  # in every sidecar
WRITTEN = {"index": int, "steps": int, "bytes": int, "sha256": str}  # by us, into every sidecar


def rebuild_index(folder: str | os.PathLike[str]) -> list[int]:
    """Write `index.jsonl` anew from the sidecars; the numbers of the episodes come back."""
    sidecars = _scan_sidecars(Path(folder))
    lines = b"".join(sidecar_text(sidecar) for sidecar in sidecars.values())
    files.write_whole(Path(folder) / INDEX_FILE, lines)
    return list(sidecars)


def read_sidecars(folder: Path) -> dict[int, dict[str, Any]]:
    """Every finished episode's sidecar by its number.

    From the index when that has them all and none was written after it: a sidecar that was
    damaged or edited is read itself, and a wrong one is an error at once.
    """
    present = _numbered(folder, ".json")
    try:
        written = (folder / INDEX_FILE).stat().st_mtime_ns
        fresh = all(entry.stat().st_mtime_ns <= written for entry in present.values())
        lines = (folder / INDEX_FILE).read_text().splitlines()
        cached = {entry["index"]: entry for entry in map(json.loads, lines)}
        for entry in cached.values():
            check_entries(entry, REQUIRED | WRITTEN)
    except (OSError, ValueError, KeyError, TypeError):
        fresh, cached = False, {}
    if fresh and cached.keys() == present.keys():
        return {index: cached[index] for index in sorted(cached)}
    return _scan_sidecars(folder)


def read_sidecar(path: Path) -> dict[str, Any]:
    """One sidecar, checked.

    Raises:
        ValueError: it is not JSON, or an entry is missing or of another type.
    """
    entries = read_json(path)
    try:
        check_entries(entries, REQUIRED | WRITTEN)
        if path.stem != f"{entries['index']:06d}":
            raise ValueError(f"index is {entries['index']}, the file's name says otherwise")
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}; restore it from a copy") from error
    return entries


def columns_path(folder: Path, index: int) -> Path:
    return folder / EPISODES / f"{index:06d}.safetensors"


def sidecar_path(folder: Path, index: int) -> Path:
    return folder / EPISODES / f"{index:06d}.json"


def column_files(folder: Path) -> dict[int, int]:
    """The size [bytes] of every column file, by the episode's number."""
    return {
        index: entry.stat().st_size for index, entry in _numbered(folder, ".safetensors").items()
    }


def sidecar_numbers(folder: Path) -> list[int]:
    """The numbers of the episodes that were finished, in order."""
    return sorted(_numbered(folder, ".json"))


def _scan_sidecars(folder: Path) -> dict[int, dict[str, Any]]:
    return {index: read_sidecar(sidecar_path(folder, index)) for index in sidecar_numbers(folder)}


def _numbered(folder: Path, ending: str) -> dict[int, os.DirEntry[str]]:
    """Files of `episodes/` whose name is a number and `ending`."""
    if not (folder / EPISODES).is_dir():
        return {}
    with os.scandir(folder / EPISODES) as entries:
        named = [(entry.name.removesuffix(ending), entry) for entry in entries]
    return {
        int(stem): entry
        for stem, entry in named
        if stem != entry.name and stem.isdecimal() and stem == f"{int(stem):06d}"
    }


def check_entries(sidecar: Any, required: Mapping[str, type]) -> None:
    """See that the entries are there and of the right type.

    Raises:
        ValueError: one is missing.
        TypeError: one is of another type, or this is no JSON object at all.
    """
    if not isinstance(sidecar, Mapping):
        raise TypeError("a sidecar must be a JSON object")
    for name, kind in required.items():
        if name not in sidecar:
            raise ValueError(f"sidecar entry {name} is missing; it must be {kind.__name__}")
        value = sidecar[name]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise TypeError(f"sidecar entry {name} must be {kind.__name__}, got {value!r}")


def sidecar_text(sidecar: Mapping[str, Any], indent: int | None = None) -> bytes:
    """A sidecar as JSON; equal entries give equal bytes."""
    try:
        text = json.dumps(
            dict(sidecar), indent=indent, sort_keys=True, allow_nan=False, default=_plain
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"the sidecar cannot be written as JSON ({error}); use finite numbers, texts and lists"
        ) from error
    return text.encode() + b"\n"


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not a JSON value")
