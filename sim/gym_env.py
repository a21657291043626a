"""`redrive/Road-v0` and `redrive/Trace-v0`: the worlds as gymnasium environments, one car or many.

All are thin shells around `RoadWorld` and `TraceWorld`; a recording's folder makes the latter. Documented for users in docs/environment.md.
"""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from .any_world import World, open_world
from .appearance import Appearance
from .car_state import Cars, cars_of
from .gym_info import describe_cars
from .gym_step import Stepper
from .memory_tasks import TASKS
from .sensors.camera import Camera
from .sensors.route import Route
from .task import Ended, Task
from .trace import is_recording
from .vehicle import Vehicle
from .world import Sensor

_TIME_UP, _NAMES = int(Ended.TIME_UP), [end.name.lower() for end in Ended]
RENDER_SCALE = 5  # of render()'s picture against the camera's


def make_world(
    world: str | None = None,
    sensors: Mapping[str, Sensor] | None = None,
    task: Task | str = "lane-following",
    vehicle: Vehicle | None = None,
    appearance: Appearance | float = 0.0,
    dt: float = 0.1,
    threads: int = 1,
) -> World:
    """The world that the environment's keywords describe.

    Args:
        world: None: the task's own.
        sensors: None: the default ones, without those that the task hides.
        task: a `Task`, or the name of one.
        appearance: settings, or how much to randomise what the world looks like (0 to 2).
    """
    if isinstance(task, str):
        if task not in TASKS:
            raise ValueError(f"unknown task {task!r}; there are {', '.join(TASKS)}")
        task = TASKS[task]
    if not isinstance(appearance, Appearance):
        appearance = Appearance(randomise=float(appearance))
    return open_world(world or task.world, sensors, task, vehicle, appearance, dt, threads)


def observation_space(world: World) -> spaces.Dict:
    """What one car's driver sees."""
    boxes: dict[str, spaces.Space[Any]] = {}
    for name, sensor in world.sensors.items():
        if isinstance(sensor, Camera):
            boxes[name] = spaces.Box(0, 255, sensor.shape, np.uint8)
        elif isinstance(sensor, Route):
            boxes[name] = spaces.Discrete(sensor.choices)
        else:
            fastest = world.vehicle.max_speed
            turning = fastest * world.vehicle.max_curvature
            high = np.array([fastest, turning], np.float32)
            boxes[name] = spaces.Box(np.array([0.0, -turning], np.float32), high)
    return spaces.Dict(boxes)


class RoadEnv(gymnasium.Env[Any, np.ndarray]):
    """One car on roads; see docs/environment.md for every keyword, the reward and the ends."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012

    def __init__(
        self, world: str | None = None, render_mode: str | None = None, **settings: Any
    ) -> None:
        self.world = make_world(world, **settings)
        self.observation_space = observation_space(self.world)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode is None or 'rgb_array', got {render_mode!r}")
        self.render_mode = render_mode
        self._stepper = Stepper(self.world)
        self._cars: Cars | None = None
        self._seed = -1
        self._names: dict[int, str] = {}  # of roads that were driven on, by number

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode; the same seed starts the same one, no seed the next one."""
        super().reset(seed=seed)
        if seed is not None or self._cars is None:
            # Without a seed the numbers come from gymnasium's own generator.
            self._seed = int(self.np_random.integers(2**31)) if seed is None else seed
            self._cars = cars_of(self.world.reset(np.array([self._seed])))
        else:
            self._cars = cars_of(self.world.restart(self._cars.state, np.array([True])))
        return self._observe(self._cars), self._info(self._cars)

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Drive for `dt` seconds."""
        if self._cars is None:
            raise RuntimeError("reset() comes before step()")
        after, reward, _, _, told = self._stepper.step(
            self._cars, np.asarray(action)[None], anew=False
        )
        self._cars = after
        info = self._of_one(told, after)
        ended = int(after.ended[0])  # a car that is left standing at the end stays ended
        truncated = ended == _TIME_UP
        terminated = ended != 0 and not truncated
        return self._observe(after), float(reward[0]), terminated, truncated, info

    def render(self) -> np.ndarray | None:
        """The driver's view, in a larger picture: (H, W, 3) uint8."""
        if self.render_mode is None or self._cars is None:
            return None
        cameras = [s for s in self.world.sensors.values() if isinstance(s, Camera)]
        camera = (cameras or [Camera()])[0].scaled(RENDER_SCALE)
        return self.world.draw(self._cars.state, camera)[0]

    def _observe(self, cars: Cars) -> dict[str, np.ndarray]:
        return {name: value[0] for name, value in self.world.see(cars).items()}

    def _info(self, cars: Cars) -> dict[str, Any]:
        return self._of_one(describe_cars(self.world, cars), cars)

    def _of_one(self, told: dict[str, np.ndarray], cars: Cars) -> dict[str, Any]:
        """`info` of the only car."""
        info: dict[str, Any] = {k: v[0] for k, v in told.items()}
        info["ended"] = _NAMES[info["ended"]]
        road = int(cars.road[0])
        if road not in self._names:
            self._names[road] = self.world.road_name(road)
        info["road"] = self._names[road]
        return info


