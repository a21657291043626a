"""Charts for the report, as HTML and SVG that fit any width.

Positions across a chart are percentages, and lines are stretched without growing thicker, so the
same chart is right on a phone, on a desk and on paper, with text of one size. No script, no
picture file. Drivers keep their colour (Okabe and Ito's, made for colour-blind readers) and their
sign everywhere, and are named in words beside every mark.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from redrive.report_scales import SHARE, Scale, number, percent

SIGNS = 7  # as many colours (CSS classes c0...) and shapes; then they come again
ROW = 30  # height of a row [px]


# --- rows: a driver each, with marks along one axis --------------------------------------------


@dataclass(frozen=True)
class Row:
    """One line of a chart of rows."""

    label: str
    sign: int  # which colour and shape
    marks: Markup  # SVG, placed by percentages, the middle at y = ROW / 2
    value: str  # in words and numbers, at the right


def rows_chart(
    rows: Sequence[Row],
    scale: Scale,
    axis: str,
    tick: Callable[[float], str] = number,
    line_at: float | None = None,
) -> Markup:
    """A chart of rows.

    Args:
        axis: what runs along it, with its unit.
        tick: how a tick's value is written.
        line_at: where a line runs from top to bottom, such as "no difference".
    """
    grid = Markup("").join(
        Markup('<line class="grid" x1="{0:.3f}%" x2="{0:.3f}%" y1="0" y2="100%"/>').format(
            scale.percent(value)
        )
        for value in scale.ticks
    )
    if line_at is not None:
        grid += Markup('<line class="rule" x1="{0:.3f}%" x2="{0:.3f}%" y1="0" y2="100%"/>').format(
            scale.percent(line_at)
        )
    lines = Markup("").join(
        Markup(
            '<div class="name">{sign}{label}</div><div class="value">{value}</div>'
            '<svg class="plot c{colour}" height="{height}" role="img" aria-label="{label}: {value}">'
            "{grid}{marks}</svg>"
        ).format(
            sign=key(row.sign),
            label=row.label,
            value=row.value,
            colour=row.sign % SIGNS,
            height=ROW,
            grid=grid,
            marks=row.marks,
        )
        for row in rows
    )
    return Markup('<div class="rows">{}{}</div>').format(lines, _axis_below(scale, axis, tick))


def whisker(scale: Scale, mean: float, low: float, high: float, sign: int) -> Markup:
    """A figure with its interval."""
    return Markup(
        '<line class="whisker" x1="{low:.3f}%" x2="{high:.3f}%" y1="{y}" y2="{y}"/>{mark}'
    ).format(
        low=scale.percent(low),
        high=scale.percent(high),
        y=ROW / 2,
        mark=_shape(sign, scale.percent(mean), ROW / 2),
    )


def bar(scale: Scale, value: float) -> Markup:
    """A pale bar from the left, behind a whisker."""
    return Markup('<rect class="bar" x="0" width="{:.3f}%" y="{}" height="{}"/>').format(
        scale.percent(value), ROW / 2 - 8, 16
    )


def dots(scale: Scale, values: Sequence[float]) -> Markup:
    """Every value as a small dot, a little above and below the middle in turn."""
    return Markup("").join(
        Markup('<svg class="dot each" x="{:.3f}%" y="{}"><circle r="2.6"/></svg>').format(
            scale.percent(value), ROW / 2 + (8 if position % 2 else -8)
        )
        for position, value in enumerate(values)
    )


def box(
    scale: Scale, least: float, lower: float, middle: float, upper: float, most: float
) -> Markup:
    """Where values lie: a line over most of them, a box around the middle half, the median."""
    at = [scale.percent(value) for value in (least, lower, middle, upper, most)]
    return Markup(
        '<line class="spread" x1="{0:.2f}%" x2="{4:.2f}%" y1="{y}" y2="{y}"/>'
        '<rect class="bar" x="{1:.2f}%" width="{width:.2f}%" y="{top}" height="16"/>'
        '<line class="middle" x1="{2:.2f}%" x2="{2:.2f}%" y1="{top}" y2="{bottom}"/>'
    ).format(*at, width=at[3] - at[1], y=ROW / 2, top=ROW / 2 - 8, bottom=ROW / 2 + 8)


def strip(scale: Scale, values: Sequence[float], failed: Sequence[bool]) -> Markup:
    """Every value as a dot (a cross where the episode failed), and a line at the median."""
    marks = []
    for position, (value, fail) in enumerate(zip(values, failed, strict=True)):
        y = ROW / 2 + 7.0 * math.sin(2.4 * position)  # spread, so that dots can be told apart
        shape = '<path class="cross" d="M-3,-3L3,3M-3,3L3,-3"/>' if fail else '<circle r="2.6"/>'
        marks.append(
            Markup('<svg class="dot each" x="{:.3f}%" y="{:.1f}">{}</svg>').format(
                scale.percent(value), y, Markup(shape)
            )
        )
    middle = scale.percent(sorted(values)[len(values) // 2])
    median = Markup('<line class="median" x1="{0:.3f}%" x2="{0:.3f}%" y1="3" y2="{1}"/>')
    return Markup("").join(marks) + median.format(middle, ROW - 3)


def stack(parts: Sequence[tuple[float, int, str]]) -> Markup:
    """Shares beside each other: (share, which pattern, text that is shown where there is room)."""
    marks, at = [], 0.0
    for share, pattern, text in parts:
        marks.append(
            Markup(
                '<rect class="part p{pattern}" x="{at:.3f}%" width="{width:.3f}%" y="4" '
                'height="{height}"><title>{text}</title></rect>'
            ).format(pattern=pattern, at=at, width=100 * share, height=ROW - 8, text=text)
        )
        if share > 0.12:
            marks.append(
                Markup('<text class="in-part p{}" x="{:.3f}%" y="{}">{:.0f} %</text>').format(
                    pattern, at + 50 * share, ROW / 2 + 4, 100 * share
                )
            )
        at += 100 * share
    return Markup("").join(marks)


# --- lines: quantities over time or steps ------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A curve. `style` is a CSS class: "thin", "thick", "dashed", "dotted"."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    style: str = "thick"
    sign: int = 0


def lines_chart(
    lines: Sequence[Line],
    x_scale: Scale,
    y_scale: Scale,
    x_axis: str,
    y_axis: str,
    band: tuple[float, float] | None = None,
    height: int = 180,
    legend: bool = True,
    tick: Callable[[float], str] = number,
    marks: bool = False,
) -> Markup:
    """Curves in one frame.

    Args:
        band: a range of y that is shaded, such as the lane.
        tick: how a tick of y is written.
        marks: every point has its driver's sign, in the legend, too.
    """
    curves = Markup("").join(
        Markup('<polyline class="curve {} c{}" points="{}"/>').format(
            line.style, line.sign % SIGNS, _points(line, x_scale, y_scale)
        )
        for line in lines
    )
    shade = Markup("")
    if band is not None:
        top, bottom = 100 - y_scale.percent(band[1]), 100 - y_scale.percent(band[0])
        shade = Markup(
            '<rect class="band" x="0" width="100%" y="{:.2f}%" height="{:.2f}%"/>'
        ).format(top, bottom - top)
    stretched = Markup(
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="100%">{}</svg>'
    ).format(curves)
    named = ", ".join(line.label for line in lines if line.label)
    return Markup(
        '<div class="frame" style="--height:{height}px"><div class="y-axis">{y_axis}</div>{left}'
        '<svg class="plot" height="{height}" role="img" aria-label="{y_axis} over {x_axis}: {named}">'
        "{grid}{shade}{curves}</svg>{below}{legend}</div>"
    ).format(
        height=height,
        y_axis=y_axis,
        x_axis=x_axis,
        named=named,
        left=_axis_left(y_scale, height, tick),
        grid=_grid(x_scale, y_scale),
        shade=shade,
        curves=stretched + (_marks(lines, x_scale, y_scale) if marks else ""),
        below=_axis_below(x_scale, x_axis, number),
        legend=_legend(lines, marks) if legend else "",
    )


@dataclass(frozen=True)
class Point:
    """A driver in a plane."""

    label: str
    x: float
    y: float
    low: float  # of y
    high: float
    sign: int


def scatter(
    points: Sequence[Point], x_scale: Scale, y_scale: Scale, x_axis: str, y_axis: str
) -> Markup:
    """Drivers in a plane, each with its name and its interval along y."""
    marks = []
    for point in points:
        x, y = x_scale.percent(point.x), 100 - y_scale.percent(point.y)
        ends = (100 - y_scale.percent(point.low), 100 - y_scale.percent(point.high))
        left = x > 70 or any(
            0 < x_scale.percent(other.x) - x < 15 and abs(other.y - point.y) < 0.1
            for other in points
        )
        marks.append(
            Markup(
                '<g class="c{colour}"><line class="whisker" x1="{x:.3f}%" x2="{x:.3f}%" '
                'y1="{low:.3f}%" y2="{high:.3f}%"/>{mark}'
                '<svg class="dot" x="{x:.3f}%" y="{y:.3f}%"><text class="label" x="{dx}" y="4" '
                'text-anchor="{anchor}">{label}</text></svg></g>'
            ).format(
                colour=point.sign % SIGNS,
                x=x,
                y=y,
                low=ends[0],
                high=ends[1],
                mark=_shape(point.sign, x, f"{y:.3f}%"),
                dx=-10 if left else 10,
                anchor="end" if left else "start",
                label=point.label,
            )
        )
    height = 280
    return Markup(
        '<div class="frame" style="--height:{height}px"><div class="y-axis">{y_axis}</div>{left}'
        '<svg class="plot" height="{height}" role="img" aria-label="{y_axis} over {x_axis}">'
        "{grid}{marks}</svg>{below}</div>"
    ).format(
        height=height,
        y_axis=y_axis,
        x_axis=x_axis,
        left=_axis_left(y_scale, height, percent if y_scale is SHARE else number),
        grid=_grid(x_scale, y_scale),
        marks=Markup("").join(marks),
        below=_axis_below(x_scale, x_axis, number),
    )


def key(sign: int) -> Markup:
    """A driver's sign, to stand in text and tables."""
    return Markup('<svg class="key c{}" width="14" height="14" aria-hidden="true">{}</svg>').format(
        sign % SIGNS, _shape(sign, "50%", "50%")
    )


