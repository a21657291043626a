"""Sections of the report about the roads: which are hard, and which episodes went wrong."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from redrive import report_tables as tables
from redrive.report_study import Section, Study

CURVATURE = "road_max_curvature"  # [1/m], an episode's entry that says how hard its road was
MANY_ROADS = 40  # with more, a table of roads says nothing
HARDEST = 8  # episodes that are listed


def roads(study: Study) -> Section | None:
    """Success by how hard the road was: by its tightest bend, or road by road when they are few."""
    shown = [part for part in (_by_curvature(study), _by_road(study)) if part is not None]
    if not shown:
        return None
    return Section(
        "roads",
        "Which roads are hard",
        "Each cell says how many episodes succeeded. The stronger its colour, the more failed.",
        Markup("").join(shown),
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
    body = tables.table(["road", "seed", *(policy.name for policy in shown)], rows)
    learned = [policy for policy in shown if policy.run is not None]
    drawn = [road for (_, road), how in hardest if road.startswith("procedural:")]
    if learned and drawn:
        lead += " To see one, type"
        command = Markup('<pre class="scroll"><code>redrive watch {} --world {}</code></pre>')
        body = command.format(learned[-1].run, drawn[0]) + body
    return Section("failures", "Where they fail", lead, body)


def _by_curvature(study: Study) -> Markup | None:
    """A table over three classes of the road's tightest bend, each with a third of the episodes."""
    tightness = {
        (episode["seed"], episode["road"]): float(episode[CURVATURE])
        for policy in study.ranked
        for episode in policy.episodes
        if CURVATURE in episode
    }
    ordered = sorted(tightness.values())
    if len(set(ordered)) < 6:
        return None
    edges = [ordered[0], ordered[len(ordered) // 3], ordered[2 * len(ordered) // 3], ordered[-1]]
    head = ["driver"]
    for low, high in itertools.pairwise(edges):
        tight, wide = (f"{1.0 / k:.0f}" if k > 1e-4 else "∞" for k in (high, low))
        head.append(f"radius {tight}–{wide} m")

    def third(episode: Mapping[str, Any]) -> int:
        return sum(episode[CURVATURE] >= edge for edge in edges[1:3])

    rows = []
    for place, policy in enumerate(study.ranked):
        cells = [tables.row_head(study.named(policy), place)]
        for position in range(3):
            chosen = [e for e in policy.episodes if CURVATURE in e and third(e) == position]
            cells.append(tables.heat(sum(e["success"] for e in chosen), len(chosen)))
        rows.append(cells)
    return Markup("<h3>By the tightest bend</h3>{}").format(tables.table(head, rows, fixed=True))


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
    return Markup("<h3>Road by road</h3>{}").format(tables.table(head, rows))
