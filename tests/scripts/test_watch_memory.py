"""What is shown of a driver's mind, and what can be left out of the picture."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from redrive.agents.expert import Expert
from redrive.agents.human import Human
from redrive.agents.learned import LearnedDriver, observation_spec
from redrive.models.registry import make_policy
from redrive.sim.world import RoadWorld
from redrive.watch_drive import begin
from redrive.watch_frame import Frame
from redrive.watch_insight import attention_of, hidden_states
from redrive.watch_memory import has_memory
from redrive.watch_paint import DRIVERS, EXPERT, picture
from redrive.watch_session import LAYERS, Layer, Session, tick
from redrive.watch_view import layout, render

SIZE = (960, 540)


@pytest.fixture(scope="module")
def world() -> RoadWorld:
    return RoadWorld(world="procedural:7")


def session(world: RoadWorld, *names: str, seconds: float = 1.0) -> Session:
    drives = []
    for name in names:
        torch.manual_seed(0)
        policy = make_policy(name, observation_spec(world), command_scale=(0.02, 1.0))
        drives.append(begin(world, LearnedDriver(policy), 3, driver=name))
    shown = Session((*drives, begin(world, Expert(), 3)), Human(world.vehicle, world.dt))
    for _ in range(round(seconds / 0.05)):
        shown = tick(shown, 0.05)
    return shown


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "attention", "perceptron", "mlp"])
def test_a_band_below_the_road_is_for_those_who_remember(world: RoadWorld, name: str) -> None:
    shown = session(world, name)
    remembers = name not in ("perceptron", "mlp")
    assert has_memory(Frame(shown, 1.0)) is remembers
    without = replace(shown, off=shown.off | {Layer.MEMORY})
    assert not has_memory(Frame(without, 1.0))
    changed = (picture(render(shown, SIZE)) != picture(render(without, SIZE))).any(axis=-1)
    band = layout(SIZE, (96, 64), memory=True).memory
    inside = changed[band.top : band.bottom, band.left : band.right]
    assert inside.mean() > 0.2 if remembers else not changed.any()


def test_the_hidden_state_is_that_of_the_last_steps(world: RoadWorld) -> None:
    drive = session(world, "lstm", seconds=2.0).drive
    values = hidden_states(drive, 10)
    assert values is not None
    assert values.shape == (128, 10)
    h, c = (part[0].numpy() for part in drive.memory)
    np.testing.assert_array_equal(values[:, -1], np.concatenate([h, np.tanh(c)]))
    assert hidden_states(session(world, "lstm", seconds=0.1).drive, 10).shape[1] == 2  # type: ignore[union-attr]


def test_attention_is_asked_for_once_a_step(world: RoadWorld) -> None:
    drive = session(world, "attention").drive
    assert attention_of(drive) is attention_of(drive)


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_shows_and_can_be_left_out(world: RoadWorld, layer: Layer) -> None:
    shown = session(world, "lstm", "attention")
    all_on = replace(shown, off=frozenset())
    without = replace(shown, off=frozenset({layer}))
    assert (picture(render(all_on, SIZE)) != picture(render(without, SIZE))).any()


def test_every_driver_has_a_colour_of_its_own(world: RoadWorld) -> None:
    shown = session(world, "lstm", "perceptron")
    frame = Frame(shown, 1.0)
    assert [frame.colour_of(k) for k in range(3)] == [DRIVERS[0], DRIVERS[1], EXPERT]
    image = picture(render(replace(shown, off=frozenset({Layer.MAP})), SIZE))
    for k in range(3):  # the dots of the score board
        assert (image[:, :500] == frame.colour_of(k)).all(axis=-1).any()


def test_many_drivers_and_cards_fit_any_size(world: RoadWorld) -> None:
    shown = session(world, *["lstm", "attention"] * 4)
    for size in ((480, 300), (1280, 720), (2560, 1440)):
        for card in ({"menu": True}, {"help": True}, {"recording": True, "filming": True}):
            assert picture(render(replace(shown, **card), size)).std() > 5.0  # type: ignore[arg-type]