def choices(label: str, parts: Sequence[Markup]) -> Markup:
    """Parts of which the page's script shows one at a time; each has a `data-choice`, its name.

    On paper, and where no script runs, all are shown.
    """
    return Markup('<div class="choices" data-label="{}">{}</div>').format(
        label, Markup("").join(parts)
    )


def legend_parts(names: Sequence[tuple[int, str]]) -> Markup:
    """What the patterns of `stack` mean."""
    return Markup('<div class="legend">{}</div>').format(
        Markup("").join(
            Markup(
                '<span><svg width="14" height="14" aria-hidden="true">'
                '<rect class="part p{}" width="14" height="14"/></svg> {}</span>'
            ).format(pattern, name)
            for pattern, name in names
        )
    )


_SHAPES = (
    '<circle r="5"/>',
    '<rect x="-4.5" y="-4.5" width="9" height="9"/>',
    '<path d="M0,-6L5.5,4H-5.5Z"/>',
    '<path d="M0,-6L6,0L0,6L-6,0Z"/>',
    '<path d="M0,6L5.5,-4H-5.5Z"/>',
    '<path d="M-2,-6H2V-2H6V2H2V6H-2V2H-6V-2H-2Z"/>',
    '<path d="M-6,-3H6V3H-6Z"/>',
)


