"""A drive that is watched: one car, step by step, with what the window tells about it.

No window here: this is the loop of `agents/rollout.py` for one car, taken apart so that somebody
can look between two steps, and take the wheel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from redrive.agents.agent import Agent, View
from redrive.agents.rollout import look
from redrive.sim.any_world import World
from redrive.sim.guidance import guide
from redrive.sim.road import Lane, Road
from redrive.sim.task import Ended
from redrive.sim.vehicle import Command, move
from redrive.sim.world import CarState

MEMORY = 400  # steps that the trail and the plots go back

WORDS = {
    Ended.RUNNING: "still driving",
    Ended.ROUTE_COMPLETED: "route completed",
    Ended.OFF_LANE: "left the lane",
    Ended.WRONG_WAY: "faced the wrong way",
    Ended.TIME_UP: "time is up",
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


@dataclass(frozen=True, eq=False)
class Drive:
    """One step of one car, and what led there."""

    world: World
    driver: str  # its name
    agent: Agent
    memory: Any
    substitute: Agent | None  # a person who has taken the wheel from the driver
    substitute_memory: Any
    state: CarState  # at the beginning of the step
    view: View  # of that state
    advice: Command  # what the driver makes of the view
    command: Command  # what is done: the advice, unless somebody else has the wheel
    expert: Command
    after: CarState  # at the end of the step
    past: tuple[Past, ...]  # the step itself is the last

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

    @property
    def episode(self) -> int:
        """Its number in the sequence, from 0."""
        return int(self.state.episode[0])


def begin(
    world: World,
    agent: Agent,
    seed: int,
    episode: int = 0,
    driver: str = "driver",
    start: CarState | None = None,
) -> Drive:
    """The first step of an episode, from a `start` of one car or from where the seed puts it."""
    state = world.reset(np.array([seed]), episode) if start is None else start
    return _decide(world, driver, agent, agent.begin(1), None, None, state, ())


def advance(drive: Drive) -> Drive:
    """The next step; an episode that is over stays at its last one."""
    if drive.over:
        return drive
    return _decide(
        drive.world, drive.driver, drive.agent, drive.memory, drive.substitute,
        drive.substitute_memory, drive.after, drive.past,
    )  # fmt: skip


def again(drive: Drive) -> Drive:
    """The same episode from its start; who has the wheel keeps it."""
    return _restart(drive, drive.episode)


def next_episode(drive: Drive) -> Drive:
    """The next episode of the sequence: another start, on another road where there are several."""
    return _restart(drive, drive.episode + 1)


def take_wheel(drive: Drive, substitute: Agent, memory: Any) -> Drive:
    """Somebody else drives from the next step on; the driver keeps looking and giving advice."""
    return replace(drive, substitute=substitute, substitute_memory=memory)


def give_back(drive: Drive) -> Drive:
    """The driver drives again from the next step on."""
    return replace(drive, substitute=None, substitute_memory=None)


def pose(drive: Drive, part: float) -> tuple[float, float, float, float]:
    """x, y, yaw and speed when this share of the step is over; exact, as the car moves."""
    before, after = drive.state, drive.after
    x, y, yaw, speed, _ = move(
        before.x[0], before.y[0], before.yaw[0], before.speed[0], after.curvature[0],
        after.accel[0], part * drive.world.dt, drive.world.vehicle.max_speed,
    )  # fmt: skip
    return float(x), float(y), float(yaw), float(speed)


def story(drive: Drive) -> str:
    """How the episode went, in a few words: `left the lane after 12.3 s and 104 m`."""
    after = drive.after
    seconds = after.steps[0] * drive.world.dt
    return f"{WORDS[drive.ended]} after {seconds:.1f} s and {after.progress[0]:.0f} m"


def _restart(drive: Drive, episode: int) -> Drive:
    state = drive.world.reset(np.array([drive.seed]), episode)
    substitute = drive.substitute
    memory = substitute.begin(1) if substitute is not None else None
    return _decide(
        drive.world, drive.driver, drive.agent, drive.agent.begin(1), substitute, memory, state, ()
    )


def _decide(
    world: World,
    driver: str,
    agent: Agent,
    memory: Any,
    substitute: Agent | None,
    substitute_memory: Any,
    state: CarState,
    past: tuple[Past, ...],
) -> Drive:
    """Look, ask everybody, and move."""
    view = look(world, state)
    advice, memory = agent.act(view, memory)
    command = advice
    if substitute is not None:
        command, substitute_memory = substitute.act(view, substitute_memory)
    expert = guide(view["lane"])
    step = Past(
        x=float(state.x[0]),
        y=float(state.y[0]),
        time=float(state.steps[0] * world.dt),
        speed=float(state.speed[0]),
        target_speed=float(view["lane"].target_speed[0]),
        curvature=float(command.curvature[0]),
        expert_curvature=float(expert.curvature[0]),
        lateral_offset=float(state.lateral_offset[0]),
        by_hand=substitute is not None,
    )
    return Drive(
        world=world,
        driver=driver,
        agent=agent,
        memory=memory,
        substitute=substitute,
        substitute_memory=substitute_memory,
        state=state,
        view=view,
        advice=advice,
        command=command,
        expert=expert,
        after=world.step(state, command),
        past=(*past, step)[-MEMORY:],
    )
