"""Everything that can be wrong with a recording, found by reading all of it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import files
from .recording_header import HEADER_FILE, RecordingHeader, read_header
from .recording_layout import (
    EPISODES,
    column_files,
    columns_path,
    read_sidecar,
    read_sidecars,
    sidecar_numbers,
    sidecar_path,
)

_BLOCK = 64 * 2**20  # [bytes] of a column that are looked at together
_RESTORE = "restore it from a copy, or delete the episode (both files) and record it again"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, and what to do about it."""

    file: str  # below the recording's folder
    field: str  # the column or the entry; "" for the file as a whole
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.field}" if self.field else self.file
        return f"{where}: {self.what}; {self.remedy}"


def validate(folder: str | os.PathLike[str]) -> list[Problem]:
    """Read a whole recording and list what is wrong; empty when it is sound.

    Raises:
        FileNotFoundError: the folder is no recording.
    """
    folder = Path(folder)
    if not (folder / HEADER_FILE).is_file():
        raise FileNotFoundError(
            f"{folder} is not a recording: it has no {HEADER_FILE}; "
            "name a folder that `redrive record` has made"
        )
    problems: list[Problem] = []
    header = None
    try:
        header = read_header(folder / HEADER_FILE)
    except ValueError as error:
        problems.append(_from_error(folder, folder / HEADER_FILE, error))
    problems += _leftovers(folder)
    for index in sidecar_numbers(folder):
        problems += _check_episode(folder, index, header)
    return problems or list(_check_index(folder))


def _leftovers(folder: Path) -> Iterator[Problem]:
    """Files that no sidecar vouches for. They harm nobody: no reader opens them."""
    for path in sorted((folder / EPISODES).glob(f"{files.TEMPORARY}*")):
        yield _problem(
            folder, path, "", "a temporary file of a recorder that was stopped", "delete it"
        )
    for index in sorted(column_files(folder).keys() - set(sidecar_numbers(folder))):
        yield _problem(
            folder,
            columns_path(folder, index),
            "",
            "the sidecar is missing, so the episode was never finished and is ignored",
            "delete it",
        )


def _check_episode(folder: Path, index: int, header: RecordingHeader | None) -> Iterator[Problem]:
    data, mark = columns_path(folder, index), sidecar_path(folder, index)
    try:
        sidecar = read_sidecar(mark)
    except ValueError as error:
        yield _from_error(folder, mark, error)
        return
    if not data.exists():
        yield _problem(folder, data, "", "missing although its sidecar is there", _RESTORE)
        return
    if header is not None and header.split.by not in sidecar:
        yield _problem(folder, mark, header.split.by, "missing; episodes are split by it", _RESTORE)
    try:
        columns = files.read_columns(data)
    except ValueError as error:
        yield _from_error(folder, data, error)
        return
    if files.file_sha256(data) != sidecar["sha256"]:
        yield _problem(
            folder,
            data,
            "",
            "the checksum differs from the sidecar's: bytes were changed",
            _RESTORE,
        )
    if header is not None:
        yield from _check_columns(folder, data, columns, sidecar["steps"], header)


def _check_columns(
    folder: Path, data: Path, columns: dict[str, files.Column], steps: int, header: RecordingHeader
) -> Iterator[Problem]:
    for name in sorted(columns.keys() - header.features.keys()):
        yield _problem(folder, data, name, "the header does not have this column", _RESTORE)
    sound = set()
    for name, feature in header.features.items():
        if name not in columns:
            yield _problem(folder, data, name, "the column is missing", _RESTORE)
            continue
        column = columns[name]
        expected = f"{feature.dtype} {(steps, *feature.shape)}"
        if f"{column.dtype} {column.shape}" != expected:
            what = f"is {column.dtype} {column.shape}, the header and sidecar say {expected}"
            yield _problem(folder, data, name, what, _RESTORE)
        elif (row := _first_not_finite(data, column)) is not None:
            yield _problem(folder, data, name, f"not a finite number in row {row}", _RESTORE)
        else:
            sound.add(name)
    if "time" in sound:
        time = files.read_slice(data, columns["time"], 0, steps)
        if (late := np.flatnonzero(np.diff(time) <= 0.0)).size:
            yield _problem(folder, data, "time", f"does not grow after row {late[0]}", _RESTORE)
    if {"camera_state_id", "label_state_id"} <= sound:
        camera, label = (
            files.read_slice(data, columns[name], 0, steps)
            for name in ("camera_state_id", "label_state_id")
        )
        if (apart := np.flatnonzero(camera != label)).size:
            row = apart[0]
            what = (
                f"row {row} labels state {label[row]}, its frame shows state {camera[row]} "
                f"({apart.size} rows differ)"
            )
            yield _problem(folder, data, "label_state_id", what, "record it again")


def _first_not_finite(data: Path, column: files.Column) -> int | None:
    if column.dtype.kind != "f":
        return None
    rows = max(1, _BLOCK * column.shape[0] // max(1, column.nbytes))
    for start in range(0, column.shape[0], rows):
        block = files.read_slice(data, column, start, min(start + rows, column.shape[0]))
        if not np.isfinite(block).all():
            return start + int(np.argwhere(~np.isfinite(block))[0][0])
    return None


def _check_index(folder: Path) -> Iterator[Problem]:
    """The index may lack episodes, it is then not used; but it must not contradict them."""
    for index, entries in read_sidecars(folder).items():
        if entries != read_sidecar(sidecar_path(folder, index)):
            path = folder / "index.jsonl"
            yield _problem(folder, path, "", f"contradicts the sidecar of {index}", "delete it")


def _problem(folder: Path, path: Path, field: str, what: str, remedy: str) -> Problem:
    return Problem(path.relative_to(folder).as_posix(), field, what, remedy)


def _from_error(folder: Path, path: Path, error: ValueError) -> Problem:
    """An error of the readers, whose text is `PATH what; remedy`."""
    what, _, remedy = str(error).removeprefix(str(path)).lstrip(": ").partition("; ")
    return _problem(folder, path, "", what, remedy)
