"""What went on in a learned driver at one step: which pixels moved its command, what it remembered.

All of it is computed beside the drive, from what was seen and remembered then: looking changes
nothing. The driver is asked about one car, the first of a view.
"""

from typing import Any, NamedTuple

import cv2
import numpy as np
import torch

from ..models.attention import AttentionPolicy
from ..models.policy import CURVATURE
from .agent import Agent, View
from .impaired import Impaired
from .learned import LearnedDriver

POINTS = 8  # on the way from the blurred picture to the sharp one
BLUR = 9.0  # of the picture that says nothing [px]; lane markings are 1 to 3 px wide


class Saliency(NamedTuple):
    """What every pixel added to the commanded curvature."""

    pixels: np.ndarray  # (H, W) float32 [1/m], left is positive
    command: float  # with the picture as it is [1/m]
    blurred: float  # with a picture in which nothing can be made out [1/m]


def saliency(agent: Agent, view: View, memory: Any, points: int = POINTS) -> Saliency | None:
    """Which pixels moved the command; None for a driver without a network or without a camera.

    Integrated gradients from a blurred picture to the real one: the pixels' sum is, up to the few
    `points` of the integral, `command - blurred`. What was remembered is left as it was.

    Args:
        memory: before the step.

    Source:
        Sundararajan, Taly and Yan, Axiomatic attribution for deep networks, ICML 2017.
    """
    agent, view = through_the_lens(agent, view)
    if not isinstance(agent, LearnedDriver) or "camera" not in agent.policy.spec.sensors:
        return None
    sharp = view["camera"][0].astype(np.float32)
    dull = cv2.GaussianBlur(sharp, (0, 0), BLUR)
    share = (torch.arange(points) + 0.5) / points
    way = torch.from_numpy(sharp - dull)
    between = torch.from_numpy(dull) + share.view(-1, 1, 1, 1) * way
    # The two ends, too: how much there is to explain. Networks may write into what they are given.
    ends = torch.from_numpy(np.stack([dull, sharp]))
    pictures = torch.cat([between, ends]).requires_grad_()
    rows = len(pictures)
    obs = {"camera": pictures * 1.0}
    for name in agent.policy.spec.sensors:
        if name != "camera":
            obs[name] = _rows(torch.from_numpy(view[name][:1]), rows)
    commands, _ = agent.policy.step(obs, tuple(_rows(part[:1], rows) for part in memory))
    curvature = commands[:, CURVATURE]
    (slopes,) = torch.autograd.grad(curvature[:points].sum(), pictures)
    added = (slopes[:points].mean(dim=0) * way).sum(dim=-1)
    blurred, command = curvature[points:].tolist()
    return Saliency(added.numpy(), command, blurred)


def attention(agent: Agent, view: View, memory: Any) -> np.ndarray | None:
    """(layers, heads, window) how much was looked at each step of the past; None if nothing looks.

    The last axis is the age: 0 the present step, 1 the one before. Each row sums to 1.

    Args:
        memory: before the step.
    """
    agent, view = through_the_lens(agent, view)
    if not isinstance(agent, LearnedDriver) or not isinstance(agent.policy, AttentionPolicy):
        return None
    with torch.inference_mode():
        obs = {name: torch.from_numpy(view[name][:1]) for name in agent.policy.spec.sensors}
        state = tuple(part[:1] for part in memory)
        _, _, weights = agent.policy.step_with_weights(obs, state)
    looked: np.ndarray = weights[0].numpy()
    return looked


def hidden_state(agent: Agent, memory: Any) -> tuple[np.ndarray, ...]:
    """The vectors that a recurrent driver carries from step to step; () for any other driver.

    One vector for rnn, irnn, gru, mingru and cfc; h and c for lstm.
    """
    if isinstance(agent, Impaired):
        agent = agent.driver
    if not isinstance(agent, LearnedDriver) or isinstance(agent.policy, AttentionPolicy):
        return ()
    vectors = (part for part in memory if part.ndim == 2 and part.is_floating_point())
    return tuple(part[0].numpy() for part in vectors)


def through_the_lens(agent: Agent, view: View) -> tuple[Agent, View]:
    """Who decides in the end, and what it sees: a lens may have faults."""
    return (agent.driver, agent.sees(view)) if isinstance(agent, Impaired) else (agent, view)


def _rows(values: torch.Tensor, count: int) -> torch.Tensor:
    """One row, so many times; of its own, so that gradients may be asked for."""
    return values.expand(count, *values.shape[1:]).clone()
