"""Pricing view synthesis: against the true view, which our worlds can draw, and between frames."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..sim.picture_error import correlation, psnr, ssim
from ..sim.sensors.camera import Camera, project_ground
from ..sim.synthesis import Move, synthesize
from ..sim.trace import Trace
from ..sim.world import CarState, RoadWorld

LATERAL = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)  # [m]
YAW_DEG = (-10.0, -6.0, -3.0, 0.0, 3.0, 6.0, 10.0)
SHARPER = 2  # the source camera's resolution against the driver's
PATCH_AHEAD, PATCH_ASIDE = (5.0, 25.0), (-3.0, 3.0)  # of road that real frames are compared on [m]


class Scene(NamedTuple):
    """One view four times over, for people to look at."""

    source: np.ndarray
    synthesized: np.ndarray
    true: np.ndarray
    mask: np.ndarray


def source_camera(driver: Camera = Camera()) -> Camera:  # noqa: B008  frozen
    """A camera for recording: twice as sharp as the driver's, and seeing twice as far aside."""
    width, height = 2 * SHARPER * driver.width, round(1.6 * SHARPER * driver.height)
    return Camera(
        width=width,
        height=height,
        fx=SHARPER * driver.fx,
        fy=SHARPER * driver.fy,
        cx=0.5 * width,
        cy=SHARPER * driver.cy + 0.5 * (height - SHARPER * driver.height),
        mount_height=driver.mount_height,
        mount_forward=driver.mount_forward,
        pitch=driver.pitch,
    )


def offset_views(
    world: RoadWorld, state: CarState, lateral: float, yaw_deg: float
) -> tuple[list[Scene], CarState]:
    """Synthesized and true views of every car, moved aside and turned."""
    source, driver = source_camera(), Camera()
    count = len(state.x)
    there = world.place(
        state, state.lateral_offset + lateral, state.heading_error + np.deg2rad(yaw_deg)
    )
    frames = world.draw(state, source)
    cos, sin = np.cos(state.yaw), np.sin(state.yaw)
    dx, dy = there.x - state.x, there.y - state.y
    move = Move(cos * dx + sin * dy, cos * dy - sin * dx, there.yaw - state.yaw)
    pictures, masks = synthesize(frames, source, driver, np.arange(count), move)
    true = world.draw(there, driver)
    return [Scene(*views) for views in zip(frames, pictures, true, masks, strict=True)], there


def audit(
    world: RoadWorld, state: CarState, on_cell: Callable[[int], object] = lambda done: None
) -> list[dict[str, float]]:
    """PSNR, SSIM and valid share for every offset, means over the cars of `state`."""
    rows = []
    for lateral in LATERAL:
        for yaw in YAW_DEG:
            scenes, _ = offset_views(world, state, lateral, yaw)
            rows.append(
                {
                    "lateral_m": lateral,
                    "yaw_deg": yaw,
                    "psnr_db": float(
                        np.mean([psnr(s.synthesized, s.true, s.mask) for s in scenes])
                    ),
                    "ssim": float(np.mean([ssim(s.synthesized, s.true, s.mask) for s in scenes])),
                    "valid": float(np.mean([s.mask.mean() for s in scenes])),
                }
            )
            on_cell(1)
    return rows


def road_patch(camera: Camera) -> np.ndarray:
    """(H, W) bool: the pixels that see the road a few metres to some way ahead."""
    ahead, aside = np.meshgrid(
        np.linspace(*PATCH_AHEAD, 200) + camera.mount_forward, np.linspace(*PATCH_ASIDE, 200)
    )
    pixels, seen = project_ground(camera, np.stack([ahead, aside], axis=-1))
    patch = np.zeros((camera.height, camera.width), bool)
    u, v = np.floor(pixels[seen]).astype(int).T
    inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    patch[v[inside], u[inside]] = True
    return patch


def forward_correlations(trace: Trace, steps: int, every: int = 1) -> Iterator[float]:
    """Correlation of frame i, seen from where frame i + `steps` was, with that frame; road patch."""
    patch = road_patch(trace.camera)
    for i in range(0, len(trace.x) - steps, every):
        j = i + steps
        cos, sin = np.cos(trace.yaw[i]), np.sin(trace.yaw[i])
        dx, dy = trace.x[j] - trace.x[i], trace.y[j] - trace.y[i]
        move = Move(*(np.array([m]) for m in (
            cos * dx + sin * dy, cos * dy - sin * dx, trace.yaw[j] - trace.yaw[i]
        )))  # fmt: skip
        picture, mask = synthesize(trace.frames, trace.camera, trace.camera, np.array([i]), move)
        yield correlation(picture[0], trace.frames[j], mask[0] & patch)


def stereo_correlations(
    left: np.ndarray, right: np.ndarray, camera: Camera, baseline: float
) -> dict[str, float]:
    """Correlation on the road patch of left and right frames, as they are and with left moved.

    Args:
        left, right: (N, H, W, 3) uint8, taken at the same times.
        camera: of the left one; baseline: how far the right one is to its right [m].
    """
    patch = road_patch(camera)
    count = min(len(left), len(right))
    move = Move(np.zeros(count), np.full(count, -baseline), np.zeros(count))
    moved, masks = synthesize(left, camera, camera, np.arange(count), move)
    return {
        "unwarped": float(np.mean([correlation(left[i], right[i], patch) for i in range(count)])),
        "warped": float(
            np.mean([correlation(moved[i], right[i], masks[i] & patch) for i in range(count)])
        ),
    }


def summary(rows: list[dict[str, float]]) -> dict[str, Any]:
    """The headline of an audit."""
    near = [r for r in rows if abs(r["lateral_m"]) <= 1.0 and abs(r["yaw_deg"]) <= 6.0]
    return {
        "audit": rows,
        "within_1m_6deg": {
            "psnr_db_least": min(r["psnr_db"] for r in near),
            "ssim_least": min(r["ssim"] for r in near),
            "valid_least": min(r["valid"] for r in near),
        },
    }
