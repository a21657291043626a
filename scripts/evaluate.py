"""`redrive evaluate`: drive a suite's episodes in closed loop, and say how it went."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tyro.conf import Positional

from redrive import terminal
from redrive.agents import results as result_files
from redrive.agents.drivers import driver_name, make_driver
from redrive.agents.episode_table import save_table
from redrive.agents.evaluation import DrivenEpisode, evaluate, suite_world
from redrive.agents.results import PolicyResult, Results
from redrive.agents.step_logs import save_steps
from redrive.agents.suites import SUITES
from redrive.command import parse
from redrive.sim.any_world import World

TRACED = 3  # episodes of each driver whose course is kept for the report


@dataclass(frozen=True)
class EvaluateOptions:
    """Drive the same seeded episodes with each driver; every episode and 95 % intervals are saved."""

    drivers: Positional[tuple[str, ...]]
    """expert, and folders of trained runs."""
    suite: Literal["roads", "racetracks", "recovery"] = "roads"
    """roads: 400 m on unseen roads; racetracks: 60 s on circuits; recovery: back to the lane."""
    episodes: int = 60
    """Episodes of each driver; for racetracks, starts on each circuit."""
    seed: int = 0
    """Another seed, other episodes; drivers are compared on the same ones."""
    out: Path = Path("results.json")
    """Where every episode and the summary are written."""
    roads: str | None = None
    """Other roads than the suite's own; racetracks needs a .csv file or a folder of them."""
    threads: int = 1
    """Threads that draw; the results do not depend on it."""


def run(options: EvaluateOptions) -> Results:
    """Evaluate and save."""
    if not options.drivers:
        raise ValueError("name at least one driver: expert, or the folder of a trained run")
    if options.suite == "racetracks" and options.roads is None:
        raise ValueError("racetracks needs roads: --roads TRACK.csv, or a folder of such files")
    names = [driver_name(word) for word in options.drivers]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"two drivers are called {', '.join(repeated)}; name each driver once, "
            "and give runs folders of different names"
        )
    for word in options.drivers:  # all of them must load before any of them drives
        make_driver(word, make_world(options))
    policies = []
    for word in options.drivers:
        with terminal.progress(f"driving {driver_name(word)}", count_episodes(options)) as tick:
            policies.append(evaluate_one(options, word, tick))
    results = gather(options, policies)
    save(results, options.out)
    return results


def save(results: Results, out: Path) -> None:
    """Write the results, and the table of all episodes beside them."""
    episodes = {policy.name: policy.episodes for policy in results.policies}
    save_table(out.parent / results.files["episodes"], episodes)
    result_files.save(results, out)


def make_world(options: EvaluateOptions) -> World:
    """The world that the suite is driven in."""
    return suite_world(SUITES[options.suite], roads=options.roads, threads=options.threads)


def count_episodes(options: EvaluateOptions) -> int:
    """How many episodes each driver drives."""
    each_road = SUITES[options.suite].starts == "each-road"
    return options.episodes * (make_world(options).pool.source.count if each_road else 1)


def gather(options: EvaluateOptions, policies: Sequence[PolicyResult]) -> Results:
    """The results of a suite, from those of each driver."""
    suite = SUITES[options.suite]
    return Results(
        suite=suite.name,
        seed=options.seed,
        dt=make_world(options).dt,
        policies=policies,
        settings={**suite.to_json(), "roads": options.roads or suite.world},
        files={"episodes": f"{options.out.stem}-episodes.csv"},
    )


def evaluate_one(
    options: EvaluateOptions, word: str, on_ended: Callable[[int], object]
) -> PolicyResult:
    """Drive the suite with one driver; the course of a few episodes is saved beside the results."""
    suite, world = SUITES[options.suite], make_world(options)
    driver = make_driver(word, world)
    driven = evaluate(suite, world, driver, options.episodes, options.seed, on_step=on_ended)
    run_folder = None if word == "expert" else word
    facts = {} if run_folder is None else _facts(run_folder)
    trained_on = set(facts.pop("roads", ()))
    episodes = [
        {
            "index": index,
            **episode.figures,
            "road_seen_in_training": episode.figures["road"] in trained_on,
        }
        for index, episode in enumerate(driven)
    ]
    for position in _telling(driven):
        episodes[position]["trace"] = _save_trace(
            options.out, driver_name(word), driven[position], world.dt
        )
    steps = f"{options.out.stem}-steps/{driver_name(word)}.safetensors"
    save_steps(options.out.parent / steps, [episode.trace for episode in driven])
    return PolicyResult(
        name=driver_name(word),
        run=run_folder,
        episodes=episodes,
        open_loop=facts.pop("open_loop", None),
        facts=facts,
        steps=steps,
    )


def _facts(run_folder: str) -> dict[str, Any]:
    """What a run says about itself, as far as a report wants it."""
    from redrive.models.checkpoint import read_policy_json  # torch takes seconds to import

    described = read_policy_json(run_folder)
    training = described.get("training", {})
    wanted = ("parameters", "data", "roads", "episodes", "best_step", "seed")
    facts = {name: training[name] for name in wanted if name in training}
    facts["policy"] = described["policy"]
    if "validation" in training:
        found = training["validation"]
        facts["open_loop"] = {
            "curvature_rmse_1pm": found["curvature_rmse"],
            "accel_rmse_mps2": found["accel_rmse"],
        }
    return facts


def _telling(driven: Sequence[DrivenEpisode]) -> list[int]:
    """The best, the median and the worst episode."""
    order = sorted(
        range(len(driven)),
        key=lambda i: (
            not driven[i].figures["success"],
            -driven[i].figures["route_completion"],
            driven[i].figures["lateral_rmse_m"],
        ),
    )
    return sorted({order[0], order[len(order) // 2], order[-1]})[:TRACED]


def _save_trace(out: Path, name: str, episode: DrivenEpisode, dt: float) -> str:
    """Save the course of an episode beside the results; its name from there."""
    folder = out.parent / f"{out.stem}-traces"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{episode.figures['seed']}.json"
    columns = ("x", "y", "lateral_offset", "speed", "curvature", "command_curvature", "margin")
    result_files.save_trace(path, dt, {column: episode.trace[column] for column in columns})
    return f"{folder.name}/{path.name}"


def show(results: Results) -> None:
    """Print the table of a suite."""
    rows = []
    for policy in results.policies:
        summary = policy.summary
        rows.append(
            [
                policy.name,
                str(len(policy.episodes)),
                terminal.rate(*summary["success_rate"]),
                terminal.interval(*summary["route_completion"], digits=2),
                terminal.interval(*summary["lateral_mae_m"], digits=2),
                terminal.interval(*summary["beyond_margin_share"], digits=3),
            ]
        )
    terminal.table(
        ["driver", "episodes", "success", "route completion", "lateral MAE [m]", "beyond margin"],
        rows,
        title=f"{results.suite}, seed {results.seed}: mean [95 % interval]",
    )


def main(argv: Sequence[str]) -> int:
    """The command."""
    options = parse(EvaluateOptions, argv, "evaluate")
    show(run(options))
    terminal.say(f"next: {terminal.typed(f'report {options.out} --out report.html')}")
    return 0
