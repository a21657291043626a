"""Any world by its text: roads that are drawn, or a recording that is driven in again."""

from collections.abc import Mapping

from .appearance import Appearance
from .lens_choice import driver_camera, require_shown
from .sensors.camera import Camera
from .sensors.odometry import Odometry
from .sensors.route import Route
from .task import LANE_FOLLOWING, Task
from .trace import TraceSource, is_recording
from .trace_world import TraceWorld
from .vehicle import Vehicle
from .world import DEFAULT_SENSORS, RoadWorld, Sensor

World = RoadWorld | TraceWorld


def open_world(
    text: str,
    sensors: Mapping[str, Sensor] | None = None,
    task: Task = LANE_FOLLOWING,
    vehicle: Vehicle | None = None,
    appearance: Appearance | None = None,
    dt: float = 0.1,
    threads: int = 1,
    route: int | None = None,
    camera: Camera | None = None,
) -> World:
    """The world that a text names; see `RoadWorld` and `TraceWorld`.

    Args:
        sensors: without them the default ones, but for those that the task hides; inside a
            recording, with a camera as wide as its lens allows.
        appearance: of roads; a recording looks as it looked.
        route: choices of a route command that the drivers are told besides; None: they are not.
        camera: that the drivers look through, in place of the default one; not with `sensors`.

    Raises:
        ValueError: a recording does not show what the camera sees.
    """
    told: dict[str, Sensor] = {} if route is None else {"route": Route(route)}
    if is_recording(text):
        return TraceWorld(
            world=text,
            sensors=(
                _given(trace_sensors(text, camera), task) if sensors is None else dict(sensors)
            )
            | told,
            task=task,
            vehicle=vehicle or Vehicle(),
            dt=dt,
            threads=threads,
        )
    return RoadWorld(
        world=text,
        sensors=(
            _given(dict(DEFAULT_SENSORS) | ({} if camera is None else {"camera": camera}), task)
            if sensors is None
            else dict(sensors)
        )
        | told,
        task=task,
        vehicle=vehicle or Vehicle(),
        appearance=appearance or Appearance(),
        dt=dt,
        threads=threads,
    )


def _given(sensors: Mapping[str, Sensor], task: Task) -> dict[str, Sensor]:
    """Sensors without those that the task hides."""
    return {name: sensor for name, sensor in sensors.items() if name not in task.hides}


def trace_sensors(recording: str, camera: Camera | None = None) -> dict[str, Sensor]:
    """What a driver inside a recording is given by default.

    Args:
        camera: that the driver looks through; without it, one as wide as the lens allows.

    Raises:
        ValueError: the recording does not show what the camera sees.
    """
    lens = TraceSource(recording).camera
    if camera is not None:
        require_shown(lens, camera, recording)
    return {"camera": camera or driver_camera(lens), "odometry": Odometry()}
