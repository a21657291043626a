"""A short drive at the end of a training: does it keep the lane, come back to it, and move off again?

A few seconds in closed loop, on roads of the recording's kind that nobody learns from. They show what
the error on recorded drives cannot: a driver who has learned to repeat itself stays where it stands,
and goes on beside the lane once it is there. For figures with narrow intervals there are the suites.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ..models.policy import ObservationSpec, Policy
from ..models.settings import from_json
from ..sim.appearance import Appearance
from ..sim.roads.task_roads import is_built
from ..sim.sensors.camera import Camera
from ..sim.sensors.odometry import Odometry
from ..sim.sensors.route import Route
from ..sim.task import Ended, Task
from ..sim.vehicle import Vehicle
from ..sim.world import CarState, RoadWorld, Sensor
from .agent import Agent
from .evaluation import RECOVERED_FOR, RECOVERED_WITHIN
from .expert import Expert
from .learned import LearnedDriver
from .rollout import rollout
from .suites import HELD_OUT_CIRCUITS, HELD_OUT_ROADS, HELD_OUT_SEEDS, RECOVERY_LATERAL

SECONDS = 8.0  # of every episode
PLAIN, STANDING = 8, 6  # episodes that begin as recorded ones do, and that begin at rest
YAW = tuple(float(np.deg2rad(angle)) for angle in (-6.0, 0.0, 6.0))
MOVES = 1.0  # at this speed a car has moved off [m/s]
SEED = 77_000_000  # of the first episode; suites count theirs from 0 in millions


@dataclass(frozen=True)
class ShortDrive:
    """What came of the short drive."""

    roads: str
    """The world it was driven in."""
    seconds: float
    """Length of an episode."""
    kept: float
    """Share of the episodes that kept to the lane, from a plain start."""
    recovered: float
    """Share that was within 0.5 m of the centre line in the last 2 s, from beside it and askew."""
    recovered_from: Mapping[str, float]
    """The same by how far beside it they began [m]."""
    restarted: float
    """Share that moved off from a standstill."""
    restart_s: float | None
    """Median time until they did [s]; None: none of them did."""
    expert_restart_s: float | None
    """The expert's [s]."""

    def said(self) -> str:
        """One line for people."""
        if self.restart_s is None:
            moved = "never moved off from a standstill"
        else:
            moved = (
                f"moved off from a standstill in {self.restarted:.0%}, after {self.restart_s:.1f} s"
            )
        if self.expert_restart_s is not None:
            moved += f" (the expert: {self.expert_restart_s:.1f} s)"
        return (
            f"closed loop, {self.seconds:g} s on unseen roads: kept the lane in {self.kept:.0%}, came "
            f"back from up to {max(RECOVERY_LATERAL):g} m in {self.recovered:.0%}, {moved}"
        )


def unseen_roads(road: str) -> str | None:
    """Roads of the same kind that nothing is recorded on; None: such roads cannot be made anew.

    Args:
        road: the name of a recorded road, as an episode's sidecar has it in `world`.
    """
    if re.fullmatch(r"procedural:\d+", road):
        return HELD_OUT_ROADS
    if not is_built(road):
        return None
    word, _, rest = road.partition(":")
    if word == "circuit":
        return HELD_OUT_CIRCUITS
    kept = [part for part in rest.split(",") if part and not part.startswith("seed")]
    return f"{word}:{','.join([*kept, HELD_OUT_SEEDS])}"


