"""Race circuits from the TUM format: a CSV of points along the middle, with the width on each side.

Source:
    Heilmeier et al., the racetrack database of the Institute of Automotive Technology, TUM,
    https://github.com/TUMFTM/racetrack-database
"""

from pathlib import Path

import numpy as np

from ..road import Lane, Material, Ribbon, Road
from .paving import Paver
from .spline import PeriodicSpline

COLUMNS = ("x_m", "y_m", "w_tr_right_m", "w_tr_left_m")
FEWEST_POINTS = 10
LONGEST_JUMP = 10.0  # between neighbouring points, as a multiple of the median
WIDEST = 100.0  # to one side [m]
SHORTEST, LONGEST = 100.0, 100e3  # lap [m]
TIGHTEST_RADIUS = 2.0  # [m]

# Points are good to some decimetres: bends shorter than this are noise [m].
SMOOTHED_WAVELENGTH = 18.0
SPEED_LIMIT = 20.0  # [m/s], the fastest that procedural roads have
FOLD = 0.95  # of the radius: the track reaches no further to the inside of a bend
EDGE_LINE = 0.15  # [m]
PAVED_SHOULDER = 0.4  # beyond the edge lines [m]
GRAVEL = 3.0  # beyond that [m]


def load_racetrack(path: str | Path) -> Road:
    """The circuit in a TUM CSV file, smoothed, with nodes about 1 m apart; one lane, the track.

    Widths are those of the file, along the smoothed line, except where a side would reach
    beyond the centre of a bend.

    Raises:
        ValueError: the file is not what it should be; the message names the line.
    """
    path = Path(path)
    table, numbers = _read(path)
    _check_shape(path, table[:, :2], numbers)
    spline = _fit(table)
    _check_bends(path, spline, table, numbers)
    return _build(path.stem, spline, table)


def circuit_road(name: str, table: np.ndarray) -> Road:
    """The circuit of a table that is known to be right.

    Args:
        table: (N, 4) points around it, in order, and the width to the right and to the left [m].
    """
    return _build(name, _fit(table), table)


def _fit(table: np.ndarray) -> PeriodicSpline:
    return PeriodicSpline.fit(table[:, :2], table, SMOOTHED_WAVELENGTH)


def _build(name: str, spline: PeriodicSpline, table: np.ndarray) -> Road:
    parameters, spacing = spline.equal_steps(1.0)
    value, slope = spline.at(parameters), spline.at(parameters, derivative=1)
    curvature = spline.curvature(parameters)
    narrowest = table[:, 2:].min(axis=0)  # a spline may overshoot where the width jumps
    right = np.maximum(value[:, 2], narrowest[0])
    left = np.maximum(value[:, 3], narrowest[1])
    lane = Lane(
        x=value[:, 0].copy(),
        y=value[:, 1].copy(),
        heading=np.unwrap(np.arctan2(slope[:, 1], slope[:, 0])),
        curvature=curvature,
        spacing=spacing,
        left=np.minimum(left, FOLD / np.maximum(curvature, 1e-9)),
        right=np.minimum(right, FOLD / np.maximum(-curvature, 1e-9)),
        closed=True,
    )
    return Road(
        name=name,
        lanes=(lane,),
        ribbons=_ribbons(lane),
        closed=True,
        speed_limit=SPEED_LIMIT,
        kerbs=True,
    )


def _ribbons(lane: Lane) -> tuple[Ribbon, ...]:
    paver = Paver(lane.x, lane.y, lane.heading, lane.curvature, closed=True)
    paved_left, paved_right = lane.left + PAVED_SHOULDER, lane.right + PAVED_SHOULDER
    return (
        paver.strip(paved_left + GRAVEL, paved_left - 0.1, Material.SHOULDER),
        paver.strip(0.1 - paved_right, -paved_right - GRAVEL, Material.SHOULDER),
        paver.strip(paved_left, -paved_right, Material.ASPHALT),
        *paver.kerbs(lane.left + 0.5 * EDGE_LINE, -lane.right - 0.5 * EDGE_LINE),
        paver.line(lane.left, EDGE_LINE, Material.WHITE),
        paver.line(-lane.right, EDGE_LINE, Material.WHITE),
    )


