"""What happened in an episode, step by step, for the report to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from redrive.agents import results as results_file
from redrive.agents.results import EpisodeResult, PolicyResult
from redrive.report_study import Study

TOLD = ("best", "median", "worst")


@dataclass(frozen=True, eq=False)
class Course:
    """One episode's steps; every column (T,), T >= 1, named as in docs/results.md."""

    dt: float  # [s]
    columns: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.columns["lateral_offset"])

    @property
    def time(self) -> np.ndarray:
        """(T,) since the start [s]; a row is the state after its step."""
        return self.dt * np.arange(1, len(self) + 1)

    @property
    def points(self) -> np.ndarray | None:
        """(T, 2) where the car was [m]; None where that was not kept."""
        if not {"x", "y"} <= set(self.columns):
            return None
        return np.stack([self.columns["x"], self.columns["y"]], axis=1)

    @property
    def over_bound(self) -> np.ndarray:
        """(T,) bool: the car's outline was over a bound of the lane."""
        margin = self.columns.get("margin")
        return np.zeros(len(self), bool) if margin is None else margin < 0.0


def find_course(study: Study, policy: PolicyResult, episode: EpisodeResult) -> Course | None:
    """An episode's steps, from the driver's file of steps or else from its trace.

    None where neither was kept, or the results were moved without them.

    Raises:
        ValueError: a file is damaged.
    """
    folder = study.path.parent
    steps = getattr(policy, "steps", None)
    if steps is not None and "index" in episode and (folder / steps).is_file():
        from redrive.agents.step_logs import load_steps

        columns: Mapping[str, np.ndarray] = load_steps(folder / steps, episode["index"])
        return Course(study.results.dt, columns)
    trace = episode.get("trace")
    if isinstance(trace, str) and (folder / trace).is_file():
        dt, lists = results_file.load_trace(folder / trace)
        return Course(dt, {name: np.asarray(values, float) for name, values in lists.items()})
    return None


def by_merit(episodes: Sequence[EpisodeResult]) -> list[EpisodeResult]:
    """The best first: by success, then by how far it came, then by how well it kept the lane."""
    return sorted(
        episodes,
        key=lambda e: (not e["success"], -e["route_completion"], e["lateral_rmse_m"], e["seed"]),
    )


@lru_cache(maxsize=64)
def telling(study: Study, policy: PolicyResult) -> list[tuple[str, EpisodeResult, Course]]:
    """The best, the median and the worst episode of a driver, of those whose steps were kept."""
    kept = by_merit([e for e in policy.episodes if _is_kept(study, policy, e)])
    chosen: dict[int, str] = {}
    for name, place in zip(TOLD, (0, len(kept) // 2, len(kept) - 1), strict=True):
        if kept:
            chosen.setdefault(place, name)
    found = [(name, kept[place]) for place, name in chosen.items()]
    courses = [(name, episode, find_course(study, policy, episode)) for name, episode in found]
    return [(name, episode, course) for name, episode, course in courses if course is not None]


def _is_kept(study: Study, policy: PolicyResult, episode: EpisodeResult) -> bool:
    folder = study.path.parent
    files = [episode.get("trace"), getattr(policy, "steps", None) if "index" in episode else None]
    return any(isinstance(name, str) and (folder / name).is_file() for name in files)
