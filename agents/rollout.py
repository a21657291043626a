"""The one main loop: observe, act, move."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from ..sim import chance
from ..sim.any_world import World
from ..sim.vehicle import Command
from ..sim.world import CarState
from .agent import Agent, View


class Frame(NamedTuple):
    """One step of B cars: what was seen, what was done, and what came of it."""

    state: CarState  # that the view was seen in
    view: View
    command: Command
    after: CarState


def look(world: World, state: CarState) -> View:
    """Everything that a driver may be given of a state."""
    return {
        **world.observe(state),
        "lane": world.lane_view(state),
        "previous_command": state.command.astype(np.float32),
        "state_id": state.state_id,
        "chance": chance.bits(state.seed, state.episode, chance.DRIVER),
    }


def rollout(
    world: World,
    agent: Agent,
    state: CarState,
    steps: int | None = None,
    before: Callable[[CarState], CarState] = lambda state: state,
) -> Iterator[Frame]:
    """Let `agent` drive from `state` until every car has ended, or for `steps` steps.

    A car that has ended stays where it is while the others drive on; its steps do not count
    any more (`after.steps`).

    Args:
        before: what happens to the cars at the beginning of a step, before anything is seen of
            it, such as being put elsewhere (`offsets.placing`).
    """
    memory = agent.begin(len(state.x))
    taken = 0
    while (steps is None or taken < steps) and (state.ended == 0).any():
        state = before(state)
        view = look(world, state)
        command, memory = agent.act(view, memory)
        after = world.step(state, command)
        yield Frame(state, view, command, after)
        state = after
        taken += 1
