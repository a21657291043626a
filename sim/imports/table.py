"""Tables of poses or motion (CSV), whose columns wear their units."""

import csv
import os
from pathlib import Path

import numpy as np

from . import motion

# What a column may be called, and what its numbers are multiplied with.
COLUMNS: dict[str, dict[str, float]] = {
    "t": {"t": 1.0, "t_s": 1.0, "time": 1.0, "time_s": 1.0, "timestamp": 1.0, "t_ms": 1e-3},
    "frame": {"frame": 1.0, "frame_num": 1.0},
    "x": {"x": 1.0, "x_m": 1.0},
    "y": {"y": 1.0, "y_m": 1.0},
    "yaw": {"yaw": 1.0, "yaw_rad": 1.0, "yaw_deg": float(np.deg2rad(1.0))},
    "speed": {"speed": 1.0, "speed_mps": 1.0, "speed_m/s": 1.0, "speed_kmh": 1.0 / 3.6},
    "yaw_rate": {
        "yaw_rate": 1.0,
        "yaw_rate_radps": 1.0,
        "yaw_rate_rad/s": 1.0,
        "yaw_rate_degps": float(np.deg2rad(1.0)),
    },
}

Table = dict[str, np.ndarray]


def read_table(path: str | os.PathLike[str]) -> Table:
    """The columns that mean something, by our names and in SI units; (N,) each.

    Lines that begin with # are remarks; the first other line names the columns.

    Raises:
        FileNotFoundError: no such file.
        ValueError: no header, a column is missing or twice, a cell is no finite number, or time
            does not grow.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; give a CSV with t,x,y,yaw,speed")
    lines = [
        (number, line)
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if len(lines) < 3:
        raise ValueError(f"{path} has {max(0, len(lines) - 1)} rows below its header; 2 are needed")
    places = _header(path, next(csv.reader([lines[0][1]])))
    width = len(next(csv.reader([lines[0][1]])))
    rows = []
    for (number, _), cells in zip(
        lines[1:], csv.reader(line for _, line in lines[1:]), strict=True
    ):
        if len(cells) != width:
            raise ValueError(f"{path}, line {number}: {len(cells)} cells, the header has {width}")
        try:
            rows.append([float(cells[place]) for place, _ in places.values()])
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}; cells are numbers") from error
    values = np.array(rows)
    for (number, _), row in zip(lines[1:], values, strict=True):
        if not np.isfinite(row).all():
            name = list(places)[int(np.argmin(np.isfinite(row)))]
            raise ValueError(
                f"{path}, line {number}: {name} is not a finite number; delete such lines, "
                "the drive is split there"
            )
    table = {
        name: values[:, column] * scale for column, (name, (_, scale)) in enumerate(places.items())
    }
    motion.check_time(table["t"], str(path))
    return table


def _header(path: Path, cells: list[str]) -> dict[str, tuple[int, float]]:
    """Our name of each known column: where it is, and its scale."""
    names = [cell.strip().strip('"').lower() for cell in cells]
    found: dict[str, tuple[int, float]] = {}
    for ours, theirs in COLUMNS.items():
        for place, name in enumerate(names):
            if name in theirs:
                if ours in found:
                    raise ValueError(f"{path} has {ours} twice; keep one of the columns")
                found[ours] = (place, theirs[name])
    if not found and all(_is_number(name) for name in names):
        raise ValueError(
            f"{path} has no header; the first line must name the columns, as in t,x,y,yaw,speed"
        )
    poses, motion_only = {"t", "x", "y", "yaw"}, {"t", "speed", "yaw_rate"}
    if not (poses <= found.keys() or motion_only <= found.keys()):
        nearer = motion_only if not {"x", "y"} & found.keys() and "speed" in found else poses
        missing = ", ".join(sorted(nearer - found.keys()))
        raise ValueError(
            f"{path}: missing column {missing} (it has {', '.join(names)}); give t,x,y,yaw,speed "
            "or t,speed,yaw_rate"
        )
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
