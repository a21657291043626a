"""The drive and the session: what is true and what happens when, without any window."""

import math
from dataclasses import replace

import numpy as np
import pytest

from redrive.agents.expert import Expert
from redrive.agents.human import Human, Wish
from redrive.agents.rollout import rollout
from redrive.sim.task import Ended
from redrive.sim.world import CarState, RoadWorld
from redrive.watch_actions import Action, act
from redrive.watch_drive import again, begin, next_episode, pose, take_wheel
from redrive.watch_film import film_sessions
from redrive.watch_paint import surface
from redrive.watch_session import REST, Session, tick
from redrive.watch_view import draw


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


def to_the_end(session: Session) -> Session:
    while not session.over:
        session = tick(session, 0.5)
    return session


def assert_same(one: CarState, other: CarState) -> None:
    for name, left, right in zip(CarState._fields, one, other, strict=True):
        assert left.tobytes() == right.tobytes(), name


class Astray:
    """Steers out of the lane."""

    def begin(self, batch_size: int) -> tuple[()]:
        return ()

    def act(self, view, memory):  # type: ignore[no-untyped-def]
        command, _ = Expert().act(view, ())
        return command._replace(curvature=command.curvature + 0.1), memory


def test_a_watched_drive_is_the_one_that_nobody_watches(world: RoadWorld) -> None:
    """Bytes are the same whatever the window did meanwhile."""
    frames = list(rollout(world, Expert(), world.reset(np.array([3])), 60))
    rng = np.random.default_rng(0)
    session, target = new_session(world), surface((480, 300))
    watched = [session.drive]

    def note(now: Session) -> Session:
        if now.drive is not watched[-1]:
            watched.append(now.drive)
        return now

    while len(watched) < len(frames):
        session = note(tick(session, float(rng.uniform(0.0, 0.09))))
        draw(session, target)
        if rng.random() < 0.2:
            session = act(act(session, Action.ZOOM), Action.HELP)
        if rng.random() < 0.1:
            session = tick(act(session, Action.PAUSE), 1.0)
            session = act(note(act(session, Action.STEP)), Action.PAUSE)
    for drive, frame in zip(watched, frames, strict=True):
        assert_same(drive.state, frame.state)
        assert_same(drive.after, frame.after)
        assert drive.view["camera"].tobytes() == frame.view["camera"].tobytes()
        assert drive.command.curvature.tobytes() == frame.command.curvature.tobytes()


def test_a_whole_film_ends_where_the_rollout_ends(world: RoadWorld) -> None:
    *_, last = rollout(world, Expert(), world.reset(np.array([3])))
    *_, shown = film_sessions(new_session(world), None, fps=7.0)
    assert_same(shown.drive.after, last.after)
    assert shown.drive.ended is Ended.ROUTE_COMPLETED
    assert (shown.score.completed, shown.score.episodes) == (1, 1)
    assert shown.score.last_end.startswith("route completed after ")


def test_the_pose_between_two_steps_is_on_the_way(session: Session) -> None:
    drive = later(session, 2.0).drive
    before, after = drive.state, drive.after
    start, end = pose(drive, 0.0), pose(drive, 1.0)
    assert start == (before.x[0], before.y[0], before.yaw[0], before.speed[0])
    assert end == pytest.approx((after.x[0], after.y[0], after.yaw[0], after.speed[0]))
    x, y, *_ = pose(drive, 0.5)
    assert np.hypot(x - start[0], y - start[1]) == pytest.approx(
        0.5 * np.hypot(end[0] - start[0], end[1] - start[1]), rel=0.05
    )


def test_again_is_the_same_episode_and_next_is_another(world: RoadWorld, session: Session) -> None:
    drive = later(session, 3.0).drive
    assert_same(again(drive).state, session.drive.state)
    following = next_episode(drive)
    assert_same(following.state, world.reset(np.array([3]), 1))
    assert len(following.past) == 1


def test_the_driver_keeps_giving_advice_when_somebody_takes_the_wheel(session: Session) -> None:
    session = later(act(session, Action.TAKE_WHEEL), 0.5)
    session.human.controls.feel(Wish(steer=1.0, drive=-1.0), 0.0)
    session = tick(session, 0.1)
    drive = session.drive
    assert drive.by_hand
    assert drive.past[-1].by_hand
    assert drive.command.curvature[0] != drive.advice.curvature[0]
    assert drive.command.accel[0] < 0.0
    assert drive.advice.curvature[0] == drive.expert.curvature[0]


def test_a_substitute_keeps_the_wheel_through_a_restart(session: Session) -> None:
    drive = take_wheel(session.drive, session.human, None)
    assert again(drive).by_hand
    assert next_episode(drive).by_hand


def test_simulated_time_goes_with_the_clock_times_the_speed(session: Session) -> None:
    def driven(speed: float, pictures: int) -> float:
        patient = replace(session, speed=speed, patience=math.inf)  # whatever else the machine does
        after = later(patient, 3.0, pictures)
        return after.drive.state.steps[0] * 0.1 + 0.1 * after.part

    for pictures in (33, 180):
        assert driven(1.0, pictures) == pytest.approx(3.0)
        assert driven(0.25, pictures) == pytest.approx(0.75)
        assert driven(4.0, pictures) == pytest.approx(12.0)


def test_a_slow_computer_leaves_time_out_and_does_not_hang(session: Session) -> None:
    slow = tick(replace(session, patience=0.0), 5.0)
    assert slow.drive.state.steps[0] <= 1
    assert slow.dropped == pytest.approx(5.0, abs=0.2)
    assert 0.0 <= slow.part < 1.0


def test_a_pause_is_a_pause_and_a_step_a_step(session: Session) -> None:
    paused = act(later(session, 1.23), Action.PAUSE)
    assert later(paused, 3.0).drive is paused.drive
    stepped = act(paused, Action.STEP)
    assert stepped.drive.state.steps[0] == paused.drive.state.steps[0] + 1
    assert stepped.part == 0.0  # the camera's picture and the car are of the same moment
    assert act(stepped, Action.PAUSE).paused is False


def test_when_an_episode_is_over_it_says_why_and_the_next_one_begins(world: RoadWorld) -> None:
    session = Session((begin(world, Astray(), 3),), Human(world.vehicle, world.dt))
    over = to_the_end(session)
    assert over.drive.ended is Ended.OFF_LANE
    assert over.score.last_end.startswith("left the lane after ")
    assert (over.score.completed, over.score.episodes) == (0, 1)
    resting = later(over, 0.9 * REST)
    assert resting.over
    assert resting.score.episodes == 1
    following = later(resting, 0.2 * REST)
    assert not following.over
    assert following.drive.episode == 1
    assert following.score.last_end == over.score.last_end


def test_stepping_through_the_end_of_an_episode_counts_it_once(world: RoadWorld) -> None:
    session = Session((begin(world, Astray(), 3),), Human(world.vehicle, world.dt), paused=True)
    while not session.over:
        session = act(session, Action.STEP)
    assert session.score.episodes == 1
    following = act(session, Action.STEP)
    assert (following.drive.episode, following.score.episodes) == (1, 1)


def test_what_hands_did_while_nothing_moved_is_forgotten(world: RoadWorld) -> None:
    human = Human(world.vehicle, world.dt)
    session = Session((begin(world, human, 3),), human)
    straight = act(session, Action.AGAIN).drive.command.curvature[0]
    human.controls.feel(Wish(steer=1.0), 10.0)
    assert act(session, Action.AGAIN).drive.command.curvature[0] == straight
