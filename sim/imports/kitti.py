"""KITTI odometry sequences: 6-DoF camera poses become a planar path of the rear axle.

A pose line is the 3 x 4 matrix that takes points of the left camera (x right, y down, z forward)
into that camera's frame at the first pose. Layouts: `dataset/` with `sequences/` and `poses/`,
one sequence folder, or a folder with `poses.txt`, `calib.txt` and `image_l/`.

Source:
    Geiger, Lenz, Urtasun, Are we ready for Autonomous Driving? The KITTI Vision Benchmark Suite,
    CVPR 2012; the development kit of the odometry benchmark.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from . import motion
from .drive import Drive, Eye, gap_notes, starts_of
from .lens import UNKNOWN, Lens, Mounting
from .note import Note
from .pictures import ImageFolder, Pictures

PERIOD = 0.1031  # between frames, where times.txt is missing [s]
MOUNT_HEIGHT = 1.65  # [m]
# Behind the cameras, where sideways motion vanishes: 0.88 m fits sequence 03, 0.91 m sequence 00.
# It is less than to the axle, for tyres slip.
MOUNT_FORWARD = 0.9  # [m]
LICENCE = "CC BY-NC-SA 3.0 (KITTI, Karlsruhe Institute of Technology and TTI-C): non-commercial"
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


def read(
    path: str | os.PathLike[str],
    sequence: str | None = None,
    period: float | None = None,
    mounting: Mounting = UNKNOWN,
) -> Drive:
    """One sequence.

    Args:
        sequence: its name, when there is more than one.
        period: between frames [s], where times.txt is missing.
        mounting: what is known of the camera better than the data set does.

    Raises:
        FileNotFoundError, ValueError: with what is missing or wrong.
    """
    which = _choose(find_sequences(path), sequence, path)
    notes: list[Note] = []
    poses = read_poses(which.poses)
    time = _read_times(which, len(poses), period, notes)
    rotation, place = poses[:, :, :3], poses[:, :, 3]
    pitch, aside, moving = travel_direction(rotation, place)
    mounting = replace(
        mounting,
        pitch=pitch if mounting.pitch is None else mounting.pitch,
        yaw=mounting.yaw or 0.0,
    )
    forward = MOUNT_FORWARD if mounting.mount_forward is None else mounting.mount_forward
    eye, right_eye, left, baseline = _eyes(which, replace(mounting, mount_forward=forward))

    yaw = np.unwrap(-np.arctan2(rotation[:, 0, 2], rotation[:, 2, 2])) - (mounting.yaw or 0.0)
    x, y = motion.from_mount(place[:, 2], -place[:, 0], yaw, forward, -left)
    frame = np.arange(len(poses))
    jumps = motion.find_jumps(x, y, yaw)
    gaps = motion.find_gaps(time)
    notes += gap_notes(jumps, gaps)
    starts = jumps | gaps
    moved = motion.motion_of(time, x, y, yaw, starts)

    rows = frame
    if eye is not None:
        rows = _with_pictures(which, frame, eye.pictures, notes)
        starts = starts_of(rows, starts)
    return Drive(
        name=f"kitti:{which.name}",
        time=time[rows],
        x=x[rows],
        y=y[rows],
        yaw=yaw[rows],
        speed=moved.speed[rows],
        yaw_rate=moved.yaw_rate[rows],
        curvature=moved.curvature[rows],
        accel=moved.accel[rows],
        starts=starts,
        frame=rows,
        source=f"KITTI odometry benchmark, sequence {which.name}",
        licence=LICENCE,
        eye=eye,
        right_eye=right_eye,
        baseline=baseline,
        notes=tuple(notes),
        about={
            "format": "kitti",
            "mount_forward": forward,
            "pitch_from_travel": round(pitch, 6),
            "travel_right_of_axis": round(aside, 6),
            "moving_frames": moving,
            "command_from": "poses",
        },
    )


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


def travel_direction(rotation: np.ndarray, place: np.ndarray) -> tuple[float, float, int]:
    """How far the camera looks below, and travels to the right of, its direction of travel [rad].

    The median over moving frames, so that standing and bumps do not matter.

    Returns:
        the pitch (positive looks down), the sideways angle, and the number of moving frames.
    """
    step = place[2:] - place[:-2]
    seen = np.einsum("nji,nj->ni", rotation[1:-1], step)  # in the camera's own frame
    length = np.linalg.norm(step, axis=1)
    moving = length > max(0.1, 0.3 * float(np.median(length))) if len(length) else length > 0
    if not moving.any():
        return 0.0, 0.0, 0
    right, down, ahead = seen[moving].T
    pitch = float(np.median(np.arctan2(-down, ahead)))
    return pitch, float(np.median(np.arctan2(right, ahead))), int(moving.sum())


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


def _beside(poses: Path) -> Sequence:
    name = poses.stem
    folder = poses.parent
    if name == "poses":
        name = folder.name
    elif folder.name == "poses":
        folder = folder.parent / "sequences" / name
    pictures = any((folder / pair[0]).is_dir() for pair in PAIRS)
    return Sequence(name, poses, folder, pictures)


def _choose(found: list[Sequence], name: str | None, path: str | os.PathLike[str]) -> Sequence:
    names = ", ".join(item.name for item in found)
    if name is not None:
        for item in found:
            if item.name == name:
                return item
        raise ValueError(f"{path} has no sequence {name}; there are {names}")
    if len(found) > 1:
        raise ValueError(f"{path} has several sequences ({names}); choose one with --sequence")
    return found[0]


def _read_times(which: Sequence, count: int, period: float | None, notes: list[Note]) -> np.ndarray:
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


def _eyes(which: Sequence, mounting: Mounting) -> tuple[Eye | None, Eye | None, float, float]:
    """Left and right eye, how far the left one is to the right of the poses' camera, baseline."""
    if not which.has_pictures:
        return None, None, 0.0, 0.0
    calibration = which.folder / "calib.txt"
    if not calibration.is_file():
        raise FileNotFoundError(
            f"{calibration} is missing: without calibration nobody knows what a pixel sees; "
            "put KITTI's calib.txt there"
        )
    matrices = read_calibration(calibration)
    left_name, right_name, left, right = next(
        pair for pair in PAIRS if (which.folder / pair[0]).is_dir()
    )
    if left not in matrices:
        raise ValueError(f"{calibration} has no matrix P{left} for {left_name}")
    eye = _eye(which.folder / left_name, matrices[left], mounting)
    offset = _to_the_right(matrices[left])
    if not (which.folder / right_name).is_dir() or right not in matrices:
        return eye, None, offset, 0.0
    right_eye = _eye(which.folder / right_name, matrices[right], mounting)
    if right_eye.pictures.size != eye.pictures.size:
        raise ValueError(
            f"{which.folder}: pictures of {left_name} and {right_name} differ in size, "
            f"{eye.pictures.size} and {right_eye.pictures.size}"
        )
    baseline = _to_the_right(matrices[right]) - offset
    if not 0.01 < baseline < 5.0:
        raise ValueError(
            f"{calibration}: {right_name} would be {baseline:.3g} m to the right of {left_name}; "
            "are left and right swapped?"
        )
    return eye, right_eye, offset, baseline


def _eye(folder: Path, matrix: np.ndarray, mounting: Mounting) -> Eye:
    pictures = ImageFolder(folder)
    width, height = pictures.size
    lens = Lens(
        width=width,
        height=height,
        fx=float(matrix[0, 0]),
        fy=float(matrix[1, 1]),
        cx=float(matrix[0, 2]),
        cy=float(matrix[1, 2]),
        mount_height=MOUNT_HEIGHT,
    )
    return Eye(pictures, mounting.applied(lens))


def _to_the_right(matrix: np.ndarray) -> float:
    return float(-matrix[0, 3] / matrix[0, 0])


def _with_pictures(
    which: Sequence, frame: np.ndarray, pictures: Pictures, notes: list[Note]
) -> np.ndarray:
    numbers = np.array(pictures.numbers)
    if beyond := int((numbers >= len(frame)).sum()):
        raise ValueError(
            f"{which.folder} has {beyond} pictures beyond the {len(frame)} poses of "
            f"{which.poses}; they must be of the same sequence"
        )
    if without := len(frame) - len(numbers):
        notes.append(Note("no-picture", f"{without} of {len(frame)} poses have no picture"))
    return numbers
