"""`redrive/Road-v0`: what gymnasium and stable-baselines3 expect, and what the page promises."""

import inspect
import re
import runpy
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from redrive.sim.gym_env import RoadEnv, RoadVectorEnv, make_world
from redrive.sim.memory_tasks import TASKS
from redrive.sim.road import Lane
from redrive.sim.sensors.camera import Camera
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.task import OFF_LANE_RULES, Ended, Task
from redrive.sim.vehicle import Vehicle
from redrive.sim.world import RoadWorld

LaneBuilder = Callable[..., Lane]
WorldBuilder = Callable[..., RoadWorld]
ROADS = "procedural:0-6"
SHORT = Task("short", route_length=15.0, time_limit=1.5, start_lateral=0.9, start_yaw=0.2)
STRAIGHT = np.zeros(2, np.float32)


def make(**settings: Any) -> gymnasium.Env[Any, Any]:
    return gymnasium.make("redrive/Road-v0", **{"world": ROADS, **settings})


def make_many(cars: int, **settings: Any) -> gymnasium.vector.VectorEnv[Any, Any, Any]:
    return gymnasium.make_vec(
        "redrive/Road-v0",
        num_envs=cars,
        vectorization_mode="vector_entry_point",
        **{"world": ROADS, **settings},
    )


# Checkers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"render_mode": "rgb_array"},
        {"sensors": {"odometry": Odometry()}},
        {"task": "recovery", "appearance": 1.0, "dt": 0.05},
        {"vehicle": Vehicle(steer_lag=0.2, delay_steps=2)},
    ],
    ids=["default", "drawn", "no-camera", "recovery", "late"],
)
def test_gymnasiums_checker_finds_nothing(settings: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(make(**settings).unwrapped)


def test_stable_baselines3s_checker_finds_nothing() -> None:
    checker = pytest.importorskip("stable_baselines3.common.env_checker")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checker.check_env(make().unwrapped)


def test_the_id_is_known_once_the_module_is_named() -> None:
    env = gymnasium.make("redrive:redrive/Road-v0", world=ROADS)
    assert isinstance(env.unwrapped, RoadEnv)
    assert isinstance(make_many(2).unwrapped, RoadVectorEnv)


# Spaces -----------------------------------------------------------------------------------------


def test_the_spaces_are_those_of_the_page() -> None:
    env = make()
    assert isinstance(env.observation_space, gymnasium.spaces.Dict)
    camera, odometry = env.observation_space["camera"], env.observation_space["odometry"]
    assert camera.shape == (64, 96, 3) and camera.dtype == np.uint8
    assert odometry.shape == (2,) and odometry.dtype == np.float32
    assert env.action_space == gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
    many = make_many(3)
    assert isinstance(many.observation_space, gymnasium.spaces.Dict)
    assert many.observation_space["camera"].shape == (3, 64, 96, 3)
    assert many.action_space.shape == (3, 2)
    assert many.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP


@pytest.mark.parametrize("vehicle", [Vehicle(), Vehicle(max_speed=6.0, max_curvature=0.05)])
def test_whatever_is_done_stays_inside_the_spaces(vehicle: Vehicle) -> None:
    env = make_many(8, vehicle=vehicle, task="recovery")
    env.action_space.seed(0)
    obs, _ = env.reset(seed=0)
    for _ in range(60):
        assert env.observation_space.contains(obs)
        obs, *_ = env.step(env.action_space.sample())


def test_sensors_are_chosen_by_name() -> None:
    small = Camera.with_field_of_view(48, 32, 1.5)
    obs, _ = make(sensors={"front": small}).reset(seed=1)
    assert list(obs) == ["front"] and obs["front"].shape == (32, 48, 3)


# Actions ----------------------------------------------------------------------------------------


def test_left_is_the_positive_action() -> None:
    env = make(world="procedural:3")
    ends = []
    for turn in (0.3, -0.3):
        _, start = env.reset(seed=0)
        *_, info = env.step(np.array([turn, 0.0], np.float32))
        ends.append(info["heading_error"] - start["heading_error"])
    assert ends[0] > 0.0 > ends[1]


def test_the_experts_action_drives_to_the_end() -> None:
    env = make(world="procedural:3")
    _, info = env.reset(seed=0)
    over, rewards = False, 0.0
    while not over:
        _, reward, terminated, truncated, info = env.step(info["expert_action"])
        over = terminated or truncated
        rewards += float(reward)
    assert terminated and info["is_success"] and info["ended"] == "route_completed"
    assert info["route_completion"] == 1.0
    assert rewards == pytest.approx(40.0, abs=1.0)  # 400 m at 10 m for each point


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_action_that_is_no_number_is_an_error(bad: float) -> None:
    env = make().unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match="not a finite number"):
        env.step(np.array([bad, 0.0], np.float32))


