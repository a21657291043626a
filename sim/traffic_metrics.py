"""Collisions and time to collision: pure functions of the boxes of our car and of the others.

Sources:
    nuPlan: Karnchanachari et al., Towards learning-based planning, ICRA 2024; its devkit's
        no_ego_at_fault_collisions and time_to_collision_within_bound.
    Boxes overlap by the separating axis theorem: Gottschalk et al., OBBTree, SIGGRAPH 1996.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

STOPPED = 0.05  # [m/s] below which a car stands, when it is asked who hit whom; nuPlan
STILL = 0.005  # [m/s] below which our car has no time to collision; nuPlan
HORIZON = 3.0  # [s] that are looked ahead; nuPlan
LOOK_STEP = 0.1  # [s]
LEAST_TTC = 0.95  # [s] that should be left; nuPlan
AHEAD = np.deg2rad(30.0)  # either side of straight ahead
BEHIND = np.deg2rad(150.0)


@dataclass(frozen=True, eq=False)
class Boxes:
    """Rectangles that move: every field is (T,) for our car, (T, N) for N others; NaN is absent."""

    x: np.ndarray  # of the middle, world frame [m]
    y: np.ndarray
    yaw: np.ndarray  # [rad]
    speed: np.ndarray  # [m/s]
    length: np.ndarray  # [m]
    width: np.ndarray  # [m]


class Kind(IntEnum):
    """How two cars met; nuPlan's CollisionType."""

    STOPPED_EGO = 0
    STOPPED_OTHER = 1
    REAR = 2
    FRONT = 3
    LATERAL = 4


class Collision(NamedTuple):
    """The first touch of another car; later ones of the same car do not count."""

    step: int
    other: int
    kind: Kind
    at_fault: bool


def ego_box(
    x: np.ndarray, y: np.ndarray, yaw: np.ndarray, speed: np.ndarray, front: float, rear: float,
    half_width: float,
) -> Boxes:  # fmt: skip
    """The box of our car, whose pose is that of its rear axle.

    Args:
        front, rear: from the rear axle to the car's ends, both positive [m].
    """
    middle = 0.5 * (front - rear)
    return Boxes(
        x + middle * np.cos(yaw),
        y + middle * np.sin(yaw),
        np.asarray(yaw),
        np.asarray(speed),
        np.full_like(x, front + rear),
        np.full_like(x, 2.0 * half_width),
    )


def collisions(ego: Boxes, others: Boxes, in_several_lanes: np.ndarray) -> list[Collision]:
    """Every car that ours touched, in the order of time.

    At fault: we ran into a car that stood, or into one with our front, or sideways while we were
    in several lanes. Not at fault: we stood, or were hit from behind.

    Args:
        in_several_lanes: (T,) bool: our outline is over a bound of our lane.

    Source:
        nuPlan, no_ego_at_fault_collisions.
    """
    touching = overlap(_column(ego), others)
    found = []
    for other in np.flatnonzero(touching.any(axis=0)):
        step = int(touching[:, other].argmax())
        kind = _kind(_at(ego, step), _at(others, step, int(other)))
        at_fault = kind in (Kind.STOPPED_OTHER, Kind.FRONT) or (
            kind is Kind.LATERAL and bool(in_several_lanes[step])
        )
        found.append(Collision(step, int(other), kind, at_fault))
    return sorted(found)


def time_to_collision(ego: Boxes, others: Boxes, in_several_lanes: np.ndarray) -> np.ndarray:
    """(T,) seconds until we would touch another car if all kept speed and direction; inf: not soon.

    Looked at are cars within 30 degrees of straight ahead, and while we are in several lanes all
    that are not behind us. A car of ours that stands has no time to collision, and cars that we
    touch already are left to `collisions`.

    Source:
        nuPlan, time_to_collision_within_bound.
    """
    here = _column(ego)
    angle = np.abs(_bearing(here, others))
    relevant = (angle < AHEAD) | (np.asarray(in_several_lanes)[:, None] & (angle < BEHIND))
    relevant &= ~overlap(here, others) & (here.speed > STILL)
    found = np.full(len(ego.x), np.inf)
    for time in np.arange(round(HORIZON / LOOK_STEP), 0, -1) * LOOK_STEP:  # the soonest comes last
        touching = overlap(_later(here, time), _later(others, time)) & relevant
        found[touching.any(axis=1)] = time
    return found


def overlap(one: Boxes, other: Boxes) -> np.ndarray:
    """Whether rectangles overlap, elementwise; an absent one never does."""
    apart = np.zeros(np.broadcast_shapes(one.x.shape, other.x.shape), bool)
    dx, dy = other.x - one.x, other.y - one.y
    for yaw in (one.yaw, other.yaw):
        for turn in (0.0, 0.5 * np.pi):
            axis = np.cos(yaw + turn), np.sin(yaw + turn)
            gap = np.abs(dx * axis[0] + dy * axis[1])
            apart |= ~(gap <= _reach(one, axis) + _reach(other, axis))
    return ~apart


def _reach(box: Boxes, axis: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """How far a box reaches from its middle along a direction [m]."""
    cos, sin = np.cos(box.yaw), np.sin(box.yaw)
    along = np.abs(cos * axis[0] + sin * axis[1])
    across = np.abs(cos * axis[1] - sin * axis[0])
    reach: np.ndarray = 0.5 * (box.length * along + box.width * across)
    return reach


def _kind(ego: Boxes, other: Boxes) -> Kind:
    if float(ego.speed) <= STOPPED:
        return Kind.STOPPED_EGO
    if float(other.speed) <= STOPPED:
        return Kind.STOPPED_OTHER
    if abs(float(_bearing(ego, other))) > BEHIND:
        return Kind.REAR
    cos, sin = np.cos(ego.yaw), np.sin(ego.yaw)
    bumper = Boxes(  # a line across our front
        ego.x + 0.5 * ego.length * cos, ego.y + 0.5 * ego.length * sin, ego.yaw, ego.speed,
        np.zeros(()), ego.width,
    )  # fmt: skip
    return Kind.FRONT if bool(overlap(bumper, other)) else Kind.LATERAL


def _bearing(ego: Boxes, other: Boxes) -> np.ndarray:
    """Where another car's middle lies, seen from ours: 0 ahead, left positive [rad]."""
    turned = np.arctan2(other.y - ego.y, other.x - ego.x) - ego.yaw
    bearing: np.ndarray = np.arctan2(np.sin(turned), np.cos(turned))
    return bearing


def _column(box: Boxes) -> Boxes:
    return Boxes(*(values[:, None] for values in vars(box).values()))


def _at(box: Boxes, *where: int) -> Boxes:
    return Boxes(*(np.asarray(values[where]) for values in vars(box).values()))


def _later(box: Boxes, seconds: float) -> Boxes:
    way = box.speed * seconds
    return Boxes(
        box.x + way * np.cos(box.yaw), box.y + way * np.sin(box.yaw), box.yaw, box.speed,
        box.length, box.width,
    )  # fmt: skip
