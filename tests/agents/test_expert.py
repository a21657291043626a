"""The expert is the privileged law and nothing else."""

import numpy as np

from redrive.agents.expert import Expert
from redrive.agents.rollout import look
from redrive.sim.guidance import guide
from redrive.sim.world import RoadWorld


def test_the_expert_does_what_the_law_says_and_remembers_nothing() -> None:
    world = RoadWorld("procedural:0-5", sensors={})
    state = world.reset(np.arange(10))
    expert = Expert()
    command, memory = expert.act(look(world, state), expert.begin(10))
    right = guide(world.lane_view(state))
    np.testing.assert_array_equal(command.curvature, right.curvature)
    np.testing.assert_array_equal(command.accel, right.accel)
    assert memory == expert.begin(10) == ()
