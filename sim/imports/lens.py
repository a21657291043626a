"""How source pictures were taken, and their straightening into those of a pinhole camera.

A recording's camera has no distortion and looks straight ahead in the car's middle plane.
What differs is put right once, at import: the lens, and a camera that looks aside.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from ..recording_header import read_json
from ..sensors.camera import Camera
from .note import Note

NAMES = {  # what camera files call things: ours, then theirs
    "mount_height": ("camera_height_m", "camera_height", "height_m"),
    "distortion": ("distortion_k1k2p1p2k3", "dist_coeffs", "D"),
    "width": ("image_width",),
}
DEGREES = {  # entries in degrees: ours, and the sign
    "pitch_deg": ("pitch", 1.0),
    "pitch_down_deg": ("pitch", 1.0),
    "pitch_up_deg": ("pitch", -1.0),
    "yaw_deg": ("yaw", 1.0),
    "yaw_left_deg": ("yaw", 1.0),
    "yaw_right_deg": ("yaw", -1.0),
}


@dataclass(frozen=True)
class Lens:
    """The camera that took the source's pictures.

    cx, cy and distortion are as OpenCV gives them: (0, 0) is the centre of the first pixel.
    """

    width: int  # [px]
    height: int  # [px]
    fx: float  # [px]
    fy: float
    cx: float
    cy: float
    mount_height: float  # above the road [m]
    mount_forward: float = 0.0  # ahead of the rear axle [m]
    pitch: float = 0.0  # positive looks down [rad]
    yaw: float = 0.0  # positive looks left [rad]
    distortion: tuple[float, ...] = ()  # k1 k2 p1 p2 k3 ...; a fisheye's k1 k2 k3 k4
    model: Literal["pinhole", "fisheye"] = "pinhole"

    def __post_init__(self) -> None:
        if self.model not in ("pinhole", "fisheye"):
            raise ValueError(f"model is pinhole or fisheye, got {self.model!r}")
        if not np.isfinite(self.distortion).all():
            raise ValueError(f"distortion must be finite numbers, got {self.distortion}")
        allowed = (0, 4) if self.model == "fisheye" else (0, 4, 5, 8, 12, 14)
        if len(self.distortion) not in allowed:
            raise ValueError(
                f"a {self.model} lens has {' or '.join(map(str, allowed))} distortion numbers, "
                f"got {len(self.distortion)}"
            )
        if not abs(self.yaw) <= 0.6:
            raise ValueError(
                f"yaw of the camera must lie within 0.6 rad of straight ahead, got {self.yaw:.3g}; "
                "is it in degrees?"
            )
        # height, focal lengths, pitch and horizon: the recording's camera says what is wrong
        Camera(
            width=self.width,
            height=self.height,
            fx=self.fx,
            fy=self.fy,
            cx=self.cx + 0.5,
            cy=self.cy + 0.5,
            mount_height=self.mount_height,
            mount_forward=self.mount_forward,
            pitch=self.pitch,
        )

    def to_json(self) -> dict[str, Any]:
        """Settings as plain values, for files."""
        return asdict(self)

    def for_size(self, size: tuple[int, int], what: str) -> "Lens":
        """This lens, if pictures of `size` can be its own; a picture of another size is refused."""
        if size != (self.width, self.height):
            raise ValueError(
                f"{what} is {size[0]} x {size[1]} px, the camera was calibrated for "
                f"{self.width} x {self.height} px; give the calibration of these pictures"
            )
        return self


@dataclass(frozen=True)
class Mounting:
    """What is known of a camera's place in the car; None is not known."""

    mount_height: float | None = None  # [m]
    mount_forward: float | None = None  # ahead of the rear axle [m]
    pitch: float | None = None  # positive looks down [rad]
    yaw: float | None = None  # positive looks left [rad]

    def applied(self, lens: Lens) -> Lens:
        """The lens, mounted like this as far as it is known."""

        def known(mine: float | None, its: float) -> float:
            return its if mine is None else mine

        return replace(
            lens,
            mount_height=known(self.mount_height, lens.mount_height),
            mount_forward=known(self.mount_forward, lens.mount_forward),
            pitch=known(self.pitch, lens.pitch),
            yaw=known(self.yaw, lens.yaw),
        )


UNKNOWN = Mounting()


