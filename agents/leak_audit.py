"""Leak audits: whether anything but the cue gives away what only a memory should know.

A task needs memory if what is seen at the decision has the same distribution whatever the cue was.
Two ways to look: drive every episode again with another cue and compare (exact), and let a
classifier without memory guess the cue from the expert's frames (it must be at chance; on frames
that do show the cue, the same classifier must be nearly always right, or it proves nothing).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..sim.guidance import guide
from ..sim.world import CarState, RoadWorld
from .statistics import Interval, rate_interval

RIDGE = 1e-3  # of the classifier, as a share of the features' mean square
FOLDS = 5


class Moment(NamedTuple):
    """Some moment of B episodes, as the expert meets it."""

    frames: np.ndarray  # (B, H, W, 3) uint8
    motion: (
        np.ndarray
    )  # (B, 5) y, yaw (in the world: a corridor lies along x), speed, curvature, acceleration
    steps: np.ndarray  # (B,) since the start


def expert_moments(
    world: RoadWorld, state: CarState, steps: Sequence[int]
) -> tuple[list[Moment], CarState]:
    """What the expert sees and is at some steps of its episodes.

    Returns:
        A moment for each of `steps`, and the state after the last of them.
    """
    moments = []
    for step in range(max(steps) + 1):
        if step in steps:
            motion = np.stack(
                [state.y, state.yaw, state.speed, state.curvature, state.accel], axis=1
            )
            moments.append(Moment(world.observe(state)["camera"], motion, state.steps.copy()))
        if step < max(steps):
            state = world.step(state, guide(world.lane_view(state)))
    return moments, state


def grey(frames: np.ndarray) -> np.ndarray:
    """(B, H W) float64: frames as a classifier is given them, every pixel, without colour."""
    return frames.mean(axis=-1).reshape(len(frames), -1) / 255.0


def classify(features: np.ndarray, labels: np.ndarray) -> Interval:
    """How often a linear classifier guesses labels right that it has not learned, by FOLDS folds.

    Ridge regression on one-hot labels in its dual form: exact, without a step size to choose.

    Args:
        features: (B, F); labels: (B,) whole numbers from 0.

    Returns:
        The rate with Wilson's 95 % interval.
    """
    choices = int(labels.max()) + 1
    fold = np.arange(len(labels)) % FOLDS
    right = 0
    for k in range(FOLDS):
        learn, test = fold != k, fold == k
        mean, scale = features[learn].mean(axis=0), features[learn].std(axis=0) + 1e-6
        known, new = (features[learn] - mean) / scale, (features[test] - mean) / scale
        wanted = np.eye(choices)[labels[learn]]
        kernel = known @ known.T
        ridge = RIDGE * np.trace(kernel) / len(kernel)
        weights = np.linalg.solve(
            kernel + ridge * np.eye(len(kernel)), wanted - wanted.mean(axis=0)
        )
        guessed = new @ (known.T @ weights) + wanted.mean(axis=0)
        right += int((guessed.argmax(axis=1) == labels[test]).sum())
    return rate_interval(right, len(labels))


def decision_step(delay: int, sign_steps: int) -> int:
    """The first step at which the expert of `recall` does something else for another cue."""
    return sign_steps - 1 + delay


def audit_recall(world: RoadWorld, delay: int, episodes: int, seed: int = 0) -> dict[str, Interval]:
    """Guess the route from the first frame (it is shown), and from what there is at the decision.

    Returns:
        Rates by what they were guessed from: `sign` must be near 1, the others near 1 / branches.
    """
    state = world.reset(seed * 1_000_000 + np.arange(episodes))
    at = decision_step(delay, world.task.sign_steps)
    (first, last), _ = expert_moments(world, state, (0, at))
    return {
        "sign": classify(grey(first.frames), state.route),
        "frame": classify(grey(last.frames), state.route),
        "motion": classify(np.concatenate([last.motion, last.motion**2], axis=1), state.route),
    }
