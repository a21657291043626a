"""What is there when a window opens: who drives, and where."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from redrive.agents.agent import Agent
from redrive.agents.drivers import driver_name, make_driver, told_route, trained_camera
from redrive.agents.human import Human
from redrive.agents.impaired import Impaired
from redrive.sim.any_world import World, open_world
from redrive.sim.appearance import Appearance
from redrive.sim.memory_tasks import TASKS
from redrive.sim.picture_faults import PictureFaults
from redrive.sim.task import LANE_FOLLOWING, RACETRACK, Task
from redrive.watch_drive import Course, Sequence, begin_on
from redrive.watch_session import Layer, Session, notify

if TYPE_CHECKING:
    from redrive.watch import WatchOptions


def watched(options: WatchOptions) -> Session:
    """The session of `redrive watch` at its beginning.

    Raises:
        FileNotFoundError, ValueError: a driver or the world is not there, or they do not fit.
    """
    if options.replay is not None:
        from redrive.watch_replay import replayed

        session = replayed(options.replay, options.episode, options.drivers)
    else:
        task = _task(options)
        world = open_world(
            options.world or task.world,
            task=task,
            appearance=Appearance(randomise=options.appearance),
            dt=options.dt,
            route=told_route(*options.drivers),
            camera=trained_camera(*options.drivers),
        )
        course = Sequence(world, options.seed)
        session = side_by_side(world, course, options.drivers, options.episode)
    if options.saliency:
        session = replace(session, off=session.off - {Layer.SALIENCY})
    return replace(
        session,
        speed=options.speed,
        recording=options.record is not None,
        filming=options.video is not None and not options.headless,
    )


def side_by_side(
    world: World,
    course: Course,
    words: tuple[str, ...],
    episode: int = 0,
    faults: PictureFaults | None = None,
) -> Session:
    """Drivers on the same episode; the first is followed. With a person at the wheel it waits.

    Args:
        faults: of every driver's lens.
    """
    human = Human(world.vehicle, world.dt)
    agents: list[Agent] = [human if word == "human" else make_driver(word, world) for word in words]
    if faults is not None and faults.any:
        agents = [Impaired(agent, faults) for agent in agents]
    if "torch" in sys.modules:  # for one car, threads only wait for each other
        sys.modules["torch"].set_num_threads(1)
    drives = tuple(
        begin_on(course, agent, episode, word if word == "human" else driver_name(word))
        for word, agent in zip(words, agents, strict=True)
    )
    session = Session(drives, human)
    if session.person_drives:  # who needs a moment to find the keys
        session = replace(notify(session, "the arrow keys drive"), paused=True)
    return session


def _task(options: WatchOptions) -> Task:
    if options.task is not None:
        return TASKS[options.task]
    there = options.world is not None and Path(options.world).exists()
    return RACETRACK if there else LANE_FOLLOWING
