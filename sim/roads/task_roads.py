"""Roads that tasks are driven on: a corridor that ends in a fork, a road with a stop sign, circuits.

What a seed changes (widths, shoulders, paint, distances) is the same whatever sign is shown.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from ..glyphs import DISTRACTORS, ROUTE_GLYPHS, Glyph
from ..road import Lane, Material, Ribbon, Road, Sign
from . import clothoid
from .circuit import Circuit
from .clothoid import ClothoidLine
from .paving import Paver

FAMILY = 1000  # roads of a family without seeds
START_AT = 6.0  # along the first lane, where tasks on these roads begin [m]
SPEED = 8.0  # their speed limit [m/s]
STEP = 0.1  # of a delay [s]
SIGN_STEPS = 3  # for which a board shows the route: 0.3 s
SIGN_AHEAD = 13.0  # of the start [m]
RUN_IN, RUN_OUT = 20.0, 110.0  # drawn before and after the lanes [m]
BEND_RADIUS, BEND_ENTRY, BEND_ANGLE = 30.0, 10.0, 0.75  # of the outer branches [m, m, rad]
BRANCH_LENGTH = 28.0  # of a branch's lane [m]
BOARD, BOARD_BOTTOM = 1.5, 0.45  # of a sign by the road [m]


@dataclass(frozen=True)
class Fork:
    """A straight corridor of one lane, at whose end the road forks.

    The board at its beginning shows the route for SIGN_STEPS steps. Whoever drives SPEED then
    reaches the fork `delay` steps of STEP later.
    """

    delay: int = 32
    branches: int = 2
    boards: int = 0  # along the corridor that are for somebody else
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.delay <= 2000:
            raise ValueError(f"delay is 1 to 2000 steps of {STEP} s, got {self.delay}")
        if self.branches not in ROUTE_GLYPHS:
            raise ValueError(
                f"branches is {' or '.join(map(str, ROUTE_GLYPHS))}, got {self.branches}"
            )
        if not 0 <= self.boards <= 50:
            raise ValueError(f"boards is 0 to 50, got {self.boards}")

    @property
    def name(self) -> str:
        """A world string of this very road."""
        return _name("fork", self)

    @property
    def corridor(self) -> float:
        """Length of the lane before the fork [m]."""
        # Half a step before the whole number: the step that is the first on a branch is certain.
        return START_AT + SPEED * STEP * (SIGN_STEPS - 1 + self.delay - 0.5)

    def make(self) -> Road:
        """The road."""
        rng = _generator(self.seed, 0)
        look = _Section.draw(rng)
        corridor = _straight(self.corridor)
        lines = [_branch(bend, self.corridor) for bend in np.linspace(1.0, -1.0, self.branches)]
        count = round(BRANCH_LENGTH / lines[0].spacing)
        lanes = [_lane(corridor, look, tuple(range(1, self.branches + 1)))]
        lanes += [_lane(_part(line, count), look) for line in lines]
        return Road(
            name=self.name,
            lanes=tuple(lanes),
            ribbons=tuple(_pave_fork(corridor, lines, look)),
            closed=False,
            speed_limit=SPEED,
            signs=self._signs(look, rng),
        )

    def _signs(self, look: "_Section", rng: np.random.Generator) -> tuple[Sign, ...]:
        beside = look.edge + 0.4 + 0.5 * BOARD
        shown = Sign(START_AT + SIGN_AHEAD, -beside, 0.0, Glyph.BLANK, BOARD, BOARD_BOTTOM, True)
        others = []
        first, last = START_AT + SIGN_AHEAD + 8.0, max(self.corridor - 4.0, START_AT + 20.0)
        for place in first + (last - first) * (np.arange(self.boards) + 0.5) / max(self.boards, 1):
            glyph = DISTRACTORS[int(rng.integers(len(DISTRACTORS)))]
            side = 1.0 if rng.random() < 0.5 else -1.0
            others.append(Sign(float(place), side * beside, 0.0, glyph, BOARD, BOARD_BOTTOM))
        return (shown, *others)


@dataclass(frozen=True)
class Stop:
    """A straight road with a stop sign and a stop line, somewhere between 35 and 60 m ahead."""

    boards: int = 2  # along it that ask for nothing
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.boards <= 50:
            raise ValueError(f"boards is 0 to 50, got {self.boards}")

    @property
    def name(self) -> str:
        """A world string of this very road."""
        return _name("stop", self)

    def make(self) -> Road:
        """The road."""
        rng = _generator(self.seed, 1)
        look = _Section.draw(rng)
        stop = START_AT + rng.uniform(35.0, 60.0)
        line = _straight(stop + 45.0)
        lane = replace(_lane(line, look), stop=stop)
        beside = look.edge + 0.4 + 0.5 * BOARD
        signs = [Sign(stop + 0.3, -beside, 0.0, Glyph.STOP, BOARD, 1.0)]
        for place in rng.uniform(START_AT + 12.0, stop + 40.0, self.boards):
            glyph = DISTRACTORS[int(rng.integers(len(DISTRACTORS)))]
            signs.append(Sign(float(place), beside, 0.0, glyph, BOARD, BOARD_BOTTOM))
        paver = _paver(_straight(stop + 45.0 + RUN_OUT, RUN_IN))
        across = 0.5 * look.lane_width
        bar = np.array([[stop, across], [stop + 0.5, across]])
        painted = Ribbon(bar, bar * (1.0, -1.0), Material.WHITE, closed=False)
        return Road(
            name=self.name,
            lanes=(lane,),
            ribbons=(*_pave(paver, look), *_edge_lines(paver, look), painted),
            closed=False,
            speed_limit=SPEED,
            signs=tuple(signs),
        )


Built = Fork | Stop | Circuit
KINDS: dict[str, type[Built]] = {"fork": Fork, "stop": Stop, "circuit": Circuit}


@dataclass(frozen=True)
class _Section:
    """The cross-section of one of these roads: one lane between edge lines."""

    lane_width: float  # [m]
    line_width: float
    paved: float  # beyond the lines [m]
    gravel: float  # beyond the asphalt [m]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "_Section":
        return cls(
            lane_width=rng.uniform(3.6, 4.2),
            line_width=rng.uniform(0.12, 0.2),
            paved=rng.uniform(0.2, 0.5),
            gravel=rng.uniform(0.3, 1.0) if rng.random() < 0.6 else 0.0,
        )

    @property
    def half(self) -> float:
        """Of the asphalt [m]."""
        return 0.5 * self.lane_width + self.paved

    @property
    def edge(self) -> float:
        """From the middle to where the grass begins [m]."""
        return self.half + self.gravel


def _generator(seed: int, kind: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, kind, 77))))


def _straight(length: float, before: float = 0.0) -> ClothoidLine:
    """Along x, from `before` metres before 0 to `length`; its nodes are about 1 m apart."""
    steps = max(2, round(length + before))
    x = np.linspace(-before, length, steps + 1)
    zeros = np.zeros(steps + 1)
    return ClothoidLine(x, zeros, zeros, zeros, float(x[1] - x[0]))


def _branch(bend: float, begin: float) -> ClothoidLine:
    """A branch that turns by `bend` times BEND_ANGLE, in and out of it along clothoids."""
    spacing = 0.5
    arc = BEND_ANGLE * BEND_RADIUS - BEND_ENTRY
    corners = np.cumsum([0.0, BEND_ENTRY, arc, BEND_ENTRY, BRANCH_LENGTH + RUN_OUT])
    along = np.arange(round((BRANCH_LENGTH + RUN_OUT) / spacing) + 1) * spacing
    shape = np.interp(along, corners, [0.0, 1.0, 1.0, 0.0, 0.0])
    line = clothoid.from_curvature(bend / BEND_RADIUS * shape, spacing)
    return replace(line, x=line.x + begin)


def _part(line: ClothoidLine, count: int) -> ClothoidLine:
    nodes = slice(0, count + 1)
    return replace(
        line,
        x=line.x[nodes],
        y=line.y[nodes],
        heading=line.heading[nodes],
        curvature=line.curvature[nodes],
    )


def _lane(line: ClothoidLine, look: _Section, successors: tuple[int, ...] = ()) -> Lane:
    half = np.full(len(line.x), 0.5 * look.lane_width)
    return Lane(
        x=line.x,
        y=line.y,
        heading=line.heading,
        curvature=line.curvature,
        spacing=line.spacing,
        left=half,
        right=half.copy(),
        closed=False,
        successors=successors,
    )


def _paver(line: ClothoidLine) -> Paver:
    return Paver(line.x, line.y, line.heading, line.curvature, closed=False)


def _pave(paver: Paver, look: _Section) -> list[Ribbon]:
    """Gravel and asphalt."""
    ribbons = [paver.strip(look.half, -look.half, Material.ASPHALT)]
    if look.gravel > 0.0:
        ribbons.append(paver.strip(look.edge, look.half - 0.1, Material.SHOULDER))
        ribbons.append(paver.strip(0.1 - look.half, -look.edge, Material.SHOULDER))
    return ribbons


def _edge_lines(paver: Paver, look: _Section) -> list[Ribbon]:
    offset = 0.5 * look.lane_width
    return [paver.line(side * offset, look.line_width, Material.WHITE) for side in (1.0, -1.0)]


def _pave_fork(
    corridor: ClothoidLine, branches: Sequence[ClothoidLine], look: _Section
) -> list[Ribbon]:
    """Corridor and branches as one piece of road: no line is painted across another branch."""
    length = float(corridor.x[-1])
    straight = _paver(_straight(length, RUN_IN))
    ribbons = [*_pave(straight, look), *_edge_lines(straight, look)]
    half = 0.5 * look.lane_width
    for i, line in enumerate(branches):
        paver = _paver(line)
        ribbons += _pave(paver, look)
        for side in (1.0, -1.0):
            painted = paver.line(side * half, look.line_width, Material.WHITE)
            outermost = (i == 0 and side > 0.0) or (i == len(branches) - 1 and side < 0.0)
            if not outermost:
                painted = _outside(painted, [b for b in branches if b is not line], half)
            ribbons.append(painted)
    return ribbons


def _outside(painted: Ribbon, branches: Sequence[ClothoidLine], half: float) -> Ribbon:
    """The end of a line from where it has left the lanes of all other branches."""
    middle = 0.5 * (painted.left + painted.right)
    inside = np.zeros(len(middle), bool)
    for line in branches:
        away = np.hypot(middle[:, :1] - line.x, middle[:, 1:] - line.y).min(axis=1)
        inside |= away < half
    first = int(np.flatnonzero(inside).max(initial=-1)) + 1
    return replace(painted, left=painted.left[first:], right=painted.right[first:])


def _name(word: str, built: Built) -> str:
    settings = ",".join(f"{f.name}={getattr(built, f.name)}" for f in fields(built))
    return f"{word}:{settings}"


def is_built(text: str) -> bool:
    """Whether a world string names roads of this file."""
    return text.partition(":")[0] in KINDS


def parse_built(text: str) -> Sequence[Built]:
    """The roads that a world string names.

    `fork`, `fork:delay=32,branches=2,boards=0`, `fork:delay=4+8+16`, with `seeds=A-B` for other
    ones than the seeds 0 to 999; the same for `stop` and `circuit`, which has only seeds.

    Raises:
        ValueError: a misspelt or meaningless setting.
    """
    word, _, rest = text.partition(":")
    kind = KINDS[word]
    known = [f.name for f in fields(kind) if f.name != "seed"]
    values: dict[str, list[int]] = {name: [getattr(kind, name)] for name in known}
    seeds = range(FAMILY)
    for part in filter(None, rest.split(",")):
        name, _, value = part.partition("=")
        if name == "seeds" and (match := re.fullmatch(r"(\d+)-(\d+)", value, re.ASCII)):
            seeds = range(int(match[1]), int(match[2]))
        elif name == "seed" and re.fullmatch(r"\d+", value, re.ASCII):
            seeds = range(int(value), int(value) + 1)
        elif name in known and re.fullmatch(r"\d+(\+\d+)*", value, re.ASCII):
            values[name] = [int(number) for number in value.split("+")]
        else:
            raise ValueError(
                f"world {text!r}: {part!r} is no setting of {word}; there are "
                f"{', '.join(f'{name}={default[0]}' for name, default in values.items())} "
                "(a + b for several), seed=7 and seeds=0-1000"
            )
    if not seeds:
        raise ValueError(f"world {text!r} has no road: seeds=A-B are those from A up to B - 1")
    return _Family(kind, values, seeds)


class _Family(Sequence[Any]):
    """Every combination of settings with every seed; none is made before it is asked for."""

    def __init__(self, kind: type[Built], values: dict[str, list[int]], seeds: range) -> None:
        self._kind, self._values, self._seeds = kind, values, seeds
        self._shape = (*(len(some) for some in values.values()), len(seeds))
        self[0]  # a value that means nothing is told now
        for i in range(0, len(self), len(seeds)):
            self[i]

    def __len__(self) -> int:
        return int(np.prod(self._shape))

    def __getitem__(self, i: Any) -> Any:
        if not 0 <= i < len(self):  # what ends a loop over them
            raise IndexError(f"there are {len(self)} roads, no road {i}")
        *chosen, seed = np.unravel_index(i, self._shape)
        settings = {
            name: some[int(k)] for (name, some), k in zip(self._values.items(), chosen, strict=True)
        }
        return self._kind(**settings, seed=self._seeds[int(seed)])
