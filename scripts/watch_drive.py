"""A drive that is watched: one car, step by step, with what the window tells about it.

No window here: this is the loop of `agents/rollout.py` for one car, taken apart so that somebody
can look between two steps, and take the wheel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np

from redrive.agents.agent import Agent, View
from redrive.agents.rollout import Frame, look
from redrive.sim.any_world import World
from redrive.sim.guidance import guide
from redrive.sim.road import Lane, Road
from redrive.sim.task import Ended
from redrive.sim.vehicle import Command, move
from redrive.sim.world import CarState

PAST = 400  # steps that the trail and the plots go back

WORDS = {
    Ended.RUNNING: "still driving",
    Ended.ROUTE_COMPLETED: "route completed",
    Ended.OFF_LANE: "left the lane",
    Ended.WRONG_WAY: "faced the wrong way",
    Ended.TIME_UP: "time is up",
    Ended.END_OF_ROAD: "the road is over",
}


class Past(NamedTuple):
    """What the trail and the plots keep of one step."""

    x: float  # [m]
    y: float
    time: float  # since the start [s]
    speed: float  # [m/s]
    target_speed: float
    curvature: float  # commanded [1/m]
    expert_curvature: float
    lateral_offset: float  # [m]
    by_hand: bool


class Step(NamedTuple):
    """One step of the episode, as it was."""

    frame: Frame  # what was seen and done, and what came of it
    memory: Any  # of the driver, after it
    by_hand: bool


class Course(Protocol):
    """Episodes to drive, one after the other."""

    def start(self, episode: int) -> tuple[World, CarState]:
        """The world of an episode and its first state, of one car; the same every time."""
        ...

    def step(self, world: World, state: CarState, command: Command) -> CarState:
        """The state after a step; what happens besides the world's own."""
        ...


@dataclass(frozen=True, eq=False)
class Sequence:
    """The episodes of a world that follow from a seed, without an end."""

    world: World
    seed: int

    def start(self, episode: int) -> tuple[World, CarState]:
        """Another start, on another road where there are several."""
        return self.world, self.world.reset(np.array([self.seed]), episode)

    def step(self, world: World, state: CarState, command: Command) -> CarState:
        """The world's."""
        return world.step(state, command)


@dataclass(frozen=True, eq=False)
class Start:
    """The same start, again and again."""

    world: World
    state: CarState  # of one car

    def start(self, episode: int) -> tuple[World, CarState]:
        """It, whatever the episode."""
        return self.world, self.state

    def step(self, world: World, state: CarState, command: Command) -> CarState:
        """The world's."""
        return world.step(state, command)


@dataclass(frozen=True, eq=False)
class Drive:
    """One step of one car, and what led there."""

    course: Course
    episode: int  # its number on the course, from 0
    world: World
    driver: str  # its name
    agent: Agent
    before: Any  # the driver's memory before the step
    memory: Any  # and after it
    substitute: Agent | None  # a person who has taken the wheel from the driver
    substitute_memory: Any
    state: CarState  # at the beginning of the step
    view: View  # of that state
    advice: Command  # what the driver makes of the view
    command: Command  # what is done: the advice, unless somebody else has the wheel
    expert: Command
    after: CarState  # at the end of the step
    past: tuple[Past, ...]  # the step itself is the last
    steps: tuple[Step, ...]  # of the whole episode, the step itself is the last

    @property
    def by_hand(self) -> bool:
        """Whether somebody has taken the wheel from the driver."""
        return self.substitute is not None

    @property
    def over(self) -> bool:
        """Whether the episode ends with this step."""
        return bool(self.after.ended[0])

    @property
    def ended(self) -> Ended:
        """Why it does."""
        return Ended(int(self.after.ended[0]))

    @property
    def road(self) -> Road:
        """The road it is on."""
        return self.world.pool.source.road(int(self.state.road[0]))

    @property
    def lane(self) -> Lane:
        """The lane it is on."""
        first = int(self.world.pool.lanes.road_first[int(self.state.slot[0])])
        return self.road.lanes[int(self.state.lane[0]) - first]

    @property
    def seed(self) -> int:
        """Of the sequence of episodes."""
        return int(self.state.seed[0])


def begin(
    world: World,
    agent: Agent,
    seed: int,
    episode: int = 0,
    driver: str = "driver",
    start: CarState | None = None,
) -> Drive:
    """The first step of an episode, from a `start` of one car or from where the seed puts it."""
    course = Sequence(world, seed) if start is None else Start(world, start)
    return begin_on(course, agent, episode, driver)


