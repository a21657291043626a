"""Randomness by key: the same key gives the same number, whatever else was drawn before.

A key is (seed, episode, purpose, index). So car i of a batch of 256 meets the same roads, starts
and weather as the same car alone, and a new use of chance does not change the old ones.

Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014), applied once per part of the key.
"""

import numpy as np

from .compiled import compiled

ROAD, LANE, START, OFFSET, LOOK, DRIVER, VEHICLE, PICTURE = range(8)
DARK, DARK_BEFORE, KICK, ROUTE, BOARD = range(8, 13)

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
    out = np.empty(shape, np.uint64)
    flat = [part if part.shape == shape else np.broadcast_to(part, shape) for part in parts]
    one, two, three, four = (np.ascontiguousarray(part).reshape(-1) for part in flat)
    _many_bits(one, two, three, four, out.reshape(-1))
    return out


@compiled
def one_key(seed, episode, purpose, index):  # type: ignore[no-untyped-def]
    """`bits` of one key, for the compiled core."""
    value = np.uint64(0)
    for part in (np.uint64(seed), np.uint64(episode), np.uint64(purpose), np.uint64(index)):
        value = value + _GOLDEN + part
        value = (value ^ (value >> np.uint64(30))) * _MIX_1
        value = (value ^ (value >> np.uint64(27))) * _MIX_2
        value = value ^ (value >> np.uint64(31))
    return value


@compiled
def one_uniform(seed, episode, purpose, index):  # type: ignore[no-untyped-def]
    """`uniform` of one key, for the compiled core."""
    return np.float64(one_key(seed, episode, purpose, index) >> np.uint64(11)) * 2.0**-53


@compiled
def one_of(count, seed, episode, purpose, index):  # type: ignore[no-untyped-def]
    """One of the numbers from 0 to `count` - 1, for the compiled core."""
    return np.int64(one_key(seed, episode, purpose, index) % np.uint64(count))


@compiled
def _many_bits(seed, episode, purpose, index, out):  # type: ignore[no-untyped-def]
    for i in range(out.size):
        out[i] = one_key(seed[i], episode[i], purpose[i], index[i])


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
