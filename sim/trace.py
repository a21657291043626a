"""A recorded drive as a place to drive in: its path is a lane, its frames are what is seen there."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from .lanes import follow_path
from .recording import RecordedEpisode, Recording
from .recording_header import HEADER_FILE
from .road import Lane, Material, Ribbon, Road
from .sensors.camera import Camera

HALF_WIDTH = 1.75  # of the lane that is laid along a recorded path [m]
NODE_SPACING = 1.0  # [m]
SMOOTHING = 3.0  # half the length of path that a node's curve is fitted to [m]
LEAST_STEP = 0.02  # frames closer together than this are of a car that stands [m]
SHORTEST = 10.0  # [m]


@dataclass(frozen=True, eq=False)
class Trace:
    """One recorded drive: poses of the car at every frame, and the frames."""

    name: str
    path: Path  # of the columns
    camera: Camera
    x: np.ndarray  # (N,) of the rear axle, in the recording's frame [m]
    y: np.ndarray  # (N,) [m]
    yaw: np.ndarray  # (N,) [rad]
    speed: np.ndarray  # (N,) [m/s]
    episode: RecordedEpisode
    first: int = 0  # of the episode's frames that it begins with

    @classmethod
    def load(
        cls,
        episode: RecordedEpisode,
        camera: Camera,
        name: str,
        first: int = 0,
        stop: int | None = None,
    ) -> "Trace":
        """The drive of a recorded episode, or of its frames `first` to `stop`.

        Raises:
            ValueError: it has no frames or poses, or is too short to drive in.
        """
        for column in ("camera", "x", "y", "yaw", "speed"):
            if column not in episode.columns:
                raise ValueError(
                    f"{episode.path} cannot be driven in: it has no column {column}; "
                    "record or import one with frames, poses and speed"
                )
        x, y, yaw, speed = (episode.read(c, first, stop) for c in ("x", "y", "yaw", "speed"))
        trace = cls(name, episode.path, camera, x, y, yaw, speed, episode, first)
        if trace.stations[-1] < SHORTEST:
            raise ValueError(
                f"{episode.path} is {trace.stations[-1]:.1f} m long; "
                f"a drive of at least {SHORTEST:g} m is needed to drive in"
            )
        return trace

    @cached_property
    def stations(self) -> np.ndarray:
        """(N,) way driven at every frame [m]."""
        return np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(self.x), np.diff(self.y)))])

    @cached_property
    def frames(self) -> np.ndarray:
        """(N, H, W, 3) uint8, memory-mapped: what is not looked at is not read."""
        column = self.episode.columns["camera"]
        every = np.memmap(self.path, column.dtype, "r", column.offset, column.shape)
        return every[self.first : self.first + len(self.x)]

    @cached_property
    def lane(self) -> Lane:
        """The recorded path as a lane, smoothed over a few metres."""
        moving = np.concatenate([[True], np.diff(self.stations) > LEAST_STEP])
        s = self.stations[moving]
        at = np.linspace(0.0, s[-1], max(3, round(s[-1] / NODE_SPACING) + 1))
        nodes = np.array([_fit(s, self.x[moving], self.y[moving], place) for place in at])
        x, y, heading, curvature = nodes.T
        # Fitted node by node: the way between two of them is near the spacing, not equal to it.
        length = float(np.hypot(np.diff(x), np.diff(y)).sum())
        width = np.full(len(at), HALF_WIDTH)
        return Lane(
            x=x,
            y=y,
            heading=np.unwrap(heading),
            curvature=curvature,
            spacing=length / (len(at) - 1),
            left=width,
            right=width.copy(),
            closed=False,
        )

    @cached_property
    def road(self) -> Road:
        """A road of one lane; a strip of asphalt stands for it when it is drawn from above."""
        limit = max(float(np.percentile(self.speed, 95)), 2.0)
        lane = self.lane
        middle = np.stack([lane.x, lane.y], axis=-1)
        normal = np.stack([-np.sin(lane.heading), np.cos(lane.heading)], axis=-1)
        strip = Ribbon(
            middle + HALF_WIDTH * normal, middle - HALF_WIDTH * normal, Material.ASPHALT, False
        )
        return Road(self.name, (lane,), (strip,), False, limit)

    @cached_property
    def frame_stations(self) -> np.ndarray:
        """(N,) arc length of every frame along `lane`, never falling [m]."""
        return np.maximum.accumulate(follow_path(self.lane, self.x, self.y))

    def frame_behind(self, arc_length: np.ndarray) -> np.ndarray:
        """The last frame that was taken at or behind a place on the lane; the first, before it."""
        after = np.searchsorted(self.frame_stations, np.asarray(arc_length) + 1e-6, side="right")
        return np.clip(after - 1, 0, len(self.x) - 1)


def _within(s: np.ndarray, at: float, reach: float) -> slice:
    """Of stations that grow, those within reach of a place."""
    return slice(
        int(np.searchsorted(s, at - reach)), int(np.searchsorted(s, at + reach, side="right"))
    )


def _fit(s: np.ndarray, x: np.ndarray, y: np.ndarray, at: float) -> tuple[float, ...]:
    """x, y, heading, curvature at a station: a cubic through what was driven around it."""
    reach = SMOOTHING
    near = _within(s, at, reach)
    while near.stop - near.start < min(6, len(s)):  # few frames a metre: reach farther
        reach *= 1.5
        near = _within(s, at, reach)
    offset = (s[near] - at) / reach
    weight = np.maximum(1.0 - 0.9 * offset**2, 0.05)[:, None]
    degree = min(3, len(offset) - 1)
    powers = offset[:, None] ** np.arange(degree + 1)
    found, *_ = np.linalg.lstsq(
        powers * weight, np.stack([x[near], y[near]], axis=-1) * weight, rcond=None
    )
    (dx, dy) = found[1] / reach
    ddx, ddy = 2.0 * found[2] / reach**2 if degree >= 2 else (0.0, 0.0)
    speed = np.hypot(dx, dy)
    return (
        float(found[0, 0]),
        float(found[0, 1]),
        float(np.arctan2(dy, dx)),
        float((dx * ddy - dy * ddx) / max(speed, 1e-9) ** 3),
    )


def is_recording(text: str | Path) -> bool:
    """Whether a world's text names a recording, or a part of one."""
    try:
        return any((Path(folder) / HEADER_FILE).is_file() for folder in (text, split_text(text)[0]))
    except OSError:  # a list of seeds can be longer than a file's name may be
        return False


