"""Randomness by key: the same key gives the same number, whatever else was drawn before.

A key is (seed, episode, purpose, index). So car i of a batch of 256 meets the same roads, starts
and weather as the same car alone, and a new use of chance does not change the old ones.

Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014), applied once per part of the key.
"""

import numpy as np

ROAD, LANE, START, OFFSET, LOOK, DRIVER, VEHICLE, PICTURE = range(8)

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def bits(
    seed: np.ndarray | int,
    episode: np.ndarray | int,
    purpose: np.ndarray | int,
    index: np.ndarray | int = 0,
) -> np.ndarray:
    """64 random bits per key; the parts broadcast against each other."""
    parts = [np.asarray(part).astype(np.uint64) for part in (seed, episode, purpose, index)]
    shape = np.broadcast_shapes(*(part.shape for part in parts))
    value = np.zeros(1, np.uint64)  # not a scalar: numpy warns when those wrap around
    for part in parts:
        value = _scramble(value + (part + _GOLDEN if part.shape else np.atleast_1d(part) + _GOLDEN))
    return value.reshape(shape)


def _scramble(value: np.ndarray) -> np.ndarray:
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


def uniform(
    seed: np.ndarray | int,
    episode: np.ndarray | int,
    purpose: np.ndarray | int,
    index: np.ndarray | int = 0,
) -> np.ndarray:
    """A number in [0, 1) per key, float64."""
    return (bits(seed, episode, purpose, index) >> np.uint64(11)) * 2.0**-53


def generator(seed: int, episode: int, purpose: int) -> np.random.Generator:
    """A whole stream for one key, where many numbers are wanted."""
    return np.random.Generator(np.random.PCG64(int(bits(seed, episode, purpose))))
