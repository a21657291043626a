"""Files that are either whole or absent, and columns of arrays read in slices.

A column file is a safetensors file: eight bytes that give the length of a JSON header,
the header, then every array's bytes. We write and parse it ourselves, so that the same
content is always the same bytes, a slice costs one seek and one read, and a cut file is
an error rather than the end of the process (as it is under a memory map).

Source:
    https://github.com/huggingface/safetensors, "Format".
"""

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TEMPORARY = ".tmp-"  # how the name of a file begins that is not finished
_PIECE = 16 * 2**20  # [bytes] of a spool that are read together
_MAX_HEADER = 100_000_000  # [bytes] as in safetensors: a longer header is not a header
_CODES = {
    np.dtype(name): code
    for name, code in {
        "bool": "BOOL",
        "uint8": "U8",
        "int8": "I8",
        "uint16": "U16",
        "int16": "I16",
        "uint32": "U32",
        "int32": "I32",
        "uint64": "U64",
        "int64": "I64",
        "float16": "F16",
        "float32": "F32",
        "float64": "F64",
    }.items()
}
_DTYPES = {code: dtype for dtype, code in _CODES.items()}


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path` so that a reader, or a crash, sees all of it or none of it."""
    temporary = path.with_name(TEMPORARY + path.name)
    try:
        write_synced(temporary, [content])
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_synced(path: Path, chunks: Iterable[bytes | memoryview]) -> tuple[int, str]:
    """Write `chunks` to `path` and wait for the disk; the size [bytes] and the sha256 come back."""
    digest, size = hashlib.sha256(), 0
    with open(path, "wb", buffering=0) as handle:
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                written = handle.write(view)
                digest.update(view[:written])
                size += written
                view = view[written:]
        os.fsync(handle.fileno())
    return size, digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on the disk (Windows does that by itself)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_sha256(path: Path) -> str:
    """The checksum of a file, read in pieces."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@dataclass(frozen=True)
class Column:
    """Where one array lies in a column file."""

    dtype: np.dtype
    shape: tuple[int, ...]  # time first
    offset: int  # of its first byte in the file

    @property
    def nbytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape)


class Spool:
    """A column that waits on the disk, in a file without a name, and never fits into memory.

    It has what a writer asks of an array: dtype, shape, ndim and its length.
    """

    def __init__(self, folder: Path, dtype: str, row: tuple[int, ...]) -> None:
        self.dtype, self._row, self._rows = np.dtype(dtype), row, 0
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by `close`

    def append(self, row: np.ndarray) -> None:
        """Add a row of exactly this kind."""
        if row.dtype != self.dtype or row.shape != self._row:
            raise ValueError(f"a row of {row.dtype} {row.shape}, not {self.dtype} {self._row}")
        self._file.write(np.ascontiguousarray(row).data)
        self._rows += 1

    @property
    def shape(self) -> tuple[int, ...]:
        return (self._rows, *self._row)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape)

    def __len__(self) -> int:
        return self._rows

    def chunks(self) -> Iterator[bytes]:
        """All bytes, in pieces."""
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            yield piece

    def close(self) -> None:
        """Forget the rows."""
        self._file.close()


def column_chunks(
    columns: Mapping[str, np.ndarray | Spool],
) -> Iterator[bytes | memoryview]:
    """The bytes of a column file, in order. Equal arrays give equal bytes.

    Raises:
        ValueError: an array has a dtype that safetensors cannot hold.
    """
    entries: dict[str, dict[str, object]] = {}
    arrays: list[np.ndarray | Spool] = []
    end = 0
    # Wide types first, as safetensors does: every array then starts at a multiple of its width.
    for name in sorted(columns, key=lambda name: (-columns[name].dtype.itemsize, name)):
        given = columns[name]
        array = given if isinstance(given, Spool) else np.ascontiguousarray(given)
        if array.dtype not in _CODES:
            raise ValueError(
                f"column {name} has dtype {array.dtype}, a column file can hold "
                f"{', '.join(str(dtype) for dtype in _CODES)}; convert it first"
            )
        begin, end = end, end + array.nbytes
        entries[name] = {
            "dtype": _CODES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [begin, end],
        }
        arrays.append(array)
    header = json.dumps(entries, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    yield len(header).to_bytes(8, "little") + header
    for array in arrays:
        if isinstance(array, Spool):
            yield from array.chunks()
        else:
            yield array.reshape(-1).view(np.uint8).data


def read_columns(path: Path) -> dict[str, Column]:
    """What a column file holds and where; no array is read.

    Raises:
        ValueError: the file is cut, longer than it says, or no column file.
    """
    size = path.stat().st_size
    with open(path, "rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        if size < 8 or (length > size - 8 and length <= _MAX_HEADER):
            raise ValueError(_cut(path, 8 + length, size))
        if length > _MAX_HEADER:
            raise ValueError(f"{path} is not a column file: it does not begin as safetensors does")
        raw = handle.read(length)
    columns: dict[str, Column] = {}
    end = 0
    try:
        entries = json.loads(raw)
        entries.pop("__metadata__", None)
        for name, entry in entries.items():
            begin, stop = entry["data_offsets"]
            dtype = _DTYPES[entry["dtype"]]
            shape = tuple(int(n) for n in entry["shape"])
            if begin < 0 or stop - begin != dtype.itemsize * math.prod(shape):
                raise ValueError(name)
            columns[name] = Column(dtype, shape, 8 + length + begin)
            end = max(end, stop)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} has a damaged header ({error}); restore the file from a copy or record it again"
        ) from error
    if size < 8 + length + end:
        raise ValueError(_cut(path, 8 + length + end, size))
    if size > 8 + length + end:
        raise ValueError(
            f"{path} has {size} bytes, its header describes {8 + length + end}; "
            "restore the file from a copy or record it again"
        )
    return columns


def read_slice(path: Path, column: Column, start: int, stop: int) -> np.ndarray:
    """Rows `start` to `stop` of a column, an array of its own; nothing else is read.

    Raises:
        ValueError: the file has become shorter since its header was read.
    """
    row = column.dtype.itemsize * math.prod(column.shape[1:])
    out = np.empty((stop - start, *column.shape[1:]), column.dtype)
    view = out.reshape(-1).view(np.uint8).data
    # The file is opened for every slice: a recording may have more episodes than the
    # system allows open files, and the cost is small beside the copy.
    with open(path, "rb", buffering=0) as handle:
        handle.seek(column.offset + start * row)
        while view:
            got = handle.readinto(view)
            if not got:
                size = path.stat().st_size
                raise ValueError(_cut(path, column.offset + stop * row, size))
            view = view[got:]
    return out


def read_whole(path: Path, column: Column) -> np.ndarray:
    """All rows of a column, or the one number of a column without axes."""
    rows = Column(column.dtype, (math.prod(column.shape),), column.offset)
    return read_slice(path, rows, 0, rows.shape[0]).reshape(column.shape)


def _cut(path: Path, expected: int, size: int) -> str:
    return (
        f"{path} is truncated: at least {expected} bytes were expected, {size} are there; "
        "restore the file from a copy, or delete it with its .json and record again"
    )
