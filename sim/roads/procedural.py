"""Roads drawn from a seed: straights, bends, S-curves and hairpins, joined by clothoids."""

import operator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ..road import Lane, Material, Ribbon, Road
from . import clothoid
from .clothoid import ClothoidLine
from .paving import Paver

Choice = TypeVar("Choice")

TIGHTEST_RADIUS = 15.0  # of any lane's centre line [m]
WIDEST_RADIUS = 400.0  # beyond that, a road is straight [m]
LATERAL_ACCELERATION = 3.0  # at which a bend is driven comfortably [m/s²]
SHORTEST_CLOTHOID = 8.0  # [m]
CLEARANCE = 8.0  # of open ground between two parts of a road [m]
RUN_IN, RUN_OUT = 20, 120  # [m] that are drawn before and after the lanes: a camera sees no end
SAMPLE = 4  # nodes from one that is checked for clearance to the next
BOLD_ATTEMPTS = 24  # after as many failures the bends get smaller, until the road is straight


# One limit for all: nothing that a camera sees tells it, and a driver who learns from pictures
# would have to guess it. It varies when there are signs that show it.
SPEED_LIMIT_KMH = 50.0


@dataclass(frozen=True)
class Character:
    """What kind of landscape a road winds through."""

    radius: tuple[float, float]  # of its bends [m]
    angle_deg: tuple[float, float]  # through which they turn
    straight: tuple[float, float]  # between them [m]
    hairpins: float  # share of the bends
    s_curves: float  # share of the bends that follow another without a straight between
    lane_width: tuple[float, float]  # wider where bends are tight: a car's nose swings out [m]


CHARACTERS = {
    "gentle": Character((120.0, 400.0), (10.0, 60.0), (30.0, 160.0), 0.0, 0.3, (3.0, 3.8)),
    "country": Character((50.0, 250.0), (15.0, 90.0), (15.0, 110.0), 0.04, 0.35, (3.2, 3.8)),
    "winding": Character((25.0, 110.0), (25.0, 110.0), (5.0, 60.0), 0.12, 0.5, (3.4, 4.0)),
    "mountain": Character((15.0, 60.0), (30.0, 120.0), (10.0, 90.0), 0.4, 0.35, (3.6, 4.0)),
}


@dataclass(frozen=True)
class Layout:
    """The cross-section of a road and its paint; right-hand traffic.

    Every lane has a line on either side of it, so what is seen tells where to drive.
    """

    lanes: int  # in the driving direction
    oncoming: int  # to their left
    lane_width: float  # [m]
    lane_dash: tuple[float, float]  # of the lines between lanes: painted, then bare [m]
    centre: str  # between the directions: one of CENTRES, "" where there is one
    edge_dash: tuple[float, float]  # (0, 0) is solid [m]
    left_edge: Material
    line_width: float  # [m]
    paved_shoulder: float  # beyond the edge lines [m]
    gravel: float  # beyond the asphalt [m]
    kerbs: bool

    @property
    def half_width(self) -> float:
        """From the middle of the road to its edge lines [m]."""
        return 0.5 * (self.lanes + self.oncoming) * self.lane_width

    @property
    def lane_offsets(self) -> list[float]:
        """Centres of the lanes in the driving direction, the rightmost first [m]."""
        return [(i + 0.5) * self.lane_width - self.half_width for i in range(self.lanes)]

    @property
    def tightest_radius(self) -> float:
        """Of the middle of the road: no lane is tighter, no part of the road folds over [m]."""
        return max(TIGHTEST_RADIUS + abs(self.lane_offsets[0]), 0.5 * self.clear_width + SAMPLE)

    @property
    def clear_width(self) -> float:
        """That the road and the open ground beside it take up [m]."""
        return 2.0 * (self.half_width + self.paved_shoulder + self.gravel) + CLEARANCE


CENTRES = ("dashed white", "double yellow", "solid yellow", "dashed yellow")
DASHES = ((3.0, 6.0), (4.0, 8.0), (6.0, 12.0), (3.0, 9.0), (3.0, 4.5))  # [m]
EDGE_DASHES = ((3.0, 3.5), (1.5, 1.5), (1.0, 1.0))  # [m]


