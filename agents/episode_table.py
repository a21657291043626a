"""Every episode of every driver as one row of a CSV file, for those who work with tables."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..sim.files import write_whole

LEFT_OUT = {"trace"}  # names of files


def save_table(path: Path, drivers: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
    """Write the episodes of each driver, by its name; they have the numbers of the results file.

    A flag is `true` or `false`, what was not measured is empty.
    """
    rows = [
        {"driver": name, **episode} for name, episodes in drivers.items() for episode in episodes
    ]
    head = [name for name in dict.fromkeys(n for row in rows for n in row) if name not in LEFT_OUT]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([_cell(row.get(name)) for name in head] for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.getvalue().encode())


def load_table(path: Path) -> list[dict[str, Any]]:
    """The rows of such a file, with numbers and flags as they were.

    Raises:
        ValueError: a row is cut.
    """
    with path.open(newline="", encoding="utf-8") as handle:
        head, *rows = list(csv.reader(handle)) or [[]]
    for number, row in enumerate(rows, 2):
        if len(row) != len(head):
            raise ValueError(
                f"{path}, line {number}: {len(row)} cells, the head has {len(head)}; "
                "restore the file from a copy or evaluate again"
            )
    return [dict(zip(head, map(_value, row), strict=True)) for row in rows]


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _value(text: str) -> Any:
    if text in ("", "true", "false"):
        return {"": None, "true": True, "false": False}[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