def _shape(sign: int, x: float | str, y: float | str) -> Markup:
    place = x if isinstance(x, str) else f"{x:.3f}%"
    return Markup('<svg class="dot" x="{}" y="{}">{}</svg>').format(
        place, y, Markup(_SHAPES[sign % len(_SHAPES)])
    )


def _points(line: Line, x_scale: Scale, y_scale: Scale) -> str:
    keep = max(1, len(line.x) // 600)  # more than a chart can show
    return " ".join(
        f"{x_scale.percent(x):.2f},{100 - y_scale.percent(y):.2f}"
        for x, y in zip(line.x[::keep], line.y[::keep], strict=True)
    )


def _grid(x_scale: Scale, y_scale: Scale) -> Markup:
    across = '<line class="grid" x1="0" x2="100%" y1="{0:.3f}%" y2="{0:.3f}%"/>'
    down = '<line class="grid" x1="{0:.3f}%" x2="{0:.3f}%" y1="0" y2="100%"/>'
    return Markup("").join(
        [Markup(across).format(100 - y_scale.percent(value)) for value in y_scale.ticks]
        + [Markup(down).format(x_scale.percent(value)) for value in x_scale.ticks]
    )


def _axis_below(scale: Scale, axis: str, tick: Callable[[float], str]) -> Markup:
    texts = [
        Markup('<text x="{:.3f}%" y="13" text-anchor="middle">{}</text>').format(
            scale.percent(value), tick(value)
        )
        for value in scale.ticks
    ]
    return Markup(
        '<div class="x-axis"><svg height="18" aria-hidden="true">{}</svg><div>{}</div></div>'
    ).format(Markup("").join(texts), axis)


def _axis_left(scale: Scale, height: int, tick: Callable[[float], str] = number) -> Markup:
    texts = Markup("").join(
        Markup('<text x="100%" y="{:.3f}%" dy="{}" text-anchor="end">{}</text>').format(
            100 - at, 4 if 3 < at < 97 else 9 if at >= 97 else 0, tick(value)
        )
        for value, at in ((value, scale.percent(value)) for value in scale.ticks)
    )
    return Markup('<svg class="left" height="{}" aria-hidden="true">{}</svg>').format(height, texts)


def _marks(lines: Sequence[Line], x_scale: Scale, y_scale: Scale) -> Markup:
    return Markup("").join(
        Markup('<g class="c{}">{}</g>').format(
            line.sign % SIGNS,
            _shape(line.sign, x_scale.percent(x), f"{100 - y_scale.percent(y):.2f}%"),
        )
        for line in lines
        for x, y in zip(line.x, line.y, strict=True)
    )


def _legend(lines: Sequence[Line], marks: bool) -> Markup:
    return Markup('<div class="legend">{}</div>').format(
        Markup("").join(
            Markup(
                '<span><svg width="26" height="10" aria-hidden="true">'
                '<line class="curve {} c{}" x1="0" x2="26" y1="5" y2="5"/></svg> {}{}</span>'
            ).format(line.style, line.sign % SIGNS, key(line.sign) if marks else "", line.label)
            for line in lines
            if line.label
        )
    )