def procedural_road(seed: int) -> Road:
    """The open road of about 900 to 1300 m that belongs to `seed`; lane 0 is the rightmost."""
    seed = operator.index(seed)
    if seed < 0:
        raise ValueError(f"the seed of a procedural road must be 0 or more, got {seed}")
    rng = _generator(seed, 0)
    character = CHARACTERS[_pick(rng, tuple(CHARACTERS))]
    layout = _draw_layout(rng, character)
    speed_limit = SPEED_LIMIT_KMH / 3.6
    length = round(rng.uniform(900.0, 1300.0))
    line = _draw_line(seed, character, layout, speed_limit, RUN_IN + length + RUN_OUT)
    return Road(
        name=f"procedural:{seed}",
        lanes=_lanes(_part(line, RUN_IN, RUN_IN + length), layout),
        ribbons=tuple(_ribbons(line, layout)),
        closed=False,
        kerbs=layout.kerbs,
        speed_limit=speed_limit,
    )


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


def _pick(rng: np.random.Generator, choices: tuple[Choice, ...]) -> Choice:
    return choices[int(rng.integers(len(choices)))]


def _draw_layout(rng: np.random.Generator, character: Character) -> Layout:
    kind = rng.random()
    edge_dash = _pick(rng, EDGE_DASHES) if rng.random() < 0.25 else (0.0, 0.0)
    lane_width = rng.uniform(*character.lane_width)
    line_width = rng.uniform(0.12, 0.20)
    paved_shoulder = rng.uniform(0.2, 1.5)
    gravel = rng.uniform(0.5, 2.5) if rng.random() < 0.6 else 0.0
    lane_dash = _pick(rng, DASHES)
    lanes, oncoming, centre, left_edge, kerbs = 1, 1, "", Material.WHITE, False
    if kind < 0.12:  # one wide lane between edge lines, like a circuit
        oncoming, centre, lane_width = 0, "", rng.uniform(5.0, 12.0)
        edge_dash, kerbs = (0.0, 0.0), rng.random() < 0.5
    elif kind < 0.24:  # a country lane so narrow that both directions share it
        oncoming, centre = 0, ""
        paved_shoulder = rng.uniform(0.2, 0.5)
    elif kind < 0.40:  # one direction only
        lanes, oncoming, centre = _pick(rng, (2, 2, 3)), 0, ""
        left_edge = _pick(rng, (Material.WHITE, Material.ACCENT))
    elif kind < 0.75:  # two lanes
        centre = _pick(rng, CENTRES)
    else:  # several lanes
        lanes, oncoming = _pick(rng, ((2, 1), (2, 2), (2, 2), (3, 2), (3, 1)))
        centre = _pick(rng, ("double yellow", "double yellow", "solid yellow"))
    return Layout(
        lanes=lanes,
        oncoming=oncoming,
        lane_width=lane_width,
        lane_dash=lane_dash,
        centre=centre,
        edge_dash=edge_dash,
        left_edge=left_edge,
        line_width=line_width,
        paved_shoulder=paved_shoulder,
        gravel=gravel,
        kerbs=kerbs,
    )


def _draw_line(
    seed: int, character: Character, layout: Layout, speed_limit: float, length: int
) -> ClothoidLine:
    """The middle of the road: drawn again, from a stream of its own, until it keeps clear."""
    attempt = 0
    while True:
        rng = _generator(seed, 1, attempt)
        timid = max(0.0, min(1.0, (attempt - BOLD_ATTEMPTS) / BOLD_ATTEMPTS))
        curvature = _draw_curvature(rng, character, layout, speed_limit, length) * (1.0 - timid)
        line = clothoid.from_curvature(curvature, 1.0, heading=rng.uniform(-np.pi, np.pi))
        if _keeps_clear(line, layout.clear_width):
            return line
        attempt += 1


