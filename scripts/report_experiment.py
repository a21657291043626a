"""What a study of `redrive study` left in its folder, for the report."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path

from redrive.agents.statistics import Interval, mean_interval

SUMMARY, TABLE, PAGE = "summary.json", "table.csv", "index.html"
RUNS = "runs.csv"  # a row for each training, where table.csv has means
REPEATS = ("training_seed", "seed", "repeat")  # columns that say which of equal trainings it is
NO_SHARE = ("mae", "rmse", "loss", "error", "_m", "_rad", "1pm", "mps")  # in names of figures

Value = str | float | None
Row = Mapping[str, Value]


@dataclass(frozen=True, eq=False)
class Experiment:
    """A study's folder: its page's words and pictures, and a row for each run."""

    folder: Path
    title: str
    lead: str
    command: str
    pictures: Sequence[tuple[Path, str]]  # with captions
    rows: Sequence[Row]
    prefix: str

    @cached_property
    def factors(self) -> list[str]:
        """Columns of words: what was varied."""
        return [n for n in self.rows[0] if any(isinstance(row[n], str) for row in self.rows)]

    @cached_property
    def repeats(self) -> list[str]:
        """Columns that tell equal trainings apart."""
        return [name for name in self.rows[0] if name in REPEATS]

    @cached_property
    def figures(self) -> list[str]:
        """Columns of numbers: what was found."""
        names = [n for n in self.rows[0] if n not in self.factors and n not in self.repeats]
        return [name for name in names if any(row[name] is not None for row in self.rows)]

    @cached_property
    def group(self) -> str | None:
        """The factor that runs are grouped by: the first; None where nothing was repeated."""
        if not self.factors:
            return None
        values = self.groups_of(self.factors[0])
        return self.factors[0] if 1 < len(values) <= 12 and len(values) < len(self.rows) else None

    def groups_of(self, factor: str) -> list[str]:
        """A factor's values, in the order of the table."""
        return list(dict.fromkeys(str(row[factor]) for row in self.rows))

    def values(self, figure: str, where: Mapping[str, str]) -> list[float]:
        """A figure of the runs with these values of factors."""
        chosen = [r for r in self.rows if all(str(r[name]) == v for name, v in where.items())]
        return [float(v) for r in chosen if isinstance(v := r[figure], int | float)]

    def is_share(self, figure: str) -> bool:
        """Whether a figure is a share of something: 0 to 1, and no error or length by its name."""
        some = self.values(figure, {})
        named = not any(word in figure for word in NO_SHARE)
        return named and min(some) >= 0.0 and max(some) <= 1.0

    def paired(self, figure: str, group: str, ours: str, theirs: str) -> Interval | None:
        """The mean difference of two groups over runs that are alike in all else.

        With Student's interval over the pairs; None where fewer than two are.
        """
        others = [name for name in (*self.factors, *self.repeats) if name != group]
        found: dict[tuple[Value, ...], dict[str, float]] = {}
        for row in self.rows:
            value = row[figure]
            if isinstance(value, int | float):
                found.setdefault(tuple(row[n] for n in others), {})[str(row[group])] = value
        pairs = [pair for pair in found.values() if ours in pair and theirs in pair]
        if len(pairs) < 2:
            return None
        return mean_interval([pair[ours] - pair[theirs] for pair in pairs])


def is_experiment(path: Path) -> bool:
    """Whether a path names a study's folder, or the summary in it."""
    return path.name == SUMMARY or (path.is_dir() and (path / SUMMARY).is_file())


def load_experiment(path: Path, prefix: str) -> Experiment:
    """What a study left.

    Args:
        path: its folder, or summary.json in it.
        prefix: of every id in the chapter.

    Raises:
        FileNotFoundError: there is no table beside the summary.
        ValueError: the table is cut.
    """
    folder = path if path.is_dir() else path.parent
    table = folder / RUNS if (folder / RUNS).is_file() else folder / TABLE
    if not (folder / SUMMARY).is_file() or not table.is_file():
        raise FileNotFoundError(
            f"{folder} holds no finished study: {SUMMARY} and {TABLE} are expected; "
            "`redrive study` writes them"
        )
    page = _Page((folder / PAGE).read_text(encoding="utf-8") if (folder / PAGE).is_file() else "")
    return Experiment(
        folder,
        page.texts.get("h1", folder.resolve().name),
        page.texts.get("p", ""),
        page.texts.get("code", ""),
        [(folder / name, caption) for name, caption in page.pictures if (folder / name).is_file()],
        _read_rows(table),
        prefix,
    )


def group_interval(values: Iterable[float]) -> Interval:
    """A mean over runs with Student's interval; without one (the mean itself) for a single run."""
    mean, low, high = mean_interval(list(values))
    return Interval(mean, mean if math.isnan(low) else low, mean if math.isnan(high) else high)


def _read_rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as handle:
        head, *lines = list(csv.reader(handle)) or [[]]
    for number, line in enumerate(lines, 2):
        if len(line) != len(head):
            raise ValueError(
                f"{path}, line {number}: {len(line)} cells, the head has {len(head)}; "
                "run the study again (what is there is not done again)"
            )
    if not lines:
        raise ValueError(f"{path} has no rows; run the study again")
    return [dict(zip(head, map(_value, line), strict=True)) for line in lines]


def _value(text: str) -> Value:
    if text in ("True", "False"):
        return float(text == "True")
    try:
        value = float(text)
    except ValueError:
        return text or None
    return value if math.isfinite(value) else None


class _Page(HTMLParser):
    """The first heading, paragraph and command of a study's page, and its pictures."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.pictures: list[tuple[str, str]] = []
        self._open: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "img" and given.get("src"):
            self.pictures.append((given["src"] or "", given.get("alt") or ""))
        if tag in ("h1", "p", "code") and tag not in self.texts:
            self._open = tag

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.texts[self._open] = self.texts.get(self._open, "") + data
