"""How far two pictures are apart: PSNR, SSIM and correlation, where both show something."""

import cv2
import numpy as np

PEAK = 255.0
WINDOW, SIGMA = 11, 1.5  # of SSIM's Gaussian [px]
STABLE_1, STABLE_2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2


def psnr(picture: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """Peak signal-to-noise ratio inside `mask` [dB]; infinite for equal pictures.

    Args:
        picture, truth: (H, W, 3) uint8; mask: (H, W) bool, at least one True.
    """
    difference = picture[mask].astype(np.float64) - truth[mask]
    if not difference.size:
        raise ValueError("the mask is empty: there is nothing to compare")
    error = float(np.mean(difference**2))
    return float("inf") if error == 0.0 else float(10.0 * np.log10(PEAK**2 / error))


def ssim(picture: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """Mean structural similarity of the grey pictures inside `mask`.

    Source: Wang, Bovik, Sheikh, Simoncelli, Image Quality Assessment, 2004.
    """
    a, b = _grey(picture), _grey(truth)

    def blur(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (WINDOW, WINDOW), SIGMA)

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    both = blur(a * b) - mean_a * mean_b
    similarity = ((2.0 * mean_a * mean_b + STABLE_1) * (2.0 * both + STABLE_2)) / (
        (mean_a**2 + mean_b**2 + STABLE_1) * (var_a + var_b + STABLE_2)
    )
    return float(similarity[mask].mean())


def correlation(picture: np.ndarray, truth: np.ndarray, mask: np.ndarray) -> float:
    """Normalised cross-correlation of the grey pictures inside `mask`, -1 to 1."""
    a, b = _grey(picture)[mask], _grey(truth)[mask]
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / scale) if scale > 0.0 else 0.0


def _grey(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
