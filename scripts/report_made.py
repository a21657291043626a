"""What made the results, for the report: versions, seed, digests, self-checks, the machine."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from redrive import __version__
from redrive import report_tables as tables
from redrive.report_scales import number
from redrive.report_study import Study
from redrive.sim.recording_header import read_json

Facts = dict[str, str]


def made_by(study: Study) -> Markup:
    """Lists of what made the results, and tables of the checks and of where the time went."""
    results = study.results
    facts: Facts = {
        "results": study.path.name,
        "made by": f"redrive {results.redrive_version}, metrics version {results.metrics_version}",
        "suite": f"{results.suite}, version {results.suite_version}, seed {results.seed}",
        "digest of what is driven": results.suite_id,
        "report": f"redrive {__version__}, Python {platform.python_version()}, numpy {np.__version__}",
    }
    timing = _timing(study)
    facts |= {f"machine: {name}": text for name, text in _flat(timing.get("machine", {})).items()}
    lines = Markup("").join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name.replace("_", " "), text)
        for name, text in facts.items()
        if text
    )
    return Markup('<dl class="facts made">{}</dl>').format(lines) + _checks(study) + _times(timing)


def _checks(study: Study) -> Markup:
    checks = study.results.checks
    if not checks:
        return Markup("")
    rows = [
        [
            tables.row_head(tables.words(str(check.get("name", ""))), str(check.get("name", ""))),
            tables.cell(str(check.get("condition", "")) or "–", str(check.get("condition", ""))),
            tables.cell("passed" if check.get("passed") else "failed", int(bool(check.get("passed")))),
            tables.cell(str(check.get("found", "")), str(check.get("found", ""))),
        ]
        for check in checks
    ]  # fmt: skip
    table = tables.table(["check", "condition", "result", "found"], rows)
    return Markup("<h3>Self-checks of the suite</h3>{}").format(table)


def _times(timing: Mapping[str, Any]) -> Markup:
    """Where the time went, for each driver that was timed."""
    drivers = {name: _flat(told) for name, told in timing.get("drivers", {}).items()}
    columns = list(dict.fromkeys(name for told in drivers.values() for name in told))
    if not columns:
        return Markup("")
    rows = [
        [
            tables.row_head(driver, driver),
            *(tables.cell(told.get(name, "–"), told.get(name, "")) for name in columns),
        ]
        for driver, told in drivers.items()
    ]
    head = ["driver", *(name.replace("_", " ") for name in columns)]
    return Markup("<details><summary>Show where the time went</summary>{}</details>").format(
        tables.table(head, rows)
    )


def _timing(study: Study) -> Mapping[str, Any]:
    """The file of times beside the results; empty where it is not there or not ours."""
    name = study.results.files.get("timing")
    path = None if name is None else study.path.parent / name
    if path is None or not path.is_file():
        return {}
    content = read_json(path)
    return content if isinstance(content, dict) else {}


def _flat(values: Any, above: str = "") -> Facts:
    """Nested entries as text, by their names one after the other."""
    if not isinstance(values, Mapping):
        return {}
    found: Facts = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{above}{name} ")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[above + name] = number(value)
        elif value not in (None, ""):
            found[above + name] = str(value)
    return found