@pytest.mark.parametrize("action", [np.zeros(3), np.zeros(1), np.zeros((1, 2))])
def test_an_action_of_another_shape_is_an_error(action: np.ndarray) -> None:
    env = make().unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match="an action is two numbers"):
        env.step(action)
    with pytest.raises(ValueError, match="an action is two numbers"):
        many = make_many(4).unwrapped
        many.reset(seed=0)
        many.step(np.zeros((4, 3)))


def test_reset_comes_before_step() -> None:
    with pytest.raises(RuntimeError, match=r"reset\(\) comes before step\(\)"):
        RoadEnv(ROADS).step(STRAIGHT)
    with pytest.raises(RuntimeError, match=r"reset\(\) comes before step\(\)"):
        RoadVectorEnv(2, ROADS).step(np.zeros((2, 2)))


# Reward, info, ends -----------------------------------------------------------------------------


@pytest.fixture
def straight(lane_of_curvature: LaneBuilder, world_of: WorldBuilder) -> str:
    """A world with one straight road, driven at 15 m/s."""
    return world_of(lane_of_curvature(np.zeros(500)), speed_limit=15.0).world


def steady(world: str, **task: Any) -> RoadEnv:
    settings = {"route_length": 100.0, "time_limit": 60.0, "start_speed": (1.0, 1.0), **task}
    return RoadEnv(world, sensors={}, task=Task(**settings))


def test_progress_earns_its_time_at_the_usual_speed(straight: str) -> None:
    env = steady(straight)
    env.reset(seed=0)
    _, reward, *_ = env.step(STRAIGHT)
    assert reward == pytest.approx(1.5 / 10.0)  # 1.5 m, of which 10 are a second
    env = steady(straight, route_length=0.0, time_limit=10.0)
    env.reset(seed=0)
    _, reward, *_ = env.step(STRAIGHT)
    assert reward == pytest.approx(0.1)  # the careful speed for dt


def test_standing_still_earns_nothing(straight: str) -> None:
    env = steady(straight, start_speed=(0.0, 0.0))
    env.reset(seed=0)
    assert env.step(STRAIGHT)[1] == 0.0


def test_the_distance_to_the_centre_costs(straight: str) -> None:
    env = steady(straight, start_lateral=0.8)
    for seed in range(5):
        _, start = env.reset(seed=seed)
        _, reward, *_ = env.step(STRAIGHT)
        assert reward == pytest.approx(0.15 - 0.01 * abs(start["lateral_offset"]))


def test_leaving_the_lane_costs_more_than_driving_on(straight: str) -> None:
    env = steady(straight)
    env.reset(seed=0)
    over = False
    while not over:
        _, reward, over, _, info = env.step(np.array([0.2, 0.0], np.float32))
    assert info["ended"] == "off_lane" and info["off_lane_free_margin"]
    assert not info["off_lane_centre_2m"] and not info["is_success"]
    assert -5.1 < reward < -4.8
    _, reward, terminated, truncated, _ = env.step(STRAIGHT)
    assert (reward, terminated, truncated) == (0.0, True, False)  # it is over, and stays so


def test_time_that_is_up_truncates_and_all_other_ends_terminate(straight: str) -> None:
    for limit, route, ended in ((0.3, 100.0, "time_up"), (60.0, 4.0, "route_completed")):
        env = steady(straight, time_limit=limit, route_length=route)
        env.reset(seed=0)
        for _ in range(2):
            _, _, terminated, truncated, info = env.step(STRAIGHT)
            assert not terminated and not truncated and info["ended"] == "running"
        _, _, terminated, truncated, info = env.step(STRAIGHT)
        assert info["ended"] == ended
        assert (terminated, truncated) == (ended != "time_up", ended == "time_up")


