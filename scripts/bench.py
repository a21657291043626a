"""`redrive bench`: frames and steps a second here, beside OpenCV's own warp in the same run."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from redrive import __version__, kernels, terminal
from redrive.command import parse

MAP_SIZE = 2048  # [px] of the picture that OpenCV warps
MAP_RESOLUTION = 0.05  # of it [m]
LEAST_ROUNDS = 5

Measure = tuple[Callable[[], object], int]  # what is timed, and how many frames or steps that is


@dataclass(frozen=True)
class BenchOptions:
    """Measure this machine: compare ratios, not absolute figures, between machines.

    One thread unless asked for more; its own processor time is what counts, so that other programs
    disturb less. The kernels are compiled before anything is timed. Beside gymnasium's CarRacing-v3, where its physics is installed (pip install "gymnasium[box2d]").
    """

    cars: int = 256
    """Cars in a batch."""
    seconds: float = 2.0
    """How long each measurement takes, about."""
    threads: int = 1
    """Threads of the batched environment."""
    json: bool = False
    """Print JSON, for other programs."""


def run(options: BenchOptions) -> dict[str, Any]:
    """Measure everything by turns, so that a busy machine hurts all.

    Returns:
        `per_second`: medians, and the ratios of them; `best_per_second` and `best_ratios`: of the
        fastest rounds, what the code needs when nobody else uses the processor and its caches.

    Raises:
        ValueError: an option that nothing can be measured with.
    """
    _check(options)
    # With one thread, the time that it had the processor; more threads are timed by the wall clock.
    clock = time.thread_time if options.threads == 1 else time.perf_counter
    measures: dict[str, Measure] = {
        "opencv_warp_nearest": _opencv(options.cars),
        "batch_with_camera": _batch(options, camera=True),
        "batch_without_camera": _batch(options, camera=False),
        "single_with_camera": _single(),
        "lstm_frame_to_command": _frame_to_command("lstm"),
        "attention_frame_to_command": _frame_to_command("attention"),
    }
    racing = car_racing()
    if racing is not None:
        measures["car_racing_v3"] = racing
    times: dict[str, list[float]] = {name: [] for name in measures}
    for name, (work, _) in measures.items():
        terminal.say(f"warming up: {name} (kernels are compiled once, and then kept on disk)")
        for _ in range(3):
            work()
    until = time.perf_counter() + options.seconds * len(measures)
    while time.perf_counter() < until or len(times["opencv_warp_nearest"]) < LEAST_ROUNDS:
        for name, (work, _) in measures.items():
            start = clock()
            work()
            times[name].append(clock() - start)
    median = {name: measures[name][1] / float(np.median(times[name])) for name in measures}
    best = {name: measures[name][1] / min(times[name]) for name in measures}
    ratios, best_ratios = _ratios(median), _ratios(best)
    return {
        "redrive": __version__,
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "opencv": _opencv_version(),
        "cars": options.cars,
        "threads": options.threads,
        "clock": "processor" if options.threads == 1 else "wall",
        "camera": [64, 96, 3],
        "per_second": {name: round(rate, 1) for name, rate in median.items()},
        "best_per_second": {name: round(rate, 1) for name, rate in best.items()},
        "repetitions": len(times["opencv_warp_nearest"]),
        **ratios,
        "best_ratios": best_ratios,
    }


def _check(options: BenchOptions) -> None:
    for name in ("cars", "threads"):
        if getattr(options, name) < 1:
            raise ValueError(f"--{name} is at least 1, got {getattr(options, name)}")
    if not 0.0 < options.seconds < float("inf"):
        raise ValueError(f"--seconds is a time above 0, got {options.seconds:g}")


def _ratios(rates: dict[str, float]) -> dict[str, float]:
    """Frames against OpenCV's warp alone, steps against CarRacing-v3 (where that is installed)."""
    ratios = {
        "batch_against_opencv_warp": rates["batch_with_camera"] / rates["opencv_warp_nearest"]
    }
    if "car_racing_v3" in rates:
        for kind in ("batch", "single"):
            ratio = rates[f"{kind}_with_camera"] / rates["car_racing_v3"]
            ratios[f"{kind}_against_car_racing"] = ratio
    return {name: round(ratio, 3) for name, ratio in ratios.items()}


def _opencv_version() -> str:
    import cv2

    return str(cv2.__version__)


def _opencv(count: int) -> Measure:
    """cv2.warpPerspective, nearest, of a map under as many camera poses."""
    import cv2

    from redrive.sim.sensors.camera import Camera

    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 255, (MAP_SIZE, MAP_SIZE, 3), np.uint8)
    camera = Camera()
    poses = rng.uniform((20.0, 20.0, -np.pi), (80.0, 80.0, np.pi), (count, 3))
    maps = [_map_to_picture(camera, *pose) for pose in poses]
    pictures = np.empty((count, *camera.shape), np.uint8)
    size = (camera.width, camera.height)

    def work() -> None:
        for picture, matrix in zip(pictures, maps, strict=True):
            cv2.warpPerspective(ground, matrix, size, dst=picture, flags=cv2.INTER_NEAREST)

    return work, count


