"""The memory tasks as gymnasium environments: `redrive/Blackout-v0` and its like.

A task is data, so these only turn a task's knobs into a `Task`, and give it to the one environment
that there is, `RoadEnv`, or to the batched one. Every other keyword is theirs; see docs/tasks.md.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
from gymnasium.vector import VectorEnv

from .gym_env import RoadEnv, RoadVectorEnv
from .memory_tasks import (
    blackout_task,
    latency_task,
    recall_task,
    stop_sign_task,
    unseen_speed_task,
)
from .task import Task


class TaskEnv(NamedTuple):
    """How gymnasium makes the environment of a task; its knobs are keywords of its own."""

    build: Callable[..., Task]
    knobs: tuple[str, ...]

    def _split(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Keywords of the environment, with the task that the knobs among them describe."""
        if "task" in settings:
            raise ValueError(
                f"this environment's task is its own; set it by {', '.join(self.knobs)}, "
                "or take redrive/Road-v0 with task=..."
            )
        chosen = {name: settings.pop(name) for name in self.knobs if name in settings}
        return settings | {"task": self.build(**chosen)}

    def one(self, **settings: Any) -> gymnasium.Env[Any, Any]:
        """One car."""
        return RoadEnv(**self._split(settings))

    def many(self, num_envs: int = 1, **settings: Any) -> VectorEnv[Any, Any, Any]:
        """A batch of cars."""
        return RoadVectorEnv(num_envs, **self._split(settings))


_BLACKOUT = TaskEnv(blackout_task, ("share", "burst"))
_LATENCY = TaskEnv(latency_task, ("steps",))
_RECALL = TaskEnv(recall_task, ("delay", "branches", "boards", "kick"))
_STOP_SIGN = TaskEnv(stop_sign_task, ("wait", "tolerance", "boards"))
_UNSEEN_SPEED = TaskEnv(unseen_speed_task, ("speed", "tolerance", "push"))

TASK_ENVS = {
    "redrive/Recall-v0": _RECALL,
    "redrive/StopSign-v0": _STOP_SIGN,
    "redrive/Blackout-v0": _BLACKOUT,
    "redrive/Latency-v0": _LATENCY,
    "redrive/UnseenSpeed-v0": _UNSEEN_SPEED,
}

# gymnasium finds an environment by the name of a function.
blackout, blackouts = _BLACKOUT.one, _BLACKOUT.many
recall, recalls = _RECALL.one, _RECALL.many
stop_sign, stop_signs = _STOP_SIGN.one, _STOP_SIGN.many
latency, latencies = _LATENCY.one, _LATENCY.many
unseen_speed, unseen_speeds = _UNSEEN_SPEED.one, _UNSEEN_SPEED.many
