"""redrive: learn drivers from recorded drives, test them in closed loop."""

import gymnasium as _gymnasium

__version__ = "0.1.0"

for _name in ("redrive/Road-v0", "redrive/Trace-v0"):  # roads that are drawn; a recorded drive
    if _name not in _gymnasium.registry:
        _gymnasium.register(
            id=_name,
            entry_point="redrive.sim.gym_env:RoadEnv",
            vector_entry_point="redrive.sim.gym_env:RoadVectorEnv",
        )

for _task, _one, _many in (  # tasks that need a memory; their names are those of sim/task_envs.py
    ("Recall", "recall", "recalls"),
    ("StopSign", "stop_sign", "stop_signs"),
    ("Blackout", "blackout", "blackouts"),
    ("Latency", "latency", "latencies"),
    ("UnseenSpeed", "unseen_speed", "unseen_speeds"),
):
    if f"redrive/{_task}-v0" not in _gymnasium.registry:
        _gymnasium.register(
            id=f"redrive/{_task}-v0",
            entry_point=f"redrive.sim.task_envs:{_one}",
            vector_entry_point=f"redrive.sim.task_envs:{_many}",
        )
