"""`redrive report`: one self-contained page from results."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import Positional

from redrive.agents import results as results_file
from redrive.agents.results import Results
from redrive.command import parse
from redrive.sim.files import write_whole

if TYPE_CHECKING:
    from redrive.report_experiment import Experiment
    from redrive.report_study import Section, Study

NEUTRAL = 0  # the sign of drivers that did not learn; the others count up from 1


@dataclass(frozen=True)
class ReportOptions:
    """Make one page of one or more results: who drove best, how sure that is, how they failed.

    The page holds everything it shows, films too. It needs no network, reads well on a phone, in
    black and white and on paper, and can be sent to somebody as it is.
    """

    results: Positional[tuple[Path, ...]]
    """Files that `redrive evaluate` has written, and folders of `redrive study`."""
    out: Path = Path("report.html")
    """The page."""


@dataclass(frozen=True)
class Chapter:
    """A part of the page: one results file, or one study."""

    prefix: str  # of every id in it
    label: str
    kicker: str
    title: str
    sentence: str
    facts: Mapping[str, str]
    sections: Sequence[Section]


def build(paths: Sequence[str | os.PathLike[str]]) -> str:
    """The page as HTML.

    Raises:
        FileNotFoundError, ValueError: a results file is missing or damaged.
    """
    import jinja2
    from markupsafe import Markup

    from redrive import report_charts as charts
    from redrive.report_experiment import is_experiment, load_experiment
    from redrive.report_sections import METRICS
    from redrive.report_study import Study

    if not paths:
        raise ValueError("no results given; name a file that `redrive evaluate` has written")
    places = [(f"c{position}-", Path(path)) for position, path in enumerate(paths)]
    loaded = {prefix: results_file.load(path) for prefix, path in places if not is_experiment(path)}
    signs = _signs(list(loaded.values()))
    filmed = sum(any(policy.videos for policy in r.policies) for r in loaded.values())
    chapters: list[Chapter] = []
    told: frozenset[str] = frozenset()
    for prefix, path in places:
        if prefix not in loaded:
            chapters.append(_experiment_chapter(load_experiment(path, prefix)))
            continue
        results = loaded[prefix]
        study = Study(path, results, signs, told, prefix, len(loaded), max(1, filmed))
        chapters.append(_results_chapter(study))
        told |= {policy.run for policy in results.policies if policy.run is not None}
    used = {name for results in loaded.values() for p in results.policies for name in p.summary}
    used |= {name.removesuffix("_rate") for name in used}
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("redrive", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = _part("report.js")
    return environment.get_template("report.html.j2").render(
        chapters=chapters,
        style=Markup(_part("report.css")),
        script=Markup(script),
        script_hash=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
        signs=sorted({*signs.values()}),
        key=charts.key,
        metrics={name: metric for name, metric in METRICS.items() if name in used},
    )


def run(options: ReportOptions) -> Path:
    """Write the page."""
    page = build(options.results).encode()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(options.out, page)
    size = f"{len(page) / 1e6:.1f} MB" if len(page) >= 1e6 else f"{len(page) / 1e3:.0f} kB"
    print(f"{options.out}: {size}, everything inside; open it in a browser")
    return options.out


def main(argv: Sequence[str]) -> int:
    run(parse(ReportOptions, argv, "report"))
    return 0


def _results_chapter(study: Study) -> Chapter:
    from redrive.report_sections import SECTIONS

    results = study.results
    facts = {
        "suite": results.suite,
        "episodes a driver": str(study.episodes),
        "seed": str(results.seed),
        "step": f"{results.dt:g} s",
        **{name.replace("_", " "): value for name, value in study.plain_settings.items()},
        "redrive": results.redrive_version,
    }
    sections = [shown for section in SECTIONS if (shown := section(study)) is not None]
    return Chapter(
        study.prefix, results.suite, "redrive · closed-loop evaluation",
        study.headline, study.sentence, facts, sections,
    )  # fmt: skip


def _experiment_chapter(study: Experiment) -> Chapter:
    from redrive.report_findings import FINDINGS

    facts = {"runs": str(len(study.rows)), "made by": study.command}
    sections = [shown for section in FINDINGS if (shown := section(study)) is not None]
    return Chapter(
        study.prefix, study.folder.resolve().name, "redrive · study",
        study.title, study.lead, {name: text for name, text in facts.items() if text}, sections,
    )  # fmt: skip


def _part(name: str) -> str:
    """A file of the package as text."""
    return resources.files("redrive").joinpath(name).read_text(encoding="utf-8")


def _signs(all_results: Sequence[Results]) -> dict[str, int]:
    """A colour and a shape for every driver, the same in all results."""
    signs: dict[str, int] = {}
    for results in all_results:
        for policy in results.policies:
            if policy.name not in signs:
                learned = 1 + sum(sign != NEUTRAL for sign in signs.values())
                signs[policy.name] = NEUTRAL if policy.run is None else learned
    return signs