def split_text(text: str | Path) -> tuple[str, tuple[int, int] | None]:
    """The folder in a world's text, and the frames: `drive:0-600` is those from 0 to 599."""
    found = re.fullmatch(r"(.+):(\d+)-(\d+)", str(text), re.ASCII | re.DOTALL)
    if found is None or (Path(text) / HEADER_FILE).is_file():
        return str(text), None
    return found[1], (int(found[2]), int(found[3]))


class TraceSource:
    """The drives of a recording, as roads; the counterpart of `RoadSource`.

    text: its folder; with `:A-B` only frames A to B-1 of each of its drives, the rest of it is as
        if it had never been recorded.
    """

    def __init__(self, text: str | Path) -> None:
        folder, self._part = split_text(text)
        recording = Recording.open(folder)
        if recording.header.camera is None:
            raise ValueError(f"{folder} cannot be driven in: it has no frames")
        if not len(recording):
            raise ValueError(f"{folder} cannot be driven in: it holds no episode")
        self.text = str(text)
        self._folder = Path(folder)
        first, stop = self._part or (0, None)
        longest = max(episode.steps for episode in recording)
        if stop is not None and not first < stop <= longest:
            raise ValueError(
                f"{text} names frames {first} to {stop - 1}, {folder} has frames 0 to "
                f"{longest - 1}; write {folder}:0-{longest}, or less"
            )
        self.camera = Camera.from_json(dict(recording.header.camera))
        self._recording = recording
        self._loaded: dict[int, Trace] = {}

    @property
    def count(self) -> int:
        """How many drives there are."""
        return len(self._recording)

    @property
    def branches(self) -> int:
        """1: a path that was driven does not fork."""
        return 1

    def trace(self, i: int) -> Trace:
        """Drive `i`, counted from 0."""
        if i not in self._loaded:
            episode = self._recording.episodes[i]
            first, stop = self._part or (0, None)
            stop = None if stop is None else min(stop, episode.steps)
            self._loaded[i] = Trace.load(episode, self.camera, self.name(i), first, stop)
        return self._loaded[i]

    def road(self, i: int) -> Road:
        """The path of drive `i`."""
        return self.trace(i).road

    def road_world(self, i: int) -> str:
        """The world that drive `i` was recorded in, as its sidecar names it."""
        return str(self._recording.episodes[i].sidecar["world"])

    def name(self, i: int) -> str:
        """Name of drive `i`."""
        part = "" if self._part is None else f":{self._part[0]}-{self._part[1]}"
        return f"{self._folder.name}:{self._recording.episodes[i].index}{part}"
