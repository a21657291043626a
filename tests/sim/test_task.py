"""Tasks are data, and nonsense is refused."""

import json
from typing import Any

import pytest

from redrive.sim.memory_tasks import TASKS
from redrive.sim.task import OFF_LANE_RULES, RECOVERY, Ended, Task


def test_tasks_are_found_by_their_names() -> None:
    assert {name: task.name for name, task in TASKS.items()} == {name: name for name in TASKS}
    assert {"lane-following", "recovery", "racetrack"} <= set(TASKS)
    assert all(task.off_lane in OFF_LANE_RULES for task in TASKS.values())


def test_a_task_that_was_written_down_is_the_same_task() -> None:
    for task in TASKS.values():
        read = json.loads(json.dumps(task.to_json()))
        read |= {name: tuple(read[name]) for name in ("start_speed", "hides")}
        assert Task(**read) == task


def test_running_is_false_and_every_end_is_true() -> None:
    assert not Ended.RUNNING
    assert all(bool(end) for end in Ended if end is not Ended.RUNNING)


def test_recovery_starts_where_the_centre_is_not() -> None:
    assert RECOVERY.start_lateral > 0.5 and RECOVERY.start_yaw > 0.1
    assert RECOVERY.off_lane == "centre_2m"  # its starts are over the line already


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"off_lane": "wheels"}, "off_lane is one of free_margin, centre_2m, none, got 'wheels'"),
        ({"time_limit": 0.0}, "time_limit must be positive"),
        ({"time_limit": float("nan")}, "time_limit must be positive"),
        ({"route_length": -1.0}, "route_length at least 0, got 60.0 s and -1.0 m"),
        ({"start_speed": (1.0, 0.5)}, r"0 <= low <= high <= 2; got 1.0, 0.5"),
        ({"start_speed": (-0.1, 0.5)}, r"0 <= low <= high <= 2"),
        ({"start_yaw": 10.0}, "start_yaw lies between 0 and 3.15 rad, got 10.0; is it in degrees"),
        ({"start_yaw": -0.1}, "start_yaw"),
        ({"start_lateral": -1.0}, "start_lateral"),
        ({"max_heading_error": 0.0}, "max_heading_error"),
        ({"blackout_share": 1.0}, "0 to below 1, got 1.0"),
        ({"blackout_burst": 0}, "blackout_burst is 1 .* got 0"),
        ({"kick_accel": -1.0}, "kick_accel must be at least 0, got -1.0"),
        ({"latency_steps": -1}, "latency_steps must be at least 0"),
        ({"speed_tolerance": 0.0}, "speed_tolerance must be positive"),
        ({"start_at": -2.0}, "start_at must be at least 0 m, got -2.0"),
        ({"start_balance": 0.5}, r"start_balance must be at least 1 .* got 0.5"),
    ],
)
def test_a_task_that_means_nothing_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Task(**settings)
