"""Tiny drives on disk in other people's formats."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest


@pytest.fixture
def made_up() -> ModuleType:
    """The functions of this file."""
    return sys.modules[__name__]


CAMERA: dict[str, Any] = {
    "width": 96,
    "height": 64,
    "fx": 60.0,
    "fy": 60.0,
    "cx": 47.5,
    "cy": 31.5,
    "mount_height": 1.5,
    "pitch": 0.05,
}
BEARINGS = np.linspace(0.0, 2.0 * np.pi, 300, endpoint=False)
FAR = np.random.default_rng(0).uniform(0.0, 255.0, (180, 300))  # what is far away, all around


def circle(
    rows: int = 40, dt: float = 0.1, speed: float = 10.0, curvature: float = 0.02
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """time, x, y, yaw of a car that drives to the left around a circle; known in closed form."""
    time = np.arange(rows) * dt
    yaw = curvature * speed * time
    return time, np.sin(yaw) / curvature, (1.0 - np.cos(yaw)) / curvature, yaw


def scene(yaw: float, width: int = 96, height: int = 64, focal: float = 60.0) -> np.ndarray:
    """A far scene that moves as a camera turns, on a grey road; BGR."""
    u = np.arange(width) - 0.5 * (width - 1)
    bearing = yaw - np.arctan(u / focal)
    picture = np.full((height, width, 3), 90, np.uint8)
    for row in range(height // 2):
        shade = np.interp(bearing, BEARINGS, FAR[row], period=2.0 * np.pi)
        picture[row] = shade.astype(np.uint8)[:, None]
    return picture


def write_images(
    folder: Path, yaw: np.ndarray, ending: str = ".png", name: str = "{:06d}"
) -> list[Path]:
    """A picture for each yaw."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / (name.format(row) + ending) for row in range(len(yaw))]
    for path, angle in zip(paths, yaw, strict=True):
        assert cv2.imwrite(str(path), scene(float(angle)))
    return paths


def write_video(path: Path, yaw: np.ndarray, fps: float = 10.0) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (96, 64))
    assert writer.isOpened()
    for angle in yaw:
        writer.write(scene(float(angle)))
    writer.release()
    return path


def write_table(path: Path, **columns: np.ndarray) -> Path:
    lines = [",".join(columns)]
    lines += [
        ",".join(f"{cell:.9g}" for cell in row) for row in zip(*columns.values(), strict=True)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_camera(path: Path, **changes: Any) -> Path:
    entries = {name: value for name, value in (CAMERA | changes).items() if value is not None}
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def kitti_poses(
    x: np.ndarray, y: np.ndarray, yaw: np.ndarray, down: float = 0.0, left: float = 0.0
) -> np.ndarray:
    """(N, 3, 4) of a camera at x, y (left) that looks along yaw, pitched `down`, in KITTI's frame.

    The frame is that of a camera which does not look down.
    """
    poses = np.zeros((len(x), 3, 4))
    cos, sin = np.cos(down), np.sin(down)
    tilt = np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
    for row, angle in enumerate(yaw):
        turn = np.array(
            [[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]]
        )
        poses[row, :, :3] = turn @ tilt
    poses[:, 0, 3] = -(y + left * np.cos(yaw))
    poses[:, 2, 3] = x - left * np.sin(yaw)
    return poses


def write_kitti(folder: Path, poses: np.ndarray, time: np.ndarray | None = None) -> Path:
    """poses.txt, calib.txt without labels, and times.txt where there are times."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savetxt(folder / "poses.txt", poses.reshape(len(poses), 12))
    left = "60 0 47.5 0 0 60 31.5 0 0 0 1 0"
    right = "60 0 47.5 -30 0 60 31.5 0 0 0 1 0"
    (folder / "calib.txt").write_text(f"{left}\n{right}", encoding="utf-8")
    if time is not None:
        np.savetxt(folder / "times.txt", time)
    return folder


def write_tub(
    folder: Path,
    angle: np.ndarray,
    throttle: np.ndarray,
    stamps: np.ndarray,
    deleted: tuple[int, ...] = (),
) -> Path:
    """A Donkeycar tub, version 2; pictures turn as +1 to the right makes them."""
    images = folder / "images"
    turned = -np.cumsum(np.tan(angle * np.deg2rad(25.0)) / 0.26 * throttle * 1.5 / 20.0)
    images.mkdir(parents=True)
    lines = []
    for index, yaw in enumerate(turned):
        name = f"{index}_cam_image_array_.jpg"
        assert cv2.imwrite(str(images / name), scene(float(yaw)))
        record = {
            "_index": index,
            "_timestamp_ms": int(stamps[index]),
            "cam/image_array": name,
            "user/angle": float(angle[index]),
            "user/throttle": float(throttle[index]),
        }
        lines.append(json.dumps(record))
    (folder / "catalog_0.catalog").write_text("\n".join(lines), encoding="utf-8")
    manifest = [
        ["cam/image_array", "user/angle", "user/throttle"],
        ["image_array", "float", "float"],
        {},
        {"created_at": 0.0},
        {"paths": ["catalog_0.catalog"], "deleted_indexes": list(deleted)},
    ]
    (folder / "manifest.json").write_text("\n".join(map(json.dumps, manifest)), encoding="utf-8")
    return folder
