"""View synthesis: what a camera would have seen from beside where it was.

The world is two planes, the ground and infinity. Seen from the target camera, a ray r that falls
at the rate n.r meets the ground; from the source camera, that point lies along

    s = R r + t * max(0, n.r) / h

with R the turn and t the way from the target to the source, and h the target's height. Above the
horizon the second term is gone and only the turn is left; at the horizon both agree, so there is
no seam. What the source did not see is left black and marked in the mask.

Source: the plane-induced homography (Hartley and Zisserman, 2nd ed., section 13.1), for both
planes at once; VISTA's fixed-plane model without its mesh.
"""

from typing import NamedTuple

import numpy as np

from .compiled import compiled, inlined
from .sensors.camera import Camera

_F = np.float32
BLACK = 0  # where the source saw nothing


class Move(NamedTuple):
    """Where target cameras stand, seen from the cars of their sources; (B,) each."""

    forward: np.ndarray  # of the rear axle [m]
    left: np.ndarray  # [m]
    yaw: np.ndarray  # [rad], counter-clockwise


def camera_numbers(camera: Camera) -> np.ndarray:
    """(8,) float64: fx, fy, cx, cy, height, forward, cos and sin of the pitch."""
    return np.array(
        [
            camera.fx, camera.fy, camera.cx, camera.cy, camera.mount_height,
            camera.mount_forward, np.cos(camera.pitch), np.sin(camera.pitch),
        ]
    )  # fmt: skip


def taps_for(source: Camera, target: Camera) -> int:
    """Samples per target pixel and axis, so that a sharper source is averaged, not picked from."""
    return max(1, round(max(source.fx / target.fx, source.fy / target.fy)))


