"""How sure a figure is when training is done again: over training seeds, and over several suites.

Two things vary: the episodes and the training. The intervals of `statistics` are over episodes;
with one trained network they say nothing of the next one. Here every value is one training run's
figure over all its episodes. For one suite, Student's interval is right even for three seeds (the
percentile bootstrap of three covers 74 % where it says 95 %); for several suites, the interquartile
mean with a bootstrap that is stratified by suite.

Sources:
    Agarwal et al., Deep reinforcement learning at the edge of the statistical precipice, NeurIPS
    2021 (rliable): interquartile mean, optimality gap, probability of improvement, performance
    profile, stratified bootstrap. Welch, Biometrika 34 (1947).
"""

import math
from collections.abc import Sequence

import numpy as np

from .statistics import CONFIDENCE, RESAMPLES, Interval, student_quantile

FEW_SEEDS, ENOUGH_SEEDS = 3, 10
FEW_EPISODES = 20


def interquartile_mean(scores: Sequence[Sequence[float]]) -> float:
    """The mean of the middle half of all runs of all suites.

    Args:
        scores: runs of each suite; all suites have as many.
    """
    flat = np.sort(_table(scores).ravel())
    cut = int(0.25 * len(flat))  # scipy.stats.trim_mean, as in rliable: whole values at each end
    return float(flat[cut : len(flat) - cut].mean())


def interquartile_interval(
    scores: Sequence[Sequence[float]],
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The interquartile mean with the percentile interval of the stratified bootstrap.

    Runs are drawn again within each suite. With fewer than ten runs it is too narrow (measured:
    six suites of three runs are covered 83 % of the time); `caution` says so.
    """
    table = _table(scores)
    suites, runs = table.shape
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, runs, (resamples, suites, runs))
    again = np.sort(table[np.arange(suites)[:, None], drawn].reshape(resamples, -1), axis=1)
    cut = int(0.25 * again.shape[1])
    means = again[:, cut : again.shape[1] - cut].mean(axis=1)
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(means, [tail, 100.0 - tail])
    return Interval(interquartile_mean(scores), float(low), float(high))


def optimality_gap(scores: Sequence[Sequence[float]], best: float = 1.0) -> float:
    """How far the runs stay behind `best` on average; what is beyond it does not make up for it."""
    return float(best - np.minimum(_table(scores), best).mean())


def probability_of_improvement(
    ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]
) -> float:
    """The chance that a run of ours beats one of theirs, averaged over the suites; a tie is half."""
    first, second = _table(ours), _table(theirs)
    if len(first) != len(second):
        raise ValueError(f"both must have the same suites, got {len(first)} and {len(second)}")
    beaten = [
        ((mine[:, None] > their) + 0.5 * (mine[:, None] == their)).mean()
        for mine, their in zip(first, second, strict=True)
    ]
    return float(np.mean(beaten))


def performance_profile(scores: Sequence[Sequence[float]], above: Sequence[float]) -> list[float]:
    """The share of runs that score above each of these values."""
    table = _table(scores)
    return [float((table > value).mean()) for value in above]


def seeds_difference(
    ours: Sequence[float], theirs: Sequence[float], confidence: float = CONFIDENCE
) -> Interval:
    """The difference of two means over training seeds, with Welch's interval.

    Seeds of two kinds of policy have nothing to do with each other, so they are not paired. With
    one seed on either side there is no interval: low and high are NaN.
    """
    first, second = np.asarray(ours, float), np.asarray(theirs, float)
    difference = float(first.mean() - second.mean())
    if min(len(first), len(second)) < 2:
        return Interval(difference, math.nan, math.nan)
    parts = [float(x.var(ddof=1)) / len(x) for x in (first, second)]
    error2 = sum(parts)
    if error2 == 0.0:
        return Interval(difference, difference, difference)
    freedom = error2**2 / sum(
        part**2 / (len(x) - 1) for part, x in zip(parts, (first, second), strict=True)
    )
    # Student's quantile in closed form is for whole degrees of freedom: down is the safe side.
    half = student_quantile(confidence, max(1, math.floor(freedom))) * math.sqrt(error2)
    return Interval(difference, difference - half, difference + half)


def caution(training_seeds: int, episodes: int) -> str:
    """What to say where there is too little to say anything; "" where there is enough."""
    told = []
    if training_seeds < FEW_SEEDS:
        word = "one training seed" if training_seeds == 1 else f"{training_seeds} training seeds"
        told.append(
            f"{word}: the intervals are over episodes and do not say how another training would do; "
            f"train at least {FEW_SEEDS}, better {ENOUGH_SEEDS}"
        )
    elif training_seeds < ENOUGH_SEEDS:
        told.append(
            f"{training_seeds} training seeds give a rough interval; {ENOUGH_SEEDS} a good one"
        )
    if episodes < FEW_EPISODES:
        told.append(
            f"{episodes} episodes are few: intervals are too narrow below {FEW_EPISODES}, and only "
            "large differences can be seen"
        )
    return "; ".join(told)


def _table(scores: Sequence[Sequence[float]]) -> np.ndarray:
    """(suites, runs)"""
    lengths = {len(runs) for runs in scores}
    if not scores or len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"expected one or more suites with equally many runs, got {sorted(lengths)} runs"
        )
    table = np.asarray(scores, float)
    if not np.isfinite(table).all():
        raise ValueError("a score is not finite; find what computed it")
    return table
