"""Angles and frames in the plane. World and ego: x forward, y left, yaw counter-clockwise."""

import numpy as np


def wrap_angle(angle: np.ndarray) -> np.ndarray:
    """The same direction in [-pi, pi) [rad]."""
    wrapped = np.mod(np.asarray(angle) + np.pi, 2.0 * np.pi) - np.pi
    return np.where(wrapped >= np.pi, -np.pi, wrapped)  # np.mod rounds up to its own bound


def world_to_ego(x: np.ndarray, y: np.ndarray, yaw: np.ndarray, points: np.ndarray) -> np.ndarray:
    """World points as seen from poses.

    Args:
        x, y, yaw: (...) poses, world frame [m, m, rad].
        points: (..., 2) world frame [m].

    Returns:
        (..., 2) ego frame [m].
    """
    dx, dy = points[..., 0] - x, points[..., 1] - y
    cos, sin = np.cos(yaw), np.sin(yaw)
    return np.stack([cos * dx + sin * dy, cos * dy - sin * dx], axis=-1)


def ego_to_world(x: np.ndarray, y: np.ndarray, yaw: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The inverse of `world_to_ego`."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    px, py = points[..., 0], points[..., 1]
    return np.stack([x + cos * px - sin * py, y + sin * px + cos * py], axis=-1)
