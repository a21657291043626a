"""Suites: named lists of seeded episodes that drivers are compared on.

A suite is data. Its roads are never those that `redrive record` draws from: recordings use the
seeds 0..999 of the procedural family, suites use seeds from a million on.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np

from ..models.settings import from_json
from ..sim.appearance import Appearance
from ..sim.memory_tasks import (
    RECALL,
    STOP_SIGN,
    UNSEEN_SPEED,
    blackout_task,
    latency_task,
    recall_task,
    stop_sign_task,
)
from ..sim.picture_faults import PictureFaults
from ..sim.task import LANE_FOLLOWING, RACETRACK, RECOVERY, Task
from ..sim.vehicle import Vehicle

HELD_OUT_ROADS = "procedural:1000000-1001000"
HELD_OUT_CIRCUITS = "circuit:seeds=1000000-1000005"
STARTS = ("drawn", "grid", "each-road")

RECOVERY_LATERAL = (-1.5, -1.0, -0.5, 0.5, 1.0, 1.5)  # [m]
RECOVERY_YAW = tuple(float(np.deg2rad(angle)) for angle in (-10.0, -5.0, 0.0, 5.0, 10.0))


@dataclass(frozen=True)
class Condition:
    """One way in which a suite's episodes are driven; what is None is as the suite has it."""

    name: str
    task: Task | None = None
    world: str | None = None
    appearance: Appearance | None = None
    vehicle: Vehicle | None = None
    faults: PictureFaults | None = None


