"""How sure a figure is: intervals for rates, for means, and for differences of paired drivers.

Episodes are the sample: every interval says how much the figure would move with other episodes
of the same kind. It says nothing of training again with another seed; `mean_interval` over one
figure for each training seed does.

Sources:
    Wilson, JASA 22 (1927). Newcombe, Statistics in Medicine 17 (1998), 873-890 (one rate) and
    2635-2650 (paired rates, method 10). Efron and Tibshirani, An Introduction to the Bootstrap
    (1993), chapter 13. Agresti, Categorical Data Analysis, section 10.1 (exact McNemar).
    Garwood, Biometrika 28 (1936) (exact Poisson).
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 2000
DRAWN_TOGETHER = 4_000_000  # numbers, so that many episodes do not fill the memory


class Interval(NamedTuple):
    """A figure and the range that it plausibly lies in."""

    mean: float
    low: float
    high: float


def rate_interval(successes: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """A success rate with Wilson's interval; it is never empty, not even at 0 or 1."""
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(
            f"expected 0 <= successes <= trials, trials >= 1, got {successes}, {trials}"
        )
    low, high = _wilson(successes / trials, trials, _normal_quantile(confidence))
    return Interval(successes / trials, low, high)


def count_interval(count: int, exposure: float, confidence: float = CONFIDENCE) -> Interval:
    """How often something happens per unit of `exposure`, such as a kilometre: Garwood's interval.

    Exact for events that come independently of each other; never empty, not even after none.
    """
    if count < 0 or not (math.isfinite(exposure) and exposure > 0.0):
        raise ValueError(
            f"expected a count from 0 and an exposure above 0, got {count}, {exposure}"
        )
    tail = 0.5 * (1.0 - confidence)
    low = 0.0 if count == 0 else _poisson_mean(count - 1, 1.0 - tail)
    high = _poisson_mean(count, tail)
    return Interval(count / exposure, low / exposure, high / exposure)


def _poisson_mean(count: int, share: float) -> float:
    """The mean of a Poisson law of which `share` lies at `count` or below."""

    def below(mean: float) -> float:
        logs = [k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(count + 1)]
        most = max(logs)
        return math.exp(most + math.log(sum(math.exp(entry - most) for entry in logs)))

    low, high = 1e-9, 1.0
    while below(high) > share:
        high *= 2.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if below(middle) > share else (low, middle)
    return high


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """A mean with Student's interval: right for few values, such as one per training seed.

    A single value has no interval: low and high are NaN.
    """
    sample = _sample(values)
    mean = float(sample.mean())
    if len(sample) == 1:
        return Interval(mean, math.nan, math.nan)
    half = student_quantile(confidence, len(sample) - 1) * _standard_error(sample)
    return Interval(mean, mean - half, mean + half)


