"""What can be wrong between a lens and a picture: blur, and dirt that covers a part of it.

Both are done to finished pictures, drawn or recorded, and depend on the episode's key alone: the
same episode has the same dirt, alone or in a batch. Noise, night and fog are settings of
`Appearance`, which the renderer draws.
"""

from dataclasses import dataclass

import numpy as np

from . import chance

_SPOTS = 6  # of dirt on a lens
_DIRT = np.array([46, 40, 32], np.uint8)  # RGB


@dataclass(frozen=True)
class PictureFaults:
    """Settings; 0 turns a fault off."""

    blur: float = 0.0  # standard deviation of a Gaussian [px]
    occlusion: float = 0.0  # share of the picture that dirt covers, about

    def __post_init__(self) -> None:
        if not 0.0 <= self.blur <= 50.0:
            raise ValueError(f"blur is 0 to 50 px, got {self.blur}")
        if not 0.0 <= self.occlusion <= 0.9:
            raise ValueError(f"occlusion is a share from 0 to 0.9, got {self.occlusion}")

    @property
    def any(self) -> bool:
        """Whether there is anything wrong."""
        return self.blur > 0.0 or self.occlusion > 0.0


def spoil(pictures: np.ndarray, keys: np.ndarray, faults: PictureFaults) -> np.ndarray:
    """Pictures with the faults, new ones.

    Args:
        pictures: (B, H, W, 3) uint8; keys: (B,) uint64, one for each car and episode.
    """
    spoiled = pictures.copy()
    if faults.blur > 0.0:
        import cv2

        for picture in spoiled:
            cv2.GaussianBlur(picture, (0, 0), faults.blur, dst=picture)
    if faults.occlusion > 0.0:
        for picture, key in zip(spoiled, keys, strict=True):
            picture[dirt(int(key), picture.shape[:2], faults.occlusion)] = _DIRT
    return spoiled


def dirt(key: int, shape: tuple[int, int], share: float) -> np.ndarray:
    """(H, W) bool: where round spots lie on the lens, together about `share` of the picture.

    The spots lie where chance puts them; they grow together until they cover enough.
    """
    height, width = shape
    draws = [chance.uniform(key, 0, chance.PICTURE, np.arange(_SPOTS) + k * _SPOTS) for k in (1, 2)]
    v, u = np.mgrid[:height, :width]
    away = np.hypot(
        v[..., None] - draws[0] * (height - 1), u[..., None] - draws[1] * (width - 1)
    ).min(axis=-1)
    limit = np.partition(away.ravel(), round(share * away.size))[round(share * away.size)]
    return np.asarray(away < limit)
