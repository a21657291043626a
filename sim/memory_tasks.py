"""Tasks that cannot be done from one frame alone, and all tasks by name.

Each is built from its knobs; `docs/tasks.md` says for each what is seen, what is hidden, and how
it was shown that nothing else gives it away.
"""

from dataclasses import replace

from .roads.task_roads import FAMILY, SIGN_STEPS, START_AT, STEP
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


def recall_task(delay: int = 32, branches: int = 2, boards: int = 0, kick: float = 0.6) -> Task:
    """A board shows for 0.3 s which branch to take, `delay` steps of 0.1 s later the road forks.

    Args:
        branches: of the fork, 2 or 3.
        boards: beside the corridor that are meant for somebody else, arrows among them.
        kick: pushes sideways, up to [m/s²]: where the car is must not be its memory.
    """
    return replace(
        LANE_FOLLOWING,
        name="recall",
        route_length=10_000.0,  # to the end of the branch
        time_limit=round(1.5 * STEP * (delay + SIGN_STEPS) + 12.0, 1),
        off_lane="centre_2m",
        start_speed=(1.0, 1.0),
        start_at=START_AT,
        world=f"fork:delay={delay},branches={branches},boards={boards},seeds=0-{FAMILY}",
        sign_steps=SIGN_STEPS,
        kick_lateral=kick,
    )


def stop_sign_task(wait: float = 2.0, tolerance: float = 0.5, boards: int = 2) -> Task:
    """Stop at the sign, wait `wait` seconds while nothing changes, go on.

    Args:
        tolerance: of the wait [s].
        boards: beside the road that ask for nothing.
    """
    return replace(
        LANE_FOLLOWING,
        name="stop-sign",
        route_length=10_000.0,
        time_limit=round(30.0 + 2.0 * wait, 1),
        start_speed=(0.7, 1.0),
        start_at=START_AT,
        world=f"stop:boards={boards},seeds=0-{FAMILY}",
        wait=wait,
        wait_tolerance=tolerance,
    )


RECALL, BLACKOUT, UNSEEN_SPEED = recall_task(), blackout_task(), unseen_speed_task()
STOP_SIGN, LATENCY = stop_sign_task(), latency_task()

MEMORY_TASKS = {task.name: task for task in (RECALL, BLACKOUT, UNSEEN_SPEED, STOP_SIGN, LATENCY)}
TASKS = {task.name: task for task in (LANE_FOLLOWING, RECOVERY, RACETRACK)} | MEMORY_TASKS