def bootstrap_interval(
    values: Sequence[float],
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """A mean with the percentile bootstrap's interval: for many values of any distribution.

    With fewer than about 20 values it is too narrow; take `mean_interval` there.
    """
    sample = _sample(values)
    rng = np.random.default_rng(seed)
    some = max(1, DRAWN_TOGETHER // len(sample))
    means = np.concatenate(
        [
            sample[rng.integers(0, len(sample), (count, len(sample)))].mean(axis=1)
            for first in range(0, resamples, some)
            if (count := min(some, resamples - first))
        ]
    )
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(means, [tail, 100.0 - tail])
    return Interval(float(sample.mean()), float(low), float(high))


def paired_difference(
    ours: Sequence[float],
    theirs: Sequence[float],
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The mean of `ours - theirs` over the same episodes, with the bootstrap's interval."""
    first, second = _sample(ours), _sample(theirs)
    _check_paired(first, second)
    return bootstrap_interval((first - second).tolist(), confidence, resamples, seed)


def paired_rate_difference(
    ours: Sequence[bool], theirs: Sequence[bool], confidence: float = CONFIDENCE
) -> Interval:
    """The difference of two success rates over the same episodes, with Newcombe's interval.

    Method 10: Wilson's intervals of the two rates, joined with regard to how the episodes' outcomes
    hang together. Unlike the bootstrap's it is not empty when both drivers always succeed.
    """
    first, second = np.asarray(ours, dtype=bool), np.asarray(theirs, dtype=bool)
    _check_paired(first, second)
    n, z = len(first), _normal_quantile(confidence)
    rates = first.mean(), second.mean()
    (low1, high1), (low2, high2) = (_wilson(float(rate), n, z) for rate in rates)
    phi = _phi(first, second)
    difference = float(rates[0] - rates[1])

    def reach(mine: float, other: float) -> float:
        return math.sqrt(max(0.0, mine**2 - 2.0 * phi * mine * other + other**2))

    below = reach(rates[0] - low1, high2 - rates[1])
    above = reach(high1 - rates[0], rates[1] - low2)
    return Interval(difference, max(-1.0, difference - below), min(1.0, difference + above))


def mcnemar(ours: Sequence[bool], theirs: Sequence[bool]) -> float:
    """How surprising the two rates' difference would be if the drivers were equal: exact p-value.

    Only the episodes that one driver passes and the other does not count; of those, each driver
    would pass half. Two-sided.
    """
    first, second = np.asarray(ours, dtype=bool), np.asarray(theirs, dtype=bool)
    _check_paired(first, second)
    better, worse = int((first & ~second).sum()), int((~first & second).sum())
    n = better + worse
    tail = sum(math.comb(n, k) for k in range(min(better, worse) + 1))
    return min(1.0, 2.0 * tail / 2**n)


def student_quantile(confidence: float, freedom: int) -> float:
    """How many standard errors to either side hold `confidence` of Student's t."""
    target = 1.0 - confidence
    low, high = 0.0, 1.0
    while _student_tails(high, freedom) > target:
        high *= 2.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _student_tails(middle, freedom) > target else (low, middle)
    return high


def _student_tails(t: float, freedom: int) -> float:
    """The share of Student's t beyond -t and t, in closed form for whole degrees of freedom.

    Source:
        Abramowitz and Stegun, 26.7.3 and 26.7.4.
    """
    angle = math.atan2(t, math.sqrt(freedom))
    cosine2 = math.cos(angle) ** 2
    odd = freedom % 2
    term, total = 1.0, 0.0
    for k in range(1 + odd, freedom, 2):
        total += term
        term *= k / (k + 1) * cosine2
    if odd:
        inside = 2.0 / math.pi * (angle + math.sin(angle) * math.cos(angle) * total)
    else:
        inside = math.sin(angle) * total
    return 1.0 - inside


def _normal_quantile(confidence: float) -> float:
    """How many standard deviations to either side hold `confidence` of a normal distribution."""
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence!r}")
    return NormalDist().inv_cdf(0.5 + 0.5 * confidence)


def _wilson(rate: float, n: int, z: float) -> tuple[float, float]:
    centre = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    # At 0 and 1 the formula is exact; rounding would leave the end 1e-17 off.
    return (0.0 if rate == 0.0 else centre - half), (1.0 if rate == 1.0 else centre + half)


def _phi(first: np.ndarray, second: np.ndarray) -> float:
    """Newcombe's correlation of two outcomes, with his correction; 0 when a driver never varies."""
    n = len(first)
    both, ours = int((first & second).sum()), int((first & ~second).sum())
    theirs, neither = int((~first & second).sum()), int((~first & ~second).sum())
    scale = (both + ours) * (theirs + neither) * (both + theirs) * (ours + neither)
    if scale == 0:
        return 0.0
    together = float(both * neither - ours * theirs)
    if together > 0:
        together = max(together - n / 2, 0.0)
    return together / math.sqrt(scale)


def _standard_error(sample: np.ndarray) -> float:
    return float(sample.std(ddof=1)) / math.sqrt(len(sample))


def _sample(values: Sequence[float]) -> np.ndarray:
    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1 or len(sample) == 0 or not np.isfinite(sample).all():
        raise ValueError(f"expected one or more finite numbers, got {values!r}")
    return sample


def _check_paired(first: np.ndarray, second: np.ndarray) -> None:
    if first.ndim != 1 or first.shape != second.shape or len(first) == 0:
        raise ValueError(
            f"paired samples must be of the same episodes, got {first.shape} and {second.shape}"
        )
