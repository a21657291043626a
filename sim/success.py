"""Whether an episode did what its task asked, and the figures that say how."""

import numpy as np

from .lanes import LaneTable
from .task import Ended, Task
from .world import SETTLING, CarState

WRONG_SPEED_SHARE = 0.1  # of the steps after it, that may be driven at a wrong speed


def is_success(task: Task, state: CarState, dt: float = 0.1) -> np.ndarray:
    """(B,) bool: the route was completed, and what else the task asks.

    Of a task without a route, its time was spent driving. A speed that was to be held was held
    for 90 % of the time after the first SETTLING seconds.
    """
    if task.route_length > 0.0:
        reached = state.ended == Ended.ROUTE_COMPLETED
    else:
        moved = state.progress >= 0.5 * state.route_length
        reached = ((state.ended == Ended.TIME_UP) | (state.ended == Ended.ROUTE_COMPLETED)) & moved
    if task.hold_speed > 0.0:
        reached = reached & (wrong_speed_share(state, dt) <= WRONG_SPEED_SHARE)
    return reached


def wrong_speed_share(state: CarState, dt: float) -> np.ndarray:
    """(B,) of the steps after the first SETTLING seconds; 0 before them."""
    steps = state.steps - round(SETTLING / dt)
    return np.where(steps > 0, state.tally / np.maximum(steps, 1), 0.0)


def task_figures(task: Task, table: LaneTable, state: CarState, dt: float) -> dict[str, np.ndarray]:
    """What a task counts besides its success, by name, (B,) each; of most tasks nothing."""
    figures: dict[str, np.ndarray] = {}
    if task.hold_speed > 0.0:
        figures["wrong_speed_share"] = wrong_speed_share(state, dt)
    return figures
