"""A whole step of an environment in one call of the compiled core.

Nine of ten steps are of tasks that ask for nothing but driving: action to command, motion, ends,
new episodes, reward and `info` are then one kernel. The others, with pushes, delays, stops, looks that
change or several threads, take the same kernels one by one; `tests/sim/test_gym_step.py` compares.
"""

from typing import Any, NamedTuple

import numpy as np

from .actions import command_of, to_command
from .any_world import World
from .car_state import Cars, columns, new_block, size_of
from .compiled import compiled
from .gym_info import describe_all, describe_cars, info_of, score_all, score_cars
from .held import Held, held
from .motion import NOT_FINITE, SOME_ENDED, advance
from .starts import draw_roads, place_at_start
from .success import has_figures, route_is_all
from .trace_world import TraceWorld
from .world import RoadWorld

_NOT_LOADED = 4  # besides what `advance` finds: a new episode's road


class Course(NamedTuple):
    """What stays the same from step to step."""

    nodes: np.ndarray  # of the pool's `LaneTable`
    lanes: np.ndarray
    road_first: np.ndarray
    slots: np.ndarray  # of its roads
    numbers: np.ndarray  # see `RoadWorld`, for all of these
    limits: np.ndarray
    starts: np.ndarray
    preview: np.ndarray
    action_limits: np.ndarray


@compiled
def step_cars(course, actions, before, after, told, found, expert, anew, time_limit, dt):  # type: ignore[no-untyped-def]
    """One step of all cars; what `advance` returns, and _NOT_LOADED where the rest is not done.

    Args:
        course: held, a `Course`. actions: (B, 2) float64.
        before, after: blocks; told, found, expert: see `gym_info.score_all` and `describe_all`.
        anew: whether cars that had ended start their next episode.
    """
    of = held(course)
    batch = size_of(before)
    curvature, accel = np.empty(batch), np.empty(batch)
    for i in range(batch):
        curvature[i], accel[i] = command_of(
            actions[i, 0], actions[i, 1], of.action_limits[0], of.action_limits[1],
            of.action_limits[2],
        )  # fmt: skip
    # A zero that is a literal would be a type of its own, and compiled once more.
    met = advance(
        before, after, of.nodes, of.lanes, of.road_first, of.numbers, of.limits, curvature, accel,
        np.int64(0), batch,
    )  # fmt: skip
    if met & NOT_FINITE:
        return met
    if anew and met & SOME_ENDED:
        which = columns(before).ended[:batch]
        if not draw_roads(after, which, of.slots, 1):
            return met | _NOT_LOADED
        place_at_start(
            after, which, of.nodes, of.lanes, of.road_first, of.numbers, of.limits, of.starts
        )
    score_all(before, after, time_limit, dt, told[3], found[3:5])
    describe_all(
        after, after, of.nodes, of.lanes, of.preview, of.action_limits, told, expert, found
    )
    return met


class Stepper:
    """The steps of one environment; it keeps what the kernel is given every time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._motion: RoadWorld = world.motion if isinstance(world, TraceWorld) else world
        task = world.task
        self.plain = (
            route_is_all(task)
            and not has_figures(task)
            and not task.kicked
            and world.delay_steps == 0
            and self._motion.appearance.randomise == 0.0
            and world.threads == 1
        )
        self._table: Any = None
        self._course: Held | None = None

    def step(
        self, before: Cars, actions: np.ndarray, anew: bool
    ) -> tuple[Cars, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Cars after a step, their rewards, which were terminated, which truncated, and `info`.

        Args:
            actions: (B, 2). anew: whether cars that had ended start their next episode.

        Raises:
            ValueError: an action is not a finite number, or has another shape.
        """
        if not self.plain:
            return self._by_parts(before, to_command(self.world.vehicle, actions), anew)
        batch, task = len(before), self.world.task
        given = np.ascontiguousarray(actions, np.float64)
        if given.shape != (batch, 2):
            return self._by_parts(before, to_command(self.world.vehicle, actions), anew)
        after = Cars(new_block(batch, 0), before.look)
        told, found = np.empty((4, batch)), np.empty((5, batch), np.bool_)
        expert = np.empty((batch, 2), np.float32)
        met = step_cars(
            self._held_course(), given, before.block, after.block, told, found, expert, anew,
            task.time_limit, self.world.dt,
        )  # fmt: skip
        if met & NOT_FINITE:
            raise ValueError("a command is not a finite number; the driver gave NaN or infinity")
        if met & _NOT_LOADED:
            after = self._motion.start(after, before.ended)
            return after, *score_cars(self.world, before, after), describe_cars(self.world, after)
        return after, told[3], found[3], found[4], info_of(after, told, found, expert)

    def _by_parts(self, before: Cars, command: Any, anew: bool) -> Any:
        after = self.world.drive(before, command, anew)
        return after, *score_cars(self.world, before, after), describe_cars(self.world, after)

    def _held_course(self) -> Held:
        motion = self._motion
        table = motion.pool.lanes
        if self._course is None or table is not self._table:
            self._table = table
            course = Course(
                *table, motion.pool.slots, motion.numbers, motion.limits, motion.starts,
                motion.preview, motion.action_limits,
            )  # fmt: skip
            self._course = Held(course)
        return self._course
