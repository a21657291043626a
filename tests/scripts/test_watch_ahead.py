"""Steps that are computed early are the same steps."""

import numpy as np
import pytest
import torch

from redrive.agents.expert import Expert
from redrive.agents.human import Human
from redrive.agents.learned import LearnedDriver, observation_spec
from redrive.models.registry import make_policy
from redrive.sim.world import RoadWorld
from redrive.watch_actions import Action, act
from redrive.watch_ahead import Ahead
from redrive.watch_drive import Drive, begin
from redrive.watch_session import Session, tick


@pytest.fixture(scope="module")
def world() -> RoadWorld:
    return RoadWorld("procedural:7")


def session(world: RoadWorld) -> Session:
    torch.manual_seed(0)
    policy = make_policy("lstm", observation_spec(world), command_scale=(0.02, 1.0))
    drives = (begin(world, LearnedDriver(policy), 3), begin(world, Expert(), 3))
    return Session(drives, Human(world.vehicle, world.dt))


def test_a_drive_that_is_computed_ahead_is_the_same_to_the_bit(world: RoadWorld) -> None:
    early, usual = session(world), session(world)
    ahead = Ahead()
    rng = np.random.default_rng(0)
    for picture in range(200):
        seconds = float(rng.uniform(0.0, 0.09))
        early, usual = tick(early, seconds, ahead.step), tick(usual, seconds)
        ahead.prepare(early)
        if picture in (60, 90, 150):  # with a change of mind in between
            ahead.wait()
            action = {60: Action.TAKE_WHEEL, 90: Action.WHEEL, 150: Action.NEXT}[picture]
            early, usual = act(early, action), act(usual, action)
    ahead.close()
    assert early.steps == usual.steps > 50
    for one, other in zip(early.drives, usual.drives, strict=True):
        for column, same in zip(one.after, other.after, strict=True):
            assert column.tobytes() == same.tobytes()
        assert one.view["camera"].tobytes() == other.view["camera"].tobytes()


def test_a_person_is_never_computed_ahead(world: RoadWorld) -> None:
    human = Human(world.vehicle, world.dt)
    shown = Session((begin(world, human, 3), begin(world, Expert(), 3)), human)
    asked: list[Drive] = []
    ahead = Ahead()
    ahead.prepare(shown)
    for drive in shown.drives:
        asked.append(ahead.step(drive))
    taken = act(act(shown, Action.NUMBER, 2), Action.TAKE_WHEEL)
    ahead.prepare(taken)
    ahead.close()
    assert [int(drive.state.steps[0]) for drive in asked] == [1, 1]
