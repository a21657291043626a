"""comma2k19 segments: ECEF poses and the car's own speed and steering become a planar path.

The quaternion (w x y z) takes device axes (forward, right, down) into ECEF; the data set's own
README words it the other way round. Steering is positive to the left.

Source:
    Schafer, Santana, Haden, Biasini, A Commute in Data: The comma2k19 Dataset, 2018.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from . import motion
from .drive import Drive, Eye, gap_notes
from .lens import UNKNOWN, Lens, Mounting
from .note import Note
from .pictures import Video

LICENCE = "MIT, Copyright (c) 2018 comma.ai"
# Of the EON's camera [px], from the data set's notebooks.
SIZE, FOCAL, CENTRE = (1164, 874), 910.0, (582.0, 437.0)
MOUNT_HEIGHT = 1.22  # of a device behind the windscreen, assumed [m]
MOUNT_FORWARD = 1.5  # ahead of the rear axle, assumed [m]
WHEELBASE = 2.7  # [m]
STEER_RATIO = 15.0  # turns of the hand wheel for one of the road wheels


def read(
    path: str | os.PathLike[str],
    wheelbase: float = WHEELBASE,
    steer_ratio: float = STEER_RATIO,
    mounting: Mounting = UNKNOWN,
) -> Drive:
    """One segment, the folder with `global_pose` and `processed_log`.

    Raises:
        FileNotFoundError, ValueError: with what is missing or wrong.
    """
    folder = find_segment(path)
    notes: list[Note] = []
    if not wheelbase > 0.5 or not steer_ratio > 1.0:
        raise ValueError(
            f"wheelbase must be above 0.5 m and steer_ratio above 1, got {wheelbase}, {steer_ratio}"
        )
    pose = folder / "global_pose"
    time = _load(pose / "frame_times", ())
    motion.check_time(time, str(pose / "frame_times"))
    place = _load(pose / "frame_positions", (3,), len(time))
    device = rotations(_load(pose / "frame_orientations", (4,), len(time)))
    if not (6.3e6 < np.median(np.linalg.norm(place, axis=1)) < 6.45e6):
        raise ValueError(
            f"{pose / 'frame_positions'} is not in metres from the Earth's centre (ECEF)"
        )
    level = enu_axes(place[0])  # rows: east, north, up
    east, north, _ = ((place - place[0]) @ level.T).T
    device = level @ device  # its columns: forward, right, down, in east, north, up
    yaw_device = np.unwrap(np.arctan2(device[:, 1, 0], device[:, 0, 0]))
    gaps = motion.find_gaps(time)
    jumps = motion.find_jumps(east, north, yaw_device)
    starts = gaps | jumps
    notes += gap_notes(jumps, gaps)

    velocity = np.stack(
        [motion.slope(time, values, starts) for values in ((place - place[0]) @ level.T).T], axis=1
    )
    seen = np.einsum("nji,nj->ni", device, velocity)  # the velocity in device axes
    moving = np.linalg.norm(velocity, axis=1) > 2.0
    if not moving.any():
        raise ValueError(f"{folder}: the car never moves, so nobody knows where it points")
    pitch = float(np.median(np.arctan2(-seen[moving, 2], seen[moving, 0])))
    forward = MOUNT_FORWARD if mounting.mount_forward is None else mounting.mount_forward
    # The axle's way to the right: the device ahead of it is swung outwards in a bend.
    to_right = seen[:, 1] + forward * motion.slope(time, yaw_device, starts)
    aside = float(np.median(np.arctan2(to_right[moving], seen[moving, 0])))
    mount_yaw = aside if mounting.yaw is None else mounting.yaw
    mounting = replace(
        mounting,
        yaw=mount_yaw,
        pitch=pitch if mounting.pitch is None else mounting.pitch,
        mount_forward=forward,
    )
    yaw = yaw_device - mount_yaw
    x, y = motion.from_mount(east, north, yaw, forward)
    moved = motion.motion_of(time, x, y, yaw, starts)

    speed = _on_can(folder, "speed", time, notes)
    speed = moved.speed if speed is None else speed
    motion.check_speed(speed, moved.speed, str(folder / "processed_log/CAN/speed"))
    angle = _on_can(folder, "steering_angle", time, notes)
    agreement, zero = None, 0.0
    if angle is None:
        curvature, source = moved.curvature, "poses"
    else:
        curvature, zero = from_steering(angle, speed, moved.yaw_rate, wheelbase, steer_ratio)
        source = "steering"
        agreement = motion.correlation(curvature * speed, moved.yaw_rate)
        if agreement < -0.3:
            raise ValueError(
                f"{folder}: steering and poses turn opposite ways (correlation {agreement:.2f}); "
                "steering_angle must be positive to the left"
            )
    video = next((folder / name for name in ("video.hevc", "video.mp4")
                  if (folder / name).is_file()), None)  # fmt: skip
    eye = None if video is None else _eye(video, len(time), mounting)
    if eye is None:
        notes.append(
            Note(
                "no-pictures", "no video.hevc: this is a path without pictures, not a place to see"
            )
        )
    return Drive(
        name=f"comma2k19:{folder.parent.name}/{folder.name}",
        time=time,
        x=x,
        y=y,
        yaw=yaw,
        speed=speed,
        yaw_rate=moved.yaw_rate,
        curvature=curvature,
        accel=motion.acceleration(time, speed, starts),
        starts=starts,
        frame=np.arange(len(time)),
        source=f"comma2k19, segment {folder.parent.name}/{folder.name}",
        licence=LICENCE,
        eye=eye,
        tilt=None if eye is None else tilt_of(device, east, north),
        notes=tuple(notes),
        about={
            "format": "comma2k19",
            "mount_forward": forward,
            "mount_yaw": round(mount_yaw, 6),
            "pitch_from_travel": round(pitch, 6),
            "command_from": source,
            "wheelbase": wheelbase,
            "steer_ratio": steer_ratio,
            "steer_zero_deg": round(zero, 3),
            "steer_yaw_rate_correlation": None if agreement is None else round(agreement, 3),
        },
    )


def find_segment(path: str | os.PathLike[str]) -> Path:
    """The one segment's folder at `path` or below.

    Raises:
        FileNotFoundError: none; ValueError: several.
    """
    path = Path(path)
    found = [
        poses.parent
        for depth in ("", "*/", "*/*/", "*/*/*/")
        for poses in sorted(path.glob(f"{depth}global_pose"))
    ]
    if not found:
        raise FileNotFoundError(
            f"{path} holds no comma2k19 segment: no folder global_pose in it or below"
        )
    if len(found) > 1:
        shown = ", ".join(str(item) for item in found[:3])
        raise ValueError(f"{path} holds {len(found)} segments; name one of them: {shown}")
    return found[0]


def rotations(quaternions: np.ndarray) -> np.ndarray:
    """(N, 3, 3) of (N, 4) Hamilton quaternions w x y z."""
    length = np.linalg.norm(quaternions, axis=1)
    if np.abs(length - 1.0).max() > 0.01:
        raise ValueError(
            f"frame_orientations must be unit quaternions (w x y z), row "
            f"{int(np.abs(length - 1.0).argmax())} has length {length.max():.3g}"
        )
    w, x, y, z = (quaternions / length[:, None]).T
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    ).transpose(2, 0, 1)


def enu_axes(place: np.ndarray) -> np.ndarray:
    """East, north and up as rows, at a place given in ECEF [m]; up is normal to the ellipsoid."""
    flattening_free = np.array([1.0, 1.0, (6378137.0 / 6356752.314245) ** 2])
    up = place * flattening_free
    up /= np.linalg.norm(up)
    east = np.cross([0.0, 0.0, 1.0], up)
    east /= np.linalg.norm(east)
    return np.stack([east, np.cross(up, east), up])


def from_steering(
    angle_deg: np.ndarray,
    speed: np.ndarray,
    yaw_rate: np.ndarray,
    wheelbase: float,
    steer_ratio: float,
) -> tuple[np.ndarray, float]:
    """Curvature from the hand wheel, whose zero is found where it agrees with the poses on average.

    Returns:
        (N,) curvature [1/m], and the angle that goes straight [deg].
    """
    driven = np.maximum(np.abs(speed), motion.STANDING)
    straight = np.rad2deg(np.arctan(np.median(yaw_rate / driven) * wheelbase)) * steer_ratio
    zero = float(np.median(angle_deg) - straight)
    return np.tan(np.deg2rad((angle_deg - zero) / steer_ratio)) / wheelbase, zero


def tilt_of(device: np.ndarray, east: np.ndarray, north: np.ndarray) -> np.ndarray:
    """(N, 2) how far the device is pitched down and rolled to the right beyond what is usual [rad]."""
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(east), np.diff(north)))])
    down, right = (-np.arcsin(np.clip(device[:, 2, axis], -1.0, 1.0)) for axis in (0, 1))
    return np.stack([motion.shaking(arc, down), motion.shaking(arc, right)], axis=1)


def _on_can(folder: Path, name: str, time: np.ndarray, notes: list[Note]) -> np.ndarray | None:
    """A signal of the car at the times of the frames; None when it is not there."""
    place = folder / "processed_log" / "CAN" / name
    if not (place / "t").is_file():
        notes.append(Note("no-can", f"no {place.name} from the car; it is taken from the poses"))
        return None
    at = _load(place / "t", ())
    value = _load(place / "value", None, len(at)).reshape(len(at), -1)[:, 0]
    motion.check_time(at, str(place / "t"))
    if at[0] > time[0] + 1.0 or at[-1] < time[-1] - 1.0:
        raise ValueError(f"{place} does not cover the frames' times; is it of another segment?")
    return np.interp(time, at, value)


def _load(path: Path, shape: tuple[int, ...] | None, rows: int | None = None) -> np.ndarray:
    """A NumPy file, checked; `shape` is of a row."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; a comma2k19 segment has it")
    try:
        values = np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path} is no NumPy file ({error}); fetch it again") from error
    values = np.asarray(values, np.float64)
    if values.ndim < 1 or (shape is not None and values.shape[1:] != shape):
        raise ValueError(f"{path} has shape {values.shape}, rows should be {shape}")
    if rows is not None and len(values) != rows:
        raise ValueError(
            f"{path} has {len(values)} rows, its times have {rows}; they must be of one segment"
        )
    motion.check_numbers(path.name, values.reshape(len(values), -1), str(path))
    return values


def _eye(video: Path, rows: int, mounting: Mounting) -> Eye:
    pictures = Video(video)
    if len(pictures.numbers) < rows:
        raise ValueError(f"{video} has {len(pictures.numbers)} frames, the poses are of {rows}")
    width, height = pictures.size
    across, along = width / SIZE[0], height / SIZE[1]  # a smaller copy has the same lens
    lens = Lens(
        width=width,
        height=height,
        fx=FOCAL * across,
        fy=FOCAL * along,
        cx=CENTRE[0] * across - 0.5,
        cy=CENTRE[1] * along - 0.5,
        mount_height=MOUNT_HEIGHT,
    )
    return Eye(pictures, mounting.applied(lens))