class RoadVectorEnv(VectorEnv[Any, Any, Any]):
    """`num_envs` cars in one batch; car i with seed s + i equals `RoadEnv` with that seed.

    A car that ended starts its next episode in the step that follows (gymnasium's NEXT_STEP).

    Args:
        copy: give every step its own arrays; False hands out the same arrays again and again,
            which is faster and asks the caller to be done with them before the next step.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012  as gymnasium has it
        "autoreset_mode": AutoresetMode.NEXT_STEP,
        "render_modes": [],
    }

    def __init__(
        self,
        num_envs: int = 1,
        world: str | None = None,
        copy: bool = True,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        if render_mode is not None:
            raise ValueError("the batched environment draws no pictures of itself; use RoadEnv")
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, got {num_envs}")
        self.num_envs = num_envs
        self.world = make_world(world, **settings)
        self.single_observation_space = observation_space(self.world)
        self.single_action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.observation_space = gymnasium.vector.utils.batch_space(
            self.single_observation_space, num_envs
        )
        self.action_space = gymnasium.vector.utils.batch_space(self.single_action_space, num_envs)
        self.render_mode = None
        self._buffers: dict[str, np.ndarray] | None = None
        if not copy:
            self._buffers = {
                name: np.empty((num_envs, *sensor.shape), np.uint8)
                for name, sensor in self.world.sensors.items()
                if isinstance(sensor, Camera)
            }
        self._everyone = np.ones(num_envs, bool)  # gymnasium's mask of every entry of `info`
        self._everyone.flags.writeable = False
        self._masks: dict[str, np.ndarray] = {}
        self._stepper = Stepper(self.world)
        self._cars: Cars | None = None

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start all cars; a number seeds car i with seed + i, a list seeds each."""
        if seed is not None or self._cars is None:
            self._cars = cars_of(self.world.reset(self._seeds(seed)))
        else:
            everyone = np.ones(self.num_envs, bool)
            self._cars = cars_of(self.world.restart(self._cars.state, everyone))
        return self.world.see(self._cars, self._buffers), self._with_masks(
            describe_cars(self.world, self._cars)
        )

    def _seeds(self, seed: int | list[int | None] | None) -> np.ndarray:
        first = None if isinstance(seed, list) else seed
        super().reset(seed=first)
        if isinstance(seed, list):
            if len(seed) != self.num_envs:
                raise ValueError(f"there are {self.num_envs} cars, {len(seed)} seeds were given")
            return np.array([int(self.np_random.integers(2**31)) if s is None else s for s in seed])
        if first is None:
            first = int(self.np_random.integers(2**31))
        return first + np.arange(self.num_envs)

    def step(
        self, actions: np.ndarray
    ) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Drive every car for `dt` seconds; cars that had ended start anew instead."""
        if self._cars is None:
            raise RuntimeError("reset() comes before step()")
        self._cars, reward, terminated, truncated, info = self._stepper.step(
            self._cars, actions, anew=True
        )
        view = self.world.see(self._cars, self._buffers)
        return view, reward, terminated, truncated, self._with_masks(info)

    def _with_masks(self, info: dict[str, Any]) -> dict[str, Any]:
        if not self._masks:
            self._masks = {"_" + name: self._everyone for name in info}
        return info | self._masks


def trace_env(world: str | None = None, **settings: Any) -> RoadEnv:
    """`redrive/Trace-v0`: one car inside a recorded drive; `RoadEnv`'s keywords.

    Raises:
        ValueError: `world` is no recording.
    """
    return RoadEnv(_recorded(world), **settings)


def trace_vector_env(num_envs: int = 1, world: str | None = None, **settings: Any) -> RoadVectorEnv:
    """The same for a batch of cars."""
    return RoadVectorEnv(num_envs, _recorded(world), **settings)


def _recorded(world: str | None) -> str:
    if world is None or not is_recording(world):
        raise ValueError(
            f"redrive/Trace-v0 drives in a recording, {world!r} is none; name the folder of one, "
            'as in gymnasium.make("redrive/Trace-v0", world="recordings/first"), or take '
            "redrive/Road-v0 for roads"
        )
    return str(world)