def short_drive(policy: Policy, sidecar: Mapping[str, Any]) -> ShortDrive | None:
    """Let a policy drive as its recordings were driven; None where there are no roads for it.

    Args:
        sidecar: of a recorded episode: its road, and, where they are told, task, vehicle and looks.
    """
    roads = unseen_roads(str(sidecar.get("world", "")))
    if roads is None:
        return None
    world = RoadWorld(
        roads,
        _sensors(policy.spec),
        _task(sidecar),
        from_json(Vehicle, sidecar.get("vehicle", {})),
        Appearance(randomise=float(sidecar.get("appearance", 0.0))),
        policy.spec.dt,
    )
    start, beside, standing = _starts(world)
    end, lateral, moved = _drive(world, LearnedDriver(policy), start)
    blind = replace(world, sensors={})  # the expert looks at no pictures
    _, _, expert_moved = _drive(blind, Expert(), _starts(blind)[0])
    last = max(1, round(RECOVERED_FOR / world.dt))
    failed = np.isin(end.ended, (Ended.OFF_LANE, Ended.WRONG_WAY))
    plain = ~np.isfinite(beside) & ~standing
    back = ~failed & (np.abs(lateral[-last:]) < RECOVERED_WITHIN).all(axis=0)
    distances = sorted({abs(one) for one in RECOVERY_LATERAL})
    return ShortDrive(
        roads=roads,
        seconds=SECONDS,
        kept=float((~failed[plain]).mean()),
        recovered=float(back[np.isfinite(beside)].mean()),
        recovered_from={f"{d:g}": float(back[np.abs(beside) == d].mean()) for d in distances},
        restarted=float(np.isfinite(moved[standing]).mean()),
        restart_s=_median(moved[standing]),
        expert_restart_s=_median(expert_moved[standing]),
    )


def to_json(found: ShortDrive | None) -> dict[str, Any] | None:
    """As JSON values."""
    return None if found is None else asdict(found)


def _sensors(spec: ObservationSpec) -> dict[str, Sensor]:
    """The sensors that a policy was trained with."""
    made: dict[str, Sensor] = {}
    for name, sensor in spec.sensors.items():
        if sensor.dtype == "uint8":
            made[name] = Camera.from_json(dict(sensor.settings))
        elif name == "route":
            made[name] = Route(**sensor.settings)
        elif name == "odometry":
            made[name] = Odometry()
    return made


def _task(sidecar: Mapping[str, Any]) -> Task:
    """The recorded task's hindrances, with a plain start and a fixed time."""
    return replace(
        from_json(Task, sidecar.get("task", {})),
        name="short-drive",
        route_length=0.0,
        time_limit=SECONDS,
        off_lane="centre_2m",
        start_lateral=0.0,
        start_yaw=0.0,
        start_speed=(0.8, 1.0),
    )


def _starts(world: RoadWorld) -> tuple[CarState, np.ndarray, np.ndarray]:
    """Where the cars begin; how far beside the lane [m] (NaN: they do not), and which stand."""
    cells = [(lateral, yaw) for lateral in RECOVERY_LATERAL for yaw in YAW]
    lateral, yaw = np.array(cells).T
    first, total = PLAIN, PLAIN + len(cells) + STANDING
    beside, standing = np.full(total, np.nan), np.zeros(total, bool)
    beside[first : first + len(cells)] = lateral
    standing[first + len(cells) :] = True
    askew = np.zeros(total)
    askew[first : first + len(cells)] = yaw
    state = world.reset(SEED + np.arange(total))
    state = world.place(state, np.nan_to_num(beside), askew)
    return state._replace(speed=np.where(standing, 0.0, state.speed)), beside, standing


def _drive(
    world: RoadWorld, driver: Agent, start: CarState
) -> tuple[CarState, np.ndarray, np.ndarray]:
    """The end, the lateral offsets (T, B) [m], and when each car first moved [s], inf: never."""
    lateral, moved = [], np.full(len(start.x), np.inf)
    end = start
    for t, frame in enumerate(rollout(world, driver, start), start=1):
        end = frame.after
        lateral.append(end.lateral_offset)
        moved = np.where(np.isinf(moved) & (end.speed >= MOVES), t * world.dt, moved)
    return end, np.stack(lateral), moved


def _median(times: np.ndarray) -> float | None:
    """Of those that are finite, to a millisecond."""
    known = times[np.isfinite(times)]
    return round(float(np.median(known)), 3) if len(known) else None
