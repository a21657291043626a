"""`redrive evaluate`: drive a suite's episodes in closed loop, and say how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from redrive import __version__, kernels, terminal
from redrive import evaluate_driver as one_driver
from redrive.agents import results as result_files
from redrive.agents.drivers import driver_name, make_driver
from redrive.agents.episode_store import EpisodeStore
from redrive.agents.episode_table import save_table
from redrive.agents.evaluation import suite_world
from redrive.agents.results import PolicyResult, Results
from redrive.agents.seed_statistics import caution
from redrive.agents.self_checks import Check, self_checks
from redrive.agents.statistics import Interval
from redrive.agents.suite_files import EPISODES, SEED, SeededSuite, load_suite
from redrive.agents.suites import SUITES
from redrive.command import parse, unknown
from redrive.evaluate_driver import Reference
from redrive.evaluate_timing import Timing
from redrive.sim import metrics
from redrive.sim.any_world import World


@dataclass(frozen=True)
class EvaluateOptions:
    """Drive the same seeded episodes with each driver; every episode and 95 % intervals are saved.

    Interrupted, it keeps the episodes that were finished; the same command with --resume goes on.
    The same evaluation writes the same bytes, however often it was interrupted.
    """

    drivers: Positional[tuple[str, ...]]
    """expert, and folders of trained runs."""
    suite: str = "roads"
    """One of those that `redrive list` shows, or a file that --write-suite wrote."""
    episodes: int | None = None
    """Episodes of each driver (60), under each condition of the suite; for racetracks, starts on each circuit."""
    seed: int | None = None
    """Another seed, other episodes (0); drivers are compared on the same ones."""
    out: Path = Path("results.json")
    """Where every episode and the summary are written; tables, steps and films lie beside it."""
    roads: str | None = None
    """Other roads than the suite's own: racetracks as a .csv file or a folder of them; trace needs a recording."""
    resume: bool = False
    """Go on with what was interrupted."""
    video: Literal["worst", "all", "none"] = "none"
    """Film the worst episode of each driver, or all of them."""
    write_suite: Path | None = None
    """Write the suite with its seed and episodes to a file that others can evaluate with."""
    threads: int = 0
    """Threads that draw and compute, 0: one for each core; the results do not depend on it."""


def run(options: EvaluateOptions) -> Results:
    """Evaluate and save.

    Raises:
        ValueError: also where a self-check fails; the results are saved all the same.
    """
    exam = seeded_suite(options)
    if not options.drivers:
        raise ValueError("name at least one driver: expert, or the folder of a trained run")
    names = [driver_name(word) for word in options.drivers]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(
            f"two drivers are called {', '.join(repeated)}; name each driver once, "
            "and give runs folders of different names"
        )
    for word in options.drivers:  # all of them must load before any of them drives
        for variant in exam.suite.variants().values():
            make_driver(word, one_driver.world_for(word, variant, exam.roads))
    store = open_store(options, exam)
    timing = Timing(options.threads)
    try:  # roads are read here for the first time, and may be wrong
        with terminal.progress("the expert, for comparison", one_driver.count_all(exam)) as tick:
            reference = Reference.drive(exam, tick)
        checks = check(exam, reference)
    except BaseException:
        store.remove_if_empty()
        raise
    policies = []
    for word in options.drivers:
        with terminal.progress(f"driving {driver_name(word)}", one_driver.count_all(exam)) as tick:
            policies.append(_evaluate(options, exam, word, reference, tick, store, timing))
    results = gather(options, policies, checks, timed=True)
    save(results, options.out)
    timing.save(options.out.parent / results.files["timing"])
    store.remove()
    require_passed(results, options.out)
    return results


def seeded_suite(options: EvaluateOptions) -> SeededSuite:
    """What the options ask to drive; `--write-suite` writes it."""
    if options.suite.endswith(".json"):
        exam = load_suite(Path(options.suite))
    elif options.suite in SUITES:
        exam = SeededSuite(SUITES[options.suite], EPISODES, SEED)
    else:
        raise ValueError(f"--suite: {unknown('suite', options.suite, SUITES)}, or a .json file")
    exam = replace(
        exam,
        episodes=exam.episodes if options.episodes is None else options.episodes,
        seed=exam.seed if options.seed is None else options.seed,
        roads=exam.roads if options.roads is None else options.roads,
    )
    if exam.suite.needs_roads and exam.roads is None:
        raise ValueError(
            f"{exam.suite.name} needs a recorded drive to be driven in: --roads REC, or "
            "--roads REC:600-800 for some of its frames"
        )
    if exam.episodes < 1 or exam.seed < 0:
        raise ValueError(
            f"a suite has at least one episode and a seed from 0; got {exam.episodes} and {exam.seed}"
        )
    if options.threads < 0:
        raise ValueError(
            f"threads must be at least 1 (0: one for each core), got {options.threads}"
        )
    if options.write_suite is not None:
        exam.save(options.write_suite)
        terminal.say(f"{options.write_suite}: these episodes, for others to drive")
    return exam


def open_store(options: EvaluateOptions, exam: SeededSuite) -> EpisodeStore:
    """Where finished episodes are kept until all are."""
    identity = {
        "suite": exam.suite.name,
        "suite_id": exam.id,
        "seed": exam.seed,
        "episodes": exam.episodes,
        "drivers": {driver_name(w): one_driver.driver_digest(w) for w in options.drivers},
        "redrive": __version__,
        "metrics": metrics.VERSION,
    }
    folder = options.out.parent / f"{options.out.stem}-unfinished"
    return EpisodeStore(folder, identity, options.resume)


