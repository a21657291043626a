"""The audit of the memory tasks: nothing but the cue tells what to remember, and the cue is enough."""

import numpy as np
import pytest

from redrive.agents.leak_audit import audit_recall, classify, decision_step, expert_moments, grey
from redrive.sim.appearance import Appearance
from redrive.sim.guidance import guide
from redrive.sim.memory_tasks import (
    blackout_task,
    recall_task,
    stop_sign_task,
    unseen_speed_task,
)
from redrive.sim.success import is_success
from redrive.sim.vehicle import Command
from redrive.sim.world import DEFAULT_SENSORS, CarState, RoadWorld

ROADS = "seeds=0-24"  # few roads are enough: what differs between episodes is drawn per car


def recall_world(delay: int, branches: int = 2, boards: int = 0) -> RoadWorld:
    task = recall_task(delay, branches, boards)
    return RoadWorld(
        f"fork:delay={delay},branches={branches},boards={boards},{ROADS}",
        {"camera": DEFAULT_SENSORS["camera"]},
        task,
        appearance=Appearance(randomise=1.0),
    )


def test_a_classifier_finds_what_is_there_and_nothing_where_there_is_nothing() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=300)
    noise = rng.normal(size=(300, 50))
    told = noise.copy()
    told[:, :3] += 5.0 * np.eye(3)[labels]
    assert classify(told, labels).mean > 0.95
    nothing = classify(noise, labels)
    assert nothing.low < 1.0 / 3.0 < nothing.high


@pytest.mark.parametrize(("branches", "boards"), [(2, 0), (3, 3)])
def test_the_expert_is_the_same_for_every_cue_until_the_decision(
    branches: int, boards: int
) -> None:
    """The exact audit: the same episodes with another cue, byte for byte the same at the decision."""
    delay = 12
    world = recall_world(delay, branches, boards)
    state = world.reset(np.arange(12))
    other = state._replace(route=(state.route + 1) % branches)
    steps = (0, world.task.sign_steps, decision_step(delay, world.task.sign_steps))
    ours, after = expert_moments(world, state, steps)
    theirs, other_after = expert_moments(world, other, steps)
    assert (ours[0].frames != theirs[0].frames).any(axis=(1, 2, 3)).all()  # the sign
    for mine, their in zip(ours[1:], theirs[1:], strict=True):
        np.testing.assert_array_equal(mine.frames, their.frames)
        np.testing.assert_array_equal(mine.motion, their.motion)
    for _ in range(6):
        after = world.step(after, guide(world.lane_view(after)))
        other_after = world.step(other_after, guide(world.lane_view(other_after)))
    assert (after.y != other_after.y).all()


@pytest.mark.parametrize(("branches", "boards"), [(2, 0), (3, 2)])
def test_without_memory_the_cue_can_only_be_guessed(branches: int, boards: int) -> None:
    delay = 12
    found = audit_recall(recall_world(delay, branches, boards), delay, episodes=400)
    assert found["sign"].low > 0.8  # the classifier can read
    for name in ("frame", "motion"):
        assert found[name].low < 1.0 / branches, name  # no better than a guess


def test_in_a_single_frame_there_is_no_speed_and_in_two_there_is() -> None:
    """unseen-speed: slow or fast start, guessed from one picture, and from the change to the next."""
    task = unseen_speed_task()
    world = RoadWorld(
        "procedural:0-24", {"camera": DEFAULT_SENSORS["camera"]}, task, appearance=Appearance(1.0)
    )
    state = world.reset(np.arange(320))
    fast = (state.speed > np.median(state.speed)).astype(int)
    before = world.observe(state)["camera"]
    moved = world.step(state, Command(state.curvature, np.zeros(320)))
    after = world.observe(moved)["camera"]
    one = classify(grey(before), fast)
    assert one.low < 0.5 < one.high
    change = np.abs(after.astype(float) - before)
    two = classify(np.log(small(change) + 1e-3), fast)
    assert two.low > 0.6


