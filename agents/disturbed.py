"""Drivers whose hand is pushed, or taken over: where demonstrations off the centre come from."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..sim import chance
from ..sim.vehicle import Command
from .agent import Agent, View, keys_of, lane_of


class Pushed(NamedTuple):
    """Memory of a pushed driver."""

    inner: Any  # the driver's own
    push: np.ndarray  # (B, 2) lateral and longitudinal [m/s²]


@dataclass(frozen=True)
class NoisyDriver:
    """`driver` with coloured noise added to what it does, as DART does.

    The noise is an Ornstein-Uhlenbeck process in accelerations, so that it pushes as far at any
    speed; its strength differs from episode to episode, and some episodes are clean.

    Source: Laskey et al., DART: Noise Injection for Robust Imitation Learning, CoRL 2017.
    """

    driver: Agent
    dt: float
    lateral: float = 1.6  # standard deviation in the strongest episodes [m/s²]
    longitudinal: float = 1.5  # [m/s²]
    correlation_time: float = 0.8  # [s]
    clean_share: float = 0.15  # of episodes

    def begin(self, batch_size: int) -> Pushed:
        """Nobody has been pushed yet."""
        return Pushed(self.driver.begin(batch_size), np.zeros((batch_size, 2)))

    def act(self, view: View, memory: Pushed) -> tuple[Command, Pushed]:
        """The driver's command, and the push on top of it."""
        command, inner = self.driver.act(view, memory.inner)
        keys = keys_of(view)
        strength = chance.uniform(keys, 0, chance.DRIVER, 1)
        strength = np.where(strength < self.clean_share, 0.0, strength)
        keep = np.exp(-self.dt / self.correlation_time)
        size = np.array([self.lateral, self.longitudinal]) * np.sqrt(1.0 - keep**2)
        push = keep * memory.push + size * _normal(keys, view["state_id"])
        speed = np.maximum(lane_of(view).speed, 4.0)
        moved = Command(
            command.curvature + strength * push[:, 0] / speed**2,
            command.accel + strength * push[:, 1],
        )
        return moved, Pushed(inner, push)


@dataclass(frozen=True)
class MixedDriver:
    """DAgger's driver: the learner in some episodes, the expert in the others.

    Mixed by episode, not by step, so that the commands that a learner remembers are those that
    were driven; both see every observation, so that the learner's memory is warm.

    Source: Ross, Gordon, Bagnell, A Reduction of Imitation Learning to No-Regret Online
    Learning, 2011.
    """

    learner: Agent
    expert: Agent
    beta: float = 0.0  # share of episodes that the expert drives

    def begin(self, batch_size: int) -> tuple[Any, Any]:
        """Both memories."""
        return self.learner.begin(batch_size), self.expert.begin(batch_size)

    def act(self, view: View, memory: tuple[Any, Any]) -> tuple[Command, tuple[Any, Any]]:
        """The command of whoever drives this episode."""
        learned, learner_memory = self.learner.act(view, memory[0])
        taught, expert_memory = self.expert.act(view, memory[1])
        expert_drives = chance.uniform(keys_of(view), 0, chance.DRIVER, 2) < self.beta
        command = Command(
            np.where(expert_drives, taught.curvature, learned.curvature),
            np.where(expert_drives, taught.accel, learned.accel),
        )
        return command, (learner_memory, expert_memory)


def _normal(keys: np.ndarray, step: np.ndarray) -> np.ndarray:
    """(B, 2) standard normal numbers, one pair for each key and step (Box and Muller)."""
    first = chance.uniform(keys, step, chance.DRIVER, 3)
    second = chance.uniform(keys, step, chance.DRIVER, 4)
    radius = np.sqrt(-2.0 * np.log1p(-first))
    angle = 2.0 * np.pi * second
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
