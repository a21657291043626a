"""Statistics over training seeds: rliable's figures, scipy's intervals, and how often they are right."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from redrive.agents import seed_statistics as seeds
from redrive.agents.statistics import mean_interval

RLIABLE = json.loads((Path(__file__).parents[1] / "golden" / "rliable.json").read_text())
OURS = np.array(RLIABLE["ours"]).T.tolist()  # rliable has runs first
THEIRS = np.array(RLIABLE["theirs"]).T.tolist()


def test_the_interquartile_mean_is_rliables() -> None:
    assert seeds.interquartile_mean(OURS) == pytest.approx(RLIABLE["iqm"], abs=1e-12)


def test_the_stratified_bootstrap_is_rliables() -> None:
    """Both are of random draws: of 50000 there, of 20000 here."""
    found = seeds.interquartile_interval(OURS, resamples=20_000)
    assert found.mean == pytest.approx(RLIABLE["iqm"], abs=1e-12)
    assert (found.low, found.high) == pytest.approx(RLIABLE["iqm_interval"], abs=2e-3)


def test_the_optimality_gap_and_the_profile_are_rliables() -> None:
    assert seeds.optimality_gap(OURS) == pytest.approx(RLIABLE["optimality_gap"], abs=1e-12)
    found = seeds.performance_profile(OURS, RLIABLE["taus"])
    assert found == pytest.approx(RLIABLE["performance_profile"], abs=1e-12)


def test_the_probability_of_improvement_is_rliables() -> None:
    found = seeds.probability_of_improvement(OURS, THEIRS)
    assert found == pytest.approx(RLIABLE["probability_of_improvement"], abs=1e-12)
    assert found > 0.6
    assert seeds.probability_of_improvement(THEIRS, OURS) == pytest.approx(1.0 - found)
    assert seeds.probability_of_improvement(OURS, OURS) == 0.5


def test_the_interquartile_mean_is_scipys_trimmed_mean() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    for suites, runs in ((1, 1), (1, 3), (2, 5), (6, 7)):
        scores = rng.random((suites, runs))
        expected = stats.trim_mean(scores, proportiontocut=0.25, axis=None)
        assert seeds.interquartile_mean(scores.tolist()) == pytest.approx(expected)


def test_resampling_stays_within_each_suite() -> None:
    constant = [[0.2] * 4, [0.4] * 4, [0.6] * 4, [0.8] * 4]  # no run differs within its suite
    assert seeds.interquartile_interval(constant) == pytest.approx((0.5, 0.5, 0.5))


def test_the_difference_over_seeds_is_welchs() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(1)
    for n, m in ((3, 3), (5, 8), (10, 4)):
        a, b = rng.normal(0.9, 0.05, n), rng.normal(0.8, 0.1, m)
        expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
        mean, low, high = seeds.seeds_difference(a.tolist(), b.tolist())
        assert mean == pytest.approx(a.mean() - b.mean())
        # never narrower, and little wider: degrees of freedom are rounded down
        assert low <= expected.low + 1e-9 and high >= expected.high - 1e-9
        assert high - low <= 1.35 * (expected.high - expected.low)


def test_one_seed_has_no_interval() -> None:
    found = seeds.seeds_difference([0.9], [0.7, 0.8])
    assert found.mean == pytest.approx(0.15)
    assert math.isnan(found.low) and math.isnan(found.high)
    assert seeds.seeds_difference([0.9, 0.9], [0.8, 0.8]) == pytest.approx((0.1, 0.1, 0.1))


def test_students_interval_over_three_seeds_covers_what_it_says_and_the_bootstrap_does_not() -> (
    None
):
    rng = np.random.default_rng(2)
    student = bootstrap = 0
    trials = 400
    for _ in range(trials):
        sample = rng.normal(0.8, 0.06, 3).tolist()
        _, low, high = mean_interval(sample)
        student += low <= 0.8 <= high
        _, low, high = seeds.interquartile_interval([sample], resamples=200)
        bootstrap += low <= 0.8 <= high
    assert 0.92 <= student / trials <= 0.98
    assert bootstrap / trials < 0.85


@pytest.mark.parametrize(
    ("training_seeds", "episodes", "words"),
    [
        (1, 200, ["one training seed", "do not say how another training"]),
        (2, 200, ["2 training seeds: the intervals are over episodes"]),
        (5, 200, ["5 training seeds give a rough interval"]),
        (10, 10, ["10 episodes are few"]),
        (1, 10, ["one training seed", "10 episodes are few"]),
    ],
)
def test_too_little_is_said_to_be_too_little(
    training_seeds: int, episodes: int, words: list[str]
) -> None:
    said = seeds.caution(training_seeds, episodes)
    assert all(word in said for word in words)


def test_enough_is_passed_in_silence() -> None:
    assert seeds.caution(10, 200) == ""


def test_uneven_or_broken_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="equally many runs"):
        seeds.interquartile_mean([[0.1], [0.1, 0.2]])
    with pytest.raises(ValueError, match="not finite"):
        seeds.interquartile_mean([[0.1, math.nan]])
    with pytest.raises(ValueError, match="the same suites"):
        seeds.probability_of_improvement([[0.1]], [[0.1], [0.2]])