def begin_on(course: Course, agent: Agent, episode: int, driver: str) -> Drive:
    """The first step of an episode of a course."""
    world, state = course.start(episode)
    return _decide(_Wheel(driver, agent, None), course, episode, world, agent.begin(1), None, state)


def advance(drive: Drive) -> Drive:
    """The next step; an episode that is over stays at its last one."""
    if drive.over:
        return drive
    return _decide(
        _Wheel(drive.driver, drive.agent, drive.substitute), drive.course, drive.episode,
        drive.world, drive.memory, drive.substitute_memory, drive.after, drive.past, drive.steps,
    )  # fmt: skip


def again(drive: Drive) -> Drive:
    """The same episode from its start; who has the wheel keeps it."""
    return restart(drive, drive.episode)


def next_episode(drive: Drive) -> Drive:
    """The next episode of the course."""
    return restart(drive, drive.episode + 1)


def restart(drive: Drive, episode: int) -> Drive:
    """An episode of the course from its start; who has the wheel keeps it."""
    world, state = drive.course.start(episode)
    substitute = drive.substitute
    memory = substitute.begin(1) if substitute is not None else None
    wheel = _Wheel(drive.driver, drive.agent, substitute)
    return _decide(wheel, drive.course, episode, world, drive.agent.begin(1), memory, state)


def take_wheel(drive: Drive, substitute: Agent, memory: Any) -> Drive:
    """Somebody else drives from the next step on; the driver keeps looking and giving advice."""
    return replace(drive, substitute=substitute, substitute_memory=memory)


def give_back(drive: Drive) -> Drive:
    """The driver drives again from the next step on."""
    return replace(drive, substitute=None, substitute_memory=None)


@lru_cache(maxsize=32)  # a picture asks many times for the same
def pose(drive: Drive, part: float) -> tuple[float, float, float, float]:
    """x, y, yaw and speed when this share of the step is over; exact, as the car moves."""
    before, after = drive.state, drive.after
    x, y, yaw, speed, *_ = move(
        before.x[0], before.y[0], before.yaw[0], before.speed[0], after.curvature[0],
        after.accel[0], part * drive.world.dt, drive.world.vehicle.max_speed,
    )  # fmt: skip
    return float(x), float(y), float(yaw), float(speed)


def words(ended: Ended) -> str:
    """Why an episode ended, in words."""
    return WORDS.get(ended, ended.name.lower().replace("_", " "))


def story(drive: Drive) -> str:
    """How the episode went, in a few words: `left the lane after 12.3 s and 104 m`."""
    after = drive.after
    seconds = after.steps[0] * drive.world.dt
    return f"{words(drive.ended)} after {seconds:.1f} s and {after.progress[0]:.0f} m"


class _Wheel(NamedTuple):
    """Who may have it."""

    driver: str
    agent: Agent
    substitute: Agent | None


def _decide(
    wheel: _Wheel,
    course: Course,
    episode: int,
    world: World,
    before: Any,
    substitute_memory: Any,
    state: CarState,
    past: tuple[Past, ...] = (),
    steps: tuple[Step, ...] = (),
) -> Drive:
    """Look, ask everybody, and move."""
    view = look(world, state)
    advice, memory = wheel.agent.act(view, before)
    command, by_hand = advice, wheel.substitute is not None
    if wheel.substitute is not None:
        command, substitute_memory = wheel.substitute.act(view, substitute_memory)
    expert = guide(view["lane"])
    now = Past(
        x=float(state.x[0]),
        y=float(state.y[0]),
        time=float(state.steps[0] * world.dt),
        speed=float(state.speed[0]),
        target_speed=float(view["lane"].target_speed[0]),
        curvature=float(command.curvature[0]),
        expert_curvature=float(expert.curvature[0]),
        lateral_offset=float(state.lateral_offset[0]),
        by_hand=by_hand,
    )
    after = course.step(world, state, command)
    return Drive(
        course=course,
        episode=episode,
        world=world,
        driver=wheel.driver,
        agent=wheel.agent,
        before=before,
        memory=memory,
        substitute=wheel.substitute,
        substitute_memory=substitute_memory,
        state=state,
        view=view,
        advice=advice,
        command=command,
        expert=expert,
        after=after,
        past=(*past, now)[-PAST:],
        steps=(*steps, Step(Frame(state, view, command, after), memory, by_hand)),
    )
