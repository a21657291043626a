"""Recordings: drives on disk, written an episode at a time and read in slices.

    folder/dataset.json                  what every episode has in common
    folder/episodes/000000.safetensors   columns over time
    folder/episodes/000000.json          its sidecar: seed, world, driver, ..., sha256
    folder/index.jsonl                   the sidecars again, to open fast; counts while it is the
                                         newest, may be deleted

The sidecar is written last and is the commit mark: columns without a sidecar do not exist,
so a crash or a full disk costs the open episode and nothing else.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from . import files
from .recording_header import (
    HEADER_FILE,
    Feature,
    RecordingHeader,
    SplitRule,
    header_to_json,
    read_header,
    simulated_features,
)
from .recording_layout import column_files, columns_path, read_sidecars, rebuild_index
from .recording_validate import Problem, validate
from .recording_writer import RecordingWriter

__all__ = [
    "Feature",
    "Problem",
    "RecordedEpisode",
    "Recording",
    "RecordingHeader",
    "RecordingWriter",
    "SplitRule",
    "describe",
    "rebuild_index",
    "simulated_features",
    "validate",
]


@dataclass(frozen=True, eq=False)
class RecordedEpisode:
    """One drive: its sidecar at once, its columns when they are asked for."""

    path: Path  # of the columns
    sidecar: Mapping[str, Any]

    @property
    def index(self) -> int:
        """The number in the names of its files."""
        return int(self.sidecar["index"])

    @property
    def steps(self) -> int:
        return int(self.sidecar["steps"])

    @cached_property
    def columns(self) -> dict[str, files.Column]:
        """Where each column lies in the file."""
        return files.read_columns(self.path)

    def read(self, column: str, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Rows `start` to `stop` of a column, a copy of just those.

        Raises:
            KeyError: no such column.
            IndexError: the rows are not all there.
            ValueError: the file is damaged.
        """
        if column not in self.columns:
            raise KeyError(f"{self.path} has no column {column!r}, only {', '.join(self.columns)}")
        where = self.columns[column]
        stop = where.shape[0] if stop is None else stop
        if not 0 <= start <= stop <= where.shape[0]:
            raise IndexError(f"rows {start}:{stop} asked of {self.path}, it has {where.shape[0]}")
        return files.read_slice(self.path, where, start, stop)


