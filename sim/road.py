"""What a road is: lanes to drive in and ribbons to draw, as arrays; every source of roads makes this."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from .glyphs import Glyph

# How far a neighbouring node may be from where `spacing` and `heading` put it. Wide enough for
# coarse sources, tight enough to catch millimetres, degrees, and a closed lane that ends twice.
SPACING_TOLERANCE = 0.05  # share of the spacing
HEADING_TOLERANCE = 0.2  # [rad]
SUCCESSOR_GAP = 0.5  # [m]


class Material(IntEnum):
    """What a ribbon is made of. Painted in the order shoulder, asphalt, accent, white."""

    ASPHALT = 0
    WHITE = 1
    ACCENT = 2  # yellow paint on a road, the kerbs of a circuit
    SHOULDER = 3  # gravel beside the asphalt


@dataclass(frozen=True, eq=False)
class Lane:
    """One lane: its centre line, with a node at every `spacing` metres of arc length.

    The last node of a closed lane lies one step before its first. Treat the arrays as
    read-only: roads are shared.
    """

    x: np.ndarray  # (N,) [m]
    y: np.ndarray  # (N,) [m]
    heading: np.ndarray  # (N,) [rad], counter-clockwise from world x, unwrapped
    curvature: np.ndarray  # (N,) [1/m], positive turns left
    spacing: float  # arc length between nodes, about 1 [m]
    left: np.ndarray  # (N,) distance from the centre line to the left bound [m], > 0
    right: np.ndarray  # (N,) the same to the right, > 0
    closed: bool
    successors: tuple[int, ...] = ()  # lanes of the road that begin where this one ends
    left_neighbour: int | None = None  # lane of the road in the same direction
    right_neighbour: int | None = None
    stop: float | None = None  # arc length of a stop line [m]

    def __post_init__(self) -> None:
        for name in ("x", "y", "heading", "curvature", "left", "right"):
            _check_floats(f"lane.{name}", getattr(self, name), ndim=1)
            if len(getattr(self, name)) != len(self.x):
                raise ValueError(
                    f"lane.{name} has {len(getattr(self, name))} nodes, lane.x has {len(self.x)}; "
                    "every array of a lane has one value per node"
                )
        least = 3 if self.closed else 2
        if len(self.x) < least:
            raise ValueError(
                f"a{' closed' if self.closed else 'n open'} lane needs at least {least} nodes, "
                f"got {len(self.x)}"
            )
        if not (np.isfinite(self.spacing) and self.spacing > 0.0):
            raise ValueError(f"lane.spacing must be positive and finite [m], got {self.spacing}")
        for name in ("left", "right"):
            width = getattr(self, name)
            if width.min() <= 0.0:
                node = int(width.argmin())
                raise ValueError(
                    f"lane.{name} is {width[node]:.4g} m at node {node}; the distance from the "
                    "centre line to a bound must be positive on both sides"
                )
        if self.stop is not None and not 0.0 < self.stop < self.length:
            raise ValueError(
                f"lane.stop is {self.stop:.4g} m; a stop line lies on the lane, between 0 and "
                f"{self.length:.4g} m"
            )
        self._check_nodes()

    @property
    def length(self) -> float:
        """[m]"""
        return self.spacing * (len(self.x) if self.closed else len(self.x) - 1)

    def _check_nodes(self) -> None:
        """Each node lies where the one before, its heading and the spacing put it."""
        step_x, step_y = np.diff(self.x), np.diff(self.y)
        turned = np.diff(self.heading)
        if self.closed:
            step_x = np.append(step_x, self.x[0] - self.x[-1])
            step_y = np.append(step_y, self.y[0] - self.y[-1])
            turned = np.append(turned, _wrap(self.heading[0] - self.heading[-1]))
        apart = np.hypot(step_x, step_y)
        off = np.abs(apart / self.spacing - 1.0)
        if off.max() > SPACING_TOLERANCE:
            node = int(off.argmax())
            raise ValueError(
                f"lane nodes {node} and {(node + 1) % len(self.x)} are {apart[node]:.4g} m apart, "
                f"the lane says {self.spacing:.4g} m; resample the centre line at equal arc length"
                + (" (the last node of a closed lane is one step before the first)" * self.closed)
            )
        if np.abs(turned).max() > np.pi / 2.0:
            node = int(np.abs(turned).argmax())
            raise ValueError(
                f"lane.heading jumps by {turned[node]:.4g} rad after node {node}; "
                "it must be unwrapped and continuous (np.unwrap)"
            )
        along = _wrap(np.arctan2(step_y, step_x) - self.heading[: len(turned)] - turned / 2.0)
        if np.abs(along).max() > HEADING_TOLERANCE:
            node = int(np.abs(along).argmax())
            raise ValueError(
                f"lane.heading at node {node} is {self.heading[node]:.4g} rad, but the next node "
                f"lies {along[node]:.3g} rad beside it; headings are radians, counter-clockwise "
                "from world x, in the driving direction"
            )


@dataclass(frozen=True, eq=False)
class Ribbon:
    """A paved or painted strip between two polylines, for drawing.

    A dashed one is painted where `stations % (dash + gap) < dash`.
    """

    left: np.ndarray  # (N, 2) world points of its left edge, about 1 m apart [m]
    right: np.ndarray  # (N, 2) the points opposite
    material: Material
    closed: bool
    dash: float = 0.0  # painted length [m]; dash and gap are both 0 where it is solid
    gap: float = 0.0  # [m]

    def __post_init__(self) -> None:
        for name in ("left", "right"):
            points = getattr(self, name)
            _check_floats(f"ribbon.{name}", points, ndim=2)
            if points.shape[1] != 2 or points.shape != self.left.shape or len(points) < 2:
                raise ValueError(
                    f"ribbon.{name} has shape {points.shape}; left and right are both (N, 2), "
                    f"N at least 2, with one point opposite the other (left is {self.left.shape})"
                )
        solid = self.dash == 0.0 and self.gap == 0.0
        dashed = 0.0 < self.dash < np.inf and 0.0 < self.gap < np.inf
        if not (solid or dashed):
            raise ValueError(
                f"ribbon.dash and ribbon.gap must both be positive (dashed) or both 0 (solid) [m], "
                f"got {self.dash} and {self.gap}"
            )

    @property
    def stations(self) -> np.ndarray:
        """(N,) arc length of each node along the middle of the strip, from node 0 [m]."""
        step = 0.5 * np.diff(self.left + self.right, axis=0)
        return np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])


@dataclass(frozen=True)
class Sign:
    """A square board on a pole beside a road, facing those who drive in direction `heading`."""

    x: float  # of its foot [m]
    y: float
    heading: float  # [rad]
    glyph: int  # a `glyphs.Glyph`
    width: float  # of the board, which is as high [m]
    bottom: float  # of the board, above the ground [m]
    shows_route: bool = False  # it shows each car which branch to take, instead of `glyph`

    def __post_init__(self) -> None:
        if not np.isfinite([self.x, self.y, self.heading, self.width, self.bottom]).all():
            raise ValueError(f"every number of a sign must be finite, got {self}")
        if not (0.0 < self.width <= 10.0 and 0.0 <= self.bottom <= 10.0):
            raise ValueError(
                f"a sign is up to 10 m wide and stands up to 10 m high, got width {self.width} m "
                f"and bottom {self.bottom} m"
            )
        if not 0 <= self.glyph < len(Glyph):
            raise ValueError(f"a sign's glyph is 0 to {len(Glyph) - 1}, got {self.glyph}")


@dataclass(frozen=True, eq=False)
class Road:
    """Everything that can be driven on and seen in one world, on flat ground."""

    name: str
    lanes: tuple[Lane, ...]
    ribbons: tuple[Ribbon, ...]
    closed: bool  # a circuit: driving on along a closed lane leads back to its start
    speed_limit: float  # [m/s]
    signs: tuple[Sign, ...] = ()
    kerbs: bool = False  # Material.ACCENT is the red of kerbs here, not yellow paint

    def __post_init__(self) -> None:
        if not self.lanes:
            raise ValueError(f"road {self.name!r} has no lane; it needs at least one")
        if not (np.isfinite(self.speed_limit) and self.speed_limit > 0.0):
            raise ValueError(
                f"road {self.name!r}: speed_limit must be positive and finite [m/s], "
                f"got {self.speed_limit}"
            )
        if self.closed != any(lane.closed for lane in self.lanes):
            raise ValueError(
                f"road {self.name!r} says closed={self.closed}, its lanes say "
                f"{[lane.closed for lane in self.lanes]}; a closed road has a closed lane, "
                "an open one has none"
            )
        for i, lane in enumerate(self.lanes):
            self._check_links(i, lane)

    @property
    def length(self) -> float:
        """Of the longest lane [m]."""
        return max(lane.length for lane in self.lanes)

    def _check_links(self, i: int, lane: Lane) -> None:
        """Lanes that are named exist, neighbours agree, and successors begin where lanes end."""
        named = [*lane.successors, lane.left_neighbour, lane.right_neighbour]
        for other in named:
            if other is not None and not 0 <= other < len(self.lanes):
                raise ValueError(
                    f"road {self.name!r}: lane {i} names lane {other}, "
                    f"there are lanes 0 to {len(self.lanes) - 1}"
                )
        for side, back in (("left", "right"), ("right", "left")):
            other = getattr(lane, f"{side}_neighbour")
            if other is None:
                continue
            answer = getattr(self.lanes[other], f"{back}_neighbour")
            if other == i or answer != i:
                raise ValueError(
                    f"road {self.name!r}: lane {i} has lane {other} to its {side}, "
                    f"but the {back} neighbour of lane {other} is {answer}"
                )
        if lane.closed and lane.successors:
            raise ValueError(
                f"road {self.name!r}: lane {i} is closed, it is followed by itself; "
                f"its successors must be (), got {lane.successors}"
            )
        for other in lane.successors:
            follower = self.lanes[other]
            gap = np.hypot(follower.x[0] - lane.x[-1], follower.y[0] - lane.y[-1])
            if gap > SUCCESSOR_GAP:
                raise ValueError(
                    f"road {self.name!r}: lane {other} follows lane {i}, but begins {gap:.3g} m "
                    f"from its end; at most {SUCCESSOR_GAP} m are allowed"
                )


def _wrap(angle: np.ndarray) -> np.ndarray:
    """`angle` in [-pi, pi) [rad]."""
    return (np.asarray(angle) + np.pi) % (2.0 * np.pi) - np.pi


def _check_floats(name: str, values: np.ndarray, ndim: int) -> None:
    if not isinstance(values, np.ndarray) or values.dtype != np.float64 or values.ndim != ndim:
        given = (
            f"{values.dtype} of shape {values.shape}"
            if isinstance(values, np.ndarray)
            else type(values).__name__
        )
        raise ValueError(f"{name} must be a {ndim}-d numpy array of float64, got {given}")
    if not np.isfinite(values).all():
        where = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(
            f"{name} is {values[tuple(where)]} at node {where[0]}; every value must be finite"
        )
