"""What goes wrong on the way: frames that are lost, and pushes that nobody announces.

Both are pure functions of (seed, episode, step), so that a car in a batch meets the same ones as
the same car alone, and an episode that is driven again meets them again.
"""

import numpy as np

from . import chance

KICK_TIME = 1.0  # for which a push lasts [s]


def dark_frames(
    seed: np.ndarray, episode: np.ndarray, step: np.ndarray, share: float, burst: int
) -> np.ndarray:
    """(B,) bool: whether the camera shows nothing at a step.

    A failure begins at any step with the same chance and lasts `burst` steps; failures may
    overlap. The chance is such that `share` of all frames is dark. The first frame never is: it
    shows the driver where it stands.

    Args:
        share: of the frames, 0 to below 1.
        burst: steps of one failure; 1: every frame fails on its own.
    """
    begins = 1.0 - (1.0 - share) ** (1.0 / burst)
    since = step[:, None] - np.arange(burst)  # when a failure that still lasts may have begun
    drawn = chance.uniform(
        seed[:, None], episode[:, None], chance.DARK, np.maximum(since, 0)
    )  # fmt: skip
    # Failures that began before the episode count too: its start is as dark as its middle.
    early = chance.uniform(seed[:, None], episode[:, None], chance.DARK_BEFORE, np.abs(since))
    dark = (np.where(since >= 0, drawn, early) < begins).any(axis=1)
    return dark & (step > 0)


def kicks(
    seed: np.ndarray,
    episode: np.ndarray,
    step: np.ndarray,
    dt: float,
    strength: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Sideways and forward push of each car at a step, (B,) each [m/s²].

    Another one every KICK_TIME, each uniform within plus or minus `strength`.
    """
    number = np.floor((step + 0.5) * dt / KICK_TIME).astype(np.int64)
    lateral = 2.0 * chance.uniform(seed, episode, chance.KICK, 2 * number) - 1.0
    forward = 2.0 * chance.uniform(seed, episode, chance.KICK, 2 * number + 1) - 1.0
    return strength[0] * lateral, strength[1] * forward
