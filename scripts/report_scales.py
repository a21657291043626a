"""Axes of the report's charts: where a value lies, which ticks there are, how numbers are written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Where a value lies between the ends of an axis."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def percent(self, value: float) -> float:
        """The place of `value`, 0 to 100; what lies outside comes to the end."""
        low, high = self._at(self.low), self._at(self.high)
        return 100.0 * min(1.0, max(0.0, (self._at(value) - low) / (high - low)))

    def _at(self, value: float) -> float:
        return math.log(max(value, 1e-300)) if self.log else value


SHARE = Scale(0.0, 1.0, (0.0, 0.25, 0.5, 0.75, 1.0))


def scale_for(values: Iterable[float], zero: bool = False) -> Scale:
    """A linear axis with round ticks that holds `values`, and 0 where `zero` asks for it."""
    numbers = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(numbers), max(numbers)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low < 1e-12:
        low, high = low - 0.5 * (not zero), high + 0.5
    step = _round_step((high - low) / 4.0)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(index * step for index in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def log_scale_for(values: Iterable[float]) -> Scale:
    """A logarithmic axis with ticks 1, 2, 5 that holds the positive ones of `values`."""
    numbers = [value for value in values if math.isfinite(value) and value > 0.0] or [0.1, 1.0]
    decades = range(
        math.floor(math.log10(min(numbers))) - 1, math.ceil(math.log10(max(numbers))) + 1
    )
    marks = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
    low = max((mark for mark in marks if mark <= min(numbers) * 1.001), default=marks[0])
    high = min((mark for mark in marks if mark >= max(numbers) / 1.001), default=marks[-1])
    if high <= low:
        high = 2.0 * low
    ticks = [mark for mark in marks if low <= mark <= high]
    if len(ticks) > 9:
        ticks = [mark for mark in ticks if round(math.log10(mark), 9).is_integer()] or ticks[::3]
    return Scale(low, high, tuple(ticks), log=True)


def number(value: float) -> str:
    """A value as a tick or a table shows it: three digits, never 1e-05 nor -0."""
    if value == 0.0 or abs(value) < 1e-12:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(digits, 8)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "\N{MINUS SIGN}")


def percent(value: float) -> str:
    """A share as an axis shows it."""
    return f"{100.0 * value:.0f}\N{NO-BREAK SPACE}%"


def _round_step(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return power * next(digit for digit in (1, 2, 5, 10) if digit * power >= step * 0.999)
