"""Tasks that cannot be done from one frame alone, and all tasks by name.

Each is built from its knobs; `docs/tasks.md` says for each what is seen, what is hidden, and how
it was shown that nothing else gives it away.
"""

from dataclasses import replace

from .task import LANE_FOLLOWING, RACETRACK, RECOVERY, Task


def blackout_task(share: float = 0.5, burst: int = 1) -> Task:
    """Lane following with a camera that fails: `share` of the frames is black, `burst` at a time."""
    return replace(LANE_FOLLOWING, name="blackout", blackout_share=share, blackout_burst=burst)


def latency_task(steps: int = 4) -> Task:
    """Lane following with commands that act `steps` steps later than they are given."""
    return replace(LANE_FOLLOWING, name="latency", latency_steps=steps)


def unseen_speed_task(speed: float = 8.0, tolerance: float = 1.5, push: float = 0.8) -> Task:
    """Hold a speed [m/s] without a speedometer, while pushed by up to `push` [m/s²].

    It starts at a third to five thirds of that speed, so that the speed has to be found first.
    """
    return replace(
        LANE_FOLLOWING,
        name="unseen-speed",
        route_length=0.0,
        time_limit=30.0,
        start_speed=(1.0 / 3.0, 5.0 / 3.0),
        hides=("odometry",),
        kick_accel=push,
        hold_speed=speed,
        speed_tolerance=tolerance,
    )


BLACKOUT, LATENCY, UNSEEN_SPEED = blackout_task(), latency_task(), unseen_speed_task()

MEMORY_TASKS = {task.name: task for task in (BLACKOUT, UNSEEN_SPEED, LATENCY)}
TASKS = {task.name: task for task in (LANE_FOLLOWING, RECOVERY, RACETRACK)} | MEMORY_TASKS
