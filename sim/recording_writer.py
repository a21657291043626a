"""Writing a recording: every episode whole or not at all."""

import json
import os
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import numpy as np

from . import files
from .recording_header import HEADER_FILE, RecordingHeader, header_to_json, read_header
from .recording_layout import (
    EPISODES,
    INDEX_FILE,
    REQUIRED,
    WRITTEN,
    check_entries,
    columns_path,
    rebuild_index,
    sidecar_path,
    sidecar_text,
)


class RecordingWriter:
    """Adds episodes to a folder, each whole or not at all.

    One writer at a time: the folder is locked until `close`, or until the writer is forgotten.
    """

    def __init__(
        self, folder: str | os.PathLike[str], header: RecordingHeader, append: bool = False
    ) -> None:
        """Start a recording, or with `append` add to the one that is there.

        Raises:
            FileExistsError: there is a recording already and `append` is not set.
            FileNotFoundError: there is none and `append` is set.
            ValueError: the recording that is there has other columns, dt, camera, ...
            BlockingIOError: another writer has the folder.
        """
        self.folder, self.header = Path(folder), header
        exists = (self.folder / HEADER_FILE).exists()
        if exists and not append:
            raise FileExistsError(
                f"{folder} holds a recording already; choose another folder, append to it, "
                "or delete it first"
            )
        if append and not exists:
            raise FileNotFoundError(f"{folder} holds no recording to append to; record one first")
        (self.folder / EPISODES).mkdir(parents=True, exist_ok=True)
        self._unlock = weakref.finalize(self, _unlock, _lock(self.folder))
        try:
            if exists:
                _require_same(read_header(self.folder / HEADER_FILE), header, self.folder)
            else:
                files.write_whole(self.folder / HEADER_FILE, header_to_json(header))
                files.sync_folder(self.folder.parent)
            for stale in (self.folder / EPISODES).glob(f"{files.TEMPORARY}*"):
                stale.unlink()
            self._next = max(rebuild_index(self.folder), default=-1) + 1
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let other writers in. Everything added is on the disk already."""
        self._unlock()

    def add(
        self, columns: Mapping[str, np.ndarray | files.Spool], sidecar: Mapping[str, Any]
    ) -> int:
        """Save an episode; when this returns it is on the disk.

        Args:
            columns: one array for each feature of the header, time first, of exactly its dtype;
                or a spool, whose numbers are not looked at.
            sidecar: JSON values; at least `seed` (int), `world` (the road that was driven,
                such as "procedural:17"), `driver` and `regime`.

        Returns:
            the number in the names of the episode's files.

        Raises:
            ValueError: a column or an entry is missing, too many, of another shape, or not finite.
            TypeError: an entry of the sidecar has another type than it must have.
            OSError: the disk is full, ...; what was saved before is not touched.
        """
        steps = check_columns(columns, self.header)
        entries = json.loads(sidecar_text(sidecar))
        if taken := sorted(entries.keys() & WRITTEN.keys()):
            raise ValueError(f"sidecar entry {taken[0]} is written by the recording; leave it out")
        check_entries(entries, {self.header.split.by: object} | REQUIRED)
        index = self._next
        data, mark = columns_path(self.folder, index), sidecar_path(self.folder, index)
        staged = [path.with_name(files.TEMPORARY + path.name) for path in (data, mark)]
        try:
            size, digest = files.write_synced(staged[0], files.column_chunks(columns))
            entries |= {"index": index, "steps": steps, "bytes": size, "sha256": digest}
            files.write_synced(staged[1], [sidecar_text(entries, indent=1)])
            os.replace(staged[0], data)
            os.replace(staged[1], mark)
        except OSError as error:
            raise _with_errno(
                f"episode {index} could not be saved in {self.folder} ({error.strerror}); "
                f"the {index} before it are safe: make room and append to the recording",
                error,
            ) from error
        finally:
            if mark.exists():
                self._next = index + 1
            else:
                for path in (*staged, data):
                    path.unlink(missing_ok=True)
        files.sync_folder(data.parent)
        with suppress(OSError), open(self.folder / INDEX_FILE, "ab") as handle:  # only a cache
            handle.write(sidecar_text(entries))
        return index


def check_columns(columns: Mapping[str, np.ndarray | files.Spool], header: RecordingHeader) -> int:
    """The number of rows, if the columns are what the header promises.

    Raises:
        ValueError: with the column, what it is and what it should be.
    """
    if missing := sorted(header.features.keys() - columns.keys()):
        raise ValueError(f"column {missing[0]} is missing; the header has it")
    if unknown := sorted(columns.keys() - header.features.keys()):
        raise ValueError(f"column {unknown[0]} is not in the header; add it as a feature")
    lengths = {name: len(array) if array.ndim else 0 for name, array in columns.items()}
    steps = lengths[min(lengths)]
    for name, feature in header.features.items():
        array = columns[name]
        if array.dtype.name != feature.dtype or array.shape[1:] != feature.shape:
            raise ValueError(
                f"column {name} must be {feature.dtype} with rows of shape {feature.shape}, "
                f"got {array.dtype} {array.shape[1:]}"
            )
        if lengths[name] != steps or steps == 0:
            raise ValueError(
                f"columns must have equally many rows, at least one; {min(lengths)} has {steps}, "
                f"{name} has {lengths[name]}"
            )
        if isinstance(array, files.Spool):
            continue
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            row = int(np.argwhere(~np.isfinite(array))[0][0])
            raise ValueError(f"column {name} is not finite in row {row}; find what computed it")
    return steps


def _require_same(there: RecordingHeader, given: RecordingHeader, folder: Path) -> None:
    old, new = (json.loads(header_to_json(header)) for header in (there, given))
    for name in ("features", "dt", "camera", "camera_right", "route", "split", "licence"):
        if old.get(name) != new.get(name):
            what, was, now = _first_difference(name, old.get(name), new.get(name))
            raise ValueError(
                f"{folder} was recorded with {what} = {was}, these episodes have {now}; "
                "record them into a folder of their own"
            )


def _first_difference(name: str, old: Any, new: Any) -> tuple[str, Any, Any]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in old or key not in new or old[key] != new[key]:
                return _first_difference(f"{name}.{key}", old.get(key), new.get(key))
    return name, old, new


def _lock(folder: Path) -> int | None:
    """Keep other writers out of a folder until the result is given to `_unlock`."""
    if os.name != "posix":  # two writers of one folder are then not kept apart
        return None
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise BlockingIOError(
            f"{folder} is being written by another recorder; wait for it or choose another folder"
        ) from error
    return handle


def _unlock(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def _with_errno(text: str, cause: OSError) -> OSError:
    error = OSError(text)
    error.errno = cause.errno
    return error
