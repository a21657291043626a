"""Figures of studies: the same look for all of them, drawn without a display."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999", "#000000")
"""Told apart by the colour-blind, too (Okabe and Ito)."""


def new_figure(columns: int = 1, size: tuple[float, float] = (7.0, 4.5)) -> tuple[Any, list[Any]]:
    """A figure of so many axes side by side [inches]."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, columns, figsize=size, layout="constrained", squeeze=False)
    for axis in axes[0]:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, list(axes[0])


def save_figure(figure: Any, path: Path) -> None:
    """Save and forget it."""
    import matplotlib.pyplot as plt

    figure.savefig(path, dpi=110)
    plt.close(figure)


def band(
    axis: Any,
    x: Sequence[float],
    rows: Sequence[dict[str, Any]],
    figure: str,
    label: str,
    colour: str,
) -> None:
    """A line of means over x, with the interval around it."""
    axis.plot(x, [row[figure] for row in rows], "-o", color=colour, label=label, markersize=4)
    low = [row[f"{figure}_low"] for row in rows]
    high = [row[f"{figure}_high"] for row in rows]
    axis.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