def _map_to_picture(camera: Any, x: float, y: float, yaw: float) -> np.ndarray:
    """The homography from the map's pixels to the camera's."""
    cos, sin = np.cos(camera.pitch), np.sin(camera.pitch)
    lens = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1.0]])
    height = camera.mount_height
    view = np.array([[0, -1.0, 0], [-sin, 0, height * cos], [cos, 0, height * sin]])
    turn = np.array([[np.cos(yaw), np.sin(yaw), 0], [-np.sin(yaw), np.cos(yaw), 0], [0, 0, 1.0]])
    place = np.array([[MAP_RESOLUTION, 0, -x], [0, MAP_RESOLUTION, -y], [0, 0, 1.0]])
    matrix: np.ndarray = lens @ view @ turn @ place
    return matrix


def _batch(options: BenchOptions, camera: bool) -> Measure:
    """Full environment steps: physics, localisation, camera, reward, info, autoreset."""
    from redrive.sim.gym_env import RoadVectorEnv

    settings: dict[str, Any] = {} if camera else {"sensors": {}}
    env = RoadVectorEnv(
        options.cars, world="procedural:0-64", copy=False, threads=options.threads, **settings
    )
    _, info = env.reset(seed=0)
    held = {"action": info["expert_action"]}
    repeats = 4 if camera else 64  # some ms a turn, as long as the others': caches are its own
    for _ in range(100):
        held["action"] = env.step(held["action"])[4]["expert_action"]

    def work() -> None:
        for _ in range(repeats):
            held["action"] = env.step(held["action"])[4]["expert_action"]

    return work, options.cars * repeats


def _single() -> Measure:
    """`gymnasium.make`, with its own wrappers, driven by the expert's action."""
    import gymnasium

    env = gymnasium.make("redrive/Road-v0", world="procedural:0-64")
    _, info = env.reset(seed=0)
    held = {"info": info}

    def work() -> None:
        for _ in range(25):
            _, _, terminated, truncated, held["info"] = env.step(held["info"]["expert_action"])
            if terminated or truncated:
                held["info"] = env.reset()[1]

    return work, 25


def car_racing() -> Measure | None:
    """Steps of gymnasium's CarRacing-v3 with random actions; None where box2d is missing."""
    import importlib.util
    import warnings

    if importlib.util.find_spec("Box2D") is None or importlib.util.find_spec("pygame") is None:
        return None
    import gymnasium

    with warnings.catch_warnings():  # its dependencies warn about each other
        warnings.simplefilter("ignore")
        env = gymnasium.make("CarRacing-v3")
        env.reset(seed=0)
    env.action_space.seed(0)

    def work() -> None:
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            env.reset()

    return work, 1


def _frame_to_command(policy: str) -> tuple[Callable[[], object], int]:
    """One car's camera frame to its command, one thread; the weights do not matter for the time."""
    import torch

    from redrive.agents.learned import observation_spec
    from redrive.models.registry import make_policy
    from redrive.sim.world import RoadWorld

    torch.set_num_threads(1)
    world = RoadWorld("procedural:0")
    driver = make_policy(policy, observation_spec(world)).eval()
    seen = world.observe(world.reset(np.arange(1)))
    obs = {name: torch.from_numpy(value) for name, value in seen.items()}
    held = {"state": driver.initial_state(1)}

    @torch.inference_mode()
    def work() -> None:
        for _ in range(20):
            _, held["state"] = driver.step(obs, held["state"])

    return work, 20


def main(argv: Sequence[str]) -> int:
    """The command."""
    options = parse(BenchOptions, argv, "bench")
    kernels.ready()
    figures = run(options)
    if options.json:
        print(json.dumps(figures, indent=1))
        return 0
    terminal.table(
        ["what", "a second", "us each", "best a second"],
        [
            [
                name.replace("_", " "),
                f"{rate:,.0f}",
                f"{1e6 / rate:.2f}",
                f"{figures['best_per_second'][name]:,.0f}",
            ]
            for name, rate in figures["per_second"].items()
        ],
        title=f"{figures['cars']} cars, {figures['threads']} thread(s), pictures of 96 x 64, "
        f"OpenCV {figures['opencv']}",
    )
    print(f"batch with camera: {figures['batch_against_opencv_warp']:.2f} x OpenCV's warp alone")
    if "batch_against_car_racing" in figures:
        print(
            f"steps against CarRacing-v3: {figures['batch_against_car_racing']:,.0f} x in a batch, "
            f"{figures['single_against_car_racing']:,.0f} x alone"
        )
    else:
        print('CarRacing-v3 is not installed; to compare: pip install "gymnasium[box2d]"')
    return 0
