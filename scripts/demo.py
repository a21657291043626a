"""`redrive demo`: all of the main job once, small: record, train, evaluate, film, report."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from redrive import evaluate as evaluation
from redrive import kernels, terminal
from redrive import record as recording
from redrive import report as reporting
from redrive import train as training
from redrive.agents.results import PolicyResult, Results, Video
from redrive.command import parse
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores

if TYPE_CHECKING:
    from redrive.models.fit import Progress

# Every driver sees the same pictures, 512 in a step. More steps drive a little better, but ten minutes are for
# two slow cores and the set-up as well.
DRIVERS = {"perceptron": 300, "mlp": 1000, "rnn": 900, "lstm": 1150, "attention": 900}
WATCHED_FIRST = "lstm"
FILM_SEED = 3  # of the suite's episodes
FILM_STEPS = 90
FILM_RATE = 10.0  # pictures a second, one for each step: as many as the report has room for


@dataclass(frozen=True)
class DemoOptions:
    """Record an expert, train five drivers from its pictures, judge them on roads none has seen.

    What is there already is not done again, so a demo that was stopped goes on where it was.
    Everything is seeded: the same numbers come out on every machine of the same kind.
    """

    out: Path = Path("runs/demo")
    """The folder for everything."""
    seed: int = 0
    """Another seed, another demo."""
    demonstrations: int = 500
    """Episodes of the expert, 8 seconds each."""
    episodes: int = 60
    """Episodes that each driver is judged on."""
    effort: float = 1.0
    """Share of the usual steps of learning: 0.1 is quick and drives badly."""
    processes: int = 0
    """Drivers that are trained at a time; 0: one for each core."""


def run(options: DemoOptions) -> Results:
    """Do the main job."""
    out, began = options.out, time.monotonic()
    processes = options.processes or usable_cores()
    kernels.ready()
    data = _record(options)
    terminal.say(f"2 of 4: learning {', '.join(DRIVERS)}, {processes} at a time")
    jobs = [
        Job(name, max(1, round(options.effort * steps)), _train, (_training(options, name, data),))
        for name, steps in DRIVERS.items()
    ]
    jobs.sort(key=lambda job: -job.size)  # the longest first, so that no core waits at the end
    run_side_by_side("learning", jobs, processes)
    terminal.say(f"3 of 4: driving {options.episodes} episodes each, on roads that none has seen")
    results = _judge(options, processes)
    terminal.say("4 of 4: the report")
    reporting.run(reporting.ReportOptions((out / "results.json",), out=out / "report.html"))
    evaluation.show(results)
    minutes = (time.monotonic() - began) / 60.0
    terminal.say(f"done in {minutes:.1f} minutes; open {out / 'report.html'} in a browser")
    return results


def _record(options: DemoOptions) -> Path:
    """The expert's demonstrations; those that are there already are kept."""
    folder = options.out / "demonstrations"
    wanted = recording.RecordOptions(
        out=folder,
        regime="noise-injection",
        episodes=options.demonstrations,
        steps=80,
        seed=options.seed * 1_000_000,
    )
    terminal.say(f"1 of 4: {wanted.episodes} demonstrations of the expert on roads of its own")
    there = recording.count_episodes(folder)
    if there < wanted.episodes:
        left = wanted.episodes - there
        recording.run(replace(wanted, episodes=left, append=there > 0))
    return folder


def _training(options: DemoOptions, name: str, data: Path) -> training.TrainOptions:
    run_folder = options.out / name
    return training.TrainOptions(
        data=(data,),
        out=run_folder,
        policy=name,  # type: ignore[arg-type]  # its name is one of those there are
        seed=options.seed,
        steps=max(1, round(options.effort * DRIVERS[name])),
        resume=training.is_started(run_folder),
    )


def _train(report: Report, options: training.TrainOptions) -> None:
    """Train one driver, in a process of its own."""
    done = 0

    def show(progress: Progress) -> None:
        nonlocal done
        report(progress.step - done, f"loss {progress.loss:.3f}")
        done = progress.step

    training.run(options, show)
    report(options.steps - done, "trained")


def _judge(options: DemoOptions, processes: int) -> Results:
    """Drive the suite with every driver and the expert, and film one episode of each."""
    words = [*(str(options.out / name) for name in DRIVERS), "expert"]
    wanted = evaluation.EvaluateOptions(
        drivers=tuple(words),
        suite="roads",
        episodes=options.episodes,
        seed=options.seed,
        out=options.out / "results.json",
        threads=1,  # the drivers are driven side by side
    )
    jobs = [Job(Path(word).name, options.episodes, _drive, (wanted, word)) for word in words]
    policies = run_side_by_side("driving", jobs, processes)
    results = evaluation.gather(wanted, policies, evaluation.check_suite(wanted))
    evaluation.save(results, wanted.out)
    evaluation.require_passed(results, wanted.out)
    return results


def _drive(report: Report, options: evaluation.EvaluateOptions, word: str) -> PolicyResult:
    """Judge and film one driver, in a process of its own."""
    from redrive.agents.drivers import driver_name, make_driver
    from redrive.agents.suites import suite_seeds
    from redrive.video import driving_film

    judged = evaluation.evaluate_one(options, word, lambda ended: report(ended, ""))
    name = driver_name(word)
    world = evaluation.make_world(options)
    film = options.out.parent / f"{name}.webm"
    seed = int(suite_seeds(options.seed or 0, FILM_SEED + 1)[FILM_SEED])
    driving_film(
        world, make_driver(word, world), seed, film, FILM_STEPS, driver=name, fps=FILM_RATE
    )
    return replace(judged, videos=(Video(film.name, f"{name}, episode {FILM_SEED}"),))


def main(argv: Sequence[str]) -> int:
    """The command."""
    options = parse(DemoOptions, argv, "demo")
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    run(options)
    terminal.say(f"next: {terminal.typed(f'watch {options.out / WATCHED_FIRST}')}")
    return 0
