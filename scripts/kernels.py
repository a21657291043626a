"""The simulator's machine code, made before it is needed and with two cores: some draws, some drives.

Numba compiles a kernel when it is first called, one after the other, a minute for all of them. Here
they are called on purpose, in two processes; what they leave on the disk is found by every later one.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import numpy as np

from redrive import terminal
from redrive.command import run_command
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores

WORLD = "procedural:0"


def ready() -> None:
    """Compile what is not on the disk yet, and say so: it takes a while."""
    if is_ready():
        return
    began = time.monotonic()
    terminal.say("compiling the simulator (once; later starts take it from the disk)")
    run_side_by_side("compiling", [Job("", 1, _draw, ()), Job("", 4, _drive, ())], usable_cores())
    terminal.say(f"compiled in {time.monotonic() - began:.0f} s")


def is_ready() -> bool:
    """Whether the kernels that take longest were compiled before, as they are now."""
    from redrive.sim.compiled import on_disk
    from redrive.sim.gym_step import step_cars
    from redrive.sim.motion import advance
    from redrive.sim.pictures import draw_cars
    from redrive.sim.starts import place_at_start

    return all(map(on_disk, (draw_cars, place_at_start, advance, step_cars)))


def _draw(report: Report) -> None:
    """Compile what draws, without what drives: the car stands where the world begins."""
    from redrive.sim.appearance import Appearance, make_look
    from redrive.sim.car_state import new_block, state_of
    from redrive.sim.world import RoadWorld

    block = new_block(1, 0)
    block[...] = 0.0
    look = make_look(Appearance(), np.random.default_rng(0))
    world = RoadWorld(WORLD)
    world.pool.load(np.array([0]))
    world.observe(state_of(block, np.full(1, look)))
    report(1, "what draws")


def _drive(report: Report) -> None:
    """Compile what drives: new episodes, the expert, a step, the step of an environment."""
    from redrive.sim.car_state import cars_of
    from redrive.sim.guidance import guide
    from redrive.sim.gym_step import Stepper
    from redrive.sim.world import RoadWorld

    world = RoadWorld(WORLD, {})
    state = world.place(world.reset(np.array([0])), np.zeros(1), np.zeros(1))
    report(1, "new episodes")
    command = guide(world.lane_view(state))
    report(1, "the expert")
    state = world.step(state, command)
    report(1, "a step")
    Stepper(world).step(cars_of(state), np.zeros((1, 2)), True)
    report(1, "an environment's step")


def main(argv: Sequence[str]) -> int:
    """What the set-up calls."""
    ready()
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main, sys.argv[1:]))
