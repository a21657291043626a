"""A step in one call of the core, and the same by parts: equal to the bit."""

from typing import Any

import numpy as np
import pytest

from redrive.sim.car_state import cars_of
from redrive.sim.gym_env import make_world
from redrive.sim.gym_step import Stepper
from redrive.sim.task import Task
from redrive.sim.vehicle import Vehicle

SHORT = Task("short", route_length=15.0, time_limit=1.5, start_lateral=0.9, start_yaw=0.2)
B, STEPS = 70, 60  # more cars than are computed together


@pytest.mark.parametrize("anew", [True, False])
def test_a_step_in_one_call_is_the_step_by_parts(anew: bool) -> None:
    one, other = (make_world("procedural:0-9", sensors={}, task=SHORT) for _ in range(2))
    whole, parts = Stepper(one), Stepper(other)
    assert whole.plain
    parts.plain = False
    left, right = (cars_of(world.reset(np.arange(B))) for world in (one, other))
    rng = np.random.default_rng(0)
    ends = 0
    for _ in range(STEPS):
        actions = rng.uniform(-0.3, 0.3, (B, 2))
        gave: list[Any]
        given: list[Any]
        left, *gave = whole.step(left, actions, anew)
        right, *given = parts.step(right, actions, anew)
        for column, same in zip(left.state, right.state, strict=True):
            assert column.tobytes() == same.tobytes()
        for told, same in zip(gave[:3], given[:3], strict=True):
            assert told.tobytes() == same.tobytes() and told.dtype == same.dtype
        assert list(gave[3]) == list(given[3])
        for name in gave[3]:
            assert gave[3][name].tobytes() == given[3][name].tobytes(), name
            assert gave[3][name].dtype == given[3][name].dtype, name
        ends += int(gave[1].sum() + gave[2].sum())
    assert ends > B if anew else ends == B


@pytest.mark.parametrize(
    "settings",
    [
        {"task": "recall"},
        {"task": "stop-sign"},
        {"task": "unseen-speed"},
        {"task": "latency"},
        {"task": "recovery"},
        {"appearance": 1.0},
        {"vehicle": Vehicle(delay_steps=1)},
        {"threads": 2},
    ],
)
def test_what_asks_for_more_than_driving_is_done_by_parts(settings: dict[str, Any]) -> None:
    assert not Stepper(make_world(sensors={}, **settings)).plain


def test_an_action_that_is_no_number_is_an_error_and_changes_nothing() -> None:
    world = make_world("procedural:0-2", sensors={})
    cars = cars_of(world.reset(np.arange(3)))
    before = cars.block.tobytes()
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="not a finite number"):
            Stepper(world).step(cars, np.array([[0.0, 0.0], [bad, 0.0], [0.0, 0.0]]), anew=True)
    with pytest.raises(ValueError, match="an action is two numbers"):
        Stepper(world).step(cars, np.zeros((3, 3)), anew=True)
    assert cars.block.tobytes() == before
