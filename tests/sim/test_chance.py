"""Randomness by key: a pure function, even, and independent of what else is drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.sim import chance

keys = st.integers(0, 2**63 - 1)


@given(seed=keys, episode=st.integers(0, 10**6), purpose=st.integers(0, 7), index=keys)
def test_a_key_gives_the_same_number_alone_and_in_any_company(
    seed: int, episode: int, purpose: int, index: int
) -> None:
    alone = int(chance.bits(seed, episode, purpose, index))
    seeds = np.array([1, seed, seed ^ 1, seed], np.uint64)
    company = chance.bits(seeds, episode, purpose, index)
    assert int(company[1]) == int(company[3]) == alone
    assert int(company[2]) != alone


def test_numbers_do_not_change_between_versions() -> None:
    """Recordings and suites name their episodes by seed: another number is another episode."""
    drawn = [int(chance.bits(seed, 0, chance.ROAD)) for seed in range(3)]
    assert drawn == [2391539541053276776, 16321491304643971414, 10422960368320252623]


def test_parts_of_a_key_broadcast() -> None:
    seeds, purposes = np.arange(5)[:, None], np.arange(3)
    grid = chance.bits(seeds, 7, purposes)
    assert grid.shape == (5, 3)
    assert grid[4, 2] == chance.bits(4, 7, 2)
    assert chance.bits(0, 0, 0).shape == ()


@pytest.mark.parametrize("part", range(4))
def test_every_part_of_the_key_counts_and_neighbours_are_strangers(part: int) -> None:
    key: list[np.ndarray | int] = [3, 3, 3, 3]
    key[part] = np.arange(4096)
    drawn = chance.bits(*key)
    assert len(np.unique(drawn)) == 4096
    flipped = np.bitwise_count(drawn[1:] ^ drawn[:-1])
    assert flipped.mean() == pytest.approx(32.0, abs=0.5)
    u = chance.uniform(*key)
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 0.06


def test_the_parts_of_a_key_are_not_exchangeable() -> None:
    assert chance.bits(1, 2, 3, 4) != chance.bits(2, 1, 3, 4)
    assert chance.bits(1, 2, 3, 4) != chance.bits(1, 2, 4, 3)


def test_uniform_numbers_fill_the_interval_evenly() -> None:
    u = chance.uniform(np.arange(100_000), 0, chance.START)
    assert u.min() >= 0.0 and u.max() < 1.0
    counts = np.histogram(u, 20, (0.0, 1.0))[0]
    assert ((counts - 5000.0) ** 2 / 5000.0).sum() < 45.0  # chi-squared with 19 degrees, p > 0.0005


@given(seed=keys)
def test_a_stream_belongs_to_its_key(seed: int) -> None:
    one, same = (chance.generator(seed, 2, chance.LOOK).random(4) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert (one != chance.generator(seed, 3, chance.LOOK).random(4)).any()


@given(seed=keys, episode=st.integers(0, 10**6), purpose=st.integers(0, 7), index=keys)
def test_the_compiled_core_draws_the_same_numbers(
    seed: int, episode: int, purpose: int, index: int
) -> None:
    key = (seed, episode, purpose, index)
    compiled = tuple(np.uint64(part) for part in key)
    assert int(chance.one_key(*compiled)) == int(chance.bits(*key))
    assert chance.one_uniform(*compiled) == float(chance.uniform(*key))
