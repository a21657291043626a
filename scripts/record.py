"""`redrive record`: let somebody drive, and keep what was seen and done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from redrive import kernels, terminal
from redrive.agents.demonstrations import (
    SIDE_SHIFT,
    demonstration_task,
    demonstrator,
    record,
    recording_header,
)
from redrive.agents.drivers import driver_name, make_driver, told_route, trained_camera
from redrive.agents.offsets import Offsets
from redrive.agents.true_pictures import TruePictures, recorded_roads
from redrive.command import parse
from redrive.models.settings import suggest
from redrive.sim.any_world import World, open_world
from redrive.sim.appearance import Appearance
from redrive.sim.memory_tasks import TASKS
from redrive.sim.pool import open_source
from redrive.sim.recording import Recording
from redrive.sim.recording_header import HEADER_FILE
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.task import Task
from redrive.sim.trace import is_recording
from redrive.sim.world import DEFAULT_SENSORS

STEPS = 300  # of an episode that no task limits


@dataclass(frozen=True)
class RecordOptions:
    """Record demonstrations: the camera, the odometry, what was done, and the expert's command.

    Whatever the regime, the label of each picture is what the expert would do in that very state.
    The log alone teaches nothing about leaving the centre; noise-injection and dagger do.
    """

    out: Path
    """The folder to write; a new one, or with --append one that is there."""
    world: str | None = None
    """None: the task's own, mostly procedural. A recording to drive in again, or roads: procedural, procedural:SEED, procedural:A-B,
    a circuit's .csv or a folder of them, fork or stop with settings (docs/tasks.md)."""
    task: str | None = None
    """One of those that `redrive list` shows, with its own start and ends; None: plain driving."""
    agent: str = "expert"
    """Who drives: expert, human (you, in a window, with the arrow keys), or the folder of a run."""
    regime: Literal["log", "noise-injection", "dagger", "side-shift", "view-synthesis"] = "log"
    """log: as it is; noise-injection: the driver's hand is pushed (DART); dagger: a run drives;
    side-shift: as it is, and from 1 m beside it; view-synthesis: back from offset starts."""
    episodes: int = 20
    """How many."""
    steps: int | None = None
    """Longest episode, in steps of dt; None: the task's own time, or 300."""
    seed: int = 0
    """The first episode's; the road, the start and the weather follow from it."""
    appearance: float = 1.0
    """How much light, colours, wear and weather differ between episodes, 0 to 2."""
    beta: float = 0.0
    """dagger: share of episodes that the expert drives."""
    route: bool = False
    """Keep the route command too, the number of the branch to take at a fork: who learns from the recording
    is told it, and drives by it. Needs roads that fork. A run that is told its route records it anyway."""
    dt: float = 0.1
    """Seconds between two steps."""
    offset_lateral: float = 1.0
    """view-synthesis: cars are put up to so far beside the path [m] ..."""
    offset_yaw_deg: float = 6.0
    """... and up to so far askew ..."""
    offset_every: tuple[float, float] = (2.0, 4.0)
    """... at the start, and again after a time between these, drawn anew each time [s]."""
    balance: float = 5.0
    """side-shift, view-synthesis: episodes start in bends that are rare on the path up to so many times
    as often as in common ones; 1: everywhere alike."""
    log: Path | None = None
    """human: every step as a line of JSON, as it happens."""
    redraw: bool = False
    """Inside a recording of procedural roads: draw what is seen anew, in each episode's own --appearance.
    Without it the recording's frames are re-projected and look as they looked."""
    append: bool = False
    """Add to the recording that is there, as DAgger's rounds do."""


def run(options: RecordOptions) -> Recording:
    """Record and say what there is now."""
    if options.episodes < 1 or (options.steps is not None and options.steps < 2):
        raise ValueError(
            f"record at least 1 episode of at least 2 steps, got --episodes {options.episodes} "
            f"--steps {options.steps}"
        )
    if options.seed < 0:
        raise ValueError(f"--seed is a whole number from 0, got {options.seed}")
    if not 0.0 <= options.beta <= 1.0:
        raise ValueError(f"--beta is a share of the episodes, 0 to 1, got {options.beta}")
    if options.beta and options.regime != "dagger":
        raise ValueError(f"--beta is for --regime dagger, the regime is {options.regime}")
    if options.regime == "dagger" and options.agent == "expert":
        raise ValueError(
            "dagger needs a learner to drive: name a run, as in --agent runs/lstm; "
            "for the expert's own drives take --regime log or noise-injection"
        )
    if options.agent == "human" and options.regime != "log":
        raise ValueError(
            f"a person is recorded as they drive, with --regime log; got {options.regime}"
        )
    if options.log is not None and options.agent != "human":
        raise ValueError("--log is for --agent human")
    offsets = _offsets(options)
    task = _task(options, offsets)
    world = _world(options, task)
    _read_roads(world)
    if options.agent == "human":
        return _record_by_hand(options, world)
    driver = demonstrator(
        options.regime, make_driver(options.agent, world), options.dt, options.beta
    )
    sidecar: dict[str, Any] = {
        "driver": driver_name(options.agent),
        "regime": options.regime,
        "appearance": options.appearance,
        "task": world.task.to_json(),
        "vehicle": world.vehicle.to_json(),
    }
    first = options.seed
    writer = RecordingWriter(options.out, recording_header(world), append=options.append)
    if options.append:
        first += len(Recording.open(options.out))
    with writer, terminal.progress("recording", total=options.episodes) as tick:
        record(
            world,
            driver,
            writer,
            first + np.arange(options.episodes),
            sidecar,
            on_episode=lambda steps: tick(1, note=f"{steps} steps"),
            side_shift=SIDE_SHIFT if options.regime == "side-shift" else 0.0,
            offsets=offsets if options.regime == "view-synthesis" else None,
        )
    recording = Recording.open(options.out)
    terminal.say(
        f"{options.out}: {len(recording)} episodes, {recording.steps} pictures "
        f"({recording.steps * options.dt / 60:.1f} minutes)"
    )
    return recording