def synthesize(
    frames: np.ndarray, source: Camera, target: Camera, which: np.ndarray, move: Move
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of `target` cameras, made of frames of `source`.

    Args:
        frames: (N, H, W, 3) uint8, may be memory-mapped; only the frames in use are read.
        which: (B,) the frame that each picture is made of.
        move: where the target's car is, in the ego frame of the source's car.

    Returns:
        pictures: (B, h, w, 3) uint8; mask: (B, h, w) bool, what the source did see.
    """
    batch = len(which)
    pictures = np.empty((batch, *target.shape), np.uint8)
    masks = np.empty((batch, target.height, target.width), np.bool_)
    forward, left, yaw = (np.asarray(column, float) for column in move)
    draw_views(
        pictures, masks, frames, np.asarray(which, np.int64), camera_numbers(source),
        camera_numbers(target), taps_for(source, target), forward, left, yaw,
        0, batch,
    )  # fmt: skip
    return pictures, masks


def reproject(
    source: Camera, target: Camera, pixels: np.ndarray, forward: float, left: float, yaw: float
) -> np.ndarray:
    """Where a target pixel is found in the source picture: the formula, for a few points.

    Args:
        pixels: (..., 2) target (u, v) [px]; forward, left, yaw: as in `Move`.

    Returns:
        (..., 2) source (u, v) [px]; NaN behind the source camera.
    """
    pixels = np.asarray(pixels, np.float64)
    flat = pixels.reshape(-1, 2)
    out = np.empty_like(flat)
    a, b = camera_numbers(source), camera_numbers(target)
    dx, dy = _foot_to_foot(a, b, forward, left, yaw)
    for i, (u, v) in enumerate(flat):
        out[i] = _source_pixel(a, b, dx, dy, np.cos(yaw), np.sin(yaw), u, v)
    return out.reshape(pixels.shape)


@compiled
def _foot_to_foot(source, target, forward, left, yaw):  # type: ignore[no-untyped-def]
    """The target camera's foot, from the source camera's, in the source car's frame [m]."""
    return (
        forward + target[5] * np.cos(yaw) - source[5],
        left + target[5] * np.sin(yaw),
    )


@inlined
def _source_ray(source, target, dx, dy, cos, sin, u, v):  # type: ignore[no-untyped-def]
    """The ray of a target pixel, from the source camera: ahead, left and down of its car."""
    right = (u - target[2]) / target[0]
    down = (v - target[3]) / target[1]
    ahead = target[6] - down * target[7]
    fall = target[7] + down * target[6]  # n.r
    ground = max(fall, 0.0) / target[4]
    x = ahead * cos + right * sin + dx * ground
    y = ahead * sin - right * cos + dy * ground
    return x, y, fall if fall <= 0.0 else ground * source[4]


@compiled
def _source_pixel(source, target, dx, dy, cos, sin, u, v):  # type: ignore[no-untyped-def]
    """Source (u, v) of a target pixel; NaN when it is behind the source camera."""
    x, y, z = _source_ray(source, target, dx, dy, cos, sin, u, v)
    depth = x * source[6] + z * source[7]
    if depth <= 1e-6:
        return np.nan, np.nan
    return (
        source[2] - source[0] * y / depth,
        source[3] + source[1] * (z * source[6] - x * source[7]) / depth,
    )


@compiled
def draw_views(  # type: ignore[no-untyped-def]
    pictures, masks, frames, which, source, target, taps, forward, left, yaw, first, stop
):
    """Draw views first..stop of a batch; see `synthesize`.

    Args:
        source, target: `camera_numbers`; taps: samples per pixel and axis.
    """
    _, height, width, _ = pictures.shape
    rows, columns = frames.shape[1], frames.shape[2]
    share = _F(1.0 / (taps * taps))
    half = _F(0.5)
    last_column, last_row = _F(columns - 1), _F(rows - 1)
    s_fx, s_fy, s_cx, s_cy = _F(source[0]), _F(source[1]), _F(source[2]), _F(source[3])
    s_cos, s_sin = _F(source[6]), _F(source[7])
    for i in range(first, stop):
        image = frames[which[i]]
        picture, mask = pictures[i], masks[i]
        dx, dy = _foot_to_foot(source, target, forward[i], left[i], yaw[i])
        cos, sin = np.cos(yaw[i]), np.sin(yaw[i])
        for v in range(height):
            for u in range(width):
                red = green = blue = _F(0.0)
                seen = True
                for k in range(taps * taps):
                    at_u = u + (k % taps + 0.5) / taps
                    at_v = v + (k // taps + 0.5) / taps
                    x, y, z = _source_ray(source, target, dx, dy, cos, sin, at_u, at_v)
                    depth = _F(x) * s_cos + _F(z) * s_sin
                    if depth <= _F(1e-6):
                        seen = False
                        break
                    inverse = _F(1.0) / depth
                    pu = s_cx - s_fx * _F(y) * inverse - half
                    pv = s_cy + s_fy * (_F(z) * s_cos - _F(x) * s_sin) * inverse - half
                    # Half a pixel beyond the outermost centres is the frame's edge.
                    if not (
                        pu >= _F(-0.51) and pv >= _F(-0.51)
                        and pu <= last_column + _F(0.51) and pv <= last_row + _F(0.51)
                    ):  # fmt: skip
                        seen = False
                        break
                    pu = min(max(pu, _F(0.0)), last_column)
                    pv = min(max(pv, _F(0.0)), last_row)
                    c, r = np.uint32(pu), np.uint32(pv)
                    fu, fv = pu - _F(c), pv - _F(r)
                    if fu < _F(1e-3):  # on a pixel, to rounding: that pixel
                        fu = _F(0.0)
                    elif fu > _F(0.999):
                        fu = _F(1.0)
                    if fv < _F(1e-3):
                        fv = _F(0.0)
                    elif fv > _F(0.999):
                        fv = _F(1.0)
                    c1 = np.uint32(min(np.int64(c) + 1, columns - 1))
                    r1 = np.uint32(min(np.int64(r) + 1, rows - 1))
                    w11 = fu * fv
                    w01 = fu - w11
                    w10 = fv - w11
                    w00 = _F(1.0) - fu - w10
                    red += (
                        w00 * image[r, c, 0] + w01 * image[r, c1, 0]
                        + w10 * image[r1, c, 0] + w11 * image[r1, c1, 0]
                    )  # fmt: skip
                    green += (
                        w00 * image[r, c, 1] + w01 * image[r, c1, 1]
                        + w10 * image[r1, c, 1] + w11 * image[r1, c1, 1]
                    )  # fmt: skip
                    blue += (
                        w00 * image[r, c, 2] + w01 * image[r, c1, 2]
                        + w10 * image[r1, c, 2] + w11 * image[r1, c1, 2]
                    )  # fmt: skip
                mask[v, u] = seen
                if not seen:
                    red = green = blue = _F(BLACK)
                picture[v, u, 0] = np.uint8(red * share + half)
                picture[v, u, 1] = np.uint8(green * share + half)
                picture[v, u, 2] = np.uint8(blue * share + half)
