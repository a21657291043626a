"""One neuron: its weights are a picture of what it looks at."""

from collections.abc import Callable

import torch

from redrive.models.perceptron import PerceptronPolicy, PerceptronSettings
from redrive.models.policy import Observation, ObservationSpec, SensorSpec

Observe = Callable[..., Observation]


def test_its_weights_are_a_picture_of_what_moves_each_command(
    spec: ObservationSpec, observe: Observe
) -> None:
    policy = PerceptronPolicy(spec, PerceptronSettings())
    with torch.no_grad():
        policy.pixel_weights[0, 4, 5, 1] = 3.0
        policy.pixel_weights[1, 9, 2, 0] = -2.0
    picture = policy.weight_picture()
    assert picture.shape == (2, 20, 24, 3)
    obs = observe(1)
    dark = obs["camera"].clone()
    dark[0, 4, 5, 1] = dark[0, 9, 2, 0] = 0
    bright = dark.clone()
    bright[0, 4, 5, 1] = bright[0, 9, 2, 0] = 255
    change = (
        policy.step(dict(obs, camera=bright), ())[0] - policy.step(dict(obs, camera=dark), ())[0]
    )
    assert change[0, 0] > 0.0 > change[0, 1]
    torch.testing.assert_close(change[0, 0] / change[0, 1], torch.tensor(-1.5), rtol=1e-3, atol=0.0)
    picture.zero_()  # a copy: looking at it does no harm
    assert policy.pixel_weights.abs().sum() == 5.0


def test_a_new_one_goes_straight_on(spec: ObservationSpec, observe: Observe) -> None:
    policy = PerceptronPolicy(spec, PerceptronSettings())
    assert policy.step(observe(3), ())[0].abs().max() == 0.0


def test_odometry_is_one_more_input(spec: ObservationSpec, observe: Observe) -> None:
    obs = observe(2)
    faster = dict(obs, odometry=obs["odometry"] + torch.tensor([5.0, 0.0]))
    for sees in (True, False):
        policy = PerceptronPolicy(spec, PerceptronSettings(speed=sees))
        with torch.no_grad():
            policy.odometry_weights.add_(1.0)
        same = torch.equal(policy.step(obs, ())[0], policy.step(faster, ())[0])
        assert same == (not sees)


def test_without_the_nonlinearity_commands_add_up(spec: ObservationSpec, observe: Observe) -> None:
    """Half the light gives half the change; with tanh, far commands are bent."""
    obs = observe(2)
    dark = dict(obs, camera=torch.zeros_like(obs["camera"]))
    change = {}
    for bent in (False, True):
        policy = PerceptronPolicy(spec, PerceptronSettings(nonlinearity=bent))
        with torch.no_grad():
            policy.pixel_weights.add_(2.0)
        none, half, full = (
            policy.step(dict(dark, camera=dark["camera"] + light), ())[0].detach()
            for light in (127, 191, 255)
        )
        change[bent] = (half - none, full - none)
    torch.testing.assert_close(2.0 * change[False][0], change[False][1], rtol=1e-5, atol=1e-4)
    assert ((2.0 * change[True][0] - change[True][1]).abs() > 0.1 * change[True][1].abs()).all()


def test_a_route_is_one_more_input_for_each(spec: ObservationSpec, observe: Observe) -> None:
    routes = {**spec.sensors, "route": SensorSpec((), "int64", {"choices": 3})}
    policy = PerceptronPolicy(ObservationSpec(routes), PerceptronSettings())
    with torch.no_grad():
        policy.route_weights[0] = torch.tensor([1.0, 0.0, -1.0])
    obs = {**observe(3), "route": torch.tensor([0, 1, 2])}
    curvature = policy.step(obs, ())[0][:, 0]
    assert curvature[0] == -curvature[2] > 0.5
    assert curvature[1] == 0.0
    blind = PerceptronPolicy(ObservationSpec(routes), PerceptronSettings(route=False))
    assert blind.step(observe(3), ())[0].shape == (3, 2)
