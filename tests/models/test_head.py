"""Heads: what a driver does with two right answers, and how a right one is told from a wrong one."""

import math

import pytest
import torch
from torch import Tensor

from redrive.models.head import LEAST_WIDTH, Head, HuberHead, MixtureHead, make_head
from redrive.models.loss import LossSettings, command_error

SCALE = torch.tensor([0.02, 2.0])
SETTINGS = LossSettings()


def learn_the_fork(head: Head, steps: int = 300) -> Tensor:
    """Left or right by chance, never straight on: what is done after learning, (2,) typical commands."""
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(head.parameters(), lr=0.03)
    for _ in range(steps):
        features = torch.randn(64, 4, generator=generator)
        left = torch.rand(64, generator=generator) < 0.55
        label = torch.stack([torch.where(left, 1.0, -1.0), torch.zeros(64)], dim=-1) * SCALE
        loss = head.error(head(features), label, SCALE, SETTINGS).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return head.command(head(torch.zeros(4)))


def test_a_mean_hits_the_tree_and_a_mixture_takes_the_likelier_way() -> None:
    torch.manual_seed(0)
    gaussian = learn_the_fork(make_head("gaussian", 4, 3))
    mixture = learn_the_fork(make_head("mixture", 4, 3))
    assert abs(float(gaussian[0])) < 0.3  # between the two
    assert float(mixture[0]) == pytest.approx(1.0, abs=0.1)  # left: 55 of 100 went there


def test_huber_is_the_error_of_the_command() -> None:
    torch.manual_seed(0)
    head = HuberHead(4)
    prediction, label = torch.randn(3, 5, 2), 0.1 * torch.randn(3, 5, 2)
    wanted = command_error(head.command(prediction) * SCALE, label, SCALE, SETTINGS)
    torch.testing.assert_close(head.error(prediction, label, SCALE, SETTINGS), wanted)


@pytest.mark.parametrize("components", [1, 2, 5])
def test_the_error_of_a_mixture_is_the_density_of_the_right_command(components: int) -> None:
    """Against PyTorch's own mixture of normal distributions."""
    torch.manual_seed(0)
    head = MixtureHead(4, components)
    prediction = torch.randn(3, 7, 5 * components)
    label = torch.randn(3, 7, 2) * SCALE
    likelihoods, means, widths = head.parts(prediction)
    normal = torch.distributions.Independent(torch.distributions.Normal(means, widths), 1)
    chosen = torch.distributions.Categorical(logits=likelihoods)
    wanted = -torch.distributions.MixtureSameFamily(chosen, normal).log_prob(label / SCALE)
    error = head.error(prediction, label, SCALE, LossSettings(accel=1.0))
    torch.testing.assert_close(error, wanted)


def test_what_is_driven_is_the_middle_of_the_likeliest_component() -> None:
    head = MixtureHead(4, 3)
    prediction = torch.zeros(2, 15)
    prediction[0, 2] = prediction[1, 0] = 1.0  # the third for one car, the first for the other
    prediction[:, 3:9] = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    torch.testing.assert_close(
        head.command(prediction), torch.tensor([[0.5, 0.6], [0.1, 0.2]]), rtol=0.0, atol=1e-3
    )


def test_a_column_that_does_not_count_changes_nothing() -> None:
    torch.manual_seed(0)
    head = MixtureHead(4, 2)
    prediction, label = torch.randn(6, 10), torch.randn(6, 2) * SCALE
    settings = LossSettings(accel=0.0)
    other = label.clone()
    other[:, 1] += 5.0
    torch.testing.assert_close(
        head.error(prediction, label, SCALE, settings),
        head.error(prediction, other, SCALE, settings),
    )


def test_nobody_is_surer_than_the_least_width() -> None:
    head = MixtureHead(4, 1)
    prediction = torch.tensor([0.0, 0.3, -0.2, -50.0, -50.0])
    label = torch.tensor([0.3, -0.2]) * SCALE
    surest = head.error(prediction, label, SCALE, LossSettings(accel=1.0))
    least = 2.0 * (math.log(LEAST_WIDTH) + 0.5 * math.log(2.0 * math.pi))
    assert float(surest) == pytest.approx(least, abs=1e-2)


def test_a_gaussian_learns_how_sure_it_can_be() -> None:
    """Labels scatter by 0.3 typical commands: so much is the width that comes out."""
    torch.manual_seed(0)
    head = MixtureHead(1, 1)
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(head.parameters(), lr=0.03)
    for _ in range(300):
        label = 0.3 * torch.randn(256, 2, generator=generator) * SCALE
        loss = head.error(head(torch.zeros(256, 1)), label, SCALE, SETTINGS).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    _, _, widths = head.parts(head(torch.zeros(1)).detach())
    torch.testing.assert_close(widths, torch.full((1, 2), 0.3), rtol=0.1, atol=0.0)
