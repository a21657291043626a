"""Tables of the report, and how its figures are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup

from redrive.agents.results import Comparison
from redrive.agents.statistics import Interval


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[Markup]],
    fixed: bool = False,
    filter_hint: str = "",
    ranked: str = "",
) -> Markup:
    """A table whose columns can be sorted, unless it is `fixed`.

    Args:
        filter_hint: with it the table can be filtered; a word that could be looked for.
        ranked: the column that the rows are in the order of, the largest first.
    """
    titles = Markup("").join(
        Markup('<th scope="col"{}{}>{}</th>').format(
            Markup(' data-first="up"') if place == 0 and not fixed else "",
            Markup(' aria-sort="descending"') if name == ranked else "",
            name if fixed else Markup('<button type="button">{}</button>').format(name),
        )
        for place, name in enumerate(head)
    )
    lines = Markup("").join(Markup("<tr>{}</tr>").format(Markup("").join(cells)) for cells in rows)
    kind = Markup("") if fixed else Markup(' class="sortable"')
    if filter_hint:
        kind += Markup(' data-filter="{}"').format(filter_hint)
    return Markup(
        '<div class="scroll" tabindex="0"><table{}><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(kind, titles, lines)


def row_head(shown: str | Markup, sort: object) -> Markup:
    """The first cell of a row; it stays in sight when the table is scrolled."""
    return Markup('<th scope="row" data-sort="{}">{}</th>').format(sort, shown)


def cell(shown: str | Markup, sort: object) -> Markup:
    """A cell, and the value by which its column is sorted."""
    return Markup('<td data-sort="{}">{}</td>').format(sort, shown)


def quiet(shown: str, sort: object) -> Markup:
    """A cell that says nothing new."""
    return Markup('<td class="quiet" data-sort="{}">{}</td>').format(sort, shown)


def heat(
    passed: int,
    total: int,
    interval: Callable[[int, int], Interval] | None = None,
    brief: bool = False,
) -> Markup:
    """A cell that is darker, the more failed.

    Args:
        interval: of a rate; with it the rate's interval stands below.
        brief: `3/4` instead of `3 of 4`.
    """
    if total == 0:
        return quiet("–", -1)
    level = math.ceil(4.0 * (1.0 - passed / total) - 1e-9)
    told: str | Markup = f"{passed}/{total}" if brief else f"{passed} of {total}"
    if interval is not None:
        _, low, high = interval(passed, total)
        told = stacked(told, f"{100.0 * low:.0f}–{100.0 * high:.0f} %")
    return Markup('<td class="heat h{}" data-sort="{}">{}</td>').format(level, passed / total, told)


def difference(told: Comparison | None) -> Markup:
    """A cell with a paired difference in success, bold where its interval keeps clear of 0."""
    if told is None:
        return quiet("–", 0)
    change = told.success_rate
    main, below = points(change).split(" [")
    shown = stacked(main, f"[{below}")
    if change.low > 0.0 or change.high < 0.0:
        shown = Markup("<strong>{}</strong>").format(shown)
    return cell(shown, change.mean)


def stacked(main: str, below: str) -> Markup:
    """A figure with its interval below."""
    return Markup("{}<small>{}</small>").format(main, below)


def rate_parts(value: Interval) -> tuple[str, str]:
    return share(value.mean), f"[{100 * value.low:.1f}, {100 * value.high:.1f}]"


def metre_parts(value: Interval) -> tuple[str, str]:
    return f"{value.mean:.3f}\N{NO-BREAK SPACE}m", f"[{value.low:.3f}, {value.high:.3f}]"


def rate(value: Interval) -> str:
    """`95.0 % [88.1, 98.3]`"""
    return " ".join(rate_parts(value))


def share(value: float) -> str:
    return f"{100.0 * value:.1f}\N{NO-BREAK SPACE}%"


def points(change: Interval) -> str:
    """`-10.0 points [-20.1, -2.0]`, with a real minus sign."""
    mean, low, high = (signed(100.0 * value, 1) for value in change)
    return f"{mean} points [{low}, {high}]"


def signed(value: float, digits: int = 3) -> str:
    text = f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")
    return text[1:] if float(f"{value:.{digits}f}") == 0.0 else text


def p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def words(name: str) -> str:
    """A name from a file as words."""
    return name.replace("_", " ").replace("mae", "MAE").replace("rmse", "RMSE")


def is_told(value: object) -> bool:
    """Whether a fact fits into a cell: a word, a number, or a few of them."""
    if isinstance(value, list):
        return len(value) <= 4 and all(isinstance(entry, str | int | float) for entry in value)
    return isinstance(value, str | int | float)


def count(number: int) -> str:
    """A number at the start of a sentence."""
    named = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"]
    return named[number] if number < len(named) else str(number)
