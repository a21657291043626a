"""What keys do with a session, and several drivers on one episode."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from redrive.agents.expert import Expert
from redrive.agents.human import Human, Wish
from redrive.agents.rollout import rollout
from redrive.sim.world import RoadWorld
from redrive.watch_actions import SPEEDS, Action, act
from redrive.watch_drive import begin
from redrive.watch_session import LAYERS, Layer, Session, tick


class Astray:
    """Steers out of the lane."""

    def begin(self, batch_size: int) -> tuple[()]:
        return ()

    def act(self, view: Any, memory: Any) -> Any:
        command, _ = Expert().act(view, ())
        return command._replace(curvature=command.curvature + 0.05), memory


@pytest.fixture(scope="module")
def world() -> RoadWorld:
    return RoadWorld(world="procedural:7")


@pytest.fixture
def session(world: RoadWorld) -> Session:
    """The expert, and somebody who leaves the lane."""
    drives = (
        begin(world, Expert(), 3, driver="expert"),
        begin(world, Astray(), 3, driver="astray"),
    )
    return Session(drives, Human(world.vehicle, world.dt))


def later(session: Session, seconds: float) -> Session:
    for _ in range(round(seconds / 0.05)):
        session = tick(session, 0.05)
    return session


def test_side_by_side_each_drives_as_alone(world: RoadWorld, session: Session) -> None:
    shown = session
    while not all(drive.over for drive in shown.drives):
        shown = tick(replace(shown, patience=math.inf), 0.3)
    for agent, drive in ((Expert(), shown.drives[0]), (Astray(), shown.drives[1])):
        frames = list(rollout(world, agent, world.reset(np.array([3]))))
        assert len(drive.steps) == len(frames)
        for step, frame in zip(drive.steps, frames, strict=True):
            assert step.frame.after.x.tobytes() == frame.after.x.tobytes()
            assert step.frame.view["camera"].tobytes() == frame.view["camera"].tobytes()


def test_who_has_ended_stands_still_while_the_others_drive_on(session: Session) -> None:
    shown = later(session, 8.0)
    assert shown.drives[1].over and not shown.drives[0].over and not shown.over
    assert shown.part_of(shown.drives[1]) == 1.0
    assert [score.episodes for score in shown.scores] == [0, 1]
    assert shown.scores[1].last_end.startswith("left the lane")
    following = act(shown, Action.NUMBER, 2)
    assert following.finished and not following.over
    assert later(following, 1.0).scores[1].episodes == 1  # counted once


def test_a_number_follows_another_driver_and_gives_the_wheel_back(session: Session) -> None:
    taken = act(session, Action.TAKE_WHEEL)
    assert taken.drives[0].by_hand
    other = act(taken, Action.NUMBER, 2)
    assert other.drive.driver == "astray"
    assert not other.drives[0].by_hand
    assert "there are 2 drivers" in act(other, Action.NUMBER, 7).notice
    assert act(other, Action.NUMBER, 7).shown == 1


def test_all_drivers_go_to_the_same_episode(session: Session) -> None:
    shown = act(later(session, 2.0), Action.NEXT)
    assert [drive.episode for drive in shown.drives] == [1, 1]
    assert shown.drives[0].state.x.tobytes() == shown.drives[1].state.x.tobytes()
    again = act(later(shown, 2.0), Action.AGAIN)
    assert [drive.episode for drive in again.drives] == [1, 1]
    assert again.drives[0].state.steps[0] == 0


def test_speeds_go_from_a_quarter_to_as_fast_as_it_goes(session: Session) -> None:
    shown = session
    seen = [shown.speed]
    for _ in range(len(SPEEDS)):
        shown = act(shown, Action.FASTER)
        seen.append(shown.speed)
    assert seen[-1] == math.inf and seen == sorted(seen)
    fast = tick(shown, 1 / 60)
    assert fast.steps >= 1 and fast.dropped == 0.0
    for _ in range(len(SPEEDS)):
        shown = act(shown, Action.SLOWER)
    assert shown.speed == 0.25
    assert act(replace(session, speed=0.1), Action.SLOWER).speed == 0.1


def test_with_the_menu_open_numbers_switch_layers(session: Session) -> None:
    menu = act(session, Action.MENU)
    assert menu.menu
    for number, layer in enumerate(LAYERS, 1):
        switched = act(menu, Action.NUMBER, number)
        assert (layer in switched.off) is (layer not in menu.off)
        assert switched.shown == menu.shown
    assert act(menu, Action.NUMBER, 9).off == menu.off
    assert not act(menu, Action.MENU).menu
    assert not act(menu, Action.CLOSE).menu
    assert act(session, Action.SALIENCY).off == session.off - {Layer.SALIENCY}
    assert act(session, Action.MEMORY).off == session.off | {Layer.MEMORY}


def test_recording_makes_a_take_of_what_is_driven_from_then_on(session: Session) -> None:
    before = later(session, 1.0)
    shown = later(act(before, Action.RECORD), 1.0)
    assert shown.recording and not shown.takes
    done = act(shown, Action.RECORD)
    assert not done.recording
    (take,) = done.takes
    assert [int(step.frame.state.steps[0]) for step in take.steps] == list(range(11, 21))
    assert take.driver == "expert" and not take.person
    assert not act(act(session, Action.RECORD), Action.RECORD).takes  # nothing was driven


def test_the_end_of_an_episode_ends_the_take_and_recording_goes_on(session: Session) -> None:
    shown = act(act(session, Action.NUMBER, 2), Action.RECORD)
    while not shown.finished:
        shown = tick(shown, 0.05)
    assert len(shown.takes) == 1 and shown.recording
    following = act(shown, Action.NEXT)
    assert len(following.takes) == 1
    following = act(later(following, 1.0), Action.NEXT)
    assert len(following.takes) == 2
    assert int(following.takes[1].steps[0].frame.state.steps[0]) == 0
    assert len(act(later(following, 1.0), Action.QUIT).takes) == 3


def test_again_throws_the_take_away(session: Session) -> None:
    shown = act(later(act(session, Action.RECORD), 1.0), Action.AGAIN)
    assert shown.recording and not shown.takes
    assert "thrown away" in shown.notice
    (take,) = act(later(shown, 1.0), Action.RECORD).takes
    assert int(take.steps[0].frame.state.steps[0]) == 0


def test_a_take_knows_which_steps_were_by_hand(session: Session) -> None:
    shown = later(act(session, Action.RECORD), 0.5)
    shown = later(act(shown, Action.WHEEL), 0.5)
    shown = later(act(shown, Action.WHEEL), 0.5)
    (take,) = act(shown, Action.RECORD).takes
    held = [step.by_hand for step in take.steps]
    assert held == sorted(held[:10]) + [False] * (len(held) - 10)  # off, on, off
    assert sum(held) == 5


def test_there_is_one_pair_of_hands(world: RoadWorld) -> None:
    human = Human(world.vehicle, world.dt)
    drives = (begin(world, Expert(), 3), begin(world, human, 3))
    session = act(Session(drives, human), Action.TAKE_WHEEL)
    assert not session.drive.by_hand
    assert "2 follows your car" in session.notice
    human.controls.feel(Wish(steer=1.0), 0.1)
    assert act(session, Action.NUMBER, 2).at_the_wheel
    assert human.controls.take() == Wish()  # hands off at a change
