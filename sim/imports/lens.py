"""How source pictures were taken, and their straightening into those of a pinhole camera.

A recording's camera has no distortion and looks straight ahead in the car's middle plane.
What differs is put right once, at import: the lens, and a camera that looks aside.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np

from ..sensors.camera import Camera


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


class Straightener:
    """Turns source pictures into those of `camera`: undistorted, looking ahead, cropped, resized."""

    def __init__(
        self,
        lens: Lens,
        size: tuple[int, int | None] | None = None,
        crop: tuple[int, int, int, int] = (0, 0, 0, 0),
        most_tilt: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Prepare.

        Args:
            size: width and height of the result [px]; no height keeps the shape; None is at most
                640 px wide.
            crop: what to cut off at the left, top, right and bottom of the source [px].
            most_tilt: the largest pitch and roll that pictures will be freed of [rad]; the edges
                that this could leave empty are cut off.
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
        pitch, roll = most_tilt
        across = int(np.ceil(0.5 * height * np.sin(roll)))
        along = int(np.ceil(lens.fy * np.tan(pitch) + 0.5 * width * np.sin(roll)))
        if min(width - 2 * across, height - 2 * along) < 16:
            raise ValueError(
                f"pictures shake by {np.rad2deg(pitch):.1f} degrees, too much for what is left of "
                f"them ({width} x {height} px); crop less"
            )
        self._margin = (across, along)
        self._focal = (lens.fx, lens.fy)
        self._centre = (cx - window[0], lens.cy - window[1])
        width, height = width - 2 * across, height - 2 * along
        new_width, new_height = size or (min(width, 640), None)
        self._size = (new_width, new_height or max(1, round(height * new_width / width)))
        scale_x, scale_y = self._size[0] / width, self._size[1] / height
        self.camera = Camera(
            width=self._size[0],
            height=self._size[1],
            fx=lens.fx * scale_x,
            fy=lens.fy * scale_y,
            cx=(cx + 0.5 - window[0] - across) * scale_x,
            cy=(lens.cy + 0.5 - window[1] - along) * scale_y,
            mount_height=lens.mount_height,
            mount_forward=lens.mount_forward,
            pitch=lens.pitch,
        )

    def __call__(self, picture: np.ndarray, tilt: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
        """(H, W, 3) uint8 RGB, of a picture that is BGR or grey.

        Args:
            tilt: how much further down than usual the camera looked, and how far its right side
                hung down [rad]; the picture is turned to what it shows without.
        """
        if self._maps is not None:
            picture = cv2.remap(picture, *self._maps, cv2.INTER_LINEAR)
        else:
            left, top, right, bottom = self._window
            picture = picture[top:bottom, left:right]
        if any(self._margin):
            picture = self._steadied(picture, *tilt)
        if picture.shape[1::-1] != self._size:
            shrinks = picture.shape[1] > self._size[0]
            kind = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            picture = cv2.resize(picture, self._size, interpolation=kind)
        code = cv2.COLOR_GRAY2RGB if picture.ndim == 2 else cv2.COLOR_BGR2RGB
        return cv2.cvtColor(picture, code)

    def _steadied(self, picture: np.ndarray, pitch: float, roll: float) -> np.ndarray:
        """The picture without this tilt and without the margin."""
        across, along = self._margin
        matrix = np.diag([*self._focal, 1.0])
        matrix[:2, 2] = self._centre
        inner = matrix.copy()
        inner[:2, 2] -= (across, along)
        cos, sin = np.cos(pitch), np.sin(pitch)
        up = np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])
        cos, sin = np.cos(roll), np.sin(roll)
        level = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
        back = matrix @ level @ up @ np.linalg.inv(inner)  # from the result to the picture
        size = (picture.shape[1] - 2 * across, picture.shape[0] - 2 * along)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return cv2.warpPerspective(
            picture, back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )


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
