"""An evaluated episode again: re-simulated from its seed with the same drivers, step for step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from redrive.agents import results as result_files
from redrive.agents.drivers import told_route, trained_camera
from redrive.agents.evaluation import put_back, start_of, suite_world
from redrive.agents.results import EpisodeResult, PolicyResult, Results
from redrive.agents.step_logs import load_steps
from redrive.agents.suites import Suite
from redrive.command import unknown
from redrive.sim.any_world import World
from redrive.sim.vehicle import Command
from redrive.sim.world import CarState
from redrive.watch_begin import side_by_side
from redrive.watch_drive import Step
from redrive.watch_session import Session, notify

MOST = 9  # drivers side by side


@dataclass(frozen=True, eq=False)
class SuiteCourse:
    """The episodes of a suite under one condition, in its order; after the last comes the first."""

    suite: Suite  # under the condition
    world: World
    seed: int  # of the suite
    first: int  # the number of the condition's first episode in the whole suite
    count: int  # of the condition's episodes

    def start(self, episode: int) -> tuple[World, CarState]:
        """As the evaluation started it; `episode` is its number in the whole suite."""
        number = (episode - self.first) % self.count
        return self.world, start_of(self.suite, self.world, self.count, self.seed, number)

    def step(self, world: World, state: CarState, command: Command) -> CarState:
        """The world's; in some suites a safety driver puts the car back."""
        return put_back(self.suite, world, world.step(state, command))[0]


def replayed(path: Path, episode: int, names: Sequence[str] = ()) -> Session:
    """The drivers of some results on one of their episodes.

    Args:
        episode: its number, `index` in the results.
        names: of the drivers that are to be seen; all, if none is named.

    Raises:
        FileNotFoundError, ValueError: no such results, episode or driver, or a run that is gone.
    """
    results = result_files.load(path)
    policies = _chosen(results, names, path)
    told = _episode(policies[0], episode, path)
    words = tuple(policy.run or policy.name for policy in policies)
    course = _course(results, policies[0], str(told.get("condition", "")), path, words)
    session = side_by_side(course.world, course, words, episode, course.suite.faults)
    drives = tuple(
        replace(drive, driver=policy.name)
        for drive, policy in zip(session.drives, policies, strict=True)
    )
    first = drives[0]
    if (first.seed, first.road.name) != (told["seed"], told["road"]):
        raise ValueError(
            f"{path}: episode {episode} was seed {told['seed']} on {told['road']}, here it would be "
            f"seed {first.seed} on {first.road.name}; were the roads changed?"
        )
    under = f", {told['condition']}" if told.get("condition") else ""
    ended = str(told["ended"]).replace("_", " ")
    return notify(replace(session, drives=drives), f"episode {episode}{under}: {ended}")


def _course(
    results: Results, policy: PolicyResult, condition: str, path: Path, words: tuple[str, ...]
) -> SuiteCourse:
    """The episodes of a condition, as the results describe their suite, for some drivers."""
    settings = {name: value for name, value in results.settings.items() if name != "roads"}
    try:
        whole = Suite.from_json(settings)
        suite = whole.variants()[condition]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{path} cannot be driven again, its settings describe no suite of this redrive "
            f"({error}); it was written by redrive {results.redrive_version}"
        ) from error
    roads = results.settings.get("roads")
    roads = None if roads == whole.world else roads  # only --roads goes before a condition's own
    numbers = [
        int(episode["index"])
        for episode in policy.episodes
        if episode.get("condition", "") == condition
    ]
    world = suite_world(
        suite,
        roads=roads,
        dt=results.dt,
        route=told_route(*words),
        camera=trained_camera(*words),
    )
    return SuiteCourse(suite, world, results.seed, min(numbers), len(numbers))


def difference(steps: Sequence[Step], logged: dict[str, np.ndarray]) -> float:
    """How far a replay was from what the evaluation kept, at most over all steps and columns.

    0 is what it should be: the same bytes. A replay may have fewer steps.
    """
    apart = 0.0
    for name, column in logged.items():
        if name.startswith("command_"):
            part = name.removeprefix("command_")
            driven = [getattr(step.frame.command, part)[0] for step in steps]
        elif name in CarState._fields:
            driven = [getattr(step.frame.after, name)[0] for step in steps]
        else:
            continue  # of the safety driver
        apart = max(apart, float(np.abs(np.array(driven) - column[: len(steps)]).max()))
    return apart


def compare(session: Session, path: Path) -> list[str]:
    """What there is to say of every driver of a replay, against the steps beside the results."""
    results = result_files.load(path)
    told = []
    for drive in session.drives:
        policy = results.policy(drive.driver)
        if policy.steps is None:
            continue
        course = drive.course
        assert isinstance(course, SuiteCourse)
        number = course.first + (drive.episode - course.first) % course.count
        if any(step.by_hand for step in drive.steps):
            told.append(f"{drive.driver}: driven by hand, not compared")
            continue
        try:
            logged = load_steps(path.parent / policy.steps, number)
        except FileNotFoundError as error:
            told.append(f"{drive.driver}: not compared, there are {error}")
            continue
        apart = difference(drive.steps, logged)
        same = "equal to the evaluation's, bit for bit" if apart == 0.0 else (
            f"up to {apart:.2g} from the evaluation's: another version, or another machine")  # fmt: skip
        told.append(f"{drive.driver}: {len(drive.steps)} steps, {same}")
    return told


def _chosen(results: Results, names: Sequence[str], path: Path) -> list[PolicyResult]:
    there = {policy.name: policy for policy in results.policies}
    for name in names:
        if name not in there:
            raise ValueError(f"{path}: {unknown('driver', name, there)}")
    chosen = [there[name] for name in names] or list(there.values())[:MOST]
    for policy in chosen:
        if policy.run is not None and not Path(policy.run).exists():
            raise FileNotFoundError(
                f"{policy.name} was the run {policy.run}, which is not there any more "
                f"(seen from here); give it back, or name other drivers of {path}"
            )
    return chosen


def _episode(policy: PolicyResult, number: int, path: Path) -> EpisodeResult:
    """The episode with this number."""
    for episode in policy.episodes:
        if episode.get("index") == number:
            return episode
    there = [episode["index"] for episode in policy.episodes if "index" in episode]
    if not there:
        raise ValueError(f"{path}: its episodes have no index; evaluate again")
    raise ValueError(f"{path} has episodes {min(there)} to {max(there)}, not {number}")
