"""A film with a table of poses, or of speed and yaw rate, beside it."""

import os
from pathlib import Path

import numpy as np

from . import motion
from .drive import Drive, Eye
from .lens import UNKNOWN, Mounting
from .lens_file import read_lens
from .note import Note
from .pictures import ImageFolder, Video
from .table import read_table
from .track import track_of


def read(
    path: str | os.PathLike[str],
    poses: str | os.PathLike[str],
    camera: str | os.PathLike[str],
    fps: float | None = None,
    first_frame_time: float = 0.0,
    poses_of_camera: bool = False,
    mounting: Mounting = UNKNOWN,
) -> Drive:
    """A video file or a folder of images, with its table and its camera file.

    Args:
        poses: CSV with t, x, y, yaw and perhaps speed; or with t, speed, yaw_rate. A column
            `frame` ties rows to pictures; without one the times do, or equal counts.
        camera: calibration, see `lens_file.read_lens`.
        fps: pictures a second, where the file does not say or is wrong.
        first_frame_time: when the first picture was taken, by the table's clock [s].
        poses_of_camera: x, y are the camera's, not the rear axle's.
        mounting: what is known of the camera better than its file does.

    Raises:
        FileNotFoundError, ValueError: with what is missing or wrong.
    """
    path = Path(path)
    pictures = ImageFolder(path) if path.is_dir() else Video(path)
    given, notes = read_lens(camera, pictures.size)
    eye = Eye(pictures, mounting.applied(given))
    table = read_table(poses)
    track, gaps = track_of(table, str(poses))
    notes += gaps
    if poses_of_camera:
        track = track.moved(eye.lens.mount_forward)
    if "frame" in table:
        rows, frame = _by_number(table["frame"], np.array(pictures.numbers), path, poses, notes)
        track = track.at(rows)
    elif isinstance(pictures, ImageFolder) and fps is None:
        frame = np.array(pictures.numbers)
        if len(frame) != len(track.time):
            raise ValueError(
                f"{path} has {len(frame)} images, {poses} has {len(track.time)} rows; give a row "
                "for each image, a column frame, or --fps"
            )
        track = track.split(np.concatenate([[False], np.diff(frame) > 1]))
    else:
        rate = fps or (pictures.fps if isinstance(pictures, Video) else 0.0)
        if not 0.1 <= rate <= 10_000.0:
            raise ValueError(f"{path} does not say its frame rate; give --fps")
        frame = np.array(pictures.numbers)
        at = first_frame_time + (frame - frame[0]) / rate
        inside, track = track.resampled(at)
        notes += _outside(inside, f"{path.name} from {at[0]:.6g} to {at[-1]:.6g} s", str(poses))
        frame = frame[inside]
    return Drive(
        name=f"video:{path.stem}",
        time=track.time,
        x=track.x,
        y=track.y,
        yaw=track.yaw,
        speed=track.speed,
        yaw_rate=track.yaw_rate,
        curvature=motion.curvature_of(track.speed, track.yaw_rate),
        accel=motion.acceleration(track.time, track.speed, track.starts),
        starts=track.starts,
        frame=frame,
        source=f"video {path.name} with {Path(poses).name}",
        licence="not stated",
        eye=eye,
        notes=tuple(notes),
        about={
            "format": "video",
            "command_from": "poses",
            "poses_from": "x, y, yaw" if "x" in table else "speed, yaw_rate",
            "lens": eye.lens.to_json(),
        },
    )


def _by_number(
    wanted: np.ndarray,
    there: np.ndarray,
    path: Path,
    poses: str | os.PathLike[str],
    notes: list[Note],
) -> tuple[np.ndarray, np.ndarray]:
    """The rows whose picture is there, and its number."""
    if (wanted != np.round(wanted)).any() or (np.diff(wanted) <= 0).any():
        raise ValueError(f"{poses}: frame must be whole numbers that grow from row to row")
    frame = wanted.astype(np.int64)
    rows = np.flatnonzero(np.isin(frame, there))
    if len(rows) < 2:
        raise ValueError(
            f"{poses} names frames {frame[0]} to {frame[-1]}, {path} has {there[0]} to {there[-1]}; "
            "they must be of the same drive"
        )
    if without := len(frame) - len(rows):
        notes.append(Note("no-picture", f"{without} of {len(frame)} poses have no picture"))
    if unused := len(there) - len(rows):
        notes.append(Note("no-pose", f"{unused} of {len(there)} pictures have no pose; left out"))
    return rows, frame[rows]


def _outside(inside: np.ndarray, film: str, poses: str) -> list[Note]:
    """A note on pictures for which the table has no pose."""
    if np.count_nonzero(inside) < 2:
        raise ValueError(f"{film} does not overlap the times in {poses}; give --first-frame-time")
    if without := int(np.count_nonzero(~inside)):
        text = f"{without} of {len(inside)} pictures ({film}) have no pose; left out"
        return [Note("no-pose", text)]
    return []
