"""From a camera frame to a command: milliseconds of every policy, one car, one thread.

    python benchmarks/inference.py [--steps 400] [--json]

Every policy has its default settings and the default camera (64 x 96). `step` is the policy alone;
`driver` is what an evaluation does, where the network always sees sixteen rows, so that a car drives
the same way, bit for bit, alone and in any batch. Then attention is stepped 10,000 times, and its
steps from there are timed by turns with steps from 100: `late` against `early`.
"""

import argparse
import json
import platform
import time
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from redrive.agents.expert import Expert
from redrive.agents.learned import LearnedDriver, observation_spec
from redrive.agents.rollout import rollout
from redrive.models.policy import Policy, State
from redrive.models.registry import POLICIES, make_policy
from redrive.sim.world import RoadWorld

EARLY, LATE = 100, 10_000  # steps
WINDOWS = (16, 256)  # of attention: the default, and a long one


def policies() -> dict[str, Policy]:
    """Every policy as it is made, and attention with a long window."""
    spec = observation_spec(RoadWorld("procedural:0"))
    names = [name for name in POLICIES if name != "cfc" or find_spec("ncps") is not None]
    made = {name: make_policy(name, spec).eval() for name in names}
    kind: Any = POLICIES["attention"].Settings
    made["attention, window 256"] = make_policy("attention", spec, kind(window=WINDOWS[1])).eval()
    return made


def views(count: int) -> list[dict[str, np.ndarray]]:
    """What one car sees in so many steps: pictures of an expert's drive along a road."""
    world = RoadWorld("procedural:0")
    sensors = observation_spec(world).sensors
    frames = rollout(world, Expert(), world.reset(np.arange(1)), count)
    return [{name: frame.view[name] for name in sensors} for frame in frames]


def as_tensors(view: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(value) for name, value in view.items()}


@torch.inference_mode()
def streaming(made: dict[str, Policy], steps: int) -> dict[str, dict[str, float]]:
    """Medians and 95th percentiles [ms] of the policy alone, and of a driver; by turns."""
    seen = [as_tensors(view) for view in views(min(steps, 100))]
    arrays = views(min(steps, 100))
    states = {name: policy.initial_state(1) for name, policy in made.items()}
    drivers = {name: LearnedDriver(policy) for name, policy in made.items()}
    memories = {name: driver.begin(1) for name, driver in drivers.items()}
    alone: dict[str, list[float]] = {name: [] for name in made}
    driven: dict[str, list[float]] = {name: [] for name in made}
    for step in range(steps):
        obs, view = seen[step % len(seen)], arrays[step % len(arrays)]
        for name, policy in made.items():
            start = time.perf_counter()
            _, states[name] = policy.step(obs, states[name])
            alone[name].append(time.perf_counter() - start)
            start = time.perf_counter()
            _, memories[name] = drivers[name].act(view, memories[name])
            driven[name].append(time.perf_counter() - start)
    return {
        name: {
            "step_median": milliseconds(alone[name], 50.0),
            "step_p95": milliseconds(alone[name], 95.0),
            "driver_median": milliseconds(driven[name], 50.0),
        }
        for name in made
    }


@torch.inference_mode()
def late_against_early(policy: Policy, steps: int) -> dict[str, float]:
    """A step after 10,000 steps and one after 100, by turns [ms]."""
    seen = [as_tensors(view) for view in views(20)]
    state = policy.initial_state(1)
    kept: dict[int, State] = {}
    for step in range(LATE):
        if step == EARLY:
            kept[EARLY] = state
        _, state = policy.step(seen[step % len(seen)], state)
    kept[LATE] = state
    times: dict[int, list[float]] = {EARLY: [], LATE: []}
    for step in range(steps):
        for moment in (EARLY, LATE):
            start = time.perf_counter()
            _, kept[moment] = policy.step(seen[step % len(seen)], kept[moment])
            times[moment].append(time.perf_counter() - start)
    early, late = (milliseconds(times[moment], 50.0) for moment in (EARLY, LATE))
    return {"early": early, "late": late, "late_over_early": late / early}


def milliseconds(times: list[float], percentile: float) -> float:
    return 1e3 * float(np.percentile(times[len(times) // 10 :], percentile))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    made = policies()
    found = streaming(made, options.steps)
    later = {
        name: late_against_early(policy, options.steps)
        for name, policy in made.items() if name.startswith("attention")
    }  # fmt: skip
    if options.json:
        print(json.dumps({"milliseconds": found, "attention": later}, indent=1))
        return
    print(
        f"{platform.machine()}, torch {torch.__version__}, one thread, {options.steps} steps each"
    )
    print(f"{'milliseconds':26} step median    p95   driver median")
    for name, row in found.items():
        print(
            f"{name:26} {row['step_median']:11.2f} {row['step_p95']:6.2f} {row['driver_median']:15.2f}"
        )
    for name, row in later.items():
        print(
            f"{name}: a step after {EARLY} steps {row['early']:.2f} ms, after {LATE:,} "
            f"{row['late']:.2f} ms: {row['late_over_early']:.3f} times"
        )


if __name__ == "__main__":
    main()