def read_lens(path: str | os.PathLike[str], size: tuple[int, int]) -> tuple[Lens, list[Note]]:
    """The lens in a camera file (JSON) for pictures of `size`, and what was amiss.

    Entries: fx, fy, cx, cy or K (3 x 3); distortion; model; width and height of the picture [px];
    mount_height [m] (or height, when it cannot be the picture's), mount_forward [m]; pitch [rad]
    or pitch_deg, positive down; yaw [rad] or yaw_deg, positive left.

    Raises:
        FileNotFoundError: no such file.
        ValueError: an entry is missing or wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; give the camera's calibration as JSON")
    entries = read_json(path)
    if not isinstance(entries, dict):
        raise ValueError(  # noqa: TRY004  what the file says is wrong, not the call
            f"{path} must be a JSON object with fx, fy, cx, cy, ..."
        )
    values = dict(entries)
    for ours, theirs in NAMES.items():
        for name in theirs:
            if name in values:
                values[ours] = values.pop(name)
    if "image_height" in values:
        picture_height = values.pop("image_height")
        if "height" in values:
            values.setdefault("mount_height", values["height"])
        values["height"] = picture_height
    elif (
        "mount_height" not in values
        and _is_number(values.get("height"))
        and values["height"] < 48  # no picture is that low: it is the camera's height in metres
    ):
        values["mount_height"] = values.pop("height")
    for name, (ours, sign) in DEGREES.items():
        if name in values:
            values[ours] = sign * float(np.deg2rad(_number(path, name, values.pop(name))))
    if "K" in values:
        matrix = np.array(values.pop("K"), float)
        if matrix.shape != (3, 3):
            raise ValueError(f"{path}: K must be 3 x 3, got {matrix.shape}")
        values |= {"fx": matrix[0, 0], "fy": matrix[1, 1], "cx": matrix[0, 2], "cy": matrix[1, 2]}
    values.setdefault("width", size[0])
    values.setdefault("height", size[1])
    known = set(Lens.__dataclass_fields__)
    notes = []
    if ignored := sorted(values.keys() - known):
        notes.append(Note("ignored", f"{path.name}: {', '.join(ignored)} mean nothing here"))
    if "pitch" not in values:
        notes.append(
            Note("no-pitch", f"{path.name}: no pitch, so 0 is assumed; half a degree counts")
        )
    required = ("fx", "fy", "cx", "cy", "mount_height")
    if missing := [name for name in required if name not in values]:
        raise ValueError(
            f"{path}: missing calibration {', '.join(missing)}; a camera file has fx, fy, cx, cy "
            "[px], mount_height [m] and pitch [rad]"
        )
    numbers = {
        name: _number(path, name, values[name])
        for name in known & values.keys() - {"distortion", "model"}
    }
    distortion = values.get("distortion") or ()
    if not isinstance(distortion, list | tuple) or not all(map(_is_number, distortion)):
        raise ValueError(f"{path}: distortion must be a list of numbers, got {distortion!r}")
    try:
        lens = Lens(
            width=int(numbers["width"]),
            height=int(numbers["height"]),
            fx=numbers["fx"],
            fy=numbers["fy"],
            cx=numbers["cx"],
            cy=numbers["cy"],
            mount_height=numbers["mount_height"],
            mount_forward=numbers.get("mount_forward", 0.0),
            pitch=numbers.get("pitch", 0.0),
            yaw=numbers.get("yaw", 0.0),
            distortion=tuple(map(float, distortion)),
            model=values.get("model", "pinhole"),
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return lens.for_size(size, "a picture"), notes


class Straightener:
    """Turns source pictures into those of `camera`: undistorted, looking ahead, cropped, resized."""

    def __init__(
        self,
        lens: Lens,
        size: tuple[int, int | None] | None = None,
        crop: tuple[int, int, int, int] = (0, 0, 0, 0),
    ) -> None:
        """Prepare.

        Args:
            size: width and height of the result [px]; no height keeps the shape; None is at most
                640 px wide.
            crop: what to cut off at the left, top, right and bottom of the source [px].
        """
        left, top, right, bottom = crop
        if min(crop) < 0 or left + right > lens.width - 16 or top + bottom > lens.height - 16:
            raise ValueError(
                f"crop cuts {crop} px off at left, top, right, bottom of a picture of "
                f"{lens.width} x {lens.height} px; leave at least 16 px"
            )
        window = (left, top, lens.width - right, lens.height - bottom)
        cx = lens.cx + lens.fx * float(np.tan(lens.yaw))  # keeps what was in view in view
        self._maps: tuple[np.ndarray, np.ndarray] | None = None
        if lens.distortion or lens.yaw or lens.model == "fisheye":
            maps = _maps(lens, cx)
            window = _inside(_valid(lens, maps), window)
            part = np.s_[window[1] : window[3], window[0] : window[2]]
            self._maps = cv2.convertMaps(maps[0][part], maps[1][part], cv2.CV_16SC2)
        self._window = window
        width, height = window[2] - window[0], window[3] - window[1]
        new_width, new_height = size or (min(width, 640), None)
        self._size = (new_width, new_height or max(1, round(height * new_width / width)))
        scale_x, scale_y = self._size[0] / width, self._size[1] / height
        self.camera = Camera(
            width=self._size[0],
            height=self._size[1],
            fx=lens.fx * scale_x,
            fy=lens.fy * scale_y,
            cx=(cx + 0.5 - window[0]) * scale_x,
            cy=(lens.cy + 0.5 - window[1]) * scale_y,
            mount_height=lens.mount_height,
            mount_forward=lens.mount_forward,
            pitch=lens.pitch,
        )

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 RGB, of a picture that is BGR or grey."""
        if self._maps is not None:
            picture = cv2.remap(picture, *self._maps, cv2.INTER_LINEAR)
        else:
            left, top, right, bottom = self._window
            picture = picture[top:bottom, left:right]
        if picture.shape[1::-1] != self._size:
            shrinks = picture.shape[1] > self._size[0]
            kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            picture = cv2.resize(picture, self._size, interpolation=kind)
        code = cv2.COLOR_GRAY2RGB if picture.ndim == 2 else cv2.COLOR_BGR2RGB
        return cv2.cvtColor(picture, code)


