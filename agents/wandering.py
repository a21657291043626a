"""A driver as people are: it keeps its lane, but not its centre."""

from dataclasses import dataclass

import numpy as np

from ..sim import chance
from ..sim.guidance import guide
from ..sim.vehicle import Command
from .agent import View, keys_of, lane_of

WAVES = 4  # that the wander is made of
PERIODS = (8.0, 40.0)  # of the shortest and the longest of them [s]
SETTLES = 3.0  # after a start in the centre, until it wanders [s]
_STEP_BITS = np.int64((1 << 24) - 1)  # of a state id: the step of the episode


@dataclass(frozen=True)
class WanderingDriver:
    """The expert's law, about a line that wanders slowly to either side of the lane's centre.

    People do not steer back to the centre all the time: they weave, by a standard deviation of
    their lateral position that road tests measure in tens of centimetres. In a log of such a
    drive, being a little beside the centre does not come with steering back, as it would in the
    expert's own. The default of 0.2 m and the waves' periods are our choice.

    The wander is a sum of slow waves whose lengths and phases follow from the episode's key, so
    it is a function of the step, and needs no memory.

    Source of the measure: Verster and Roth, Standard operation procedures for conducting the
    on-the-road driving test, and measurement of the standard deviation of lateral position
    (SDLP), International Journal of General Medicine 4, 2011.
    """

    dt: float
    spread: float = 0.2  # standard deviation of the lateral position [m]

    def begin(self, batch_size: int) -> tuple[()]:
        """It needs no memory."""
        return ()

    def act(self, view: View, memory: tuple[()]) -> tuple[Command, tuple[()]]:
        """The privileged law, beside the centre."""
        lane = lane_of(view)
        aside = self.wander(keys_of(view), (view["state_id"] & _STEP_BITS) * self.dt)
        return guide(lane._replace(lateral_offset=lane.lateral_offset - aside)), memory

    def wander(self, keys: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Where each driver wants to be at a time [s] of its episode, left of the centre [m]."""
        waves = 16 + 2 * np.arange(WAVES)
        length = chance.uniform(keys[:, None], 0, chance.DRIVER, waves)
        phase = chance.uniform(keys[:, None], 0, chance.DRIVER, waves + 1)
        shortest, longest = PERIODS
        period = shortest * (longest / shortest) ** length
        turns = time[:, None] / period + phase
        sum_of_waves = np.sin(2.0 * np.pi * turns).sum(axis=1) * np.sqrt(2.0 / WAVES)
        wander: np.ndarray = self.spread * (1.0 - np.exp(-time / SETTLES)) * sum_of_waves
        return wander