def _read(path: Path) -> tuple[np.ndarray, list[int]]:
    """(N, 4) the table, and the line of the file that each row comes from, counted from 1."""
    if path.suffix.lower() != ".csv":
        raise ValueError(
            f"{path} is not a .csv file; a racetrack is a CSV with columns {','.join(COLUMNS)}"
        )
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not text (byte {error.start} is not UTF-8); "
            f"a racetrack is a CSV with columns {','.join(COLUMNS)}"
        ) from None
    rows, numbers = [], []
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            rows.append(_parse(f"{path}, line {number}", line))
            numbers.append(number)
    if len(rows) < FEWEST_POINTS:
        raise ValueError(
            f"{path} has {len(rows)} points; a circuit needs at least {FEWEST_POINTS}, one about "
            f"every 5 m, as lines of {','.join(COLUMNS)}"
        )
    return np.array(rows), numbers


def _parse(where: str, line: str) -> list[float]:
    """The four numbers of one line."""
    cells = [cell.strip() for cell in line.split(",")]
    if len(cells) != len(COLUMNS):
        raise ValueError(
            f"{where} has {len(cells)} column{'s' * (len(cells) != 1)}: {line.strip()[:60]!r}; "
            f"expected {len(COLUMNS)}, separated by commas: {','.join(COLUMNS)}"
        )
    values = []
    for name, cell in zip(COLUMNS, cells, strict=True):
        try:
            value = float(cell)
        except ValueError:
            raise ValueError(
                f"{where}: {name} is {cell[:40]!r}, expected a number in metres "
                "(a header line begins with #)"
            ) from None
        if not np.isfinite(value):
            raise ValueError(
                f"{where}: {name} is {cell}, expected a finite number; "
                "delete the line or fill it in from its neighbours"
            )
        values.append(value)
    for name, value in zip(COLUMNS[2:], values[2:], strict=True):
        if value <= 0.0:
            raise ValueError(
                f"{where}: {name} is {value:g}, expected a positive distance from the middle "
                "to the edge of the track [m]"
            )
        if value > WIDEST:
            raise ValueError(
                f"{where}: {name} is {value:g} m, expected less than {WIDEST:g} m; "
                "if the file is in other units than metres, convert all four columns"
            )
    return values


def _check_shape(path: Path, points: np.ndarray, numbers: list[int]) -> None:
    """The points go round a circuit once, step by step."""
    steps = np.hypot(*(np.roll(points, -1, axis=0) - points).T)
    if steps[-1] == 0.0:
        raise ValueError(
            f"{path}, line {numbers[-1]} repeats the first point (line {numbers[0]}); the circuit "
            "closes by itself: delete the last line"
        )
    if steps.min() == 0.0:
        i = int(steps.argmin())
        raise ValueError(
            f"{path}, line {numbers[i + 1]} repeats the point of line {numbers[i]}; "
            "delete one of them"
        )
    lap, median = steps.sum(), float(np.median(steps))
    if not SHORTEST < lap < LONGEST:
        raise ValueError(
            f"{path}: the lap is {lap:.4g} m long, expected between {SHORTEST:g} m and "
            f"{LONGEST / 1e3:g} km; are x_m and y_m in metres?"
        )
    if steps.max() > LONGEST_JUMP * median:
        i = int((steps > LONGEST_JUMP * median).argmax())
        if i == len(steps) - 1:
            raise ValueError(
                f"{path}: the last point (line {numbers[-1]}) is {steps[i]:.4g} m from the first "
                f"(line {numbers[0]}), while points are {median:.3g} m apart; "
                "a circuit must come back to where it began"
            )
        raise ValueError(
            f"{path}, line {numbers[i + 1]} is {steps[i]:.4g} m from line {numbers[i]}, while "
            f"points are {median:.3g} m apart; is a point wrong or missing?"
        )


def _check_bends(path: Path, spline: PeriodicSpline, table: np.ndarray, numbers: list[int]) -> None:
    """No bend is so tight that the points can only be out of order."""
    parameters = np.arange(0.0, spline.period, 0.5)
    curvature = np.nan_to_num(np.abs(spline.curvature(parameters)), nan=np.inf)
    worst = int(curvature.argmax())
    if curvature[worst] > 1.0 / TIGHTEST_RADIUS:
        place = spline.at(parameters[worst : worst + 1])[0, :2]
        row = int(np.hypot(*(table[:, :2] - place).T).argmin())
        raise ValueError(
            f"{path}, line {numbers[row]}: the track turns there with a radius of "
            f"{1.0 / curvature[worst]:.2g} m, expected at least {TIGHTEST_RADIUS:g} m; "
            "are the points in the order in which they are driven?"
        )
