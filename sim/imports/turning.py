"""Whether pictures and poses turn the same way: mirrored pictures and swapped signs show here."""

from typing import Any

import cv2
import numpy as np

from ..sensors.camera import Camera

ENOUGH_TURNS = 20  # pairs of pictures before their turning is compared with the yaw rate
SURE = 0.3  # a correlation below minus this is no accident


class Turning:
    """Compares how the far scene moves sideways with how the car turns."""

    MOST = 1500  # pairs looked at

    def __init__(self, camera: Camera) -> None:
        horizon = round(camera.horizon)
        low = int(np.clip(horizon + 0.04 * camera.height, 16, camera.height))
        self._rows = slice(max(0, low - max(16, camera.height // 4)), low)
        self._scale = min(1.0, 160.0 / camera.width)
        self._fx = camera.fx * self._scale
        self._last: tuple[np.ndarray, float, float] | None = None
        self._window: np.ndarray | None = None
        self._seen: list[tuple[float, float]] = []

    def add(self, picture: np.ndarray, time: float, yaw_rate: float, joined: bool) -> None:
        """The next picture; `joined` when the one before belongs to the same stretch."""
        if len(self._seen) >= self.MOST:
            return
        grey = cv2.cvtColor(np.ascontiguousarray(picture[self._rows]), cv2.COLOR_RGB2GRAY)
        grey = cv2.resize(grey, None, fx=self._scale, fy=1.0, interpolation=cv2.INTER_AREA)
        far = grey.astype(np.float32)
        if self._window is None:
            self._window = cv2.createHanningWindow(far.shape[::-1], cv2.CV_32F)
        if joined and self._last is not None:
            before, then, rate = self._last
            (shift, _), _ = cv2.phaseCorrelate(before, far, self._window)
            turned = 0.5 * (rate + yaw_rate) * (time - then) * self._fx
            self._seen.append((shift, turned))
        self._last = (far, time, yaw_rate)

    def result(self) -> dict[str, Any]:
        """For the header: 1 and 1 are perfect; the gain is seen turning by that of the poses."""
        shift, turned = self._pairs()
        gain = float(shift @ turned) / float(turned @ turned) if turned.any() else 0.0
        return {
            "correlation": round(_alike(shift, turned), 3),
            "gain": round(gain, 3),
            "pairs": len(self._seen),
        }

    def opposed(self) -> bool:
        """Pictures and poses turn different ways, and enough to be sure."""
        shift, turned = self._pairs()
        enough = len(turned) >= ENOUGH_TURNS and float(np.sqrt((turned**2).mean())) > 0.3
        return enough and _alike(shift, turned) < -SURE

    def _pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Shifts seen and shifts expected [px], without matches that failed."""
        shift, turned = np.array(self._seen).reshape(-1, 2).T
        near = np.abs(shift) < 40.0
        return shift[near], turned[near]


def _alike(a: np.ndarray, b: np.ndarray) -> float:
    """A correlation about zero, not about the means: a steady bend counts, too."""
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0.0 else 0.0
