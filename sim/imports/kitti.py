"""KITTI odometry sequences: 6-DoF camera poses become a planar path of the rear axle.

A pose line is the 3 x 4 matrix that takes points of the left camera (x right, y down, z forward)
into that camera's frame at the first pose. Layouts: `dataset/` with `sequences/` and `poses/`,
one sequence folder, or a folder with `poses.txt`, `calib.txt` and `image_l/`.

Source:
    Geiger, Lenz, Urtasun, Are we ready for Autonomous Driving? The KITTI Vision Benchmark Suite,
    CVPR 2012; the development kit of the odometry benchmark.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from . import motion
from .drive import Drive, Eye, gap_notes, starts_of
from .kitti_files import (
    PAIRS,
    Sequence,
    choose,
    find_sequences,
    read_calibration,
    read_poses,
    read_times,
)
from .lens import UNKNOWN, Lens, Mounting
from .note import Note
from .pictures import ImageFolder, Pictures

MOUNT_HEIGHT = 1.65  # [m]
# Behind the cameras, where sideways motion vanishes: 0.88 m fits sequence 03, 0.91 m sequence 00.
# It is less than to the axle, for tyres slip.
MOUNT_FORWARD = 0.9  # [m]
LICENCE = "CC BY-NC-SA 3.0 (KITTI, Karlsruhe Institute of Technology and TTI-C): non-commercial"


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
    which = choose(find_sequences(path), sequence, path)
    notes: list[Note] = []
    poses = read_poses(which.poses)
    time = read_times(which, len(poses), period, notes)
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
        tilt=None if eye is None else tilt_of(rotation, x, y)[rows],
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


def tilt_of(rotation: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N, 2) how far the camera is pitched down and rolled to the right beyond what is usual [rad]."""
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    down = np.arcsin(np.clip(rotation[:, 1, 2], -1.0, 1.0))  # y is down
    right = np.arcsin(np.clip(rotation[:, 1, 0], -1.0, 1.0))
    return np.stack([motion.shaking(arc, down), motion.shaking(arc, right)], axis=1)


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
