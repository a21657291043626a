"""A driver behind a lens with faults: only its pictures are others."""

from typing import Any

import numpy as np

from redrive.agents.agent import View
from redrive.agents.impaired import Impaired
from redrive.agents.rollout import look
from redrive.sim.picture_faults import PictureFaults
from redrive.sim.vehicle import Command
from redrive.sim.world import RoadWorld


class Noting:
    """Notes what it is shown, in its memory."""

    def begin(self, batch_size: int) -> list[View]:
        return []

    def act(self, view: View, memory: list[View]) -> tuple[Command, list[View]]:
        count = len(view["state_id"])
        return Command(np.zeros(count), np.ones(count)), [*memory, view]


def test_a_driver_sees_the_faults_and_nothing_else_changes() -> None:
    world = RoadWorld("procedural:3")
    view = look(world, world.reset(np.array([1, 2])))
    driver = Impaired(Noting(), PictureFaults(occlusion=0.4))
    memory: Any = driver.begin(2)
    command, (seen,) = driver.act(view, memory)
    assert command.accel.tolist() == [1.0, 1.0]
    changed = (seen["camera"] != view["camera"]).any(axis=-1).mean(axis=(1, 2))
    assert (np.abs(changed - 0.4) < 0.05).all()
    assert (seen["camera"][0] != seen["camera"][1]).any()
    for name in view.keys() - {"camera"}:
        assert seen[name] is view[name]
