"""A camera's pitch, found from the road itself: the one with which frames foretell the next best.

The direction of travel gives the pitch only where poses are in three dimensions, and a camera file
may be half a degree off, which costs up to 0.2 of correlation. Seen from where the next frame was
taken, a frame's road fits that next frame only if the pitch is right: a wrong one puts every patch
of road at a wrong distance.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..sim.picture_error import correlation
from ..sim.synthesis import Move, synthesize
from ..sim.trace import Trace
from .synthesis_audit import road_patch

REACH, COARSE, FINE = np.deg2rad(2.0), np.deg2rad(0.25), np.deg2rad(0.05)
PAIRS = 40  # of frames, all along the drive
LEAST_WAY, MOST_WAY = 0.3, 2.5  # between the frames of a pair [m]: less tells little


class Refined(NamedTuple):
    """What was found."""

    pitch: float  # [rad], positive looks down
    before: float  # correlation of foretold and true frames with the pitch that was given
    after: float  # ... and with this one


def refine_pitch(trace: Trace) -> Refined:
    """The pitch within 2 degrees of the trace's that foretells its frames best.

    Raises:
        ValueError: the drive has no frames a short way apart.
    """
    pairs = _pairs(trace)
    if not len(pairs):
        raise ValueError(
            f"{trace.name}: no frames lie {LEAST_WAY:g} to {MOST_WAY:g} m apart; "
            "the pitch cannot be refined, leave --refine-pitch out"
        )
    given = trace.camera.pitch
    patch = road_patch(trace.camera)

    def score(pitch: float) -> float:
        return _foretold(trace, pairs, pitch, patch)

    before = score(given)
    around = given + np.arange(-REACH, REACH + 1e-9, COARSE)
    rough = float(around[int(np.argmax([score(pitch) for pitch in around]))])
    near = rough + np.arange(-COARSE, COARSE + 1e-9, FINE)
    scores = [score(pitch) for pitch in near]
    best = int(np.argmax(scores))
    if scores[best] <= before:
        return Refined(given, before, before)
    return Refined(float(near[best]), before, float(scores[best]))


def _pairs(trace: Trace) -> np.ndarray:
    """(P, 2) frames: each with the first that is far enough on."""
    s = trace.stations
    later = np.searchsorted(s, s + LEAST_WAY)
    first = np.flatnonzero(later < len(s))
    first = first[s[later[first]] - s[first] <= MOST_WAY]
    chosen = first[np.linspace(0, len(first) - 1, min(PAIRS, len(first))).astype(int)]
    return np.stack([chosen, later[chosen]], axis=1)


def _foretold(trace: Trace, pairs: np.ndarray, pitch: float, patch: np.ndarray) -> float:
    """Mean correlation of what frames foretell with what came, on the patch of road."""
    camera = replace(trace.camera, pitch=pitch)
    here, there = pairs.T
    cos, sin = np.cos(trace.yaw[here]), np.sin(trace.yaw[here])
    dx, dy = trace.x[there] - trace.x[here], trace.y[there] - trace.y[here]
    move = Move(cos * dx + sin * dy, cos * dy - sin * dx, trace.yaw[there] - trace.yaw[here])
    pictures, masks = synthesize(trace.frames, camera, camera, here, move)
    return float(
        np.mean(
            [
                correlation(picture, trace.frames[j], mask & patch)
                for picture, mask, j in zip(pictures, masks, there, strict=True)
            ]
        )
    )
