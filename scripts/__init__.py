"""redrive: learn drivers from recorded drives, test them in closed loop."""

import gymnasium as _gymnasium

__version__ = "0.1.0"

if "redrive/Road-v0" not in _gymnasium.registry:
    _gymnasium.register(
        id="redrive/Road-v0",
        entry_point="redrive.sim.gym_env:RoadEnv",
        vector_entry_point="redrive.sim.gym_env:RoadVectorEnv",
    )
