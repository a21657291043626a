"""Where the time of an evaluation went, and on what machine: a file of its own beside the results.

Nothing of it is in the results, which are the same bytes every time.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from redrive.agents.drivers import driver_name, make_driver
from redrive.agents.evaluation import Clock
from redrive.agents.rollout import look
from redrive.agents.suite_files import SeededSuite
from redrive.evaluate_driver import world_for
from redrive.side_by_side import usable_cores
from redrive.sim.files import write_whole

LATENCY_STEPS, WARM_UP = 60, 10  # that are timed with one car, and first ones that are not


class Timing:
    """Collects what took how long."""

    def __init__(self, threads: int) -> None:
        self.threads = threads or usable_cores()
        self._drivers: dict[str, Any] = {}

    @contextmanager
    def of(self, exam: SeededSuite, word: str) -> Iterator[Clock]:
        """Times one driver; the clock is for `agents.evaluation.evaluate`."""
        clock, began = Clock(), time.perf_counter()
        yield clock
        wall = time.perf_counter() - began
        total = sum(clock.seconds.values())
        told: dict[str, Any] = {"wall_s": round(wall, 3)}
        if clock.car_steps:  # something was driven, not only read back
            told |= {
                "car_steps": clock.car_steps,
                "car_steps_per_s": round(clock.car_steps / wall, 1),
                "seconds": {name: round(value, 3) for name, value in clock.seconds.items()},
                "shares": {name: round(v / total, 4) for name, v in clock.seconds.items()},
                "latency_ms": latency(exam, word),
            }
        self._drivers[driver_name(word)] = told

    def save(self, path: Path) -> None:
        """Write the file."""
        content = {"machine": machine(), "threads": self.threads, "drivers": self._drivers}
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(content, indent=1).encode() + b"\n")


def latency(exam: SeededSuite, word: str) -> dict[str, float]:
    """Milliseconds that a driver takes for the command of one car, alone in its batch."""
    variant = next(iter(exam.suite.variants().values()))
    world = world_for(word, variant, exam.roads)
    driver = make_driver(word, world)
    state, memory = world.reset(np.array([exam.seed])), driver.begin(1)
    taken = []
    for _ in range(LATENCY_STEPS):
        view = look(world, state)
        began = time.perf_counter()
        command, memory = driver.act(view, memory)
        taken.append(1e3 * (time.perf_counter() - began))
        state = world.step(state, command)
    median, most = np.percentile(taken[WARM_UP:], [50.0, 95.0])
    return {"median": round(float(median), 4), "p95": round(float(most), 4)}


def machine() -> dict[str, Any]:
    """Where this runs."""
    import numba

    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": usable_cores(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def _processor() -> str:
    """Its name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