def test_without_a_route_success_is_time_spent_driving(straight: str) -> None:
    for action, success in ((0.0, True), (-1.0, False)):
        env = steady(straight, route_length=0.0, time_limit=5.0)
        env.reset(seed=0)
        over = False
        while not over:
            *_, over, info = env.step(np.array([0.0, action], np.float32))
        assert (info["ended"], bool(info["is_success"])) == ("time_up", success)


INFO = {
    "lateral_offset", "heading_error", "road_curvature", "target_speed", "margin", "arc_length",
    "route_completion", "expert_action", "off_lane_free_margin", "off_lane_centre_2m", "ended",
    "is_success",
}  # fmt: skip


def test_info_is_what_the_page_says() -> None:
    _, info = make().reset(seed=0)
    assert set(info) == INFO | {"road"}
    assert info["road"].startswith("procedural:")
    assert info["expert_action"].shape == (2,) and info["ended"] == "running"
    _, many = make_many(5).reset(seed=0)
    assert set(many) >= INFO and all(many["_" + name].all() for name in INFO)
    assert many["expert_action"].shape == (5, 2)
    assert many["lateral_offset"].shape == (5,)


# One and many -----------------------------------------------------------------------------------


def test_car_i_of_a_batch_is_the_single_car_of_seed_plus_i_through_every_restart() -> None:
    cars, steps = 6, 80
    rng = np.random.default_rng(0)
    actions = rng.uniform(-0.25, 0.25, (steps, cars, 2)).astype(np.float32)
    settings = {"task": SHORT, "appearance": 1.0}
    many = make_many(cars, threads=2, **settings)
    obs, info = many.reset(seed=100)
    seen, rewards, ends, infos = [obs], [], [], [info]
    for action in actions:
        obs, reward, terminated, truncated, info = many.step(action)
        seen.append(obs)
        infos.append(info)
        rewards.append(reward)
        ends.append((terminated, truncated))
    assert sum(int(t.sum() + u.sum()) for t, u in ends) > 3 * cars
    for car in range(cars):
        env = make(**settings)
        alone, info = env.reset(seed=100 + car)
        over = False
        for t in range(steps + 1):
            for name in alone:
                np.testing.assert_array_equal(alone[name], seen[t][name][car])
            for name in INFO - {"ended"}:
                np.testing.assert_array_equal(info[name], infos[t][name][car], err_msg=name)
            if t == steps:
                break
            if over:  # NEXT_STEP: the action is not used, a reset takes its place
                alone, info = env.reset()
                over = False
                assert rewards[t][car] == 0.0 and not ends[t][0][car] and not ends[t][1][car]
                continue
            alone, reward, terminated, truncated, info = env.step(actions[t, car])
            assert reward == rewards[t][car]
            assert (terminated, truncated) == (ends[t][0][car], ends[t][1][car])
            over = terminated or truncated


def test_arrays_are_ones_own_unless_copies_are_declined() -> None:
    for copy in (True, False):
        env = make_many(3, copy=copy)
        first, _ = env.reset(seed=0)
        kept = first["camera"].copy()
        second, *_ = env.step(np.full((3, 2), 0.5, np.float32))
        assert np.shares_memory(first["camera"], second["camera"]) is not copy
        assert (first["camera"] == kept).all() == copy


def test_both_ways_of_copying_see_the_same() -> None:
    one, other = make_many(3, copy=True), make_many(3, copy=False)
    seen = [env.reset(seed=0)[0] for env in (one, other)]
    for _ in range(20):
        np.testing.assert_array_equal(seen[0]["camera"], seen[1]["camera"])
        seen = [env.step(np.full((3, 2), 0.1, np.float32))[0] for env in (one, other)]


# Seeds ------------------------------------------------------------------------------------------


