"""Where KITTI keeps the files of a sequence, and what is in them."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import motion
from .note import Note

PERIOD = 0.1031  # between frames, where times.txt is missing [s]
PAIRS = (  # folders of the left and right camera, and their rows in calib.txt; colour first
    ("image_2", "image_3", 2, 3),
    ("image_0", "image_1", 0, 1),
    ("image_l", "image_r", 0, 1),
)


@dataclass(frozen=True)
class Sequence:
    """Where the files of one drive are."""

    name: str
    poses: Path
    folder: Path  # of the pictures, calib.txt and times.txt
    has_pictures: bool


def find_sequences(path: str | os.PathLike[str]) -> list[Sequence]:
    """The drives at `path` or a few folders below.

    Raises:
        FileNotFoundError: nothing is there, or nothing that KITTI would know.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there; name a KITTI folder or a sequence's folder")
    found: dict[Path, Sequence] = {}
    if path.is_file():
        return [_beside(path)]
    own = path.parent.parent / "poses" / f"{path.name}.txt"
    if own.is_file():
        return [_beside(own)]
    for depth in ("", "*/", "*/*/", "*/*/*/"):
        for poses in sorted(path.glob(f"{depth}poses.txt")):
            found[poses] = _beside(poses)
        for poses in sorted(path.glob(f"{depth}poses/*.txt")):
            found[poses] = _beside(poses)
    if not found:
        if any((path / name).is_dir() for pair in PAIRS for name in pair[:2]):
            raise FileNotFoundError(
                f"{path} has pictures but no poses; KITTI keeps them in ../../poses/{path.name}.txt"
            )
        raise FileNotFoundError(
            f"{path} holds no KITTI drive: no poses/NN.txt and no poses.txt in it or below"
        )
    return list(found.values())


def read_poses(path: Path) -> np.ndarray:
    """(N, 3, 4) of a pose file, checked."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            row = [float(word) for word in line.split()]
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}; a line is 12 numbers") from error
        if len(row) != 12:
            raise ValueError(f"{path}, line {number}: {len(row)} numbers, a KITTI pose is 12")
        rows.append(row)
    if len(rows) < 2:
        raise ValueError(f"{path} has {len(rows)} poses; a drive needs at least 2")
    poses = np.array(rows).reshape(-1, 3, 4)
    motion.check_numbers("a pose", poses.reshape(-1, 12), str(path))
    rotation = poses[:, :, :3]
    off = np.abs(rotation @ rotation.transpose(0, 2, 1) - np.eye(3)).max(axis=(1, 2))
    bad = np.flatnonzero((off > 1e-3) | (np.linalg.det(rotation) < 0.0))
    if bad.size:
        raise ValueError(
            f"{path}, line {bad[0] + 1}: the left 3 x 3 of the matrix is no rotation; a line is the "
            "3 x 4 matrix row by row, of a right-handed camera frame"
        )
    return poses


def read_calibration(path: Path) -> dict[int, np.ndarray]:
    """3 x 4 projection matrices by camera, with labels (P0:, P_rect_00:) or without.

    Raises:
        ValueError: no line is one.
    """
    found: dict[int, np.ndarray] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        label, colon, rest = line.rpartition(":")
        try:
            numbers = [float(word) for word in rest.split()]
        except ValueError:
            continue
        if len(numbers) != 12:
            continue
        name = label.strip().removeprefix("P_rect_0").removeprefix("P")
        if colon and not name.isdecimal():
            continue  # Tr: and the like
        found[int(name) if colon else len(found)] = np.array(numbers).reshape(3, 4)
    if not found:
        raise ValueError(
            f"{path} has no projection matrix; a line is 12 numbers, with or without P0: before them"
        )
    return found


def choose(found: list[Sequence], name: str | None, path: str | os.PathLike[str]) -> Sequence:
    names = ", ".join(item.name for item in found)
    if name is not None:
        for item in found:
            if item.name == name:
                return item
        raise ValueError(f"{path} has no sequence {name}; there are {names}")
    if len(found) > 1:
        raise ValueError(f"{path} has several sequences ({names}); choose one with --sequence")
    return found[0]


def _beside(poses: Path) -> Sequence:
    name = poses.stem
    folder = poses.parent
    if name == "poses":
        name = folder.name
    elif folder.name == "poses":
        folder = folder.parent / "sequences" / name
    pictures = any((folder / pair[0]).is_dir() for pair in PAIRS)
    return Sequence(name, poses, folder, pictures)


def read_times(which: Sequence, count: int, period: float | None, notes: list[Note]) -> np.ndarray:
    path = which.folder / "times.txt"
    if not path.is_file():
        step = PERIOD if period is None else period
        if not 0.0 < step < 60.0:
            raise ValueError(f"the period between frames must be above 0 s, got {step}")
        if period is None:
            notes.append(Note("no-times", f"no times.txt: frames are taken to be {step} s apart"))
        return np.arange(count) * step
    if period is not None:
        raise ValueError(f"{path} gives the times of the frames; leave --period out")
    try:
        time = np.array([float(word) for word in path.read_text(encoding="utf-8").split()])
    except ValueError as error:
        raise ValueError(f"{path}: {error}; a line is a time in seconds") from error
    if len(time) != count:
        raise ValueError(
            f"{path} has {len(time)} times, {which.poses} has {count} poses; "
            "they must be of the same sequence, a line for a frame"
        )
    motion.check_time(time, str(path))
    return time