def _world(options: RecordOptions, task: Task) -> World:
    """Where it is driven."""
    text = options.world or task.world
    appearance = Appearance(randomise=options.appearance)
    route, camera = _route(options, text), trained_camera(options.agent)
    if not options.redraw:
        return open_world(
            text, task=task, appearance=appearance, dt=options.dt, route=route, camera=camera
        )
    if not is_recording(text):
        raise ValueError(
            f"--redraw is for driving in a recording again, {text} is drawn anyway; "
            "name its folder, as in --world recordings/mine"
        )
    if options.agent == "human":
        raise ValueError("--redraw is for the expert or a run; a person drives on the roads")
    sensors = dict(DEFAULT_SENSORS) | ({} if camera is None else {"camera": camera})
    return TruePictures(
        world=text,
        sensors={name: sensors[name] for name in sensors if name not in task.hides},
        task=task,
        dt=options.dt,
        roads=recorded_roads(text),
        appearance=appearance,
    )


def _route(options: RecordOptions, world: str) -> int | None:
    """Choices of the route command; None: nobody is told one."""
    learned = told_route(options.agent)
    if not options.route or learned is not None:
        return learned
    branches = open_source(world).branches
    if branches < 2:
        raise ValueError(
            f"--route: no road of {world} forks, so there is nothing to tell; take roads that do, "
            "as with --world fork:delay=16,branches=3, or leave out --route"
        )
    return branches


def _task(options: RecordOptions, offsets: Offsets) -> Task:
    """What the episodes ask: a task of its own name, or driving that is wider than any test."""
    if options.task is None:
        return demonstration_task(
            options.regime, options.steps or STEPS, options.dt, offsets, _balance(options)
        )
    if options.task not in TASKS:
        raise ValueError(f"--task: unknown task {options.task!r}; {suggest(options.task, TASKS)}")
    if options.regime in ("side-shift", "view-synthesis"):
        raise ValueError(
            f"--regime {options.regime} moves cars beside their path, which a task's start and "
            "ends know nothing of; leave out --task, or take log, noise-injection or dagger"
        )
    task = TASKS[options.task]
    limit = task.time_limit if options.steps is None else options.steps * options.dt
    return replace(task, time_limit=min(task.time_limit, limit))


def _record_by_hand(options: RecordOptions, world: World) -> Recording:
    """A person drives, in a window."""
    from redrive.watch_by_hand import record_by_hand

    there = count_episodes(options.out)
    if there and not options.append:
        raise FileExistsError(
            f"{options.out} holds a recording already; choose another folder, or add to it "
            "with --append"
        )
    saved = record_by_hand(
        world, options.out, options.seed + there, options.episodes, options.appearance, options.log
    )
    if not saved:
        raise ValueError(f"nothing was driven, so nothing was written into {options.out}")
    recording = Recording.open(options.out)
    terminal.say(
        f"{options.out}: {len(recording)} episodes, {recording.steps} pictures "
        f"({recording.steps * options.dt / 60:.1f} minutes)"
    )
    return recording


def _offsets(options: RecordOptions) -> Offsets:
    """Those of view-synthesis; asked for in another regime, they are an error."""
    given = (options.offset_lateral, options.offset_yaw_deg, options.offset_every)
    plain = RecordOptions(options.out)
    if options.regime != "view-synthesis" and given != (
        plain.offset_lateral,
        plain.offset_yaw_deg,
        plain.offset_every,
    ):
        raise ValueError(
            f"--offset-... are for --regime view-synthesis, the regime is {options.regime}"
        )
    return Offsets(
        options.offset_lateral, float(np.deg2rad(options.offset_yaw_deg)), options.offset_every
    )


def _balance(options: RecordOptions) -> float:
    """How much rare bends are favoured; asked for in a regime that has no such starts, an error."""
    if options.regime in ("side-shift", "view-synthesis"):
        return options.balance
    if options.balance != RecordOptions(options.out).balance:
        raise ValueError(
            "--balance is for --regime side-shift and view-synthesis, the regime is "
            f"{options.regime}; learning weighs rare bends in any"
        )
    return 1.0


def _read_roads(world: World) -> None:
    """Read the files of a world now: what is wrong with one is said before anything is written."""
    source = world.pool.source
    if not source.text.startswith("procedural"):
        for i in range(source.count):
            source.road(i)


def count_episodes(folder: Path) -> int:
    """How many episodes a folder holds; none where there is no recording."""
    return len(Recording.open(folder)) if (folder / HEADER_FILE).is_file() else 0


def main(argv: Sequence[str]) -> int:
    """The command."""
    options = parse(RecordOptions, argv, "record")
    kernels.ready()
    run(options)
    terminal.say(f"next: {terminal.typed(f'train {options.out} --policy lstm --out runs/lstm')}")
    return 0