def test_a_seed_is_an_episode_and_no_seed_the_next_one() -> None:
    env = make()
    places = [env.reset(seed=4)[1]["arc_length"]]
    places += [env.reset()[1]["arc_length"] for _ in range(3)]
    assert len(set(places)) == 4
    again = [env.reset(seed=4)[1]["arc_length"]]
    again += [make().reset(seed=4)[1]["arc_length"]]
    assert again == [places[0]] * 2
    assert [env.reset(seed=4)[1]["arc_length"], env.reset()[1]["arc_length"]] == places[:2]


def test_without_any_seed_two_environments_differ() -> None:
    places = {make().reset()[1]["arc_length"] for _ in range(4)}
    assert len(places) == 4


def test_a_batch_takes_a_seed_for_each_car() -> None:
    env = RoadVectorEnv(3, ROADS)
    listed = env.reset(seed=[9, 10, 11])[1]["arc_length"]
    np.testing.assert_array_equal(listed, env.reset(seed=9)[1]["arc_length"])
    some = env.reset(seed=[9, None, 11])[1]["arc_length"]
    np.testing.assert_array_equal(some[[0, 2]], listed[[0, 2]])


def test_seeds_that_would_be_ignored_are_errors() -> None:
    env = RoadVectorEnv(3, ROADS)
    with pytest.raises(ValueError, match="3 cars, 2 seeds were given"):
        env.reset(seed=[1, 2])
    with pytest.raises(gymnasium.error.Error, match="python integer"):
        env.reset(seed=np.int64(3))  # type: ignore[arg-type]


# Keywords ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task": "parking"}, "unknown task 'parking'; there are lane-following, recovery, racet"),
        ({"world": "procedral"}, "did you mean 'procedural'"),
        ({"render_mode": "human"}, "render_mode is None or 'rgb_array', got 'human'"),
        ({"appearance": 7.0}, "randomise lies between 0 and 2, got 7.0"),
        ({"dt": 10.0}, "dt must lie between"),
    ],
)
def test_a_wrong_keyword_is_told(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RoadEnv(**{"world": ROADS, **settings})


def test_a_misspelt_keyword_is_an_error() -> None:
    with pytest.raises(TypeError, match="apearance"):
        make(apearance=1.0)


def test_a_batch_draws_no_pictures_of_itself() -> None:
    with pytest.raises(ValueError, match="use RoadEnv"):
        RoadVectorEnv(2, ROADS, render_mode="rgb_array")
    with pytest.raises(ValueError, match="num_envs must be at least 1, got 0"):
        RoadVectorEnv(0, ROADS)


def test_render_is_the_drivers_view_in_a_larger_picture() -> None:
    env = make(render_mode="rgb_array")
    obs, _ = env.reset(seed=0)
    picture = env.render()
    assert isinstance(picture, np.ndarray)
    assert picture.shape == (320, 480, 3) and picture.dtype == np.uint8
    shrunk = picture.reshape(64, 5, 96, 5, 3).mean(axis=(1, 3))
    assert np.abs(shrunk - obs["camera"]).mean() < 6.0
    assert RoadEnv(ROADS).render() is None


def test_the_examples_of_the_page_run(checkout: Path, tmp_path: Path) -> None:
    page = (checkout / "docs" / "environment.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 3
    for number, example in enumerate(examples):
        program = tmp_path / f"example_{number}.py"
        program.write_text(example, encoding="utf-8")
        runpy.run_path(str(program))


def test_the_page_names_every_task_entry_and_keyword(checkout: Path) -> None:
    page = (checkout / "docs" / "environment.md").read_text(encoding="utf-8")
    ends = {end.name.lower() for end in Ended}
    keywords = set(inspect.signature(make_world).parameters) | {"copy", "render_mode"}
    for name in INFO | {"road"} | ends | keywords | set(TASKS) | (set(OFF_LANE_RULES) - {"none"}):
        assert f"`{name}`" in page, name
    for task in TASKS.values():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{task.name}`"))
        assert f"{task.time_limit:g} s" in row and f"`{task.off_lane}`" in row
        assert ("none" if task.route_length == 0.0 else f"{task.route_length:g} m") in row
