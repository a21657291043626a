"""Which camera to give a driver inside a recorded drive: what the source's lens can show."""

import numpy as np

from .sensors.camera import Camera
from .synthesis import reproject

WIDTH, HEIGHT = 96, 64  # [px]
HORIZON = 0.39  # of the picture's height, where a driver's camera has it by default
WIDEST, NARROWEST, STEP = 90.0, 20.0, 1.0  # fields of view that are tried [deg]


def driver_camera(
    source: Camera, lateral: float = 1.0, yaw: float = 0.0, width: int = WIDTH, height: int = HEIGHT
) -> Camera:
    """The widest camera, at the source's place, that sees no hole within these offsets.

    Args:
        lateral: how far to either side a car may be [m]; yaw: how far askew [rad].

    Raises:
        ValueError: even a narrow camera would see holes.
    """
    for degrees in np.arange(WIDEST, NARROWEST - STEP, -STEP):
        focal = 0.5 * width / float(np.tan(0.5 * np.deg2rad(degrees)))
        camera = _like(source, width, height, focal)
        if camera.horizon < camera.height - 1 and sees_no_hole(source, camera, lateral, yaw):
            return camera
    raise ValueError(
        f"a camera of {source.width} x {source.height} px with a focal length of {source.fx:.0f} "
        f"px, {source.mount_height:g} m above the ground, shows too little for offsets of "
        f"{lateral} m and {np.rad2deg(yaw):.0f} degrees; ask for smaller offsets, or import the "
        "drive of a small car as ten times as large (docs/importing.md)"
    )


def _like(source: Camera, width: int, height: int, focal: float) -> Camera:
    """A camera at the source's place and with its pitch, whose horizon is where it usually is."""
    centre = HORIZON * height + focal * float(np.tan(source.pitch))
    return Camera(
        width=width,
        height=height,
        fx=focal,
        fy=focal,
        cx=0.5 * width,
        cy=centre,
        mount_height=source.mount_height,
        mount_forward=source.mount_forward,
        pitch=source.pitch,
    )


def require_shown(source: Camera, camera: Camera, recording: str) -> None:
    """Refuse a camera that sees more than a recording shows, even from the recorded path itself.

    Raises:
        ValueError: says both cameras.
    """
    if not sees_no_hole(source, camera, 0.0, 0.0):
        raise ValueError(
            f"{recording} cannot show what this driver's camera sees ({_told(camera)}): it was "
            f"recorded with less around it ({_told(source)}); take a driver that was trained "
            "inside this recording, or a recording with a wider lens"
        )


def _told(camera: Camera) -> str:
    degrees = 2.0 * np.rad2deg(np.arctan(0.5 * camera.width / camera.fx))
    return (
        f"{camera.width} x {camera.height} px, {degrees:.0f} degrees wide, "
        f"{camera.mount_height:g} m above the ground"
    )


def sees_no_hole(source: Camera, camera: Camera, lateral: float, yaw: float) -> bool:
    """Whether the picture's border lies inside the source's, from every corner of the offsets.

    Args:
        lateral: how far to either side a car may be [m]; yaw: how far askew [rad].
    """
    columns, rows = np.linspace(0, camera.width, 13), np.linspace(0, camera.height, 13)
    border = np.concatenate(
        [
            np.stack(np.meshgrid(columns, [0.0, camera.height]), axis=-1).reshape(-1, 2),
            np.stack(np.meshgrid([0.0, camera.width], rows), axis=-1).reshape(-1, 2),
        ]
    )
    for side in (-lateral, lateral):
        for turn in {-yaw, yaw}:
            seen = reproject(source, camera, border, 0.0, side, turn)
            inside = (seen >= -0.01) & (seen <= [source.width + 0.01, source.height + 0.01])
            if not inside.all():
                return False
    return True
