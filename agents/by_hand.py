"""Drives of a person as recordings: at the wheel all the time, or taking it from a driver.

They have all columns of any other recording, and one more: `by_hand`, 1 in the steps in which a
person drove. `expert_command` is what the expert would have done in every state, as always;
`command` is what was done, so with `by_hand` it is the person's label.

Source of the second kind: Kelly et al., HG-DAgger: interactive imitation learning with human
experts, ICRA 2019: a person takes over where the learner goes wrong, and only what the person did
is learned from.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..sim.any_world import World
from ..sim.recording_header import Feature, RecordingHeader
from ..sim.task import Ended
from .demonstrations import columns_at, recording_header
from .rollout import Frame

BY_HAND = "by_hand"
REGIMES = {
    "by-hand": "a person drives",
    "intervention": "a driver drives, a person takes the wheel where it goes wrong (HG-DAgger)",
    "log": "nobody took the wheel",
}


def by_hand_header(world: World) -> RecordingHeader:
    """The header of a recording in which a person may drive."""
    header = recording_header(world)
    return replace(header, features={**header.features, BY_HAND: Feature("uint8", (), "1")})


def by_hand_columns(
    world: World, frames: Sequence[Frame], by_hand: Sequence[bool]
) -> dict[str, np.ndarray]:
    """The columns of a drive of one car, (T, ...) each.

    Args:
        by_hand: for each frame, whether a person drove.
    """
    rows = [columns_at(frame, world) for frame in frames]
    columns = {name: np.stack([row[name][0] for row in rows]) for name in rows[0]}
    return {**columns, BY_HAND: np.array(by_hand, np.uint8)}


def by_hand_entries(
    world: World, frames: Sequence[Frame], by_hand: Sequence[bool]
) -> dict[str, Any]:
    """What the sidecar of such a drive says, its driver apart."""
    last = frames[-1].after
    held = np.array(by_hand, bool)
    regime = "by-hand" if held.all() else "intervention" if held.any() else "log"
    return {
        "seed": int(last.seed[0]),
        "episode": int(last.episode[0]),
        "world": world.road_name(int(last.road[0])),
        "regime": regime,
        "interventions": len(stretches(held)) if regime == "intervention" else 0,
        "by_hand_steps": int(held.sum()),
        "result": Ended(int(last.ended[0])).name.lower(),
        "distance_m": round(float(last.distance[0] - frames[0].state.distance[0]), 3),
        "task": world.task.to_json(),
        "vehicle": world.vehicle.to_json(),
    }


def stretches(held: np.ndarray) -> list[tuple[int, int]]:
    """First step and one past the last of every unbroken run of `held` (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(held, bool), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
