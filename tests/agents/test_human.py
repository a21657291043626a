from collections import defaultdict
from types import SimpleNamespace
from typing import Any

import numpy as np
import pygame
import pytest

from redrive.agents.human import Controls, Desk, Hands, Human, Wish, full_steering, pad_wish
from redrive.sim.sensors.lane import LaneView
from redrive.sim.task import Ended
from redrive.sim.vehicle import Vehicle
from redrive.sim.world import RoadWorld

DT = 0.1
LEFT, RIGHT, AHEAD = Wish(steer=1.0), Wish(steer=-1.0), Wish()


def view(speed: float = 15.0, curvature: float = 0.0, cars: int = 1) -> dict[str, Any]:
    zeros = np.zeros(cars)
    values = dict.fromkeys(LaneView._fields, zeros)
    return {"lane": LaneView(**values | {"speed": zeros + speed, "curvature": zeros + curvature})}


def drive(wishes: list[Wish], speed: float = 15.0, curvature: float = 0.0) -> list[Hands]:
    """The hands after every step of these wishes."""
    human = Human(Vehicle(), DT)
    memory, after = human.begin(1), []
    for wish in wishes:
        human.controls.feel(wish, DT)
        command, memory = human.act(view(speed, curvature), memory)
        assert command.curvature is memory.curvature
        after.append(memory)
    return after


def wheel(wishes: list[Wish], speed: float = 15.0, curvature: float = 0.0) -> np.ndarray:
    return np.array([hands.curvature[0] for hands in drive(wishes, speed, curvature)])


def test_a_key_turns_the_wheel_smoothly_and_no_further_than_the_tyres_bear() -> None:
    turned = wheel([LEFT] * 30)
    full = full_steering(Vehicle(), np.array([15.0]))[0]
    assert (np.diff(turned) >= 0.0).all()
    assert turned[0] < 0.2 * full
    assert turned[-1] == pytest.approx(full)
    assert full * 15.0**2 < 6.0  # [m/s²]: comfortable for a car, not for its passengers


def test_left_is_left_and_right_is_its_mirror_image() -> None:
    keys = [LEFT] * 5 + [AHEAD] * 3 + [RIGHT] * 9 + [AHEAD] * 5
    mirrored = [wish._replace(steer=-wish.steer) for wish in keys]
    assert wheel(keys)[4] > 0.0
    np.testing.assert_allclose(wheel(mirrored), -wheel(keys))


def test_let_go_the_wheel_goes_back() -> None:
    turned = wheel([LEFT] * 3 + [AHEAD] * 300)
    assert abs(turned[-1]) < 0.01 * turned[2]
    assert turned[4] < turned[2]


def test_in_a_long_bend_the_wheel_learns_the_bend() -> None:
    short, long = wheel([LEFT] * 3 + [AHEAD] * 8), wheel([LEFT] * 15 + [AHEAD] * 8)
    assert short[-1] < 0.6 * short[2]
    assert long[-1] > 0.6 * long[14]


def test_a_tap_shorter_than_a_step_steers_a_little() -> None:
    human = Human(Vehicle(), DT)
    human.controls.feel(LEFT, 0.02)
    human.controls.feel(AHEAD, 0.08)
    command, _ = human.act(view(), human.begin(1))
    assert command.curvature[0] == pytest.approx(0.2 * wheel([LEFT])[0])


def test_full_steering_fades_with_speed_and_ends_at_the_cars_own_limit() -> None:
    full = full_steering(Vehicle(max_curvature=0.15), np.array([0.0, 3.0, 10.0, 20.0, 40.0]))
    assert full[0] == full[1] == 0.15
    assert (np.diff(full[1:]) < 0.0).all()


def test_without_a_pedal_the_speed_is_held() -> None:
    assert drive([AHEAD] * 5)[-1].accel[0] == 0.0


def test_pedals_push_and_brake_and_not_all_at_once() -> None:
    faster, slower = drive([Wish(drive=1.0)] * 9), drive([Wish(drive=-1.0)] * 9)
    assert faster[-1].accel[0] == 2.0
    assert slower[-1].accel[0] == -5.0
    assert -5.0 < slower[0].accel[0] < 0.0


def test_the_first_hands_find_the_wheel_as_the_lane_bends() -> None:
    assert wheel([AHEAD], curvature=0.01)[0] == pytest.approx(0.01, rel=0.1)


def test_taking_over_does_not_jerk_the_wheel() -> None:
    human = Human(Vehicle(), DT)
    human.controls.feel(LEFT, 3.0)  # of an earlier drive: forgotten
    hands = human.grasp(np.array([-0.015]), np.array([1.0]))
    human.controls.feel(AHEAD, DT)
    command, _ = human.act(view(), hands)
    assert command.curvature[0] == pytest.approx(-0.015, rel=0.1)


def test_every_car_of_a_batch_is_driven() -> None:
    human = Human(Vehicle(), DT)
    human.controls.feel(LEFT, DT)
    command, _ = human.act(view(cars=3), human.begin(3))
    assert command.curvature.shape == command.accel.shape == (3,)
    assert (command.curvature > 0.0).all()


