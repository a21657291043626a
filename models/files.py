"""Files that are whole or not there: tensors as safetensors, facts as JSON, never a pickle."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data`; whoever reads it, whenever we die, finds the old or the new file."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)  # a full disk or Ctrl-C; after success it has moved
    if os.name == "posix":  # the new name, too, is only safe once the folder is
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    write_atomically(path, (json.dumps(values, indent=2) + "\n").encode())


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; anything else is a ValueError that names the file."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{path} is not a valid JSON object ({error}); restore it from a copy"
        ) from error


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any] | None = None
) -> None:
    """Tensors, and facts about them in the same file, so that the two can never be of different age."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # One entry only: the format promises no order of several, and equal runs are equal files.
    metadata = None if facts is None else {"facts": json.dumps(facts)}
    write_atomically(path, safetensors.torch.save(plain, metadata))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts as `write_tensors` wrote them; a damaged file is a ValueError."""
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"{path} is truncated or damaged ({error}); restore it from a copy or train again"
        ) from error
    return tensors, json.loads(metadata.get("facts", "{}"))
