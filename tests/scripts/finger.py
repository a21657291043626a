"""A finger on real keys: drives in the window of `redrive watch` or `redrive record --agent human`.

It sees what a person sees: where the car is and how fast (the window's --log), and where the road
goes (the road's own lane, which the window draws). It holds down or lets go of the four arrow
keys, nothing else. It looks a second ahead and presses left where the lane is to the left of where
the car would go.

    python finger.py LOG.jsonl --world procedural:7
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from redrive.sim.any_world import World, open_world

OFF_BY = 0.35  # of the lane a second ahead: closer is good enough [m]
SPEED_BAND = 1.2  # [m/s]
CAREFUL = 0.85  # of the planned speed


class Keys:
    """Real keys of an X display, held down and let go; one xdotool for all of them."""

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self._tool = subprocess.Popen(
            ["xdotool", "-"], stdin=subprocess.PIPE, env=env, text=True, bufsize=1
        )
        self._down: set[str] = set()

    def hold(self, keys: set[str]) -> None:
        """Exactly these are down."""
        for key in sorted(self._down - keys):
            self._say(f"keyup {key}")
        for key in sorted(keys - self._down):
            self._say(f"keydown {key}")
        self._down = set(keys)

    def press(self, key: str) -> None:
        """Down and up."""
        self._say(f"key {key}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hold(set())
        assert self._tool.stdin is not None
        self._tool.stdin.close()
        self._tool.wait(10)

    def _say(self, words: str) -> None:
        assert self._tool.stdin is not None
        self._tool.stdin.write(words + "\n")
        self._tool.stdin.flush()


def wish(world: World, seen: Mapping[str, Any]) -> set[str]:
    """The keys that a person would hold down now."""
    roads = [world.pool.source.road(i) for i in range(world.pool.source.count)]
    road = next(road for road in roads if road.name == seen["road"])
    lane, speed = road.lanes[seen["lane"]], seen["speed"]
    at = (seen["arc_length"] + max(6.0, speed)) / lane.spacing
    nodes = np.arange(len(lane.x))
    away = np.interp(at, nodes, lane.x) - seen["x"], np.interp(at, nodes, lane.y) - seen["y"]
    cos, sin = np.cos(seen["yaw"]), np.sin(seen["yaw"])
    ahead, left = away[0] * cos + away[1] * sin, away[1] * cos - away[0] * sin
    error = left - 0.5 * seen["curvature"] * ahead**2
    bends = np.abs(lane.curvature[int(seen["arc_length"] / lane.spacing) :][:60])
    wanted = min(
        CAREFUL * road.speed_limit, (1.8 / max(float(bends.max(initial=0.0)), 1e-6)) ** 0.5
    )
    keys = set()
    if abs(error) > OFF_BY:
        keys.add("Left" if error > 0.0 else "Right")
    if abs(speed - wanted) > SPEED_BAND:
        keys.add("Up" if speed < wanted else "Down")
    return keys


def drive(log: Path, world: World, keys: Keys, patience: float = 30.0, still: Any = None) -> str:
    """Drive until the log says that an episode has ended; how.

    Args:
        patience: without a new line, it gives up after this time [s].
        still: a process; when it has ended, so has the drive.
    """
    position, waited, ended = 0, time.monotonic(), ""
    while time.monotonic() - waited < patience:
        if still is not None and still.poll() is not None:
            break
        text = log.read_text(encoding="utf-8") if log.is_file() else ""
        whole = text[: text.rfind("\n") + 1]
        new = [json.loads(line) for line in whole[position:].splitlines()]
        position = len(whole)
        steps = [line for line in new if "step" in line]
        if not steps:
            time.sleep(0.01)
            continue
        waited = time.monotonic()
        seen = steps[-1]
        if seen["ended"]:
            ended = seen["ended"]
            break
        keys.hold(wish(world, seen))
    keys.hold(set())
    return ended


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("--world", default="procedural:7")
    given = parser.parse_args()
    with Keys() as real_keys:
        print(drive(given.log, open_world(given.world), real_keys), file=sys.stderr)
