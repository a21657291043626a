"""A pinhole camera above the road: its settings, its rays, where ground points appear."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Camera:
    """A pinhole camera in the car's middle plane, looking forward and down; no roll.

    The image frame is u to the right, v down, (0, 0) the top-left corner of the top-left pixel,
    so the centre of that pixel is (0.5, 0.5).
    """

    width: int = 96  # [px]
    height: int = 64  # [px]
    fx: float = 48.0  # focal length, horizontal [px]; width / 2 is a 90 degree lens
    fy: float = 48.0  # focal length, vertical [px]
    cx: float = 48.0  # principal point [px]
    cy: float = 32.0
    mount_height: float = 1.4  # above the ground [m]
    mount_forward: float = 1.0  # ahead of the rear axle [m]
    pitch: float = float(np.deg2rad(8.0))  # positive looks down [rad]

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not np.isfinite(value):
                raise ValueError(f"camera {name} must be a finite number, got {value}")
        if not (8 <= self.width <= 4096 and 8 <= self.height <= 4096):
            raise ValueError(
                f"a camera picture is 8 to 4096 px wide and high, got {self.width} x {self.height}"
            )
        if self.fx <= 0.0 or self.fy <= 0.0:
            raise ValueError(f"focal lengths must be positive [px], got fx {self.fx}, fy {self.fy}")
        if not 0.05 <= self.mount_height <= 20.0:
            raise ValueError(
                f"mount_height must lie between 0.05 and 20 m above the ground, "
                f"got {self.mount_height:.4g}; is it in metres?"
            )
        if not -0.6 <= self.pitch <= 1.2:
            raise ValueError(
                f"pitch must lie between -0.6 and 1.2 rad, got {self.pitch:.3g}; "
                "is it in degrees? Use np.deg2rad"
            )
        if self.horizon >= self.height - 1:
            raise ValueError(
                f"this camera sees no ground: its horizon is row {self.horizon:.1f} of "
                f"{self.height}; increase pitch or lower cy"
            )

    @classmethod
    def with_field_of_view(
        cls,
        width: int,
        height: int,
        field_of_view: float,
        mount_height: float = 1.4,
        mount_forward: float = 1.0,
        pitch: float = float(np.deg2rad(8.0)),
    ) -> "Camera":
        """A camera with square pixels and a centred principal point.

        Args:
            field_of_view: horizontal [rad].
        """
        if not 0.0 < field_of_view < np.pi:
            raise ValueError(
                f"field_of_view must lie between 0 and pi rad, got {field_of_view:.3g}; "
                "is it in degrees? Use np.deg2rad"
            )
        focal = 0.5 * width / float(np.tan(0.5 * field_of_view))
        return cls(
            width=width,
            height=height,
            fx=focal,
            fy=focal,
            cx=0.5 * width,
            cy=0.5 * height,
            mount_height=mount_height,
            mount_forward=mount_forward,
            pitch=pitch,
        )

    def scaled(self, factor: float) -> "Camera":
        """The same view in a picture `factor` times as wide and high."""
        return Camera(
            width=round(self.width * factor),
            height=round(self.height * factor),
            fx=self.fx * factor,
            fy=self.fy * factor,
            cx=self.cx * factor,
            cy=self.cy * factor,
            mount_height=self.mount_height,
            mount_forward=self.mount_forward,
            pitch=self.pitch,
        )

    @property
    def horizon(self) -> float:
        """Image row at which the ground ends [px]."""
        return self.cy - self.fy * float(np.tan(self.pitch))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one picture: (height, width, 3)."""
        return (self.height, self.width, 3)

    def to_json(self) -> dict[str, Any]:
        """Settings as plain numbers, for files."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Camera":
        """The camera that `to_json` described; a missing or unknown key is an error."""
        names = set(cls.__dataclass_fields__)
        if set(data) != names:
            missing, unknown = sorted(names - set(data)), sorted(set(data) - names)
            raise ValueError(f"camera settings: missing {missing}, unknown {unknown}")
        return cls(**data)


def project_ground(camera: Camera, ground: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where points of a flat road appear in the picture.

    Args:
        ground: (..., 2) points on the road, ego frame (origin on the rear axle) [m].

    Returns:
        pixels: (..., 2) image frame (u, v) [px].
        in_front: (...) bool; `pixels` is NaN where it is False.

    Raises:
        ValueError: the last axis of `ground` is not x, y.

    Source:
        Hartley and Zisserman, Multiple View Geometry, 2nd ed., section 6.1.
    """
    ground = np.asarray(ground, np.float64)
    if ground.shape[-1:] != (2,):
        raise ValueError(f"ground points are (..., 2) as x, y; got shape {ground.shape}")
    forward = ground[..., 0] - camera.mount_forward
    left = ground[..., 1]
    cos, sin = np.cos(camera.pitch), np.sin(camera.pitch)
    depth = forward * cos + camera.mount_height * sin
    down = camera.mount_height * cos - forward * sin
    in_front = depth > 1e-9
    safe = np.where(in_front, depth, 1.0)
    u = camera.cx - camera.fx * left / safe
    v = camera.cy + camera.fy * down / safe
    pixels = np.stack([u, v], axis=-1)
    return np.where(in_front[..., None], pixels, np.nan), in_front


def ground_at(camera: Camera, pixels: np.ndarray) -> np.ndarray:
    """The road point that a pixel sees; the inverse of `project_ground`.

    Args:
        pixels: (..., 2) image frame (u, v) [px].

    Returns:
        (..., 2) ego frame [m]; NaN at and above the horizon.
    """
    pixels = np.asarray(pixels, np.float64)
    right = (pixels[..., 0] - camera.cx) / camera.fx
    down = (pixels[..., 1] - camera.cy) / camera.fy
    cos, sin = np.cos(camera.pitch), np.sin(camera.pitch)
    drop = down * cos + sin  # how fast the ray falls
    below = drop > 1e-9
    scale = np.where(below, camera.mount_height / np.where(below, drop, 1.0), np.nan)
    forward = (cos - down * sin) * scale + camera.mount_forward
    return np.stack([forward, -right * scale], axis=-1)
