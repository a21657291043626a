"""Offsets that come again: cars are put beside their path every few seconds of an episode.

A car that starts beside its path is back on it after some seconds, and from then on only sees what
the recorded driver saw. And were offsets at the start of an episode only, the time since then
would tell how far off a car may be: a driver with a memory learns that, instead of looking. So a
car is moved again and again, at moments that nothing tells in advance. The episode goes on: its
steps and state ids count on, and a driver's memory is kept, because an offset that always came
with an empty memory could again be told from the memory alone. The moments are in the episode's
sidecar (`offset_at`); what learns from it and wants no jumps cuts there.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..sim import chance
from ..sim.any_world import World
from ..sim.world import CarState

PLACE = ("x", "y", "yaw", "lane", "arc_length", "lateral_offset", "heading_error", "margin")
_AFTER, _LATERAL, _YAW = 8, 9, 10  # what chance.OFFSET is asked for; 0 to 2 are the task's own

Placing = Callable[[CarState], CarState]


@dataclass(frozen=True)
class Offsets:
    """How far and how often cars are moved.

    lateral, yaw: new offsets lie within these of the path, as a task's start does [m], [rad].
    every: least and greatest time from one to the next; each is drawn [s].
    """

    lateral: float = 1.0
    yaw: float = float(np.deg2rad(6.0))
    every: tuple[float, float] = (2.0, 4.0)

    def __post_init__(self) -> None:
        if not 0.0 <= self.lateral <= 5.0:
            raise ValueError(f"an offset lies within 0 to 5 m of the path, got {self.lateral}")
        if not 0.0 <= self.yaw <= 0.6:
            raise ValueError(
                f"a car is put at most 0.6 rad askew, got {self.yaw}; is it in degrees?"
            )
        least, most = self.every
        if not 0.1 <= least <= most:
            raise ValueError(
                "times between offsets are a least and a greatest one, from 0.1 s; "
                f"got {least} and {most}"
            )


def offset_steps(
    offsets: Offsets, seeds: np.ndarray, episode: np.ndarray, dt: float, steps: int
) -> np.ndarray:
    """At which steps each car is moved: (B, steps) bool; never at step 0, where the task starts it.

    Each car's moments follow from its seed and episode alone.
    """
    least, most = offsets.every
    count = int(np.ceil(steps * dt / least)) + 1
    drawn = chance.uniform(seeds[:, None], episode[:, None], chance.OFFSET,
                           _AFTER + 16 * np.arange(count))  # fmt: skip
    moments = np.cumsum(np.maximum(np.rint((least + drawn * (most - least)) / dt), 1), axis=1)
    return (moments[:, :, None] == np.arange(steps)).any(axis=1)


def placing(world: World, offsets: Offsets, start: CarState) -> Placing:
    """What moves the cars of episodes that begin with `start`, for `rollout(before=...)`."""
    steps = max(1, round(world.task.time_limit / world.dt))
    moved_at = offset_steps(offsets, start.seed, start.episode, world.dt, steps)
    cars = np.arange(len(start.seed))

    def place(state: CarState) -> CarState:
        at = np.minimum(state.steps, steps - 1)
        moved = moved_at[cars, at] & (state.ended == 0)
        if not moved.any():
            return state
        there = world.place(state, *_drawn(offsets, state))
        return state._replace(  # those that are not moved stay as they are, bit for bit
            **{name: np.where(moved, getattr(there, name), getattr(state, name)) for name in PLACE}
        )

    return place


def _drawn(offsets: Offsets, state: CarState) -> tuple[np.ndarray, np.ndarray]:
    """The offsets that belong to each car's step."""
    lateral, yaw = (
        2.0 * chance.uniform(state.seed, state.episode, chance.OFFSET, what + 16 * state.steps)
        - 1.0
        for what in (_LATERAL, _YAW)
    )
    return offsets.lateral * lateral, offsets.yaw * yaw
