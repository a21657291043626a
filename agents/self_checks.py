"""What must hold before any table of an evaluation is believed.

The expert drives well; a car that stands still scores nothing; a wheel that is held straight fails
on curves. A suite in which one of these does not hold measures something else than driving.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ..sim.guidance import guide
from ..sim.metrics import Yardstick
from ..sim.sensors.odometry import Odometry
from ..sim.vehicle import Command
from .agent import Agent, View, lane_of
from .evaluation import DrivenEpisode, evaluate, suite_world
from .suites import Suite

GOOD = 0.95  # success rate and score of the expert
FEW = 8  # episodes are enough to see that somebody fails
CURVE = 0.01  # [1/m] from which a road bends too much for a wheel held straight
LUCKY = 0.2  # share of curved roads on which the held wheel may come through


class Check(NamedTuple):
    """One check of one condition."""

    name: str
    condition: str
    passed: bool
    found: str


@dataclass(frozen=True)
class Standing:
    """Brakes, always."""

    def begin(self, batch_size: int) -> tuple[()]:
        return ()

    def act(self, view: View, memory: tuple[()]) -> tuple[Command, tuple[()]]:
        count = len(view["state_id"])
        return Command(np.zeros(count), np.full(count, -6.0)), memory


@dataclass(frozen=True)
class HeldWheel:
    """Holds the wheel straight, at the expert's speed."""

    def begin(self, batch_size: int) -> tuple[()]:
        return ()

    def act(self, view: View, memory: tuple[()]) -> tuple[Command, tuple[()]]:
        command = guide(lane_of(view))
        return command._replace(curvature=np.zeros_like(command.curvature)), memory


def self_checks(
    suite: Suite,
    condition: str,
    experts: Sequence[DrivenEpisode],
    beside: Sequence[Yardstick],
    roads: str | None,
    episodes: int,
    seed: int,
) -> list[Check]:
    """Check one variant of a suite.

    Args:
        experts: what the expert did in its episodes, measured beside itself.
    """
    success = float(np.mean([one.figures["success"] for one in experts]))
    score = float(np.mean([one.figures["pdm_score"] for one in experts]))
    found = f"success {success:.3f}, score {score:.3f}"
    checks = [Check("the expert drives well", condition, min(success, score) >= GOOD, found)]

    def drive(who: Agent, within: Suite) -> list[dict[str, Any]]:
        world = suite_world(within, {"odometry": Odometry()}, roads)
        few = episodes if suite.starts == "each-road" else min(FEW, episodes)
        skip = range(FEW, len(beside))
        driven = evaluate(within, world, who, few, seed, beside=beside, skip=skip)
        return [episode.figures for episode in driven]

    from_rest = replace(suite, task=replace(suite.task, start_speed=(0.0, 0.0)))
    stood = drive(Standing(), from_rest)
    best = max(max(one["progress_ratio"], one["pdm_score"]) for one in stood)
    checks.append(
        Check("a car that stands scores 0", condition, best == 0.0, f"at best {best:.3f}")
    )
    bent = [one for one in drive(HeldWheel(), suite) if one["road_max_curvature"] >= CURVE]
    if not bent:
        return [*checks, Check("a held wheel fails on curves", condition, True, "no curves here")]
    through = float(np.mean([one["success"] for one in bent]))
    found = f"through on {through:.2f} of {len(bent)} roads"
    return [*checks, Check("a held wheel fails on curves", condition, through <= LUCKY, found)]
