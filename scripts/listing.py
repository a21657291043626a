"""`redrive list`: the worlds, sensors, tasks, policies, regimes, suites and studies there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from redrive import terminal
from redrive.command import parse
from redrive.study import STUDIES


@dataclass(frozen=True)
class ListOptions:
    """Everything that can be named in a command."""


def main(argv: Sequence[str]) -> int:
    """The command."""
    parse(ListOptions, argv, "list")
    from redrive.agents.demonstrations import REGIMES
    from redrive.agents.suites import SUITES
    from redrive.models.registry import POLICIES
    from redrive.sim.memory_tasks import TASKS
    from redrive.sim.sensors.camera import Camera

    worlds = {
        "procedural": "another road for every episode, from seeds 0 to 999",
        "procedural:7": "the road of one seed",
        "procedural:0-100": "roads of seeds 0 to 99",
        "fork:delay=32": "a corridor that ends in a fork; boards=, branches= (docs/tasks.md)",
        "stop": "a road with a stop sign",
        "RECORDING": "a folder that record or import made: drive in it again",
        "TRACK.csv": "a circuit: x_m, y_m, w_tr_right_m, w_tr_left_m (TUM); or a folder of them",
    }
    sensors = {
        "camera": f"RGB picture, {Camera().width} wide, {Camera().height} high",
        "odometry": "speed [m/s] and yaw rate [rad/s]",
        "route": "which branch of a fork to take, a number; kept by record --route",
    }
    tasks = {
        task.name: f"ends by {task.off_lane} or {task.time_limit:g} s" for task in TASKS.values()
    }
    policies = {name: _first_line(policy) for name, policy in POLICIES.items()}
    studies = {name: question for name, (_, question) in STUDIES.items()}
    suites = {suite.name: suite.purpose for suite in SUITES.values()}
    for title, entries in (
        ("worlds", worlds),
        ("sensors", sensors),
        ("tasks", tasks),
        ("regimes of demonstration", REGIMES),
        ("policies", policies),
        ("suites", suites),
        ("studies", studies),
        (
            "drivers",
            {"expert": "knows the lane", "human": "you (redrive watch)", "RUN": "a folder"},
        ),
    ):
        print(title)
        for name, purpose in entries.items():
            print(f"  {name:<18}{purpose}")
    terminal.say(f"next: {terminal.typed('record --help')}")
    return 0


def _first_line(thing: object) -> str:
    return (thing.__doc__ or "").strip().splitlines()[0]
