"""One driver of an evaluation: its episodes, kept as they end; its files; where the time went."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from redrive.agents import results as result_files
from redrive.agents.agent import Agent
from redrive.agents.drivers import driver_name, make_driver, told_route, trained_camera
from redrive.agents.episode_store import EpisodeStore
from redrive.agents.evaluation import (
    Clock,
    DrivenEpisode,
    count_episodes,
    evaluate,
    suite_world,
    yardstick,
    yardsticks,
)
from redrive.agents.impaired import Impaired
from redrive.agents.results import PolicyResult, Video
from redrive.agents.step_logs import save_steps
from redrive.agents.suite_files import SeededSuite
from redrive.agents.suites import Suite
from redrive.sim.any_world import World
from redrive.sim.files import file_sha256
from redrive.sim.metrics import Yardstick

TRACED = 3  # episodes of each driver whose course is kept for a look


@dataclass(frozen=True, eq=False)
class Reference:
    """The expert in every episode of every condition."""

    episodes: Mapping[str, list[DrivenEpisode]]
    beside: Mapping[str, list[Yardstick]]

    @classmethod
    def drive(cls, exam: SeededSuite, on_ended: Callable[[int], object]) -> Reference:
        """Let the expert drive them; no pictures are drawn."""
        episodes, beside = {}, {}
        for name, variant in exam.suite.variants().items():
            world = suite_world(variant, {}, exam.roads)
            episodes[name] = yardsticks(variant, exam.roads, exam.episodes, exam.seed)
            beside[name] = [yardstick(variant, world, one) for one in episodes[name]]
            on_ended(len(episodes[name]))
        return cls(episodes, beside)


def count_all(exam: SeededSuite) -> int:
    """How many episodes each driver drives."""
    return sum(
        count_episodes(variant, suite_world(variant, {}, exam.roads), exam.episodes)
        for variant in exam.suite.variants().values()
    )


def driver_digest(word: str) -> str:
    """A digest of a driver's files; "" for the expert, who has none."""
    if word == "expert":
        return ""
    folder = Path(word)
    files = [folder / "policy.json", folder / "policy.safetensors"]
    told = "".join(file_sha256(path) for path in files if path.is_file())
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def world_for(word: str, variant: Suite, roads: str | None, threads: int = 1) -> World:
    """The world of a suite's variant, with the sensors that a driver was trained with.

    Raises:
        FileNotFoundError, ValueError: there is no such run, or the world cannot give a sensor.
    """
    return suite_world(
        variant,
        roads=roads,
        threads=threads,
        route=told_route(word),
        camera=trained_camera(word),
    )


def drive(
    exam: SeededSuite,
    word: str,
    reference: Reference,
    threads: int,
    on_ended: Callable[[int], object],
    store: EpisodeStore | None = None,
    clock: Clock | None = None,
) -> list[DrivenEpisode]:
    """All episodes of a driver, in order; those that are in the store are not driven again."""
    name = driver_name(word)
    if word == "expert":
        told = [
            _numbered(exam, reference, c, e) for c, es in reference.episodes.items() for e in es
        ]
        on_ended(len(told))
        return told
    there = {one.index: one for one in store.load(name)} if store else {}
    on_ended(len(there))
    found = dict(there)

    def keep(condition: str, episode: DrivenEpisode) -> None:
        whole = _numbered(exam, reference, condition, episode)
        found[whole.index] = whole
        if store:
            store.keep(name, whole)

    for condition, variant in exam.suite.variants().items():
        world = world_for(word, variant, exam.roads, threads)
        first = _first(reference, condition)
        evaluate(
            variant,
            world,
            make_driver(word, world),
            exam.episodes,
            exam.seed,
            on_ended,
            beside=reference.beside[condition],
            skip={index - first for index in there},
            keep=lambda episode, condition=condition: keep(condition, episode),  # type: ignore[misc]
            clock=clock,
        )
    return [found[index] for index in sorted(found)]


