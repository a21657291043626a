"""Windows of episodes: what one step of learning sees.

Which windows belong to step k is a pure function of (seed, k), so that a resumed run sees exactly
what an uninterrupted one would have seen.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor

from .policy import CURVATURE, YAW_RATE, Observation
from .settings import to_json

FOLLOW = 0x70DA  # keeps the orders of drives apart from what else is drawn
CURVATURE_BINS = 20  # for the balance
LEAST_SCALE = (1e-3, 0.1)  # [1/m, m/s²] where there is nearly nothing to learn


class EpisodeSource(Protocol):
    """One drive: columns over time, read in slices."""

    @property
    def steps(self) -> int: ...

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        """Rows start to stop of a column, time first."""


@dataclass(frozen=True)
class WindowSettings:
    """How episodes are cut into windows, and what is done to their pictures."""

    batch: int = 16
    """Windows in a batch."""
    steps: int = 32
    """Length of a window; shorter episodes are padded on the right."""
    shortest: int | None = None
    """Shortest length of a window: each batch has one of its own, drawn from here to `steps`. None: all
    are `steps` long."""
    carry: bool = False
    """Follow whole drives window after window, each with the memory that the one before left: what is
    remembered goes on, gradients end with the window (truncated backpropagation through time)."""
    burn_in: int = 8
    """First steps of a window without loss, in which a memory fills. Not where the episode starts."""
    from_start: float = 0.25
    """Share of windows that begin where their episode begins, as every drive will."""
    balance: float = 5.0
    """A rare curvature counts up to this many times a common one; 1: all count the same."""
    brightness: float = 0.0
    """Largest change of brightness, as a share of white; one change for a whole window."""
    contrast: float = 0.0
    """Largest change of contrast, as a share."""
    mirror: float = 0.0
    """Share of windows that are seen in a mirror, with commands to match. Doubles the bends, but
    shows traffic that keeps left: only for roads without a right-hand rule."""
    hide_previous: float = 0.0
    """Share of windows in which the previous command is hidden (0) from drivers who would see it."""
    cache_gb: float = 2.0
    """Episodes are kept in memory if they need no more than this, else read as they are needed."""

    def __post_init__(self) -> None:
        if min(self.batch, self.steps) < 1:
            raise ValueError(f"batch and steps must be at least 1, got {self.batch}, {self.steps}")
        if not 0 <= self.burn_in < self.steps:
            raise ValueError(
                f"burn_in must be from 0 to below steps ({self.steps}), got {self.burn_in}: "
                "some steps must be left to learn from"
            )
        if self.shortest is not None:
            if self.carry:
                raise ValueError(
                    "windows that carry a memory on are all as long: leave out shortest"
                )
            if not self.burn_in < self.shortest <= self.steps:
                raise ValueError(
                    f"shortest must be above burn_in ({self.burn_in}) and at most steps "
                    f"({self.steps}), got {self.shortest}"
                )
        if self.balance < 1.0:
            raise ValueError(f"balance must be at least 1, got {self.balance}")
        for name in ("from_start", "brightness", "contrast", "mirror", "hide_previous"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must be a share from 0 to 1, got {getattr(self, name)}")


@dataclass(frozen=True, eq=False)
class Batch:
    """B windows of T steps. Padding has weight 0, and so has burn-in."""

    obs: Observation  # each (B, T, ...)
    command: Tensor  # (B, T, 2) float32, the labels [1/m, m/s²]
    is_first: Tensor  # (B, T) bool, where a memory begins
    weight: Tensor  # (B, T) float32, what each step counts

    def to(self, device: torch.device) -> "Batch":
        obs = {name: value.to(device) for name, value in self.obs.items()}
        return Batch(obs, self.command.to(device), self.is_first.to(device), self.weight.to(device))


@dataclass(frozen=True)
class Window:
    """Where a window lies."""

    episode: int
    start: int
    stop: int
    burn_in: int  # first steps without loss
    begins: bool = True  # with an empty memory; False: with what the window before has left


class Windows:
    """Batches of windows, drawn at random (`batch`) or each step exactly once (`once`)."""

    def __init__(
        self,
        episodes: Sequence[EpisodeSource],
        sensors: Sequence[str],
        settings: WindowSettings,
        seed: int = 0,
        label: str = "expert_command",
    ) -> None:
        if not episodes:
            raise ValueError("there are no episodes to learn from; record some first")
        if settings.mirror and "route" in sensors:
            raise ValueError(
                "drives with a route cannot be mirrored: nothing says which command is the other's "
                "mirror image; set mirror to 0"
            )
        self.settings = settings
        self.seed = seed
        self._episodes = episodes
        self._sensors = tuple(sensors)
        self._label = label
        self._steps = np.array([episode.steps for episode in episodes])
        if not self._steps.all():
            raise ValueError(f"episode {int(self._steps.argmin())} has no steps; remove it")
        self._labels = [self._read_labels(episode) for episode in range(len(episodes))]
        row = sum(episodes[0].read(sensor, 0, 1).nbytes for sensor in self._sensors)
        self._cache: list[dict[str, np.ndarray]] | None = None
        if row * self.steps <= settings.cache_gb * 1e9:
            self._cache = [
                {sensor: episode.read(sensor, 0, episode.steps) for sensor in self._sensors}
                for episode in episodes
            ]

    @property
    def steps(self) -> int:
        """How many steps there are in all episodes together."""
        return int(self._steps.sum())

    @cached_property
    def command_scale(self) -> tuple[float, float]:
        """How large a typical command is, root mean square: curvature [1/m], acceleration [m/s²]."""
        labels = np.concatenate(self._labels).astype(np.float64)
        curvature, accel = np.maximum(np.sqrt(np.mean(labels**2, axis=0)), LEAST_SCALE)
        return float(curvature), float(accel)

    @cached_property
    def fingerprint(self) -> str:
        """Names what is learned from and how it is drawn: equal for equal windows."""
        digest = hashlib.sha256(
            json.dumps([to_json(self.settings), self.seed, self._sensors, self._label]).encode()
        )
        for labels in self._labels:
            digest.update(labels.tobytes())
        return digest.hexdigest()

    def batch(self, step: int) -> Batch:
        """The windows of one step of learning."""
        settings = self.settings
        rng = np.random.default_rng([self.seed, step])
        steps = settings.steps
        if settings.shortest is not None:
            steps = int(rng.integers(settings.shortest, steps + 1))
        windows = self._follow(step) if settings.carry else self._draw(rng, steps)
        light = self._draw_light(rng, len(windows))
        return self._augment(self._cut(windows, steps, self._balance, light), rng)

    def once(self) -> Iterator[Batch]:
        """Batches in which every step counts exactly once, as it was recorded: to measure with."""
        settings = self.settings
        windows = []
        for episode, steps in enumerate(self._steps.tolist()):
            start, burn_in = 0, 0
            while start + burn_in < steps:
                windows.append(Window(episode, start, min(start + settings.steps, steps), burn_in))
                start, burn_in = start + settings.steps - settings.burn_in, settings.burn_in
        for first in range(0, len(windows), settings.batch):
            yield self._cut(windows[first : first + settings.batch], settings.steps, None, None)

    def _read_labels(self, episode: int) -> np.ndarray:
        labels = self._episodes[episode].read(self._label, 0, int(self._steps[episode]))
        if labels.shape != (self._steps[episode], 2) or not np.isfinite(labels).all():
            raise ValueError(
                f"column {self._label} of episode {episode} must be finite numbers of shape "
                f"({self._steps[episode]}, 2), curvature and acceleration; got shape {labels.shape}"
                f"{'' if np.isfinite(labels).all() else ' with NaN or infinity'}"
            )
        return labels.astype(np.float32)

    @cached_property
    def _balance(self) -> list[np.ndarray]:
        """What each step of each episode counts: rare curvatures more, 1 on average."""
        curvature = [np.abs(labels[:, CURVATURE]) for labels in self._labels]
        edges = np.linspace(0.0, max(values.max() for values in curvature), CURVATURE_BINS)
        bins = [np.digitize(values, edges[1:-1]) for values in curvature]
        counts = np.bincount(np.concatenate(bins), minlength=CURVATURE_BINS)
        weights = np.minimum(counts.max() / np.maximum(counts, 1), self.settings.balance)
        weights /= (weights * counts).sum() / counts.sum()
        return [weights[values].astype(np.float32) for values in bins]

    def _follow(self, step: int) -> list[Window]:
        """The windows that follow those of the step before: each row goes through all drives in an
        order of its own, again and again, and begins somewhere else, so that rows do not march in step.
        """
        settings = self.settings
        pieces = -(-self._steps // settings.steps)  # of each episode; the last is padded
        total = int(pieces.sum())
        windows = []
        for row in range(settings.batch):
            first = np.random.default_rng([self.seed, row, FOLLOW]).integers(total)
            turn, place = divmod(step + int(first), total)
            order = np.random.default_rng([self.seed, row, turn, FOLLOW]).permutation(len(pieces))
            ends = np.cumsum(pieces[order])
            number = int(np.searchsorted(ends, place, side="right"))
            episode = int(order[number])
            start = (place - int(ends[number] - pieces[episode])) * settings.steps
            stop = min(start + settings.steps, int(self._steps[episode]))
            burn_in = settings.burn_in if start and step == 0 else 0
            windows.append(Window(episode, start, stop, burn_in, begins=start == 0 or step == 0))
        return windows

    def _draw(self, rng: np.random.Generator, steps: int) -> list[Window]:
        settings = self.settings
        last_start = np.maximum(self._steps - steps, 0)
        ends = np.cumsum(last_start + 1)  # every possible start of every episode, in one row
        windows = []
        for _ in range(settings.batch):
            place = int(rng.integers(ends[-1]))
            episode = int(np.searchsorted(ends, place, side="right"))
            start = place - int(ends[episode] - last_start[episode] - 1)
            if rng.random() < settings.from_start:
                start = 0
            stop = min(start + steps, int(self._steps[episode]))
            windows.append(Window(episode, start, stop, settings.burn_in if start else 0))
        return windows

    def _draw_light(self, rng: np.random.Generator, windows: int) -> np.ndarray | None:
        """What becomes of each level of brightness, (windows, 256) uint8; None: nothing."""
        settings = self.settings
        if not (settings.brightness or settings.contrast):
            return None
        shift = 255.0 * rng.uniform(-settings.brightness, settings.brightness, windows)
        slope = 1.0 + rng.uniform(-settings.contrast, settings.contrast, windows)
        return light_tables(shift, slope)

    def _cut(
        self,
        windows: Sequence[Window],
        steps: int,
        balance: list[np.ndarray] | None,
        light: np.ndarray | None,
    ) -> Batch:
        size = (len(windows), steps)
        columns: dict[str, np.ndarray] = {}
        command = np.zeros((*size, 2), np.float32)
        weight = np.zeros(size, np.float32)
        for b, window in enumerate(windows):
            length = window.stop - window.start
            rows = slice(window.start, window.stop)
            command[b, :length] = self._labels[window.episode][rows]
            weight[b, :length] = 1.0 if balance is None else balance[window.episode][rows]
            weight[b, : window.burn_in] = 0.0
            for sensor in self._sensors:
                values = self._slice(sensor, window)
                if sensor not in columns:
                    columns[sensor] = np.empty((*size, *values.shape[1:]), values.dtype)
                if sensor == "camera" and light is not None:
                    relight(values, light[b], columns[sensor][b, :length])
                else:
                    columns[sensor][b, :length] = values
                columns[sensor][b, length:] = 0
        is_first = torch.zeros(size, dtype=torch.bool)
        is_first[:, 0] = torch.tensor([window.begins for window in windows])
        obs = {sensor: torch.from_numpy(values) for sensor, values in columns.items()}
        return Batch(obs, torch.from_numpy(command), is_first, torch.from_numpy(weight))

    def _slice(self, sensor: str, window: Window) -> np.ndarray:
        if self._cache is not None:
            return self._cache[window.episode][sensor][window.start : window.stop]
        return self._episodes[window.episode].read(sensor, window.start, window.stop)

    def _augment(self, batch: Batch, rng: np.random.Generator) -> Batch:
        settings = self.settings
        obs = dict(batch.obs)
        command = batch.command
        windows = len(command)
        if settings.mirror:
            seen_in_mirror = torch.from_numpy(rng.random(windows) < settings.mirror)
            obs, command = mirror(obs, command, seen_in_mirror)
        if settings.hide_previous and "previous_command" in obs:
            shown = torch.from_numpy(rng.random(windows) >= settings.hide_previous)
            obs["previous_command"] = obs["previous_command"] * shown[:, None, None]
        return Batch(obs, command, batch.is_first, batch.weight)


def light_tables(shift: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """(B, 256) uint8: each level of brightness, shifted by (B,) levels, its contrast times (B,)."""
    levels = np.arange(256.0)
    tables = (levels - 127.5) * slope[:, None] + 127.5 + shift[:, None]
    return np.clip(np.rint(tables), 0.0, 255.0).astype(np.uint8)


def relight(pictures: np.ndarray, table: np.ndarray, out: np.ndarray) -> None:
    """Copy pictures (T, H, W, C) uint8 to `out`, each level replaced by that of `table` (256,).

    By OpenCV, 30 times as fast as numpy's indexing: learning waits for it.
    """
    columns = pictures.shape[-2] * pictures.shape[-1]
    cv2.LUT(np.ascontiguousarray(pictures).reshape(-1, columns), table, out.reshape(-1, columns))


def mirror(obs: Observation, command: Tensor, where: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """The same drives with left and right exchanged, in the windows `where` (B,) is true."""
    obs = dict(obs)
    if "camera" in obs:
        obs["camera"] = torch.where(
            where.view(-1, 1, 1, 1, 1), obs["camera"].flip(dims=[3]), obs["camera"]
        )
    sign = torch.where(where, -1.0, 1.0)[:, None]
    if "odometry" in obs:
        obs["odometry"] = obs["odometry"].clone()
        obs["odometry"][..., YAW_RATE] *= sign
    if "previous_command" in obs:
        obs["previous_command"] = obs["previous_command"].clone()
        obs["previous_command"][..., CURVATURE] *= sign
    command = command.clone()
    command[..., CURVATURE] *= sign
    return obs, command
