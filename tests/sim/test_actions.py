"""Actions are shares of a car's limits; commands and actions are one another's inverse."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from redrive.sim.actions import to_action, to_command
from redrive.sim.vehicle import Command, Vehicle


def test_actions_are_shares_of_the_cars_limits() -> None:
    vehicle = Vehicle(max_curvature=0.1, max_accel=2.0, max_brake=8.0)
    actions = np.array([[1.0, 1.0], [-1.0, -1.0], [0.5, -0.25], [0.0, 0.5]])
    command = to_command(vehicle, actions)
    np.testing.assert_allclose(command.curvature, [0.1, -0.1, 0.05, 0.0])
    np.testing.assert_allclose(command.accel, [2.0, -8.0, -2.0, 1.0])


@given(curvature=st.floats(-0.2, 0.2), accel=st.floats(-6.0, 3.0))
def test_a_command_is_the_same_after_a_way_through_an_action(
    curvature: float, accel: float
) -> None:
    command = Command(np.array([curvature]), np.array([accel]))
    back = to_command(Vehicle(), to_action(Vehicle(), command))
    np.testing.assert_allclose(back.curvature, curvature, atol=1e-7)
    np.testing.assert_allclose(back.accel, accel, atol=1e-6)


def test_an_action_never_leaves_its_bounds() -> None:
    command = Command(np.array([0.5, -0.5, 0.1]), np.array([9.0, -9.0, -3.0]))
    action = to_action(Vehicle(max_curvature=0.2, max_accel=3.0, max_brake=6.0), command)
    np.testing.assert_array_equal(action, [[1.0, 1.0], [-1.0, -1.0], [0.5, -0.5]])
