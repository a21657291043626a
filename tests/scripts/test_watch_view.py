"""What is drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from redrive.agents.expert import Expert
from redrive.agents.human import Human
from redrive.sim.task import LANE_FOLLOWING
from redrive.sim.world import RoadWorld
from redrive.watch_actions import Action, act
from redrive.watch_drive import begin
from redrive.watch_film import film_frames, film_sessions
from redrive.watch_paint import EXPERT, PERSON, picture, surface
from redrive.watch_session import Session, tick, with_drive
from redrive.watch_view import draw, render

SIZE = (640, 400)


@pytest.fixture(scope="module")
def world() -> RoadWorld:
    return RoadWorld(world="procedural:7")


@pytest.fixture
def session(world: RoadWorld) -> Session:
    return new_session(world)


def new_session(world: RoadWorld, seed: int = 3) -> Session:
    return Session((begin(world, Expert(), seed, driver="expert"),), Human(world.vehicle, world.dt))


def later(session: Session, seconds: float, pictures: int = 20) -> Session:
    for _ in range(pictures):
        session = tick(session, seconds / pictures)
    return session


@pytest.mark.parametrize("size", [(64, 64), (480, 300), (1280, 720), (500, 900), (1920, 401)])
def test_any_size_can_be_drawn(session: Session, size: tuple[int, int]) -> None:
    shown = replace(later(session, 2.0), help=True, paused=True, notice="a notice")
    image = picture(render(shown, size))
    assert image.shape == (size[1], size[0], 3)
    assert image.std() > 5.0


@pytest.mark.parametrize("seed", range(8))
def test_roads_of_every_kind_can_be_drawn_to_their_end(seed: int) -> None:
    world = RoadWorld(world=f"procedural:{seed}", task=replace(LANE_FOLLOWING, route_length=0.0))
    session = replace(new_session(world), speed=60.0, patience=1.0)
    target = surface((480, 300))
    while not session.over:
        session = tick(session, 0.05)
        draw(session, target)


def test_a_circuit_can_be_drawn_where_it_closes(shared_data: Path) -> None:
    world = RoadWorld(world=str(shared_data / "tum_racetracks" / "tracks" / "Norisring.csv"))
    session = new_session(world)
    lane = session.drive.lane
    here = world.place(session.drive.state._replace(arc_length=np.array([lane.length - 3.0])),
                       np.zeros(1), np.zeros(1))  # fmt: skip
    session = with_drive(session, replace(session.drive, state=here, after=here))
    image = picture(render(session, (1280, 720)))
    column = image[100:500, 432 - 60]  # asphalt beside the car, without a gap
    assert np.ptp(column.astype(int), axis=0).max() < 60


def test_drawing_is_a_function_of_the_session(session: Session) -> None:
    shown = later(session, 3.0)
    assert (picture(render(shown, SIZE)) == picture(render(shown, SIZE))).all()


def test_the_car_moves_between_two_steps(session: Session) -> None:
    shown = later(session, 3.0)
    one, other = (picture(render(replace(shown, phase=part), SIZE)) for part in (0.2, 0.3))
    assert (one != other).any(axis=-1)[60:, :400].mean() > 0.01


def test_the_camera_is_shown_as_the_driver_sees_it(session: Session) -> None:
    shown = later(session, 3.0)
    image = picture(render(shown, (1280, 720)))
    seen = np.kron(shown.drive.view["camera"][0], np.ones((4, 4, 1), np.uint8))
    height, width = seen.shape[:2]
    found = [
        (row, column)
        for row in range(60, 100)
        for column in range(860, 896)
        if (image[row : row + height, column : column + width] == seen).all()
    ]
    assert len(found) == 1


def test_colours_say_who_drives(session: Session) -> None:
    def dot(shown: Session) -> tuple[int, ...]:
        return tuple(int(value) for value in picture(render(shown, (1280, 720)))[21, 22])

    assert dot(session) == EXPERT
    assert dot(act(session, Action.TAKE_WHEEL)) == PERSON


def test_films_are_the_same_every_time(world: RoadWorld) -> None:
    one, other = (
        list(film_frames(film_sessions(new_session(world), 5, 20.0), (480, 300))) for _ in range(2)
    )
    assert len(one) == 11
    assert all((left == right).all() for left, right in zip(one, other, strict=True))