def _draw_curvature(
    rng: np.random.Generator,
    character: Character,
    layout: Layout,
    speed_limit: float,
    length: int,
) -> np.ndarray:
    """(length + 1,) curvature at every metre: linear between corners that lie on whole metres."""
    widest = WIDEST_RADIUS - layout.half_width
    corners, values = [0], [0.0]
    heading = 0.0

    def go(distance: float, curvature: float) -> None:
        corners.append(corners[-1] + max(1, round(distance)))
        values.append(curvature)

    go(RUN_IN + rng.uniform(10.0, 60.0), 0.0)
    while corners[-1] < length:
        tight, loose = (
            min(max(radius, layout.tightest_radius), widest) for radius in character.radius
        )
        radius = tight * (loose / tight) ** rng.random()
        angle = np.deg2rad(rng.uniform(*character.angle_deg))
        if rng.random() < character.hairpins:
            radius = layout.tightest_radius * rng.uniform(1.0, 1.6)
            angle = np.deg2rad(rng.uniform(140.0, 185.0))
        # A clothoid long enough that the sideways force builds up gently at the speed
        # at which the bend is driven: jerk = speed³ * curvature / length.
        jerk = rng.uniform(0.6, 1.2)  # [m/s³]
        speed = min(speed_limit, np.sqrt(LATERAL_ACCELERATION * radius))
        entry = max(SHORTEST_CLOTHOID, speed**3 / radius / jerk)
        arc = max(4.0, angle * radius - entry)
        turned = (entry + arc) / radius
        # Away from where the road has come from, so that it leads somewhere.
        side = 1.0 if rng.random() < 0.5 else -1.0
        if abs(heading + side * turned) > max(2.6, abs(heading - side * turned)):
            side = -side
        heading += side * turned
        go(entry, side / radius)
        go(arc, side / radius)
        go(entry, 0.0)
        if rng.random() >= character.s_curves:
            go(rng.uniform(*character.straight), 0.0)
    return np.interp(np.arange(length + 1.0), corners, values)


def _keeps_clear(line: ClothoidLine, width: float) -> bool:
    """Whether a strip of this width around the line nowhere overlaps itself.

    Its bends are no tighter than half the width, so parts less than half a circle of it apart
    cannot meet (Schur's comparison theorem); all others must be a width apart.
    """
    x, y = line.x[::SAMPLE], line.y[::SAMPLE]
    step = SAMPLE * line.spacing
    near = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2 < (width + step) ** 2
    nearest = int(np.ceil(0.5 * np.pi * (width + step) / step))
    return not np.triu(near, nearest).any()


def _part(line: ClothoidLine, first: int, last: int) -> ClothoidLine:
    nodes = slice(first, last + 1)
    return ClothoidLine(
        line.x[nodes], line.y[nodes], line.heading[nodes], line.curvature[nodes], line.spacing
    )


def _lanes(middle: ClothoidLine, layout: Layout) -> tuple[Lane, ...]:
    lanes = []
    for i, distance in enumerate(layout.lane_offsets):
        line = clothoid.offset(middle, distance)
        half = np.full(len(line.x), 0.5 * layout.lane_width)
        lanes.append(
            Lane(
                x=line.x,
                y=line.y,
                heading=line.heading,
                curvature=line.curvature,
                spacing=line.spacing,
                left=half,
                right=half.copy(),
                closed=False,
                left_neighbour=i + 1 if i + 1 < layout.lanes else None,
                right_neighbour=i - 1 if i > 0 else None,
            )
        )
    return tuple(lanes)


def _ribbons(line: ClothoidLine, layout: Layout) -> list[Ribbon]:
    """What is seen of the road, in the order in which it is laid."""
    paver = Paver(line.x, line.y, line.heading, line.curvature, closed=False)
    edge, width = layout.half_width, layout.line_width
    paved = edge + layout.paved_shoulder
    ribbons = []
    if layout.gravel > 0.0:
        ribbons.append(paver.strip(paved + layout.gravel, paved - 0.1, Material.SHOULDER))
        ribbons.append(paver.strip(0.1 - paved, -paved - layout.gravel, Material.SHOULDER))
    ribbons.append(paver.strip(paved, -paved, Material.ASPHALT))
    if layout.kerbs:
        ribbons += paver.kerbs(edge + 0.5 * width, -edge - 0.5 * width)
    ribbons.append(paver.line(edge, width, layout.left_edge, *layout.edge_dash))
    ribbons.append(paver.line(-edge, width, Material.WHITE, *layout.edge_dash))
    divider = edge - layout.oncoming * layout.lane_width
    for i in range(1, layout.lanes + layout.oncoming):
        between = i * layout.lane_width - edge
        if i != layout.lanes:
            ribbons.append(paver.line(between, width, Material.WHITE, *layout.lane_dash))
    if layout.centre == "dashed white":
        ribbons.append(paver.line(divider, width, Material.WHITE, *layout.lane_dash))
    elif layout.centre == "dashed yellow":
        ribbons.append(paver.line(divider, width, Material.ACCENT, *layout.lane_dash))
    elif layout.centre == "solid yellow":
        ribbons.append(paver.line(divider, width, Material.ACCENT))
    elif layout.centre == "double yellow":
        ribbons.append(paver.line(divider + width, width, Material.ACCENT))
        ribbons.append(paver.line(divider - width, width, Material.ACCENT))
    return ribbons
