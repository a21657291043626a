"""A learned driver in a batch: each car as if it were alone, bit for bit."""

from typing import Any

import numpy as np
import pytest

from redrive.agents import rows
from redrive.agents.learned import GROUP, LearnedDriver, observation_spec
from redrive.models.registry import POLICIES, make_policy
from redrive.sim.world import RoadWorld

CARS = 2 * GROUP + 3
STEPS = 3


def driver(name: str, threads: int = 1) -> LearnedDriver:
    import torch

    if name == "cfc":
        pytest.importorskip("ncps", reason="the policy cfc needs ncps: pip install 'redrive[cfc]'")
    torch.manual_seed(0)
    spec = observation_spec(RoadWorld("procedural:1"))
    policy = make_policy(name, spec, command_scale=(0.02, 1.0))
    with torch.no_grad():  # some begin with weights of 0
        for weights in policy.parameters():
            weights.add_(0.03 * torch.randn_like(weights))
    return LearnedDriver(policy, threads)


def views() -> list[dict[str, np.ndarray]]:
    """What every car sees at each step."""
    rng = np.random.default_rng(0)
    return [
        {
            "camera": rng.integers(0, 256, (CARS, 64, 96, 3), dtype=np.uint8),
            "odometry": rng.random((CARS, 2), dtype=np.float32),
            "previous_command": rng.random((CARS, 2), dtype=np.float32),
        }
        for _ in range(STEPS)
    ]


def commands(who: LearnedDriver, seen: list[dict[str, np.ndarray]]) -> np.ndarray:
    """(T, B, 2) and the memory is carried along."""
    memory: Any = who.begin(len(seen[0]["camera"]))
    told = []
    for view in seen:
        command, memory = who.act(view, memory)
        told.append(np.stack([command.curvature, command.accel], axis=-1))
    return np.stack(told)


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_car_drives_the_same_alone_and_in_any_batch_bit_for_bit(name: str) -> None:
    seen = views()
    whole = commands(driver(name), seen)
    assert np.ptp(whole[-1, :, 0]) > 0.0
    threaded = commands(driver(name, threads=2), seen)
    assert threaded.tobytes() == whole.tobytes()
    rng = np.random.default_rng(1)
    for size in (1, 2, GROUP - 1, GROUP, GROUP + 1):
        cars = rng.choice(CARS, size, replace=False)
        some = commands(driver(name), [rows.take(view, cars) for view in seen])
        assert some.tobytes() == whole[:, cars].tobytes()


def test_a_driver_who_takes_over_a_place_in_the_batch_has_seen_nothing() -> None:
    who, seen = driver("lstm"), views()
    fresh = commands(who, seen[1:])
    memory = who.begin(CARS)
    _, memory = who.act(seen[0], memory)
    changed = np.array([0, GROUP, CARS - 1])
    memory = rows.put(memory, changed, who.begin(len(changed)))
    command, _ = who.act(seen[1], memory)
    others = np.setdiff1d(np.arange(CARS), changed)
    assert (command.curvature[changed] == fresh[0, changed, 0]).all()
    assert (command.curvature[others] != fresh[0, others, 0]).any()
