"""`redrive report`: one self-contained page from results."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tyro.conf import Positional

from redrive.agents import results as results_file
from redrive.agents.results import Results
from redrive.command import parse
from redrive.sim.files import write_whole

NEUTRAL = 0  # the sign of drivers that did not learn; the others count up from 1


@dataclass(frozen=True)
class ReportOptions:
    """Make one page of one or more results: who drove best, how sure that is, how they failed.

    The page holds everything it shows, films too. It needs no network, reads well on a phone, in
    black and white and on paper, and can be sent to somebody as it is.
    """

    results: Positional[tuple[Path, ...]]
    """Files that `redrive evaluate` has written."""
    out: Path = Path("report.html")
    """The page."""


def build(paths: Sequence[str | os.PathLike[str]]) -> str:
    """The page as HTML.

    Raises:
        FileNotFoundError, ValueError: a results file is missing or damaged.
    """
    import jinja2
    from markupsafe import Markup

    from redrive import report_charts as charts
    from redrive.report_sections import METRICS, SECTIONS
    from redrive.report_study import Study

    if not paths:
        raise ValueError("no results given; name a file that `redrive evaluate` has written")
    loaded = [(Path(path), results_file.load(path)) for path in paths]
    signs = _signs([results for _, results in loaded])
    chapters: list[dict[str, object]] = []
    told: frozenset[str] = frozenset()
    for position, (path, results) in enumerate(loaded):
        study = Study(path, results, signs, told, f"c{position}-", len(loaded))
        sections = [shown for section in SECTIONS if (shown := section(study)) is not None]
        chapters.append({"study": study, "sections": sections})
        told |= {policy.run for policy in results.policies if policy.run is not None}
    used = {name for _, results in loaded for p in results.policies for name in p.summary}
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
