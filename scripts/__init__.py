"""redrive: learn drivers from recorded drives, test them in closed loop."""

from redrive import interrupt as _interrupt

if _interrupt.is_command():
    _interrupt.listen()  # before the imports that take long

import gymnasium as _gymnasium

__version__ = "0.1.0"

for _world, _one, _many in (  # roads that are drawn; a recorded drive
    ("Road", "RoadEnv", "RoadVectorEnv"),
    ("Trace", "trace_env", "trace_vector_env"),
):
    if f"redrive/{_world}-v0" not in _gymnasium.registry:
        _gymnasium.register(
            id=f"redrive/{_world}-v0",
            entry_point=f"redrive.sim.gym_env:{_one}",
            vector_entry_point=f"redrive.sim.gym_env:{_many}",
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