def check(exam: SeededSuite, reference: Reference) -> list[Check]:
    """The self-checks of every condition."""
    return [
        one
        for name, variant in exam.suite.variants().items()
        for one in self_checks(
            variant,
            name,
            reference.episodes[name],
            reference.beside[name],
            exam.roads,
            exam.episodes,
            exam.seed,
        )
    ]


def check_suite(options: EvaluateOptions) -> list[Check]:
    """The self-checks of what the options ask for, for those who put drivers together themselves."""
    exam = seeded_suite(replace(options, write_suite=None))
    return check(exam, Reference.drive(exam, lambda ended: None))


def require_passed(results: Results, out: Path) -> None:
    """No table is printed where a check has failed.

    Raises:
        ValueError: says which, and what was found.
    """
    failed = [
        f"{one['name']}{f' ({condition})' if (condition := one['condition']) else ''}: {one['found']}"
        for one in results.checks
        if not one["passed"]
    ]
    if failed:
        raise ValueError(
            f"self-check failed: {'; '.join(failed)}. So these episodes do not tell good drivers from "
            f"bad ones, and no table is shown; what was driven is in {out}"
        )


def save(results: Results, out: Path) -> None:
    """Write the results, and the table of all episodes beside them."""
    episodes = {policy.name: policy.episodes for policy in results.policies}
    save_table(out.parent / results.files["episodes"], episodes)
    result_files.save(results, out)


def gather(
    options: EvaluateOptions,
    policies: Sequence[PolicyResult],
    checks: Sequence[Check] = (),
    timed: bool = False,
) -> Results:
    """The results of a suite, from those of each driver.

    Args:
        timed: a file with their timing will lie beside them.
    """
    exam = seeded_suite(replace(options, write_suite=None))
    stem = options.out.stem
    return Results(
        suite=exam.suite.name,
        seed=exam.seed,
        dt=exam.dt,
        policies=policies,
        settings={**exam.suite.to_json(), "roads": exam.roads or exam.suite.world},
        suite_version=exam.suite.version,
        suite_id=exam.id,
        checks=[check._asdict() for check in checks],
        files={"episodes": f"{stem}-episodes.csv"}
        | ({"timing": f"{stem}-timing.json"} if timed else {}),
    )


def make_world(options: EvaluateOptions) -> World:
    """The world that the suite's first condition is driven in."""
    exam = seeded_suite(replace(options, write_suite=None))
    return suite_world(next(iter(exam.suite.variants().values())), roads=exam.roads)


def evaluate_one(
    options: EvaluateOptions, word: str, on_ended: Callable[[int], object]
) -> PolicyResult:
    """Drive the suite with one driver, for those who put drivers together themselves."""
    exam = seeded_suite(replace(options, write_suite=None))
    reference = Reference.drive(exam, lambda ended: None)
    return _evaluate(options, exam, word, reference, on_ended, None, Timing(options.threads))


def _evaluate(
    options: EvaluateOptions,
    exam: SeededSuite,
    word: str,
    reference: Reference,
    on_ended: Callable[[int], object],
    store: EpisodeStore | None,
    timing: Timing,
) -> PolicyResult:
    with _threads_of_our_own(word), timing.of(exam, word) as clock:
        driven = one_driver.drive(exam, word, reference, timing.threads, on_ended, store, clock)
    return one_driver.result_of(exam, word, driven, options.out, options.video)


@contextmanager
def _threads_of_our_own(word: str) -> Iterator[None]:
    """Torch computes each group of cars in one thread; the groups are what runs side by side."""
    if word == "expert":
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def show(results: Results) -> None:
    """Print the table of a suite, condition by condition."""
    columns = {
        "success_rate": "success",
        "decision_correct_rate": "right decision",
        "route_completion": "route completion",
        "pdm_score": "PDM-style score",
        "lateral_mae_m": "lateral MAE [m]",
        "beyond_margin_share": "beyond margin",
        "interventions_per_km": "interventions per km",
    }
    if not results.settings.get("interventions"):
        del columns["interventions_per_km"]
    told = {policy.name: policy.conditions or {"": policy.summary} for policy in results.policies}
    summaries = [summary for conditions in told.values() for summary in conditions.values()]
    shown = [name for name in columns if all(name in summary for summary in summaries)]
    several = any("" not in conditions for conditions in told.values())
    rows = []
    for policy in results.policies:
        for condition, summary in told[policy.name].items():
            count = sum(e.get("condition", "") == condition for e in policy.episodes)
            cells = [_cell(name, summary[name]) for name in shown]
            rows.append([policy.name, *([condition] if several else []), str(count), *cells])
    head = ["driver", *(["condition"] if several else []), "episodes"]
    title = f"{results.suite}, seed {results.seed}: mean [95 % interval]"
    terminal.table([*head, *(columns[name] for name in shown)], rows, title=title)


def _cell(name: str, value: Interval) -> str:
    if name.endswith("_rate"):
        return terminal.rate(*value)
    digits = {"route_completion": 2, "pdm_score": 2, "lateral_mae_m": 2}.get(name, 3)
    return terminal.interval(*value, digits=digits)


def main(argv: Sequence[str]) -> int:
    """The command."""
    options = parse(EvaluateOptions, argv, "evaluate")
    kernels.ready()
    results = run(options)
    show(results)
    learned = [policy for policy in results.policies if policy.run is not None]
    if learned and (careful := caution(1, min(len(policy.episodes) for policy in learned))):
        terminal.say(f"careful: {careful}")
    terminal.say(f"next: {terminal.typed(f'report {options.out} --out report.html')}")
    return 0
