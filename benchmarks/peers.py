"""Environment steps a second beside gymnasium's CarRacing-v3, one core, same run.

    python benchmarks/peers.py        # needs: pip install "gymnasium[box2d]", for this only

Both are asked for a picture in every step (theirs 96 x 96, ours 96 x 64) and reset themselves.
"""

import json
import os
import time
import warnings
from collections.abc import Callable

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import gymnasium
import numpy as np

import redrive  # noqa: F401  registers the environments
from redrive.sim.gym_env import RoadVectorEnv

CARS = 256
ROUNDS = 9


def car_racing() -> tuple[Callable[[], object], int]:
    """Steps of CarRacing-v3 with random actions."""
    env = gymnasium.make("CarRacing-v3")
    env.reset(seed=0)
    env.action_space.seed(0)

    def work() -> None:
        for _ in range(30):
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            if terminated or truncated:
                env.reset()

    return work, 30


def single() -> tuple[Callable[[], object], int]:
    """Steps of `gymnasium.make("redrive/Road-v0")`, driven by the expert."""
    env = gymnasium.make("redrive/Road-v0", world="procedural:0-64")
    held = {"info": env.reset(seed=0)[1]}

    def work() -> None:
        for _ in range(500):
            _, _, terminated, truncated, held["info"] = env.step(held["info"]["expert_action"])
            if terminated or truncated:
                held["info"] = env.reset()[1]

    return work, 500


def batch() -> tuple[Callable[[], object], int]:
    """Car-steps of the batched environment, driven by the expert."""
    env = RoadVectorEnv(CARS, world="procedural:0-64", copy=False)
    held = {"action": env.reset(seed=0)[1]["expert_action"]}

    def work() -> None:
        for _ in range(10):
            held["action"] = env.step(held["action"])[4]["expert_action"]

    return work, 10 * CARS


def main() -> None:
    """Measure in turns, so that a busy machine slows all of them; medians are printed."""
    warnings.simplefilter("ignore")
    contestants = {"CarRacing-v3": car_racing(), "redrive single": single(), "redrive 256": batch()}
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS + 2):
        for name, (work, _) in contestants.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    rates = {
        name: steps / float(np.median(times[name][2:])) for name, (_, steps) in contestants.items()
    }
    base = rates["CarRacing-v3"]
    print(json.dumps({name: {"steps_per_s": round(rate), "ratio": round(rate / base, 1)}
                      for name, rate in rates.items()}, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