@dataclass(frozen=True, eq=False)
class Recording:
    """A folder of drives, opened for reading. Episodes added later need another `open`."""

    folder: Path
    header: RecordingHeader
    episodes: tuple[RecordedEpisode, ...]
    uncommitted: tuple[Path, ...]  # columns without a sidecar: a crash left them, nobody reads them

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Self:
        """Open a recording. Sizes are compared with the sidecars; checksums only by `validate`.

        Raises:
            FileNotFoundError: the folder is no recording, or an episode has lost its columns.
            ValueError: a JSON file is wrong, or an episode is truncated.
        """
        folder = Path(folder)
        if not (folder / HEADER_FILE).is_file():
            raise FileNotFoundError(
                f"{folder} is not a recording: it has no {HEADER_FILE}; "
                "name a folder that `redrive record` has made"
            )
        header = read_header(folder / HEADER_FILE)
        sizes = column_files(folder)
        episodes = []
        for index, sidecar in read_sidecars(folder).items():
            path = columns_path(folder, index)
            if index not in sizes:
                raise FileNotFoundError(
                    f"{path} is missing although its sidecar is there; "
                    "restore it from a copy or delete the sidecar"
                )
            if sizes[index] != sidecar["bytes"]:
                raise ValueError(
                    f"{path} is truncated or was changed: {sidecar['bytes']} bytes were written, "
                    f"{sizes.pop(index)} are there; restore it from a copy, or delete it and its "
                    ".json and record again"
                )
            del sizes[index]
            episodes.append(RecordedEpisode(path, sidecar))
        uncommitted = tuple(columns_path(folder, index) for index in sorted(sizes))
        return cls(folder, header, tuple(episodes), uncommitted)

    def __len__(self) -> int:
        return len(self.episodes)

    def __iter__(self) -> Iterator[RecordedEpisode]:
        return iter(self.episodes)

    @property
    def steps(self) -> int:
        """Rows of all episodes together."""
        return sum(episode.steps for episode in self.episodes)

    @property
    def identity(self) -> str:
        """Names the content: equal for equal recordings, wherever they lie."""
        digest = hashlib.sha256(header_to_json(self.header))
        for episode in self.episodes:
            digest.update(episode.sidecar["sha256"].encode())
        return digest.hexdigest()[:16]

    def read(
        self, episode: int, column: str, start: int = 0, stop: int | None = None
    ) -> np.ndarray:
        """Rows `start` to `stop` of a column of `episodes[episode]`."""
        return self.episodes[episode].read(column, start, stop)

    def split(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Positions in `episodes` for training and for validation.

        The side follows from a hash of the world (with the seed in its name), so it is the
        same in every recording and stays when episodes are added. Only when the hash puts
        all worlds on one side does the one closest to the border change sides; a recording
        of a single world has no validation side.
        """
        rule = self.header.split
        draws = {
            key: _draw(key) for key in {_split_key(item.sidecar, rule.by) for item in self.episodes}
        }
        chosen = {key for key, draw in draws.items() if draw < rule.validation_share}
        if len(draws) > 1 and rule.validation_share > 0.0:
            if not chosen:
                chosen = {min(draws, key=draws.__getitem__)}
            elif len(chosen) == len(draws):
                chosen.remove(max(draws, key=draws.__getitem__))
        sides: tuple[list[int], list[int]] = ([], [])
        for position, item in enumerate(self.episodes):
            sides[_split_key(item.sidecar, rule.by) in chosen].append(position)
        return tuple(sides[0]), tuple(sides[1])


def describe(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """What a person wants to know of a recording, as JSON values.

    Raises:
        FileNotFoundError, ValueError: as `Recording.open`.
    """
    recording = Recording.open(folder)
    header, sidecars = recording.header, [episode.sidecar for episode in recording]
    training, validation = recording.split()
    metres = None
    if "speed" in header.features:
        metres = header.dt * sum(
            float(np.abs(episode.read("speed")).sum()) for episode in recording
        )
    return {
        "folder": str(folder),
        "identity": recording.identity,
        "episodes": len(recording),
        "training_episodes": len(training),
        "validation_episodes": len(validation),
        "split_by": header.split.by,
        "worlds": len({sidecar["world"] for sidecar in sidecars}),
        "steps": recording.steps,
        "dt": header.dt,
        "hours": recording.steps * header.dt / 3600.0,
        "km": None if metres is None else metres / 1000.0,
        "bytes": sum(sidecar["bytes"] for sidecar in sidecars),
        "drivers": _counts(sidecars, "driver"),
        "regimes": _counts(sidecars, "regime"),
        "results": _counts(sidecars, "result"),
        "columns": {name: asdict(feature) for name, feature in header.features.items()},
        "camera": header.camera,
        "camera_right": header.camera_right,
        "route": header.route,
        "about": header.about,
        "source": header.source,
        "licence": header.licence,
        "redrive_version": header.redrive_version,
        "schema": header.schema,
        "uncommitted": [str(path) for path in recording.uncommitted],
    }


def _counts(sidecars: Sequence[Mapping[str, Any]], entry: str) -> dict[str, int]:
    counted = Counter(str(sidecar[entry]) for sidecar in sidecars if entry in sidecar)
    return dict(sorted(counted.items()))


def _split_key(sidecar: Mapping[str, Any], by: str) -> str:
    if by not in sidecar:
        raise ValueError(f"sidecar entry {by} is missing; episodes are split by it")
    return str(sidecar[by])


def _draw(key: str) -> float:
    """A number in [0, 1) that follows from `key` alone, on every machine."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2.0**64
