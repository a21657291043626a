"""Pictures of many cars at once: what the renderer is given, and by whom the room to draw in is kept."""

import threading

import numpy as np

from . import chance
from .car_state import columns
from .compiled import compiled
from .held import Held, held
from .render import draw_pictures, make_scratch
from .sensors.camera import Camera

_SCRATCH = threading.local()
_MAX_KEPT = 8  # cameras that a thread keeps room for


def scratch(camera: Camera) -> Held:
    """Room to draw in, kept for the next picture of the same thread: a `Scratch`."""
    kept: dict[Camera, Held] = _SCRATCH.__dict__.setdefault("kept", {})
    found = kept.get(camera)
    if found is None:
        if len(kept) >= _MAX_KEPT:
            kept.clear()
        found = kept[camera] = Held(make_scratch(camera))
    return found


@compiled
def draw_cars(images, first, stop, room, shown, block, looks, noise_keys):  # type: ignore[no-untyped-def]
    """Draw what cars first..stop see, and say with which keys noise is drawn.

    Args:
        images: (B, H, 3 W) uint8. noise_keys: (B,) int32, filled.
        room: of `scratch`. shown: held: the `Scene`, the `Lens`, the skyline of hills.
        looks: (B,) LOOK.
    """
    cars = columns(block)
    scene, lens, hills = held(shown)
    for i in range(first, stop):
        key = chance.one_key(cars.seed[i], cars.episode[i], chance.PICTURE, cars.steps[i])
        noise_keys[i] = np.int32(key >> np.uint64(33))
    draw_pictures(
        images, first, stop, held(room), scene, cars.slot, lens, hills, looks,
        cars.x, cars.y, cars.yaw, noise_keys,
    )  # fmt: skip
