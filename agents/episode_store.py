"""Finished episodes of an evaluation that is not finished: kept as they end, whatever comes.

A folder with one file for each driver, to which every finished episode is appended. A process that
is killed while it appends leaves a cut record at the end; it is recognised and dropped, and that
episode is driven again.

    record: length of what follows (8 bytes), its CRC-32 (4 bytes), then length of a JSON head
    (4 bytes), the head (index, figures, names and length of the columns), the columns (float64)
"""

import json
import shutil
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..sim.files import write_whole
from ..sim.recording_header import read_json
from .evaluation import DrivenEpisode

IDENTITY = "evaluation.json"
EPISODES = ".episodes"
_FRAME = struct.Struct("<QI")
_HEAD = struct.Struct("<I")


class EpisodeStore:
    """The folder of an evaluation that is under way.

    Args:
        identity: what is evaluated, as JSON values; going on with something else is refused.
        resume: go on with what is there.

    Raises:
        ValueError: there is something, and it is not to be gone on with, or is something else.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], resume: bool) -> None:
        self.folder = folder
        if folder.exists() and not resume:
            raise ValueError(
                f"{folder} holds an evaluation that was not finished; go on with it by --resume, "
                "or delete it"
            )
        if not folder.exists():
            folder.mkdir(parents=True)
            write_whole(folder / IDENTITY, json.dumps(dict(identity), indent=1).encode() + b"\n")
            return
        if not (folder / IDENTITY).is_file():  # killed before it was written: nothing is lost
            write_whole(folder / IDENTITY, json.dumps(dict(identity), indent=1).encode() + b"\n")
        there = read_json(folder / IDENTITY)
        wanted = json.loads(json.dumps(dict(identity)))
        different = [
            f"{name} was {there.get(name)!r:.80}, is {wanted.get(name)!r:.80}"
            for name in sorted(there.keys() | wanted.keys())
            if there.get(name) != wanted.get(name)
        ]
        if different:
            raise ValueError(
                f"{folder} holds another evaluation: {'; '.join(different)}; give the same command "
                "as before, or delete the folder"
            )

    def load(self, driver: str) -> list[DrivenEpisode]:
        """The finished episodes of a driver, in the order in which they ended; a cut end is dropped."""
        path = self._path(driver)
        if not path.is_file():
            return []
        content = path.read_bytes()
        records = list(_records(content))
        end = records[-1][1] if records else 0
        if end < len(content):
            with path.open("r+b") as handle:
                handle.truncate(end)
        return [episode for episode, _ in records]

    def keep(self, driver: str, episode: DrivenEpisode) -> None:
        """Append a finished episode."""
        head = json.dumps(
            {
                "index": episode.index,
                "figures": episode.figures,
                "columns": list(episode.trace),
                "steps": len(next(iter(episode.trace.values()))),
            }
        ).encode()
        columns = np.stack(list(episode.trace.values())).astype("<f8")
        payload = _HEAD.pack(len(head)) + head + columns.tobytes()
        with self._path(driver).open("ab") as handle:
            handle.write(_FRAME.pack(len(payload), zlib.crc32(payload)) + payload)

    def remove_if_empty(self) -> None:
        """Leave no folder behind where nothing has been driven."""
        if not any(self.folder.glob(f"*{EPISODES}")):
            self.remove()

    def remove(self) -> None:
        """Forget all of it: the results are written."""
        shutil.rmtree(self.folder)

    def _path(self, driver: str) -> Path:
        return self.folder / f"{driver}{EPISODES}"


def _records(content: bytes) -> Iterator[tuple[DrivenEpisode, int]]:
    """Every whole record, and where it ends."""
    at = 0
    while at + _FRAME.size <= len(content):
        length, checksum = _FRAME.unpack_from(content, at)
        at += _FRAME.size
        payload = content[at : at + length]
        if len(payload) < length or zlib.crc32(payload) != checksum:
            return
        at += length
        (size,) = _HEAD.unpack_from(payload)
        head = json.loads(payload[_HEAD.size : _HEAD.size + size])
        values = np.frombuffer(payload, "<f8", offset=_HEAD.size + size)
        columns = values.reshape(len(head["columns"]), head["steps"]).astype(float)
        trace = dict(zip(head["columns"], columns, strict=True))
        yield DrivenEpisode(head["index"], head["figures"], trace), at
