"""Cars inside a recorded drive: how their episodes end, and the environment `redrive/Trace-v0`."""

import warnings
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from redrive.agents.demonstrations import demonstration_task, record, recording_header
from redrive.agents.expert import Expert
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.sensors.camera import Camera
from redrive.sim.task import Task
from redrive.sim.trace_world import TraceWorld
from redrive.sim.world import RoadWorld

DRIVE = Task(route_length=0.0, time_limit=60.0, off_lane="centre_2m")
SMALL = {"camera": Camera().scaled(0.25)}
Action = Callable[[dict[str, Any]], np.ndarray]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("trace") / "rec"
    world = RoadWorld(world="procedural:0-20", task=demonstration_task("log", 100, 0.1))
    with RecordingWriter(folder, recording_header(world)) as writer:
        record(world, Expert(), writer, np.arange(2), {"driver": "expert", "regime": "log"})
    return str(folder)


def make(world: str | None, **settings: Any) -> gymnasium.Env[Any, Any]:
    return gymnasium.make("redrive/Trace-v0", world=world, **settings)


def make_many(
    cars: int, world: str | None, **settings: Any
) -> gymnasium.vector.VectorEnv[Any, Any, Any]:
    return gymnasium.make_vec(
        "redrive/Trace-v0",
        num_envs=cars,
        vectorization_mode="vector_entry_point",
        world=world,
        **settings,
    )


def expert(info: dict[str, Any]) -> np.ndarray:
    action: np.ndarray = info["expert_action"]
    return action


def drift(info: dict[str, Any]) -> np.ndarray:
    """Off to the left, and then parallel to the path."""
    return np.array([0.05 - 0.5 * info["heading_error"], 0.0], np.float32)


def turn(info: dict[str, Any]) -> np.ndarray:
    return np.array([1.0, 0.0], np.float32)


@pytest.mark.parametrize(
    ("off_lane", "action", "name"),
    [
        ("centre_2m", drift, "off_lane"),
        ("free_margin", drift, "off_lane"),
        ("none", turn, "wrong_way"),
        ("centre_2m", expert, "end_of_road"),
    ],
    ids=["off-path", "outline-off-path", "heading", "end-of-trace"],
)
def test_each_end_of_a_drive_in_a_trace_has_a_name(
    recording: str, off_lane: str, action: Action, name: str
) -> None:
    task = Task(route_length=0.0, time_limit=60.0, off_lane=off_lane)
    env = make(recording, task=task, sensors=SMALL)
    _, info = env.reset(seed=3)
    over, truncated, before = False, False, info
    while not over:
        before = info
        _, _, over, truncated, info = env.step(action(info))
        assert not truncated
    assert (before["ended"], info["ended"]) == ("running", name)
    world = env.unwrapped.world  # type: ignore[attr-defined]
    state = env.unwrapped._cars.state  # type: ignore[attr-defined]
    if name == "end_of_road":
        assert info["is_success"]
        assert info["arc_length"] >= world.source.trace(int(state.road[0])).lane.length - 1e-6


def test_gymnasiums_checker_finds_nothing(recording: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(make(recording, render_mode="rgb_array").unwrapped)


def test_a_car_of_a_batch_drives_and_sees_what_it_does_alone(recording: str) -> None:
    task = Task(route_length=0.0, time_limit=1.0, off_lane="centre_2m")
    many = make_many(3, recording, task=task, sensors=SMALL)
    seen, told = many.reset(seed=5)
    assert many.observation_space.contains(seen)
    alone = [make(recording, task=task, sensors=SMALL) for _ in range(3)]
    each = [env.reset(seed=5 + car) for car, env in enumerate(alone)]
    for _ in range(25):
        for car, (obs, info) in enumerate(each):
            assert obs["camera"].tobytes() == seen["camera"][car].tobytes()
            assert info["lateral_offset"] == told["lateral_offset"][car]
        over = [info["ended"] != "running" for _, info in each]
        each = [
            env.reset() if done else env.step(info["expert_action"])[::4]
            for env, done, (_, info) in zip(alone, over, each, strict=True)
        ]
        seen, _, _, _, told = many.step(told["expert_action"])


@pytest.mark.parametrize("world", [None, "procedural:3", "no/such/folder"])
def test_what_is_no_recording_is_refused(world: str | None) -> None:
    for build in (lambda: make(world), lambda: make_many(2, world)):
        with pytest.raises(ValueError, match="Trace-v0 drives in a recording, .* is none"):
            build()


def test_the_id_is_of_a_trace_world(recording: str) -> None:
    assert isinstance(make(recording).unwrapped.world, TraceWorld)  # type: ignore[attr-defined]
