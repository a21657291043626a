"""What the report's sections share: the results they show, and what a section is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from markupsafe import Markup

from redrive import report_charts as charts
from redrive import report_tables as tables
from redrive.agents import results as results_file
from redrive.agents.results import Comparison, PolicyResult, Results
from redrive.report_scales import number

FEW = 20  # episodes; with fewer, the bootstrap's intervals are too narrow
PLAIN = (str, int, float)
SEEN = "road_seen_in_training"  # an episode's flag


@dataclass(frozen=True)
class Section:
    """A heading, a sentence or two, and what is shown."""

    id: str
    title: str
    lead: str | Markup
    body: Markup


@dataclass(frozen=True, eq=False)
class Study:
    """A results file and what the sections need to know of it."""

    path: Path
    results: Results
    signs: Mapping[str, int]  # of every driver, the same in all files of a report
    told: frozenset[str] = frozenset()  # runs whose training an earlier chapter has shown
    prefix: str = ""  # of every id in the chapter
    chapters: int = 1  # that share the page's room for steps
    filmed: int = 1  # that share the room for films

    @cached_property
    def ranked(self) -> list[PolicyResult]:
        """The drivers, the best first: by success, then by the distance from the lane's centre."""

        def place(policy: PolicyResult) -> tuple[float, float]:
            summary = policy.summary
            return -summary["success_rate"].mean, summary["lateral_mae_m"].mean

        return sorted(self.results.policies, key=place)

    @property
    def leader(self) -> PolicyResult:
        return self.ranked[0]

    @property
    def learned(self) -> list[PolicyResult]:
        """The drivers that learned, the best first."""
        return [policy for policy in self.ranked if policy.run is not None]

    @property
    def episodes(self) -> int:
        """How many each driver drove; the most, where they differ."""
        return max(len(policy.episodes) for policy in self.ranked)

    def compare(self, ours: PolicyResult, theirs: PolicyResult) -> Comparison | None:
        """The paired difference; None where they drove no episode in common."""
        try:
            return results_file.compare(ours, theirs)
        except ValueError:
            return None

    def named(self, policy: PolicyResult) -> Markup:
        """A driver's sign and name."""
        return Markup("{}<b>{}</b>").format(charts.key(self.signs[policy.name]), policy.name)

    @property
    def headline(self) -> str:
        """The main finding in a line."""
        if len(self.learned) > 1:
            return f"{self.learned[0].name} is the best learned driver on “{self.results.suite}”"
        names = " and ".join(policy.name for policy in self.ranked[:2])
        return f"{names} on “{self.results.suite}”"

    @property
    def sentence(self) -> str:
        """The main finding in words."""
        best = (self.learned or self.ranked)[0]
        drove = "One driver drove" if len(self.ranked) == 1 else f"{self._many} drove the same"
        told = (
            f"{drove} {self.episodes} episodes. {best.name} succeeded in "
            f"{tables.rate(best.summary['success_rate'])} of them and kept "
            f"{number(best.summary['lateral_mae_m'].mean)} m from the lane’s centre on average."
        )
        seen = [episode.get(SEEN) for policy in self.learned for episode in policy.episodes]
        if any(seen):
            told += f" Careful: {sum(map(bool, seen))} drives were on roads seen in training."
        elif seen and None not in seen:
            told += " No driver was trained on any of these roads."
        if self.episodes < FEW:
            told += " So few episodes give a first impression: take every range for a rough one."
        return told

    @property
    def plain_settings(self) -> dict[str, str]:
        """Those settings of the suite that are one word or number."""
        settings = self.results.settings
        said = {"name", "starts", "version"} | ({"world"} if "roads" in settings else set())
        return {
            name: str(value)
            for name, value in settings.items()
            if isinstance(value, PLAIN) and name not in said
        }

    @property
    def _many(self) -> str:
        return f"{tables.count(len(self.ranked))} drivers"
