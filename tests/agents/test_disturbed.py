"""Pushed and mixed drivers: what they add follows from the episode's key."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from redrive.agents.agent import View, keys_of
from redrive.agents.disturbed import MixedDriver, NoisyDriver
from redrive.agents.expert import Expert
from redrive.agents.rollout import look, rollout
from redrive.sim.task import Task
from redrive.sim.vehicle import Command
from redrive.sim.world import RoadWorld

DT = 0.1
ENDLESS = Task(route_length=0.0, time_limit=1000.0, off_lane="none", max_heading_error=7.0)


class Idle:
    """Does nothing, and remembers how often."""

    def begin(self, batch_size: int) -> int:
        return 0

    def act(self, view: View, memory: int) -> tuple[Command, int]:
        nothing = np.zeros(len(view["state_id"]))
        return Command(nothing, nothing), memory + 1


def views(cars: int, steps: int) -> list[View]:
    """What `cars` cars see while nobody touches the wheel."""
    world = RoadWorld("procedural:0-6", sensors={}, task=ENDLESS)
    return [frame.view for frame in rollout(world, Idle(), world.reset(np.arange(cars)), steps)]


def take(view: Any, car: int) -> Any:
    """The view of one car of a batch."""
    if isinstance(view, dict):
        return {name: take(value, car) for name, value in view.items()}
    if isinstance(view, tuple):
        return type(view)(*(column[car : car + 1] for column in view))
    return view[car : car + 1]


def commands(driver: Any, seen: Sequence[View]) -> np.ndarray:
    """(T, B, 2) of a driver."""
    memory, given = driver.begin(len(seen[0]["state_id"])), []
    for view in seen:
        command, memory = driver.act(view, memory)
        given.append(np.stack(command, axis=-1))
    return np.stack(given)


@pytest.mark.parametrize(
    "make", [lambda: NoisyDriver(Idle(), DT), lambda: MixedDriver(Expert(), Idle(), 0.5)]
)
def test_a_car_alone_is_driven_as_in_a_batch(make: Any) -> None:
    seen = views(12, 30)
    together = commands(make(), seen)
    for car in range(12):
        alone = commands(make(), [take(view, car) for view in seen])
        assert alone[:, 0].tobytes() == np.ascontiguousarray(together[:, car]).tobytes()


def test_a_push_is_coloured_noise_of_the_size_that_it_says() -> None:
    driver = NoisyDriver(Idle(), DT, lateral=2.0, longitudinal=0.7, correlation_time=0.5)
    seen = views(600, 60)
    memory = driver.begin(600)
    pushes = []
    for view in seen:
        _, memory = driver.act(view, memory)
        pushes.append(memory.push)
    settled = np.stack(pushes)[30:]
    np.testing.assert_allclose(settled.std(axis=(0, 1)), [2.0, 0.7], rtol=0.03)
    np.testing.assert_allclose(settled.mean(axis=(0, 1)), 0.0, atol=0.08)
    along = settled / [2.0, 0.7]
    for lag in (1, 5):
        seen_correlation = (along[lag:] * along[:-lag]).mean()
        assert seen_correlation == pytest.approx(np.exp(-lag * DT / 0.5), abs=0.04)
    assert abs((along[..., 0] * along[..., 1]).mean()) < 0.03
    assert abs((along[:, 1:] * along[:, :-1]).mean()) < 0.05  # of neighbours


def test_episodes_are_pushed_with_different_strength_and_some_not_at_all() -> None:
    driver = NoisyDriver(Idle(), DT, clean_share=0.25)
    strength = np.abs(commands(driver, views(800, 20))).max(axis=0)
    clean = (strength == 0.0).all(axis=1)
    assert clean.mean() == pytest.approx(0.25, abs=0.05)
    assert np.quantile(strength[~clean, 1], 0.9) > 2.0 * np.quantile(strength[~clean, 1], 0.1)


def test_a_push_is_as_strong_at_any_speed() -> None:
    seen = views(200, 10)
    fast = [{**view, "lane": view["lane"]._replace(speed=np.full(200, 20.0))} for view in seen]
    slow = [{**view, "lane": view["lane"]._replace(speed=np.full(200, 10.0))} for view in seen]
    driver = NoisyDriver(Idle(), DT)
    pulls = [commands(driver, fast)[..., 0] * 20.0**2, commands(driver, slow)[..., 0] * 10.0**2]
    np.testing.assert_allclose(pulls[0], pulls[1])


def test_the_push_comes_on_top_of_the_drivers_command() -> None:
    seen = views(20, 10)
    pushed, alone = commands(NoisyDriver(Expert(), DT), seen), commands(Expert(), seen)
    pushes = commands(NoisyDriver(Idle(), DT), seen)
    np.testing.assert_allclose(pushed, alone + pushes, atol=1e-12)


def test_the_pushed_drivers_own_memory_goes_on() -> None:
    driver = NoisyDriver(Idle(), DT)
    memory = driver.begin(3)
    for view in views(3, 5):
        _, memory = driver.act(view, memory)
    assert memory.inner == 5


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_the_expert_drives_its_share_of_whole_episodes(beta: float) -> None:
    seen = views(600, 6)
    mixed = commands(MixedDriver(Idle(), Expert(), beta), seen)
    taught, learned = commands(Expert(), seen), commands(Idle(), seen)
    by_expert = (mixed == taught).all(axis=(0, 2))
    by_learner = (mixed == learned).all(axis=(0, 2))
    assert (by_expert ^ by_learner).all()
    assert by_expert.mean() == pytest.approx(beta, abs=0.06 if 0.0 < beta < 1.0 else 0.0)


def test_both_drivers_of_a_mix_see_every_step() -> None:
    driver = MixedDriver(Idle(), Idle(), 0.5)
    memory = driver.begin(4)
    for view in views(4, 7):
        _, memory = driver.act(view, memory)
    assert memory == (7, 7)


def test_another_episode_of_a_car_is_pushed_otherwise() -> None:
    world = RoadWorld("procedural:0-6", sensors={}, task=ENDLESS)
    state = world.reset(np.arange(60))
    following = world.restart(state, np.ones(60, bool))
    first, second = look(world, state), look(world, following)
    assert (keys_of(first) != keys_of(second)).all()
    pushes = [commands(NoisyDriver(Idle(), DT), [view])[0, :, 1] for view in (first, second)]
    assert np.corrcoef(pushes)[0, 1] < 0.4
