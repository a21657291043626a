"""What happened in every episode of a driver, step by step: one column file beside the results.

Every column is (N,) float64, the episodes one after the other; `first` (E + 1,) int64 says where
each begins and the last one ends. It is a safetensors file: numpy reads it without redrive.
The figures of a results file follow from these columns and from what the episode itself says
(`route_length_m`, `speed_limit_mps`, ...); a test computes them again from nothing else.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ..sim.files import (
    column_chunks,
    read_columns,
    read_slice,
    read_whole,
    sync_folder,
    write_synced,
)

FIRST = "first"
COLUMNS = {  # after each step
    "x": "of the rear axle, world frame [m]",
    "y": "of the rear axle, world frame [m]",
    "yaw": "[rad], in [-pi, pi)",
    "speed": "[m/s]",
    "accel": "along the car's x axis [m/s²]",
    "curvature": "of the path that is driven [1/m]",
    "command_curvature": "that the driver asked for before the step [1/m]",
    "command_accel": "that the driver asked for before the step [m/s²]",
    "lateral_offset": "of the rear axle from the lane's centre line, left is positive [m]",
    "heading_error": "of the car against the lane [rad]",
    "margin": "of the outline to the lane's bounds, negative is over one [m]",
    "progress": "along the route since the start [m]",
    "distance": "driven since the start [m]",
    "intervened": "1 where a safety driver put the car back after the step, else 0",
}
INTERVENED = "intervened"

Steps = Mapping[str, np.ndarray]
"""One episode's columns, each (T,)."""


def save_steps(path: Path, episodes: Sequence[Steps]) -> None:
    """Write the steps of all episodes, whole or not at all. Equal steps are equal bytes."""
    names = sorted(episodes[0])
    first = np.zeros(len(episodes) + 1, np.int64)
    for number, steps in enumerate(episodes):
        lengths = {len(column) for column in steps.values()}
        if sorted(steps) != names or len(lengths) != 1:
            raise ValueError(
                f"episode {number} has the columns {', '.join(sorted(steps))} of lengths "
                f"{sorted(lengths)}; expected {', '.join(names)}, all of one length"
            )
        first[number + 1] = first[number] + lengths.pop()
    columns = {FIRST: first}
    for name in names:
        columns[name] = np.concatenate([np.asarray(steps[name], float) for steps in episodes])
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{path.name}")
    try:
        write_synced(temporary, column_chunks(columns))
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def load_steps(path: str | os.PathLike[str], episode: int) -> dict[str, np.ndarray]:
    """The columns of one episode, by its `index`; nothing else of the file is read.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, or has no such episode.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"no steps at {path}; they lie beside the results that `redrive evaluate` wrote"
        )
    columns = read_columns(path)
    if FIRST not in columns:
        raise ValueError(f"{path} holds no steps of episodes: it has no column {FIRST}")
    first = read_whole(path, columns.pop(FIRST))
    if not 0 <= episode < len(first) - 1:
        raise ValueError(f"{path} has episodes 0 to {len(first) - 2}, not {episode}")
    start, stop = int(first[episode]), int(first[episode + 1])
    return {name: read_slice(path, column, start, stop) for name, column in columns.items()}
