"""What eyes are taught to measure, and eyes that see what has changed."""

from dataclasses import replace

import numpy as np

from redrive.agents.expert import Expert
from redrive.agents.learned import LearnedDriver
from redrive.agents.rollout import Frame, look
from redrive.memory_lab import Drive
from redrive.models.registry import make_policy
from redrive.sim.memory_tasks import stop_sign_task
from redrive.task_eyes import QUANTITIES, SeesChange, WithChange, measured, with_change
from redrive.task_lab import CASES, DRIVERS, observed, task_world


def frame_at(metres: float) -> np.ndarray:
    """What is true so far along a road to a stop sign."""
    task = replace(stop_sign_task(), start_at=metres, start_lateral=0.5)
    world = task_world(task, "0-20")
    state = world.reset(np.arange(3))
    command, _ = Expert().act(view := look(world, state), ())
    return measured(world, Frame(state, view, command, state))


def test_what_is_measured_of_a_frame_is_where_the_car_is_and_how_far_the_line() -> None:
    near, far = frame_at(20.0), frame_at(6.0)
    line = QUANTITIES.index("way to the line")
    assert np.isfinite(near).all() and np.isfinite(far).all()
    assert (near[:, line] <= far[:, line]).all()
    np.testing.assert_allclose(near[:, 0], far[:, 0], atol=1e-5)  # as far beside the middle
    assert (near[:, 2:6] == 0.0).all()  # a straight road


def test_a_picture_with_what_has_changed_begins_with_no_change() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    drive = WithChange(Drive({"camera": pictures, "expert_command": np.zeros((5, 2))}))
    assert drive.steps == 5
    seen = drive.read("camera", 0, 5)
    np.testing.assert_array_equal(seen[..., :3], pictures)
    assert (seen[0, ..., 3:] == 128).all()
    np.testing.assert_array_equal(seen[4], with_change(list(pictures[4:0:-1])))
    np.testing.assert_array_equal(
        seen[1], with_change([pictures[1], pictures[0], pictures[0], pictures[0]])
    )
    np.testing.assert_array_equal(drive.read("camera", 2, 4), seen[2:4])
    assert drive.read("expert_command", 2, 4).shape == (2, 2)


def test_what_changed_is_that_of_four_pixels_together() -> None:
    before = np.full((4, 4, 3), 100, np.uint8)
    now = before.copy()
    now[1, 2] += 6  # 1.5 grey levels in the mean of the four
    now[2:, :2] -= 80  # more than can be told
    seen = with_change([now, before])
    np.testing.assert_array_equal(seen[..., :3], now)
    changed = np.full((4, 4, 3), 128)
    changed[:2, 2:] += 3
    changed[2:, :2] = 0
    np.testing.assert_array_equal(seen[..., 3:], changed)


def test_a_driver_sees_on_the_road_what_it_saw_in_drives() -> None:
    case = CASES["unseen-speed"]
    spec, encoder = observed(case, DRIVERS["lstm"])
    assert spec.shape("camera") == (64, 96, 12) and not encoder["speed"]
    from redrive.models.lstm import LstmSettings
    from redrive.models.settings import from_json

    policy = make_policy("lstm", spec, from_json(LstmSettings, {"encoder": encoder}), seed=0)
    driver = SeesChange(LearnedDriver(policy))
    pictures = np.random.default_rng(0).integers(0, 256, (4, 2, 64, 96, 3), dtype=np.uint8)
    memory, alone = driver.begin(2), driver.driver.begin(2)
    past = [pictures[0]] * 4
    for now in pictures:
        command, memory = driver.act({"camera": now}, memory)
        past = [now, *past[:3]]
        told, alone = driver.driver.act({"camera": with_change(past)}, alone)
        np.testing.assert_array_equal(command.curvature, told.curvature)
