"""What a picture costs, stage by stage, beside OpenCV's perspective warp; one thread, one run.

    python benchmarks/render.py [--world procedural:0-64] [--rounds 60]

Every stage is timed in slices of 32 pictures. The median says what was lived through, the minimum
(the sum of each slice's best time) what the code needs when nobody else uses the processor.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable

import cv2
import numpy as np

from redrive.sim.guidance import guide
from redrive.sim.render import draw_pictures, make_lens, make_scratch
from redrive.sim.sensors.camera import Camera, ground_at
from redrive.sim.world import CarState, RoadWorld

BATCH, SLICE = 256, 32
MAP_SIZE, MAP_SCALE = 2048, 10.0  # [px], [px/m]

Work = Callable[[int, int], object]


def times(works: dict[str, Work], rounds: int) -> dict[str, dict[str, float]]:
    """Microseconds per picture of each kind of work, by turns."""
    slices = range(0, BATCH, SLICE)
    took = {name: np.zeros((rounds, len(slices))) for name in works}
    for work in works.values():
        work(0, BATCH)
    for r in range(rounds):
        for name, work in works.items():
            for k, first in enumerate(slices):
                start = time.perf_counter()
                work(first, first + SLICE)
                took[name][r, k] = time.perf_counter() - start
    scale = 1e6 / BATCH
    return {
        name: {
            "median": float(np.median(t.sum(axis=1)) * scale),
            "minimum": float(t.min(axis=0).sum() * scale),
        }
        for name, t in took.items()
    }


def homographies(camera: Camera, rng: np.random.Generator) -> list[np.ndarray]:
    """From pixels to a map, for a camera at random poses in it."""
    corners = np.array([[10.0, 40.0], [86.0, 40.0], [10.0, 63.0], [86.0, 63.0]])
    ground = ground_at(camera, corners)
    found = []
    for _ in range(BATCH):
        yaw = rng.uniform(-np.pi, np.pi)
        place = rng.uniform(0.1, 0.9, 2) * MAP_SIZE / MAP_SCALE
        turn = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]])
        on_map = ((ground @ turn + place) * MAP_SCALE).astype(np.float32)
        found.append(cv2.getPerspectiveTransform(corners.astype(np.float32), on_map))
    return found


def driven(world: RoadWorld, steps: int = 30) -> CarState:
    state = world.reset(np.arange(BATCH))
    for _ in range(steps):
        state = world.step(state, guide(world.lane_view(state)))
    return state


def measure(world_name: str, rounds: int) -> dict[str, dict[str, float]]:
    world, camera = RoadWorld(world_name), Camera()
    state = driven(world)
    scene, lens, scratch = world.pool.scene, make_lens(camera), make_scratch(camera)
    bare = scene._replace(first_block=np.zeros_like(scene.first_block))
    images = np.zeros((BATCH, camera.height, 3 * camera.width), np.uint8)
    keys = np.zeros(BATCH, np.int32)
    hills = world._hills

    def draw(drawn: object) -> Work:
        return lambda first, stop: draw_pictures(
            images, first, stop, scratch, drawn, state.slot, lens, hills, state.look,
            state.x, state.y, state.yaw, keys,
        )  # fmt: skip

    rng = np.random.default_rng(0)
    chart = rng.integers(0, 255, (MAP_SIZE, MAP_SIZE, 3), np.uint8)
    maps = homographies(camera, rng)
    warped = np.empty(camera.shape, np.uint8)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP

    def warp(first: int, stop: int) -> None:
        for matrix in maps[first:stop]:
            cv2.warpPerspective(chart, matrix, (camera.width, camera.height), warped, flags)

    return times(
        {"call": lambda first, stop: draw(scene)(0, 0), "bare": draw(bare), "picture": draw(scene),
         "warp": warp},
        rounds,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", default="procedural:0-64")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    found = measure(options.world, options.rounds)
    ratio = {kind: found["warp"][kind] / found["picture"][kind] for kind in ("median", "minimum")}
    if options.json:
        print(json.dumps({"microseconds": found, "pictures_per_warp": ratio}))
        return
    print(
        f"{platform.machine()}, numpy {np.__version__}, OpenCV {cv2.__version__}, {options.world}"
    )
    print(f"{'us per 96x64 picture':40} median  minimum")
    labels = {
        "call": "calling the kernel (once per slice)",
        "bare": "sky and ground without a road",
        "picture": "picture of a road",
        "warp": "cv2.warpPerspective, nearest, RGB map",
    }
    for name, label in labels.items():
        print(f"{label:40} {found[name]['median']:6.2f} {found[name]['minimum']:8.2f}")
    print(f"{'pictures in the time of one warp':40} {ratio['median']:6.2f} {ratio['minimum']:8.2f}")


if __name__ == "__main__":
    main()
