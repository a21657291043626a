"""A finger on the arrow keys, scripted: what a person does at the window, without one.

It holds keys down and lets them go, late as people are, and the smoothed steering of `Human` makes
commands of them. So a drive by hand can be made again on any machine: the same keys, no window.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..sim.sensors.lane import LaneView
from ..sim.vehicle import Command
from .agent import View, lane_of
from .human import NOTHING, Hands, Human, Wish

AHEAD, AHEAD_LEAST = 1.0, 6.0  # where it looks: so many seconds ahead, at least so far [s], [m]
OFF_BY = 0.35  # of the lane there: closer is good enough [m]
BACK_BY = 0.10  # a key that is down is let go when it is as close as this [m]
SPEED_BAND = 1.2  # about the wanted speed, in which no pedal is touched [m/s]
CAREFUL = 0.85  # of the planned speed


class Fingers(NamedTuple):
    """What a finger remembers from step to step."""

    hands: Hands | None  # where the wheel and the pedals are
    coming: tuple[
        Wish, ...
    ]  # keys that were decided on, and are not pressed yet; the first is next
    bend: np.ndarray | None  # (1,) of the lane, one step ago [1/m]


@dataclass(frozen=True)
class Finger:
    """An agent of one car that drives with the four arrow keys.

    It looks a second ahead, and holds left down where the lane will be to the left of where the
    car is going. What it decides happens `reaction` later.

    human: whose keys they are, and the smoothing behind them.
    reaction: from seeing to the key [s]; people need 0.2 to 0.3.
    """

    human: Human
    reaction: float = 0.2

    def begin(self, batch_size: int) -> Fingers:
        """No key is down.

        Raises:
            ValueError: more than one car; there is one pair of hands.
        """
        if batch_size != 1:
            raise ValueError(f"one person drives one car, got {batch_size} cars")
        return self._resting(None)

    def grasp(self, curvature: np.ndarray, accel: np.ndarray) -> Fingers:
        """On the keys of a car that somebody else has been driving, at this command of (1,)."""
        return self._resting(self.human.grasp(curvature, accel))

    def act(self, view: View, memory: Fingers) -> tuple[Command, Fingers]:
        """The keys that were decided on a reaction time ago, and those for later."""
        lane = lane_of(view)
        before = memory.coming[-1] if memory.coming else NOTHING
        wish, *coming = (*memory.coming, decide(lane, memory, before, self.human.dt))
        command, hands = self.human.press(lane, memory.hands, wish)
        return command, Fingers(hands, tuple(coming), lane.curvature)

    def _resting(self, hands: Hands | None) -> Fingers:
        return Fingers(hands, (NOTHING,) * round(self.reaction / self.human.dt), None)


def decide(lane: LaneView, memory: Fingers, before: Wish, dt: float) -> Wish:
    """The keys that a person would hold down for what they see now.

    Args:
        before: the keys that it decided on a step ago.
    """
    speed = float(lane.speed[0])
    ahead = max(AHEAD_LEAST, AHEAD * speed)
    bend, rate = lane.curvature[0], 0.0
    if memory.bend is not None:  # how the bend tightens is seen, too: clothoids change steadily
        rate = (bend - memory.bend[0]) / max(speed * dt, 0.1)
    wheel = bend if memory.hands is None else memory.hands.curvature[0]
    going = lane.lateral_offset[0] + ahead * np.sin(lane.heading_error[0])
    going += 0.5 * (wheel - bend) * ahead**2 - rate * ahead**3 / 6.0
    steer = -float(np.sign(going)) if abs(going) > (BACK_BY if before.steer else OFF_BY) else 0.0
    wanted = CAREFUL * float(lane.target_speed[0])
    drive = float(np.sign(wanted - speed)) if abs(wanted - speed) > SPEED_BAND else 0.0
    return Wish(steer, drive)