@dataclass(frozen=True)
class Suite:
    """What a suite's episodes have in common.

    starts: "drawn" by each seed; "grid": every offset with every angle in turn; "each-road":
        every road of the world equally often.
    conditions: each of them is driven with all episodes, so that they can be compared in pairs.
    interventions: a car that leaves its lane is put back and drives on; it is counted.
    needs_roads: it has no roads of its own; they are named with --roads.
    lateral, yaw: the offsets of "grid" [m], [rad].
    """

    name: str
    purpose: str
    task: Task
    world: str = HELD_OUT_ROADS
    appearance: Appearance = field(default_factory=lambda: Appearance(randomise=1.0))
    vehicle: Vehicle = field(default_factory=Vehicle)
    starts: str = "drawn"
    faults: PictureFaults = field(default_factory=PictureFaults)
    conditions: tuple[Condition, ...] = ()
    interventions: bool = False
    needs_roads: bool = False
    lateral: tuple[float, ...] = RECOVERY_LATERAL
    yaw: tuple[float, ...] = RECOVERY_YAW
    version: int = 2

    def __post_init__(self) -> None:
        if self.starts not in STARTS:
            raise ValueError(f"starts is one of {', '.join(STARTS)}, got {self.starts!r}")
        names = [condition.name for condition in self.conditions]
        if "" in names or len(set(names)) < len(names):
            raise ValueError(f"conditions have different names, got {', '.join(names)}")

    def variants(self) -> dict[str, "Suite"]:
        """The suite under each of its conditions, by name; itself as "" where it has none."""
        if not self.conditions:
            return {"": self}
        return {condition.name: self._under(condition) for condition in self.conditions}

    def _under(self, condition: Condition) -> "Suite":
        given = {entry.name: getattr(condition, entry.name) for entry in fields(condition)}
        changed = {k: value for k, value in given.items() if k != "name" and value is not None}
        return replace(self, conditions=(), **changed)

    def to_json(self) -> dict[str, Any]:
        """Settings as plain values, for files."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Suite":
        """The suite of `to_json`.

        Raises:
            ValueError: an entry is unknown, missing or wrong.
        """
        missing = {"name", "purpose", "task"} - values.keys()
        if missing:
            raise ValueError(f"a suite has no entry {', '.join(sorted(missing))}")
        return from_json(cls, values, "suite.")


def _looks(**changes: Any) -> Appearance:
    return replace(Appearance(randomise=1.0), **changes)


NOISE = (  # of a full-scale signal, standard deviation
    Condition("clean"),
    *(
        Condition(f"noise {share:g}", appearance=_looks(sensor_noise=255.0 * share))
        for share in (0.1, 0.2, 0.3)
    ),
    Condition("blur", faults=PictureFaults(blur=2.0)),
    Condition("night", appearance=_looks(daylight=0.15, sensor_noise=4.0)),
    Condition("fog", appearance=_looks(fog=12.0)),
    Condition("occlusion", faults=PictureFaults(occlusion=0.2)),
)
# A real drive is fast and its frames are few: on a motorway, 200 of them are 8 s.
TRACE = replace(RECOVERY, name="trace", time_limit=5.0, start_lateral=1.0, start_yaw=0.0524,
                start_speed=(0.95, 1.0))  # fmt: skip
LATENCY_STEPS = (0, 1, 2, 3, 5)
HELD_OUT_SEEDS = "seeds=1000000-1001000"  # of roads that are built for a task
RECALL_DELAYS = (4, 16, 64, 256)
STOP_WAITS = (1.0, 2.0, 4.0)  # [s]
BLACKOUTS = ((0.0, 1), (0.25, 1), (0.5, 1), (0.75, 1), (0.5, 4), (0.5, 16))  # share, burst

SUITES = {
    suite.name: suite
    for suite in (
        Suite("roads", "400 m of lane following on unseen roads", LANE_FOLLOWING),
        Suite(
            "racetracks",
            "60 s on each circuit (--roads for others), from --episodes starts each",
            RACETRACK,
            world=HELD_OUT_CIRCUITS,
            starts="each-road",
        ),
        Suite(
            "recovery",
            "back to the lane from 0.5 to 1.5 m beside it and up to 10 degrees askew",
            RECOVERY,
            starts="grid",
        ),
        Suite(
            "trace",
            "inside a recorded drive (--roads): back to its path from up to 1 m and 3 degrees",
            TRACE,
            starts="grid",
            needs_roads=True,
            lateral=(-1.0, -0.5, 0.5, 1.0),
            yaw=tuple(float(np.deg2rad(angle)) for angle in (-3.0, 0.0, 3.0)),
        ),
        Suite(
            "noise",
            "the same roads with image noise, blur, at night, in fog, with a dirty lens",
            LANE_FOLLOWING,
            conditions=NOISE,
        ),
        Suite(
            "latency",
            "the same roads with commands that act up to 0.5 s late",
            LANE_FOLLOWING,
            conditions=tuple(
                Condition(f"{0.1 * steps:.1f} s", task=latency_task(steps))
                for steps in LATENCY_STEPS
            ),
        ),
        Suite(
            "memory",
            "a sign says where to turn, the fork comes 4 to 256 steps later",
            RECALL,
            conditions=tuple(
                Condition(
                    f"delay {delay}",
                    task=recall_task(delay),
                    world=f"fork:delay={delay},{HELD_OUT_SEEDS}",
                )
                for delay in RECALL_DELAYS
            ),
        ),
        Suite(
            "blackout",
            "the same roads with a camera that fails for single frames and in bursts",
            LANE_FOLLOWING,
            conditions=tuple(
                Condition(f"{share:g} x{burst}", task=blackout_task(share, burst))
                for share, burst in BLACKOUTS
            ),
        ),
        Suite("unseen-speed", "8 m/s for 30 s without odometry", UNSEEN_SPEED),
        Suite(
            "stop-sign",
            "stop at the sign, wait 1, 2 or 4 s, go on",
            STOP_SIGN,
            world=f"stop:{HELD_OUT_SEEDS}",
            conditions=tuple(
                Condition(f"wait {wait:g} s", task=stop_sign_task(wait)) for wait in STOP_WAITS
            ),
        ),
        Suite(
            "endurance",
            "an hour on each circuit (--roads for others); who leaves the lane is put back, and counted",
            replace(RACETRACK, name="endurance", time_limit=3600.0),
            world=HELD_OUT_CIRCUITS,
            starts="each-road",
            interventions=True,
        ),
    )
}


def suite_seeds(seed: int, episodes: int) -> np.ndarray:
    """The seeds of a suite's episodes; suites of another `seed` share none."""
    if seed < 0 or episodes < 1:
        raise ValueError(
            f"a suite has at least one episode and a seed from 0; got {episodes} and {seed}"
        )
    return seed * 1_000_000 + np.arange(episodes)


def grid_starts(suite: Suite, episodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Lateral offsets [m] and angles [rad] of a suite's grid, cell after cell."""
    cells = [(lateral, yaw) for lateral in suite.lateral for yaw in suite.yaw]
    chosen = np.array([cells[i % len(cells)] for i in range(episodes)])
    return chosen[:, 0], chosen[:, 1]
