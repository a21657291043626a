"""The eyes of the study `tasks`: what they are taught to measure, and eyes that see what has changed.

They learn frame by frame, from drives on lanes and to stop lines: where the car is in its lane, how the
road bends ahead, how far the line is. Eyes that see what has changed between the last four pictures are
taught the speed besides: it is in what moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from redrive.agents.agent import View
from redrive.agents.disturbed import NoisyDriver
from redrive.agents.expert import Expert
from redrive.agents.learned import LearnedDriver
from redrive.agents.rollout import Frame
from redrive.memory_lab import Drive, all_rows, command_column, drives_of
from redrive.sim.guidance import guide
from redrive.sim.lanes import lane_ahead
from redrive.sim.vehicle import Command
from redrive.sim.world import RoadWorld

if TYPE_CHECKING:
    from redrive.models.measuring import MeasuredFrames

AHEAD = (0.0, 6.0, 12.0, 20.0)  # where the road's curvature is measured [m]
IN_VIEW = 25.0  # from so far before it, the way to a stop line is measured [m]
PAST = 3  # pictures before the present one that eyes can compare
WANDER = 1.5  # correlation time of the noise on the hand: speeds are to differ [s]
# Sizes of what is measured [m, rad, 1/m, m/s].
LATERAL, HEADING, CURVATURE, SPEED = 1.0, 0.1, 0.02, 3.0
EVERYDAY_SPEED = 8.0  # [m/s] measured from here
QUANTITIES = (
    "lateral offset", "heading", *(f"curvature {way:g} m ahead" for way in AHEAD),
    "way to the line", "speed",
)  # fmt: skip


def measured(world: RoadWorld, frame: Frame) -> np.ndarray:
    """(B, Q) float32: what is true in a frame, in the sizes above.

    Of the way to a line, half its root (one metre is added): near the line it matters more. 2.6 where
    there is none in view, NaN behind the line.
    """
    state, table = frame.state, world.pool.lanes
    at_once = np.array([1.0, 0.0])  # so that the speed handed on is a way
    bends = [
        [lane_ahead(table.nodes, table.lanes[lane], s, way, at_once)[1] for way in AHEAD]
        for lane, s in zip(state.lane, state.arc_length, strict=True)
    ]
    way = world.stop_distance(state)
    near = 0.5 * np.sqrt(np.clip(way + 1.0, 0.0, IN_VIEW + 1.0))
    line = np.where(way < IN_VIEW, np.where(way > -1.0, near, np.nan), 2.6)
    rows = [
        state.lateral_offset / LATERAL, state.heading_error / HEADING,
        *(np.array(bends).T / CURVATURE), line, (state.speed - EVERYDAY_SPEED) / SPEED,
    ]  # fmt: skip
    return np.stack(rows, axis=-1).astype(np.float32)


def look_around(
    world: RoadWorld, push: tuple[float, float], episodes: int, seed: int
) -> list[Drive]:
    """Drives of an expert with noise on its hand; beside what is seen, `quantity`: what is true."""
    driver = NoisyDriver(Expert(), world.dt, *push, correlation_time=WANDER)

    def told(frame: Frame) -> dict[str, np.ndarray]:
        label = command_column(world, guide(frame.view["lane"]))
        return {"expert_command": label, "quantity": measured(world, frame)}

    return drives_of(world, driver, told, episodes, seed, at_once=32)


def single_frames(drives: Sequence[Any], sensors: Sequence[str], *, told: bool) -> MeasuredFrames:
    """All frames of some drives, as an encoder learns from them.

    Args:
        told: the speed; then it need not be measured.
    """
    from redrive.models.measuring import MeasuredFrames

    obs = {sensor: all_rows(drives, sensor) for sensor in sensors}
    quantity = all_rows(drives, "quantity")
    return MeasuredFrames(
        obs, all_rows(drives, "expert_command"), quantity[:, :-1] if told else quantity
    )


def with_change(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """(..., H, W, 3 N) uint8: the newest picture, and what changed from each to the one before it.

    Changes are those of four pixels together: at full size the road moves by so many pixels between
    two pictures that eyes take one stretch of it for another, and with it one speed for another.

    Args:
        pictures: N, newest first, each (..., H, W, 3) uint8, height and width even. In what changed,
            128 is no change, and a step of 1 is half a grey level.
    """
    sums = [_sum_of_four(picture) for picture in pictures]
    changes = [
        (np.clip((now - before) >> 1, -128, 127) + 128)
        .astype(np.uint8)
        .repeat(2, axis=-2)
        .repeat(2, axis=-3)
        for now, before in pairwise(sums)
    ]
    return np.concatenate([pictures[0], *changes], axis=-1)


def _sum_of_four(picture: np.ndarray) -> np.ndarray:
    """(..., H / 2, W / 2, C) int16: of each pixel, the one right of it and the two below."""
    wide = picture.astype(np.int16)
    rows = wide[..., ::2, :, :] + wide[..., 1::2, :, :]
    sums: np.ndarray = rows[..., ::2, :] + rows[..., 1::2, :]
    return sums


@dataclass(frozen=True, eq=False)
class WithChange:
    """An episode whose camera shows each picture and what has changed in the last few steps."""

    episode: Any

    @property
    def steps(self) -> int:
        """How many there are."""
        steps: int = self.episode.steps
        return steps

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        """Rows of a column, time first."""
        first = max(start - PAST, 0) if column == "camera" else start
        rows: np.ndarray = self.episode.read(column, first, stop)
        if column != "camera":
            return rows
        missing = PAST - (start - first)  # before the first picture nothing changed
        rows = np.concatenate([np.repeat(rows[:1], missing, axis=0), rows])
        end = len(rows)
        return with_change([rows[PAST - age : end - age] for age in range(PAST + 1)])


@dataclass(frozen=True)
class SeesChange:
    """A learned driver whose memory holds the last pictures besides, and whether there were any."""

    driver: LearnedDriver

    def begin(self, batch_size: int) -> Any:
        """Nothing has been seen."""
        height, width, _ = self.driver.policy.spec.shape("camera")
        past = np.zeros((batch_size, PAST, height, width, 3), np.uint8)  # newest first
        return (past, np.zeros(batch_size, bool), *self.driver.begin(batch_size))

    def act(self, view: View, memory: Any) -> tuple[Command, Any]:
        """The policy's command, and its memory after the picture that it saw."""
        past, there, *inner = memory
        now: np.ndarray = view["camera"]
        past = np.where(there[:, None, None, None, None], past, now[:, None])
        seeing = {**view, "camera": with_change([now, *past.swapaxes(0, 1)])}
        command, after = self.driver.act(seeing, tuple(inner))
        past = np.concatenate([now[:, None], past[:, :-1]], axis=1)
        return command, (past, np.ones_like(there), *after)