def result_of(
    exam: SeededSuite, word: str, driven: Sequence[DrivenEpisode], out: Path, video: str = "none"
) -> PolicyResult:
    """The result of a driver; its steps, the course of a few episodes and films are saved."""
    name = driver_name(word)
    facts = {} if word == "expert" else _facts(word)
    trained_on = set(facts.pop("roads", ()))
    episodes = [
        {
            "index": one.index,
            **one.figures,
            "road_seen_in_training": one.figures["road"] in trained_on,
        }
        for one in driven
    ]
    order = _by_quality(driven)
    for position in sorted({order[0], order[len(order) // 2], order[-1]})[:TRACED]:
        episodes[position]["trace"] = _save_trace(out, name, driven[position], exam)
    steps = f"{out.stem}-steps/{name}.safetensors"
    save_steps(out.parent / steps, [one.trace for one in driven])
    filmed = {"none": [], "worst": order[-1:], "all": sorted(order)}[video]
    return PolicyResult(
        name=name,
        run=None if word == "expert" else word,
        episodes=episodes,
        open_loop=facts.pop("open_loop", None),
        facts=facts,
        videos=[_film(exam, word, driven[position], out) for position in filmed],
        steps=steps,
    )


def _first(reference: Reference, condition: str) -> int:
    """The index of a condition's first episode in the whole suite."""
    names = list(reference.episodes)
    return sum(len(reference.episodes[name]) for name in names[: names.index(condition)])


def _numbered(
    exam: SeededSuite, reference: Reference, condition: str, episode: DrivenEpisode
) -> DrivenEpisode:
    """An episode of a condition, with its place in the whole suite."""
    figures = {**episode.figures, "condition": condition}
    return replace(episode, index=episode.index + _first(reference, condition), figures=figures)


def _facts(run_folder: str) -> dict[str, Any]:
    """What a run says about itself, as far as a report wants it."""
    from redrive.models.checkpoint import read_policy_json  # torch takes seconds to import

    described = read_policy_json(run_folder)
    training = described.get("training", {})
    wanted = ("parameters", "data", "roads", "episodes", "best_step", "seed")
    facts = {name: training[name] for name in wanted if name in training}
    facts["policy"] = described["policy"]
    facts["digest"] = driver_digest(run_folder)
    if "validation" in training:
        found = training["validation"]
        facts["open_loop"] = {
            "curvature_rmse_1pm": found["curvature_rmse"],
            "accel_rmse_mps2": found["accel_rmse"],
        }
    return facts


def _by_quality(driven: Sequence[DrivenEpisode]) -> list[int]:
    """Positions of the episodes, the best first."""
    return sorted(
        range(len(driven)),
        key=lambda i: (
            not driven[i].figures["success"],
            -driven[i].figures["route_completion"],
            driven[i].figures["lateral_rmse_m"],
        ),
    )


def _save_trace(out: Path, name: str, episode: DrivenEpisode, exam: SeededSuite) -> str:
    """Save the course of an episode beside the results; its name from there."""
    folder = out.parent / f"{out.stem}-traces"
    path = folder / f"{name}-{episode.index}.json"
    columns = ("x", "y", "lateral_offset", "speed", "curvature", "command_curvature", "margin")
    result_files.save_trace(path, exam.dt, {column: episode.trace[column] for column in columns})
    return f"{folder.name}/{path.name}"


def _film(exam: SeededSuite, word: str, episode: DrivenEpisode, out: Path) -> Video:
    """Film an episode again, from its start; the film lies beside the results."""
    from redrive.agents.evaluation import start_of
    from redrive.video import driving_film

    variant = exam.suite.variants()[episode.figures["condition"]]
    world = world_for(word, variant, exam.roads)
    per_variant = count_episodes(variant, world, exam.episodes)
    start = start_of(variant, world, exam.episodes, exam.seed, episode.index % per_variant)
    driver: Agent = make_driver(word, world)
    if variant.faults.any:
        driver = Impaired(driver, variant.faults)
    name = driver_name(word)
    path = out.parent / f"{out.stem}-films" / f"{name}-{episode.index}.webm"
    driving_film(world, driver, exam.seed, path, driver=name, start=start)
    told = "succeeded" if episode.figures["success"] else episode.figures["ended"].replace("_", " ")
    under = f", {episode.figures['condition']}" if episode.figures["condition"] else ""
    return Video(f"{path.parent.name}/{path.name}", f"episode {episode.index}{under}: {told}")
