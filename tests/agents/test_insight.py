"""What is said of a driver's mind: that it adds up, and that asking changes nothing."""

import numpy as np
import pytest
import torch

from redrive.agents.expert import Expert
from redrive.agents.impaired import Impaired
from redrive.agents.insight import attention, hidden_state, saliency
from redrive.agents.learned import LearnedDriver, observation_spec
from redrive.agents.rollout import look
from redrive.models.registry import make_policy
from redrive.sim.picture_faults import PictureFaults
from redrive.sim.world import RoadWorld


@pytest.fixture(scope="module")
def world() -> RoadWorld:
    return RoadWorld("procedural:7")


def driver(name: str, world: RoadWorld) -> LearnedDriver:
    torch.manual_seed(0)
    policy = make_policy(name, observation_spec(world), command_scale=(0.02, 1.0))
    with torch.no_grad():  # some begin with weights of 0
        for weights in policy.parameters():
            weights.add_(0.03 * torch.randn_like(weights))
    return LearnedDriver(policy)


def drive(agent: LearnedDriver, world: RoadWorld, steps: int = 5):  # type: ignore[no-untyped-def]
    """View, memory before and after, and command of the last of some steps."""
    state, memory = world.reset(np.array([3])), agent.begin(1)
    for _ in range(steps):
        view, before = look(world, state), memory
        command, memory = agent.act(view, before)
        state = world.step(state, command)
    return view, before, memory, command


@pytest.mark.parametrize("name", ["perceptron", "mlp", "lstm", "attention"])
def test_what_the_pixels_added_is_the_command_without_the_blurred_ones(
    name: str, world: RoadWorld
) -> None:
    agent = driver(name, world)
    view, before, _, command = drive(agent, world)
    found = saliency(agent, view, before, points=100)
    assert found is not None
    assert found.pixels.shape == view["camera"].shape[1:3]
    assert found.command == pytest.approx(command.curvature[0], rel=1e-4, abs=1e-7)
    explained = found.command - found.blurred
    assert float(found.pixels.sum()) == pytest.approx(explained, rel=0.05, abs=2e-5)


def test_a_pixel_that_a_perceptron_has_no_weight_for_moves_nothing(world: RoadWorld) -> None:
    agent = driver("perceptron", world)
    with torch.no_grad():
        agent.policy.get_parameter("pixel_weights")[:, :, :48] = 0.0
    view, before, _, _ = drive(agent, world)
    found = saliency(agent, view, before)
    assert found is not None
    assert (found.pixels[:, :48] == 0.0).all()
    assert (found.pixels[:, 48:] != 0.0).any()


def test_asking_changes_neither_the_command_nor_the_memory(world: RoadWorld) -> None:
    agent = driver("lstm", world)
    view, before, after, command = drive(agent, world)
    kept = view["camera"].copy()
    saliency(agent, view, before)
    again, memory = agent.act(view, before)
    assert (view["camera"] == kept).all()
    assert again.curvature.tobytes() == command.curvature.tobytes()
    assert all(torch.equal(one, other) for one, other in zip(memory, after, strict=True))


def test_attention_is_a_share_for_each_past_step_and_none_before_the_first(
    world: RoadWorld,
) -> None:
    agent = driver("attention", world)
    view, before, _, _ = drive(agent, world, steps=5)
    looked = attention(agent, view, before)
    assert looked is not None
    np.testing.assert_allclose(looked.sum(axis=-1), 1.0, rtol=1e-5)
    assert (looked[..., :5] > 0.0).all()
    assert (looked[..., 5:] == 0.0).all()


def test_recurrent_drivers_show_their_vectors_and_others_have_none(world: RoadWorld) -> None:
    shapes = {}
    for name in ("rnn", "gru", "lstm", "attention", "perceptron", "mlp"):
        agent = driver(name, world)
        _, _, memory, _ = drive(agent, world, steps=2)
        shapes[name] = [vector.shape for vector in hidden_state(agent, memory)]
    assert shapes["rnn"] == shapes["gru"] == [(64,)]
    assert shapes["lstm"] == [(64,), (64,)]
    assert shapes["attention"] == shapes["perceptron"] == shapes["mlp"] == []


def test_who_has_no_network_has_nothing_to_show(world: RoadWorld) -> None:
    view = look(world, world.reset(np.array([3])))
    assert saliency(Expert(), view, ()) is None
    assert attention(Expert(), view, ()) is None
    assert hidden_state(Expert(), ()) == ()


def test_behind_a_lens_with_faults_the_spoiled_picture_is_what_counts(world: RoadWorld) -> None:
    agent = driver("perceptron", world)
    behind = Impaired(agent, PictureFaults(occlusion=0.5))
    view = look(world, world.reset(np.array([3])))
    found, plain = saliency(behind, view, ()), saliency(agent, behind.sees(view), ())
    assert found is not None and plain is not None
    assert (found.pixels == plain.pixels).all()
