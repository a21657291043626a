"""A scripted finger on the arrow keys."""

import numpy as np
import pytest

from redrive.agents.demonstrations import demonstration_task
from redrive.agents.finger import Finger, decide
from redrive.agents.human import Hands, Human, Wish
from redrive.agents.rollout import rollout
from redrive.sim.sensors.lane import LaneView
from redrive.sim.vehicle import Vehicle
from redrive.sim.world import RoadWorld

DT = 0.1


def lane(**changes: float) -> LaneView:
    values = dict.fromkeys(LaneView._fields, np.zeros(1))
    wanted = {"speed": 10.0, "target_speed": 10.0 / 0.85, **changes}
    return LaneView(**values | {name: np.array([value]) for name, value in wanted.items()})


def test_it_holds_down_the_key_towards_the_lane_and_lets_go_late() -> None:
    memory = Finger(Human(Vehicle(), DT)).begin(1)
    quiet, left, right = Wish(), Wish(steer=1.0), Wish(steer=-1.0)
    for offset, before, after in (
        (-1.0, quiet, left),
        (1.0, quiet, right),
        (0.2, quiet, quiet),
        (0.2, right, right),
    ):
        assert decide(lane(lateral_offset=offset), memory, before, DT) == after


def test_it_brakes_where_the_plan_is_slower() -> None:
    memory = Finger(Human(Vehicle(), DT)).begin(1)
    assert decide(lane(target_speed=5.0), memory, Wish(), DT).drive == -1.0
    assert decide(lane(target_speed=20.0), memory, Wish(), DT).drive == 1.0


def test_what_it_decides_happens_a_reaction_later() -> None:
    finger = Finger(Human(Vehicle(), DT), reaction=0.3)
    memory, wheel = finger.begin(1), []
    for _ in range(5):
        view = {"lane": lane(lateral_offset=-2.0)}
        command, memory = finger.act(view, memory)
        wheel.append(float(command.curvature[0]))
    assert wheel[:3] == [0.0, 0.0, 0.0] and wheel[3] > 0.0


def test_it_takes_over_a_wheel_as_it_stands() -> None:
    finger = Finger(Human(Vehicle(), DT))
    memory = finger.grasp(np.array([0.02]), np.array([-1.0]))
    assert isinstance(memory.hands, Hands)
    command, _ = finger.act({"lane": lane(curvature=0.02)}, memory)
    assert command.curvature[0] == pytest.approx(0.02, abs=0.004)


def test_it_drives_a_road_to_its_end_within_the_lane() -> None:
    world = RoadWorld("procedural:3", sensors={}, task=demonstration_task("log", 3000, DT))
    finger = Finger(Human(world.vehicle, world.dt))
    *_, last = rollout(world, finger, world.reset(np.array([0])))
    assert last.after.ended[0] and last.after.distance[0] > 800.0
    assert abs(last.after.lateral_offset[0]) < 1.0


def test_two_cars_are_refused() -> None:
    with pytest.raises(ValueError, match="one person drives one car, got 2 cars"):
        Finger(Human(Vehicle(), DT)).begin(2)
