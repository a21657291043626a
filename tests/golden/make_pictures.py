"""Stores the pictures that `tests/sim/test_golden_pictures.py` compares with.

Run it when pictures are meant to change, look at them, and say why in the commit:

    python tests/golden/make_pictures.py

They guard against changes nobody meant: the closed forms of `test_render.py` would not notice
another sky, grain or palette.
"""

from pathlib import Path

import numpy as np

from redrive.sim.appearance import Appearance
from redrive.sim.sensors.camera import Camera
from redrive.sim.world import RoadWorld

FOLDER = Path(__file__).parent
CAMERA = Camera().scaled(0.5)  # 48 x 32
WORLDS = {
    "clear_day": RoadWorld("procedural:0-8"),
    "random_looks": RoadWorld("procedural:0-8", appearance=Appearance(randomise=1.0)),
}


def pictures(world: RoadWorld) -> np.ndarray:
    """(4, 32, 48, 3): roads 0, 1, 2 and 5 at the start of the episodes of four seeds."""
    state = world.reset(np.arange(4), roads=np.array([0, 1, 2, 5]))
    return world.draw(state, CAMERA)


def main() -> None:
    for name, world in WORLDS.items():
        np.save(FOLDER / f"{name}.npy", pictures(world))


if __name__ == "__main__":
    main()
