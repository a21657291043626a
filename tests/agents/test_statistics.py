import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.agents import statistics


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (45, 50, 0.786, 0.957),  # the research notes' table for a rate of 0.9
        (90, 100, 0.826, 0.945),
        (360, 400, 0.867, 0.926),
        (0, 10, 0.0, 0.2775),  # z² / (n + z²)
        (10, 10, 0.7225, 1.0),
    ],
)
def test_wilsons_interval_is_the_published_one(
    successes: int, trials: int, low: float, high: float
) -> None:
    found = statistics.rate_interval(successes, trials)
    assert found == pytest.approx((successes / trials, low, high), abs=6e-4)


@given(trials=st.integers(1, 500), share=st.floats(0.0, 1.0))
def test_wilsons_interval_holds_the_rate_and_has_scipys_ends(trials: int, share: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    successes = round(share * trials)
    mean, low, high = statistics.rate_interval(successes, trials)
    assert 0.0 <= low <= mean <= high <= 1.0
    assert low < high
    expected = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.7062), (2, 4.30265), (4, 2.77645), (9, 2.26216), (500, 1.96472)],
)
def test_students_quantiles_are_the_tables(freedom: int, quantile: float) -> None:
    assert statistics.student_quantile(0.95, freedom) == pytest.approx(quantile, abs=1e-4)


@pytest.mark.parametrize("size", [2, 3, 5, 10, 61])
def test_the_mean_interval_is_scipys(size: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(size).normal(3.0, 2.0, size)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.9)
    mean, low, high = statistics.mean_interval(values.tolist(), 0.9)
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((expected.low, expected.high))


def test_one_value_has_no_mean_interval() -> None:
    mean, low, high = statistics.mean_interval([0.7])
    assert mean == 0.7
    assert math.isnan(low) and math.isnan(high)


def test_the_bootstrap_agrees_with_the_normal_law_where_that_is_right() -> None:
    values = np.random.default_rng(1).normal(5.0, 2.0, 400)
    mean, low, high = statistics.bootstrap_interval(values.tolist())
    half = 1.96 * values.std(ddof=1) / 20.0
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((mean - half, mean + half), abs=0.1 * half)


def test_the_bootstrap_gives_the_same_numbers_every_time() -> None:
    values = [0.1, 0.5, 0.2, 0.9]
    assert statistics.bootstrap_interval(values) == statistics.bootstrap_interval(values)
    assert statistics.bootstrap_interval([0.3] * 5) == pytest.approx((0.3, 0.3, 0.3))


def test_pairing_removes_what_the_episodes_share() -> None:
    rng = np.random.default_rng(2)
    hard = rng.normal(0.0, 1.0, 80)
    ours, theirs = hard + 0.1, hard + rng.normal(0.0, 0.05, 80)
    mean, low, high = statistics.paired_difference(ours.tolist(), theirs.tolist())
    assert 0.0 < low < mean < high < 0.2
    alone = statistics.bootstrap_interval(ours.tolist())
    assert alone.high - alone.low > 5.0 * (high - low)


def test_paired_rates_have_an_interval_even_when_nobody_fails() -> None:
    mean, low, high = statistics.paired_rate_difference([True] * 60, [True] * 60)
    assert mean == 0.0
    assert low == pytest.approx(-high)
    assert 0.0 < high < 0.1


def test_paired_rates_turn_around_when_the_drivers_are_exchanged() -> None:
    rng = np.random.default_rng(3)
    ours, theirs = rng.random(40) < 0.8, rng.random(40) < 0.6
    one = statistics.paired_rate_difference(ours.tolist(), theirs.tolist())
    other = statistics.paired_rate_difference(theirs.tolist(), ours.tolist())
    assert (one.mean, one.low, one.high) == pytest.approx((-other.mean, -other.high, -other.low))
    assert one.low < one.mean < one.high


def test_paired_rates_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    trials, inside = 600, 0
    for _ in range(trials):
        hard = rng.random(60)  # shared by both drivers: they fail on the hard ones
        ours, theirs = hard < 0.9, (hard < 0.85) & (rng.random(60) < 0.95)
        _, low, high = statistics.paired_rate_difference(ours.tolist(), theirs.tolist())
        inside += low <= 0.9 - 0.85 * 0.95 <= high
    assert 0.93 <= inside / trials <= 1.0


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_is_the_binomial_test_of_the_unlike_pairs(pairs: list[tuple[bool, bool]]) -> None:
    stats = pytest.importorskip("scipy.stats")
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    better = sum(a and not b for a, b in pairs)
    unlike = sum(a != b for a, b in pairs)
    expected = stats.binomtest(better, unlike).pvalue if unlike else 1.0
    assert statistics.mcnemar(ours, theirs) == pytest.approx(expected)


def test_mcnemar_by_hand() -> None:
    ours = [True] * 6 + [False]
    theirs = [False] * 6 + [False]
    assert statistics.mcnemar(ours, theirs) == 2.0 / 2**6


@given(count=st.integers(0, 300), exposure=st.floats(0.01, 1e4))
def test_the_count_interval_is_scipys_chi_square(count: int, exposure: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    mean, low, high = statistics.count_interval(count, exposure)
    assert mean == pytest.approx(count / exposure)
    expected_low = 0.5 * stats.chi2.ppf(0.025, 2 * count) if count else 0.0
    expected_high = 0.5 * stats.chi2.ppf(0.975, 2 * count + 2)
    assert low == pytest.approx(expected_low / exposure, rel=1e-7)
    assert high == pytest.approx(expected_high / exposure, rel=1e-7)


def test_after_no_event_the_rate_is_below_about_three_per_exposure() -> None:
    assert statistics.count_interval(0, 1.0) == pytest.approx((0.0, 0.0, -math.log(0.025)))


def test_many_values_are_drawn_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(5).normal(size=300).tolist()
    whole = statistics.bootstrap_interval(values)
    monkeypatch.setattr(statistics, "DRAWN_TOGETHER", 3000)
    assert statistics.bootstrap_interval(values) == pytest.approx(whole, abs=0.02)


def test_wrong_samples_are_said_so() -> None:
    with pytest.raises(ValueError, match="a count from 0 and an exposure above 0, got -1"):
        statistics.count_interval(-1, 2.0)
    with pytest.raises(ValueError, match="one or more finite numbers"):
        statistics.bootstrap_interval([])
    with pytest.raises(ValueError, match="one or more finite numbers"):
        statistics.mean_interval([1.0, math.nan])
    with pytest.raises(ValueError, match="same episodes"):
        statistics.paired_difference([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="same episodes"):
        statistics.mcnemar([], [])
    with pytest.raises(ValueError, match="0 <= successes <= trials"):
        statistics.rate_interval(3, 2)
    with pytest.raises(ValueError, match="confidence must lie between 0 and 1, got 95"):
        statistics.rate_interval(1, 2, confidence=95)