def _maps(lens: Lens, cx: float) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of the straight camera is found in the source picture."""
    matrix = np.array([[lens.fx, 0.0, lens.cx], [0.0, lens.fy, lens.cy], [0.0, 0.0, 1.0]])
    straight = matrix.copy()
    straight[0, 2] = cx
    cos, sin = np.cos(lens.pitch), np.sin(lens.pitch)
    level = np.array([[1.0, 0.0, 0.0], [0.0, cos, sin], [0.0, -sin, cos]])  # undoes the pitch
    cos, sin = np.cos(lens.yaw), np.sin(lens.yaw)
    ahead = np.array([[cos, 0.0, -sin], [0.0, 1.0, 0.0], [sin, 0.0, cos]])  # undoes the yaw
    turn = level.T @ ahead @ level
    size, distortion = (lens.width, lens.height), np.array(lens.distortion or (0.0,) * 4)
    undistort = (
        cv2.fisheye.initUndistortRectifyMap
        if lens.model == "fisheye"
        else cv2.initUndistortRectifyMap
    )
    map_x, map_y = undistort(matrix, distortion, turn, straight, size, cv2.CV_32FC1)
    return map_x, map_y


def _valid(lens: Lens, maps: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    map_x, map_y = maps
    return (map_x >= 0) & (map_x <= lens.width - 1) & (map_y >= 0) & (map_y <= lens.height - 1)


def _inside(valid: np.ndarray, window: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """A part of the window in which all is valid: the worst of its four sides goes, again and again."""
    left, top, right, bottom = window
    while right - left >= 16 and bottom - top >= 16:
        sides = (
            1.0 - valid[top:bottom, left].mean(),
            1.0 - valid[top, left:right].mean(),
            1.0 - valid[top:bottom, right - 1].mean(),
            1.0 - valid[bottom - 1, left:right].mean(),
        )
        worst = int(np.argmax(sides))
        if sides[worst] == 0.0:
            return left, top, right, bottom
        left, top = left + (worst == 0), top + (worst == 1)
        right, bottom = right - (worst == 2), bottom - (worst == 3)
    raise ValueError(
        "nothing of the picture is left when it is undistorted; check the distortion numbers"
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(path: Path, name: str, value: object) -> float:
    if not _is_number(value):
        raise ValueError(f"{path}: {name} must be a number, got {json.dumps(value)}")
    return float(value)  # type: ignore[arg-type]