def test_controls_give_the_mean_of_what_was_felt() -> None:
    controls = Controls()
    assert controls.take() == Wish()
    controls.feel(Wish(1.0, 0.0), 0.03)
    controls.feel(Wish(-1.0, 1.0), 0.01)
    assert controls.take() == pytest.approx(Wish(0.5, 0.25))
    assert controls.take() == Wish(-1.0, 1.0)  # no time has passed: as it was last


def test_controls_felt_in_a_pause_forget_what_was_before_it() -> None:
    controls = Controls()
    controls.feel(LEFT, 0.05)
    controls.feel(RIGHT, 0.0)
    assert controls.take() == RIGHT


class Pad:
    """A gamepad with its sticks where a test has put them."""

    def __init__(self, **axes: int) -> None:
        numbers = {
            "x": pygame.CONTROLLER_AXIS_LEFTX,
            "throttle": pygame.CONTROLLER_AXIS_TRIGGERRIGHT,
            "brake": pygame.CONTROLLER_AXIS_TRIGGERLEFT,
        }
        self.axes = {numbers[name]: value for name, value in axes.items()}

    def get_axis(self, axis: int) -> int:
        return self.axes.get(axis, 0)

    def attached(self) -> bool:
        return True


def test_a_stick_that_rests_asks_for_nothing_and_pushed_left_for_left() -> None:
    assert pad_wish(Pad(x=2000))[:2] == (0.0, 0.0)
    assert pad_wish(Pad(x=-32768)).steer == pytest.approx(1.0)
    assert pad_wish(Pad(x=32767)).steer == pytest.approx(-1.0, abs=1e-3)
    assert 0.0 < pad_wish(Pad(x=-16384)).steer < 0.4  # fine in the middle


def test_the_brake_goes_before_the_throttle() -> None:
    assert pad_wish(Pad(throttle=32767)).drive == 1.0
    assert pad_wish(Pad(throttle=32767, brake=32767)).drive == -1.0


def test_a_stick_moves_the_wheel_at_once() -> None:
    turned = wheel([Wish(steer=0.5, stick=True)] * 3 + [Wish(stick=True)] * 3)
    assert turned[2] == pytest.approx(0.5 * full_steering(Vehicle(), np.array([15.0]))[0])
    assert turned[-1] == 0.0


def test_keys_and_gamepad_whichever_was_used_last() -> None:
    nothing: defaultdict[int, bool] = defaultdict(bool)
    left = defaultdict(bool, {pygame.K_LEFT: True, pygame.K_UP: True})
    desk = Desk(Pad(x=-32768))
    assert desk.wish(left) == Wish(1.0, 1.0)
    assert desk.wish(nothing).stick
    desk.pad = Pad()
    assert desk.wish(nothing).stick  # the stick was used last: let go, it means straight ahead
    assert not desk.wish(left).stick
    assert not desk.wish(nothing).stick
    desk.pad = None
    assert desk.wish(left) == Wish(1.0, 1.0)


def follow_with_keys(seed: int, late: int) -> tuple[Ended, float]:
    """Somebody who only presses keys, and only after `late` steps, on a road with bends.

    They look a second ahead and press left where the lane is more than 0.4 m left of where the car
    goes, right where it is to the right.
    """
    world = RoadWorld(world="procedural", sensors={})
    human = Human(world.vehicle, world.dt)
    state, memory = world.reset(np.array([seed])), human.begin(1)
    seen, offsets = [], []
    while not state.ended[0]:
        lane_view = world.lane_view(state)
        first = world.pool.lanes.road_first[state.slot[0]]
        lane = world.pool.source.road(int(state.road[0])).lanes[int(state.lane[0] - first)]
        speed = state.speed[0]
        at = (state.arc_length[0] + max(6.0, speed)) / lane.spacing
        nodes = np.arange(len(lane.x))
        away = np.interp(at, nodes, lane.x) - state.x[0], np.interp(at, nodes, lane.y) - state.y[0]
        cos, sin = np.cos(state.yaw[0]), np.sin(state.yaw[0])
        ahead, left = away[0] * cos + away[1] * sin, away[1] * cos - away[0] * sin
        seen.append(
            (left - 0.5 * state.curvature[0] * ahead**2, speed - 0.9 * lane_view.target_speed[0])
        )
        error, too_fast = seen[max(0, len(seen) - 1 - late)]
        steer = float(np.sign(error)) * (abs(error) > 0.4)
        human.controls.feel(Wish(steer, -float(np.sign(too_fast)) * (abs(too_fast) > 1.0)), DT)
        command, memory = human.act({"lane": lane_view}, memory)
        state = world.step(state, command)
        offsets.append(float(state.lateral_offset[0]))
    return Ended(int(state.ended[0])), float(np.sqrt(np.mean(np.square(offsets))))


@pytest.mark.parametrize("seed", range(8))
def test_a_person_can_hold_a_lane_with_keys(seed: int) -> None:
    ended, offset = follow_with_keys(seed, late=2)
    assert ended is Ended.ROUTE_COMPLETED
    assert offset < 0.4


def test_the_agent_needs_no_camera() -> None:
    human = Human(Vehicle(), DT)
    shown = SimpleNamespace(speed=np.ones(1), curvature=np.zeros(1))
    command, _ = human.act({"lane": shown}, human.begin(1))
    assert command.curvature[0] == 0.0
