"""What commands show a person: status lines, progress, tables.

Status and progress go to stderr, results to stdout: `redrive bench --json > here.json` stays JSON.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.console import Console

FAR_APART = 10.0  # between two plain progress lines at most, while there is progress [s]
CLOSE = 1.0  # and at least [s]

_bars: list[str] = []  # that are on the terminal


class Tick(Protocol):
    """Says that `count` more are done; the note stands beside the bar until the next one."""

    def __call__(self, count: int = 1, note: str = "") -> None: ...


def say(text: str) -> None:
    """One plain line of status; safe while a progress bar is shown."""
    _status().print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(label: str, total: int) -> Iterator[Tick]:
    """Shows how far `total` small pieces of work are.

    A bar on a terminal; elsewhere (a pipe, a CI log) a line for every tenth or every ten seconds.

        with progress("recording", total=episodes) as tick:
            for seed in seeds:
                record(seed)
                tick()

    On a terminal, what is a part of work that has a bar already shows none of its own.
    """
    if _status().is_terminal:
        with _bar(label, total) if not _bars else nullcontext(_show_nothing) as tick:
            yield tick
    else:
        lines = _Lines(label, total, sys.stderr)
        yield lines.tick
        lines.close()


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Prints a table to stdout: the first column to the left, the others to the right."""
    from rich.console import Console
    from rich.table import Table

    grid = Table(title=title or None, title_justify="left", title_style="bold", box=None)
    grid.pad_edge = False
    for index, name in enumerate(columns):
        grid.add_column(name, justify="right" if index else "left", no_wrap=True)
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"a row of {len(row)} cells in a table of {len(columns)}: {row}")
        grid.add_row(*row)
    # Wider than anything: a figure cut short to fit a narrow window would be a wrong figure.
    Console(file=sys.stdout, markup=False, highlight=False, width=10_000).print(grid)


def rate(mean: float, low: float, high: float) -> str:
    """A share with its interval, in percent: `95.0 % [88.1, 98.3]`."""
    return f"{100 * mean:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def interval(mean: float, low: float, high: float, digits: int = 3) -> str:
    """A number with its interval: `0.123 [0.101, 0.150]`."""
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def typed(words: str) -> str:
    """A command of ours as it must be typed here: by its path where it is not on the PATH.

    `typed("watch runs/a")` is `redrive watch runs/a`, or `.venv/bin/redrive watch runs/a` after a
    `make demo` without `source .venv/bin/activate`.
    """
    ours = Path(sys.executable).parent / "redrive"
    found = shutil.which("redrive")
    if (found and Path(found).parent == ours.parent) or not shutil.which(ours):
        return f"redrive {words}"
    here = Path.cwd()
    return f"{ours.relative_to(here) if ours.is_relative_to(here) else ours} {words}"


@cache
def _status() -> Console:
    from rich.console import Console

    return Console(stderr=True)  # asks for sys.stderr at every line, so it may be replaced


@contextmanager
def _bar(label: str, total: int) -> Iterator[Tick]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=_status()) as bar:
        _bars.append(label)
        task = bar.add_task(label, total=total, note="")

        def tick(count: int = 1, note: str = "") -> None:
            bar.update(task, advance=count, note=note)

        try:
            yield tick
        finally:
            _bars.remove(label)


def _show_nothing(count: int = 1, note: str = "") -> None:
    """The tick of a bar that is not there."""


class _Lines:
    """Progress as plain lines."""

    def __init__(self, label: str, total: int, stream: TextIO) -> None:
        self.label, self.total, self.stream = label, total, stream
        self.done, self.said, self.note = 0, 0, ""
        self.started = self.last = time.monotonic()

    def tick(self, count: int = 1, note: str = "") -> None:
        self.done, self.note = self.done + count, note
        waited = time.monotonic() - self.last
        a_tenth = 10 * (self.done - self.said) >= self.total and waited >= CLOSE
        if self.done < self.total and (a_tenth or waited >= FAR_APART):
            self._say()

    def close(self) -> None:
        self._say()

    def _say(self) -> None:
        self.last, self.said = time.monotonic(), self.done
        share = f" ({self.done / self.total:.0%})" if 0 < self.done < self.total else ""
        note = f", {self.note}" if self.note else ""
        seconds = self.last - self.started
        line = f"{self.label}: {self.done} of {self.total}{share}, {seconds:.0f} s{note}"
        print(line, file=self.stream, flush=True)
