"""Sections of the report about the roads: which are hard, and which episodes went wrong."""

from __future__ import annotations

from markupsafe import Markup

from redrive import report_tables as tables
from redrive.report_study import Section, Study

MANY_ROADS = 40  # with more, a table of roads says nothing
HARDEST = 8  # episodes that are listed


def roads(study: Study) -> Section | None:
    """Success road by road, where there are few that were driven often."""
    shown = _by_road(study)
    if shown is None:
        return None
    return Section(
        "roads",
        "Road by road",
        "Each cell says how many episodes succeeded. The stronger its colour, the more failed.",
        shown,
    )


def failures(study: Study) -> Section | None:
    """The episodes that most drivers failed, to look at."""
    failed: dict[tuple[int, str], dict[str, str]] = {}
    for policy in study.ranked:
        for episode in policy.episodes:
            if not episode["success"]:
                known = failed.setdefault((episode["seed"], episode["road"]), {})
                done = tables.share(episode["route_completion"])
                known[policy.name] = f"{tables.words(episode['ended'])} at {done}"
    if not failed:
        return None
    hardest = sorted(failed.items(), key=lambda item: (-len(item[1]), item[0]))[:HARDEST]
    shown = [policy for policy in study.ranked if any(policy.name in how for _, how in hardest)]
    rows = [
        [tables.row_head(road, road), tables.cell(str(seed), seed)]
        + [
            tables.cell(how[policy.name], how[policy.name])
            if policy.name in how
            else tables.quiet("ok", "")
            for policy in shown
        ]
        for (seed, road), how in hardest
    ]
    lead = "The episodes that most drivers failed: why each ended, and where on the route."
    body = tables.table(["road", "seed", *(p.name for p in shown)], rows, filter_hint="off lane")
    learned = [policy for policy in shown if policy.run is not None]
    drawn = [road for (_, road), how in hardest if road.startswith("procedural:")]
    if learned and drawn:
        lead += " To see one, type"
        command = Markup('<pre class="scroll"><code>redrive watch {} --world {}</code></pre>')
        body = command.format(learned[-1].run, drawn[0]) + body
    return Section("failures", "Where they fail", lead, body)


def _by_road(study: Study) -> Markup | None:
    """A table of roads, where each was driven several times."""
    names = sorted({e["road"] for policy in study.ranked for e in policy.episodes})
    if not 1 < len(names) <= MANY_ROADS or 2 * len(names) > study.episodes:
        return None
    rows = []
    for name in names:
        cells = [tables.row_head(name, name)]
        for policy in study.ranked:
            chosen = [e for e in policy.episodes if e["road"] == name]
            cells.append(tables.heat(sum(e["success"] for e in chosen), len(chosen)))
        rows.append(cells)
    head = ["road", *(policy.name for policy in study.ranked)]
    return tables.table(head, rows, filter_hint=names[0])
