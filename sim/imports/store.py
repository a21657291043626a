"""Writes a drive as a recording, picture after picture, an episode for each unbroken stretch."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from .. import files
from ..recording_header import HEADER_FILE, Feature, RecordingHeader, header_to_json
from ..recording_writer import RecordingWriter
from ..sensors.camera import Camera
from .drive import Drive
from .lens import Straightener
from .motion import to_local
from .note import Note
from .turning import Turning

SHORTEST = 2  # rows; a single one has no motion


@dataclass(frozen=True)
class View:
    """What is kept of a drive."""

    size: tuple[int, int | None] | None = None  # pictures, width and height [px]
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)  # off left, top, right, bottom [source px]
    every: int = 1  # rows, of which one is kept

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"every must be 1 (all frames) or more, got {self.every}")


@dataclass(frozen=True)
class Imported:
    """What came of it. `rows` is `kept` and all of `left_out` together."""

    folder: Path
    rows: int
    kept: int
    left_out: dict[str, int]  # why, and how many rows
    segments: tuple[int, ...]  # the rows of each episode
    metres: float
    notes: tuple[Note, ...]


def segments_of(starts: np.ndarray, every: int = 1) -> list[np.ndarray]:
    """The rows to keep of each unbroken stretch; together they are every row, when `every` is 1."""
    rows = np.arange(len(starts))
    return [part[::every] for part in np.split(rows, np.flatnonzero(starts[1:]) + 1)]


def write(
    drive: Drive,
    folder: str | os.PathLike[str],
    view: View = View(),
    on_rows: Callable[[int], None] = lambda count: None,
) -> Imported:
    """Write a drive into a new folder.

    Pictures go to the disk one by one, so the length of a video does not matter.

    Args:
        on_rows: told how many more rows are done.

    Raises:
        FileExistsError: there is a recording already.
        ValueError: a setting is wrong, or no picture can be read.
    """
    folder = Path(folder)
    before = folder.exists()
    segments = segments_of(drive.starts, view.every)
    most = (0.0, 0.0) if drive.tilt is None else np.abs(drive.tilt).max(axis=0)
    eyes = {
        name: (
            eye.pictures,
            Straightener(eye.lens, view.size, view.crop, (float(most[0]), float(most[1]))),
        )
        for name, eye in (("camera", drive.eye), ("camera_right", drive.right_eye))
        if eye is not None
    }
    header = _header(drive, {name: eye[1].camera for name, eye in eyes.items()}, segments)
    with RecordingWriter(folder, header) as writer:
        try:
            pen = _Pen(drive, writer, segments, eyes)
            pen.write(on_rows)
            if not pen.lengths:
                raise ValueError(f"{drive.name}: no stretch of {SHORTEST} rows was left to keep")
            left_out = dict(pen.left_out)
            if view.every > 1:
                left_out["every"] = len(drive.time) - sum(map(len, segments))
            notes = drive.notes + tuple(pen.notes())
            about = dict(header.about or {}) | {
                "rows": len(drive.time),
                "left_out": left_out,
                "notes": [str(note) for note in notes],
            }
            files.write_whole(
                folder / HEADER_FILE, header_to_json(replace(header, about=about | pen.found))
            )
        except BaseException:
            writer.close()
            if not before:
                shutil.rmtree(folder)
            raise
    return Imported(
        folder,
        len(drive.time),
        sum(pen.lengths),
        left_out,
        tuple(pen.lengths),
        pen.metres,
        notes,
    )


class _Pen:
    """Collects rows and their pictures, and adds an episode whenever a stretch ends."""

    def __init__(
        self,
        drive: Drive,
        writer: RecordingWriter,
        segments: Sequence[np.ndarray],
        eyes: dict[str, Any],
    ) -> None:
        self.drive, self.writer, self.segments, self.eyes = drive, writer, segments, eyes
        self.x, self.y, self.yaw = to_local(drive.x, drive.y, drive.yaw)
        self.lengths: list[int] = []
        self.left_out: Counter[str] = Counter()
        self.unreadable: list[int] = []
        self.metres = 0.0
        self.turning = Turning(eyes["camera"][1].camera) if "camera" in eyes else None
        self.found: dict[str, Any] = {}

    def write(self, on_rows: Callable[[int], None]) -> None:
        """Everything, in order."""
        streams = {
            name: pictures.read(np.concatenate(self.segments_frames()))
            for name, (pictures, _) in self.eyes.items()
        }
        for rows in self.segments:
            if not streams:
                self._flush(rows, {}, np.full(len(rows), -1))
                on_rows(len(rows))
                continue
            self._write_seen(rows, streams, on_rows)
        if self.turning is not None:
            self.found["turning"] = self.turning.result()

    def segments_frames(self) -> list[np.ndarray]:
        return [self.drive.frame[rows] for rows in self.segments]

    def _write_seen(
        self,
        rows: np.ndarray,
        streams: dict[str, Iterator[np.ndarray | None]],
        on_rows: Callable[[int], None],
    ) -> None:
        """A stretch with pictures; one that cannot be read ends it, and another begins."""
        done = 0
        while done < len(rows):
            with _Spools(self.writer.folder, self.eyes) as spools:
                kept: list[int] = []
                right_ids: list[int] = []
                for row in rows[done:]:
                    done += 1
                    pictures = {name: next(stream) for name, stream in streams.items()}
                    on_rows(1)
                    if pictures["camera"] is None:
                        self.unreadable.append(int(self.drive.frame[row]))
                        self.left_out["bad-picture"] += 1
                        break
                    picture = spools.add("camera", pictures["camera"], self._tilt(row))
                    if self.turning is not None:
                        self.turning.add(
                            picture, self.drive.time[row], self.drive.yaw_rate[row], bool(kept)
                        )
                    if "camera_right" in pictures:
                        right = pictures["camera_right"]
                        spools.add("camera_right", right, self._tilt(row))
                        right_ids.append(-1 if right is None else int(self.drive.frame[row]))
                    kept.append(int(row))
                self._flush(np.array(kept, int), spools.columns, np.array(right_ids))

    def _tilt(self, row: int) -> tuple[float, float]:
        tilt = self.drive.tilt
        return (0.0, 0.0) if tilt is None else (float(tilt[row, 0]), float(tilt[row, 1]))

    def _flush(
        self, rows: np.ndarray, pictures: dict[str, files.Spool], right_ids: np.ndarray
    ) -> None:
        if len(rows) < SHORTEST:
            self.left_out["short-stretch"] += len(rows)
            return
        drive = self.drive
        ids = drive.frame[rows].astype(np.int64)
        command = np.stack([drive.curvature[rows], drive.accel[rows]], axis=1).astype(np.float32)
        odometry = np.stack([drive.speed[rows], drive.yaw_rate[rows]], axis=1)
        columns: dict[str, np.ndarray | files.Spool] = {
            **pictures,
            "x": self.x[rows],
            "y": self.y[rows],
            "yaw": self.yaw[rows],
            "speed": drive.speed[rows],
            "time": drive.time[rows] - drive.time[0],
            "curvature": drive.curvature[rows].astype(np.float32),
            "odometry": odometry.astype(np.float32),
            "command": command,
            "expert_command": command,
            "state_id": ids,
            "camera_state_id": ids,
            "label_state_id": ids,
        }
        if "camera_right" in columns:
            columns["camera_right_state_id"] = right_ids.astype(np.int64)
        self.writer.add(
            columns,
            {
                "seed": 0,
                "world": drive.name,
                "driver": "human",
                "regime": "log",
                "result": "recorded",
                "first_frame": int(ids[0]),
                "last_frame": int(ids[-1]),
            },
        )
        self.lengths.append(len(rows))
        self.metres += float(np.hypot(np.diff(self.x[rows]), np.diff(self.y[rows])).sum())

    def notes(self) -> Iterator[Note]:
        """What was found while writing."""
        if self.unreadable:
            shown = ", ".join(map(str, self.unreadable[:5]))
            more = ", ..." if len(self.unreadable) > 5 else ""
            yield Note(
                "bad-picture",
                f"{len(self.unreadable)} pictures cannot be read ({shown}{more}); "
                "the drive is split there",
            )
        if short := self.left_out["short-stretch"]:
            yield Note("short-stretch", f"{short} rows stand alone between gaps and are left out")
        if self.turning is not None and self.turning.opposed():
            yield Note(
                "left-right",
                "the far scene moves as if the car turned the other way (correlation "
                f"{self.turning.result()['correlation']:.2f}); steering, yaw or the pictures "
                "may be mirrored",
            )


class _Spools:
    """Pictures of one stretch on their way."""

    def __init__(self, folder: Path, eyes: dict[str, Any]) -> None:
        self._eyes = eyes
        self.columns = {
            name: files.Spool(folder, "uint8", straighten.camera.shape)
            for name, (_, straighten) in eyes.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for spool in self.columns.values():
            spool.close()

    def add(self, name: str, picture: np.ndarray | None, tilt: tuple[float, float]) -> np.ndarray:
        """Straighten and keep a picture; black stands for none."""
        straighten = self._eyes[name][1]
        shown = (
            np.zeros(straighten.camera.shape, np.uint8)
            if picture is None
            else straighten(picture, tilt)
        )
        self.columns[name].append(shown)
        return shown


def _header(
    drive: Drive, cameras: dict[str, Camera], segments: Sequence[np.ndarray]
) -> RecordingHeader:
    steps = np.concatenate([np.diff(drive.time[rows]) for rows in segments])
    if not steps.size:
        raise ValueError(f"{drive.name}: no two rows are left together; keep more of them")
    features = {
        name: Feature("uint8", camera.shape, "1", "image") for name, camera in cameras.items()
    } | {
        "x": Feature("float64", (), "m", "world"),
        "y": Feature("float64", (), "m", "world"),
        "yaw": Feature("float64", (), "rad", "world"),
        "speed": Feature("float64", (), "m/s", "ego"),
        "curvature": Feature("float32", (), "1/m", "ego"),
        "odometry": Feature("float32", (2,), "m/s, rad/s", "ego"),
        "command": Feature("float32", (2,), "1/m, m/s^2", "ego"),
        "expert_command": Feature("float32", (2,), "1/m, m/s^2", "ego"),
        "time": Feature("float64", (), "s"),
        "state_id": Feature("int64", (), "1"),
        "camera_state_id": Feature("int64", (), "1"),
        "label_state_id": Feature("int64", (), "1"),
    }
    right = None
    if "camera_right" in cameras:
        features["camera_right_state_id"] = Feature("int64", (), "1")
        right = cameras["camera_right"].to_json() | {"baseline": drive.baseline}
    camera = cameras.get("camera")
    return RecordingHeader(
        features=features,
        dt=float(np.median(steps)),
        source=drive.source,
        licence=drive.licence,
        camera=None if camera is None else camera.to_json(),
        camera_right=right,
        about={"reference_point": "rear axle", "steadied": drive.tilt is not None}
        | dict(drive.about),
    )
