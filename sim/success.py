"""Whether an episode did what its task asked, and the figures that say how."""

import numpy as np

from .compiled import compiled
from .lanes import LaneTable, locate, nearest_node
from .task import Ended, Task
from .world import SETTLING, CarState

CLEAR = 0.5  # that a branch must be nearer than any other to be the chosen one [m]
WRONG_SPEED_SHARE = 0.1  # of the steps after it, that may be driven at a wrong speed
# Numpy is slow with enums.
_COMPLETED, _END_OF_ROAD = int(Ended.ROUTE_COMPLETED), int(Ended.END_OF_ROAD)
_TIME_UP = int(Ended.TIME_UP)


def route_is_all(task: Task) -> bool:
    """Whether a task asks for nothing but the route."""
    return task.route_length > 0.0 and task.wait == 0.0 and task.hold_speed == 0.0


def has_figures(task: Task) -> bool:
    """Whether a task counts anything besides its success."""
    return task.hold_speed > 0.0 or task.wait > 0.0 or task.sign_steps > 0


def is_success(task: Task, state: CarState, dt: float = 0.1) -> np.ndarray:
    """(B,) bool: the route was completed, and what else the task asks.

    Of a task without a route, its time was spent driving. A speed that was to be held was held
    for 90 % of the time after the first SETTLING seconds; at a stop line, it stood for the time to be
    waited, give or take the tolerance. A fork's route is completed on the right branch only.
    """
    if task.route_length > 0.0:
        reached = state.ended == _COMPLETED
    else:
        moved = state.progress >= 0.5 * state.route_length
        reached = ((state.ended == _TIME_UP) | (state.ended == _END_OF_ROAD)) & moved
    if task.wait > 0.0:
        late = np.abs(state.tally * dt - task.wait)
        reached = reached & (late <= task.wait_tolerance + 1e-9)
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
    if task.wait > 0.0:
        figures["waited_s"] = state.tally * dt
    if task.sign_steps > 0:
        figures["route"] = state.route
        figures["decision"] = decision(table, state)
        figures["decision_correct"] = figures["decision"] == state.route
    return figures


def decision(table: LaneTable, state: CarState) -> np.ndarray:
    """(B,) int64: the branch that a car has taken, counted from the left; -1: none yet, or none.

    That of the branch whose centre is nearest, by CLEAR more than the next one's.
    """
    chosen = np.empty(len(state.x), np.int64)
    _decide(table, state.slot, state.x, state.y, chosen)
    return chosen


@compiled
def _decide(table, slot, x, y, chosen):  # type: ignore[no-untyped-def]
    lanes = table.lanes
    for i in range(x.size):
        chosen[i] = -1
        for fork in range(table.road_first[slot[i]], table.road_first[slot[i] + 1]):
            if lanes[fork].branches <= 1:
                continue
            best, second = np.inf, np.inf
            for k in range(lanes[fork].branches):
                lane = lanes[lanes[fork].successor + k]
                guess = nearest_node(table.nodes, lane, x[i], y[i])
                s, lateral, _, _ = locate(table.nodes, lane, x[i], y[i], guess)
                away = abs(lateral) if s > 0.0 else np.inf
                if away < best:
                    best, second = away, best
                    chosen[i] = k
                else:
                    second = min(second, away)
            if not second - best > CLEAR:
                chosen[i] = -1
