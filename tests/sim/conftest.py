"""Roads built by hand, and worlds that are made of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from redrive.sim.road import Lane, Material, Ribbon, Road
from redrive.sim.roads import source
from redrive.sim.task import Task
from redrive.sim.vehicle import Vehicle
from redrive.sim.world import RoadWorld

LaneBuilder = Callable[..., Lane]
WorldBuilder = Callable[..., RoadWorld]

# Nothing ends an episode of this task before the lane does.
ENDLESS = Task(
    "endless",
    route_length=0.0,
    time_limit=1e6,
    off_lane="none",
    max_heading_error=10.0,
    start_speed=(1.0, 1.0),
)


def make_lane(
    curvature: np.ndarray,
    width: float = 4.0,
    start: tuple[float, float, float] = (0.0, 0.0, 0.0),
    closed: bool = False,
    spacing: float = 1.0,
    successors: tuple[int, ...] = (),
) -> Lane:
    """A lane of arcs: from each node to the next with the mean of their curvatures."""
    x, y, heading = start
    turned = 0.5 * (curvature[1:] + curvature[:-1]) * spacing
    headings = heading + np.concatenate([[0.0], np.cumsum(turned)])
    chord = spacing * np.sinc(turned / (2.0 * np.pi))
    middle = headings[:-1] + 0.5 * turned
    half = np.full(len(curvature), 0.5 * width)
    return Lane(
        x=x + np.concatenate([[0.0], np.cumsum(chord * np.cos(middle))]),
        y=y + np.concatenate([[0.0], np.cumsum(chord * np.sin(middle))]),
        heading=headings,
        curvature=curvature.astype(float),
        spacing=spacing,
        left=half,
        right=half,
        closed=closed,
        successors=successors,
    )


def _paved(lane: Lane) -> Ribbon:
    """The asphalt of a lane."""
    aside = np.stack([-np.sin(lane.heading), np.cos(lane.heading)], axis=-1)
    centre = np.stack([lane.x, lane.y], axis=-1)
    left, right = centre + lane.left[:, None] * aside, centre - lane.right[:, None] * aside
    return Ribbon(left, right, Material.ASPHALT, lane.closed)


@pytest.fixture
def lane_of_curvature() -> LaneBuilder:
    """A lane from the curvature at its nodes; straight ones and circles are exact."""
    return make_lane


@pytest.fixture
def circle_lane() -> LaneBuilder:
    """A closed circle around the world's origin that begins at (radius, 0)."""

    def build(radius: float, turn: float = 1.0, width: float = 4.0) -> Lane:
        count = round(2.0 * np.pi * radius)
        return make_lane(
            np.full(count, turn / radius),
            width,
            (radius, 0.0, turn * 0.5 * np.pi),
            closed=True,
            spacing=2.0 * np.pi * radius / count,
        )

    return build


@pytest.fixture
def world_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorldBuilder:
    """A world with one road: the lanes that are given."""

    def build(*lanes: Lane, speed_limit: float = 20.0, **settings: object) -> RoadWorld:
        ribbons = tuple(_paved(lane) for lane in lanes)
        road = Road("by hand", lanes, ribbons, any(lane.closed for lane in lanes), speed_limit)
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.byhand"
        path.touch()
        monkeypatch.setitem(source.READERS, ".byhand", lambda _: road)
        world = RoadWorld(**{"world": str(path), "sensors": {}, "task": ENDLESS, **settings})  # type: ignore[arg-type]
        world.pool.load(np.array([0]))  # before another call replaces the reader
        return world

    return build


@pytest.fixture
def playground(world_of: WorldBuilder) -> Callable[[Vehicle, float], RoadWorld]:
    """Open ground: a straight lane 4 km long on which no episode ends."""

    def build(vehicle: Vehicle, dt: float = 0.1) -> RoadWorld:
        return world_of(make_lane(np.zeros(4001)), vehicle=vehicle, dt=dt)

    return build