def test_a_black_frame_is_the_same_for_everybody() -> None:
    task = blackout_task(0.75, 8)
    world = RoadWorld("procedural:0-24", {"camera": DEFAULT_SENSORS["camera"]}, task)
    state = world.reset(np.arange(60))
    for _ in range(12):
        state = world.step(state, guide(world.lane_view(state)))
    frames = world.observe(state)["camera"]
    dark = ~frames.any(axis=(1, 2, 3))
    turns_left = state.curvature > 0.0
    assert (dark & turns_left).any() and (
        dark & ~turns_left
    ).any()  # nothing seen, unlike things to do


def test_at_the_stop_line_the_last_frame_of_waiting_is_the_first_one_of_going() -> None:
    """stop-sign: one and the same picture and speed, and opposite things to do."""
    task = stop_sign_task(wait=1.0)
    world = RoadWorld("stop:seeds=0-4", {"camera": DEFAULT_SENSORS["camera"]}, task)
    state = world.reset(np.arange(4))
    frames, accels, speeds = [], [], []
    for _ in range(120):
        command = guide(world.lane_view(state))
        frames.append(world.observe(state)["camera"][0])
        accels.append(command.accel[0])
        speeds.append(state.speed[0])
        state = world.step(state, command)
    stood = np.flatnonzero(np.array(speeds) == 0.0)
    wait, go = stood[1], stood[-1]
    np.testing.assert_array_equal(frames[wait], frames[go])
    assert accels[wait] < 0.0 < accels[go]


def small(frames: np.ndarray) -> np.ndarray:
    """(B, F) frames averaged over blocks of 4 x 4 pixels."""
    blocks = frames.reshape(len(frames), 16, 4, 24, 4, 3)
    features: np.ndarray = blocks.mean(axis=(2, 4)).reshape(len(frames), -1) / 255.0
    return features


class LinearDriver:
    """Steers by a linear function of the frame: one for each cue, or the same for all."""

    def __init__(self, ridge: float = 30.0) -> None:
        self.ridge = ridge
        self.weights: list[np.ndarray] = []

    def learn(self, views: np.ndarray, curvature: np.ndarray, cue: np.ndarray) -> None:
        self.mean = views.mean(axis=0)
        for k in range(int(cue.max()) + 1):
            x, y = self.features(views[cue == k]), curvature[cue == k]
            gram = x.T @ x + self.ridge * np.eye(x.shape[1])
            self.weights.append(np.linalg.solve(gram, x.T @ y))

    def features(self, views: np.ndarray) -> np.ndarray:
        return np.concatenate([views - self.mean, np.ones((len(views), 1))], axis=1) * 10.0

    def steer(self, views: np.ndarray, cue: np.ndarray) -> np.ndarray:
        each = np.stack([self.features(views) @ w for w in self.weights])
        chosen: np.ndarray = each[cue, np.arange(len(cue))]
        return chosen


def test_who_is_told_the_cue_at_the_fork_reaches_the_expert_and_who_is_not_fails() -> None:
    """The ceiling: with the route as an input, the task can be done from single frames."""
    delay = 4
    world = recall_world(delay)
    world = RoadWorld(world.world, world.sensors, world.task)  # a clear day: a linear driver
    views, commands, cues = [], [], []
    state = world.reset(np.arange(160))
    rng = np.random.default_rng(0)
    while (state.ended == 0).any():
        command = guide(world.lane_view(state))
        drives = state.ended == 0
        views.append(small(world.observe(state)["camera"])[drives])
        commands.append(command.curvature[drives])
        cues.append(state.route[drives])
        push = rng.normal(0.0, 0.02, len(drives))  # so that it sees how to get back
        state = world.step(state, Command(command.curvature + push, command.accel))
    seen, steering, cue = (np.concatenate(column) for column in (views, commands, cues))
    told, blind = LinearDriver(), LinearDriver()
    told.learn(seen, steering, cue)
    blind.learn(seen, steering, np.zeros_like(cue))

    def drive(driver: LinearDriver, knows: bool) -> CarState:
        state = world.reset(np.arange(1000, 1064))
        while (state.ended == 0).any():
            frames = small(world.observe(state)["camera"])
            steer = driver.steer(frames, state.route * knows)
            state = world.step(state, Command(steer, guide(world.lane_view(state)).accel))
        return state

    assert is_success(world.task, drive(told, True)).mean() > 0.9
    assert is_success(world.task, drive(blind, False)).mean() < 0.6
