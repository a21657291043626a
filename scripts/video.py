"""Films: frames into a VP8 .webm file, which every browser plays.

OpenCV writes it, so it takes no more than what is installed anyway.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    import cv2

    from redrive.agents.agent import Agent
    from redrive.sim.any_world import World
    from redrive.sim.world import CarState

ENDING = ".webm"


def write_video(path: str | os.PathLike[str], frames: Iterable[np.ndarray], fps: float) -> int:
    """Write a film; it appears under its name when it is complete, and replaces an older one.

    Args:
        path: ends in .webm.
        frames: (H, W, 3) uint8 RGB each, all of one size; an odd last row or column is cut off.
        fps: frames a second.

    Returns:
        How many frames it has.

    Raises:
        ValueError: another ending, no frame, or a frame that is no picture of the first one's size.
        OSError: this OpenCV cannot write VP8, or the disk is full.
    """
    with Film(path, fps) as film:
        for frame in frames:
            film.add(frame)
    return film.count


class Film:
    """A film that grows frame by frame; under its name it appears when it is closed, whole."""

    def __init__(self, path: str | os.PathLike[str], fps: float) -> None:
        self.path = Path(path)
        check_film_name(self.path)
        if not 0.1 <= fps <= 1000.0:
            raise ValueError(f"a film has 0.1 to 1000 frames a second, got {fps}")
        self.fps = fps
        self.count = 0  # of the frames so far
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._growing = self.path.with_name(f".{self.path.stem}.part{os.getpid()}{ENDING}")
        self._shape: tuple[int, ...] = ()
        self._writer: cv2.VideoWriter | None = None

    def add(self, frame: np.ndarray) -> None:
        """One more (H, W, 3) uint8 RGB frame."""
        import cv2

        if self._writer is None:
            self._shape = frame.shape
            with _hushed():
                self._writer = _open(self._growing, self._shape, self.fps)
        if frame.shape != self._shape or frame.dtype != np.uint8:
            raise ValueError(
                f"frame {self.count + 1} of the film is {frame.dtype} {frame.shape}, "
                f"the first one uint8 {self._shape}; all are (H, W, 3) uint8 of one size"
            )
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        self.count += 1

    def close(self) -> None:
        """The film is complete: see that it can be read, and give it its name."""
        self._release()
        try:
            if not self.count:
                raise ValueError("a film needs at least one frame")
            with _hushed():
                _check(self._growing, self.count, self.path)
            self._growing.replace(self.path)
        finally:
            self._growing.unlink(missing_ok=True)

    def discard(self) -> None:
        """Leave nothing."""
        self._release()
        self._growing.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _release(self) -> None:
        if self._writer is not None:
            self._writer.release()
            self._writer = None


def check_film_name(path: Path) -> None:
    """Films end in .webm: said before an hour of drawing, not after it."""
    if path.suffix.lower() != ENDING:
        raise ValueError(
            f"a film is a {ENDING} file (VP8), got {path.name!r}; "
            f"name it {path.with_suffix(ENDING).name}"
        )


def driving_film(
    world: World,
    agent: Agent,
    seed: int,
    path: str | os.PathLike[str],
    steps: int | None = None,
    *,
    driver: str = "driver",
    size: tuple[int, int] = (800, 450),
    fps: float = 20.0,
    start: CarState | None = None,
) -> int:
    """Film one episode as `redrive watch` shows it; no window, no display.

    Args:
        agent: drives; it is asked once per step, as in a rollout.
        steps: at most as many; None films to the end of the episode.
        driver: its name, to be read in the picture.
        size: of the picture (width, height) [px].
        start: one car, where the episode begins; without it, where the seed puts it.

    Returns:
        How many frames the film has.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    from redrive.agents.human import Human
    from redrive.watch_drive import begin
    from redrive.watch_film import film_frames, film_sessions
    from redrive.watch_session import Session

    check_film_name(Path(path))
    drive = begin(world, agent, seed, driver=driver, start=start)
    session = Session((drive,), Human(world.vehicle, world.dt))
    return write_video(path, film_frames(film_sessions(session, steps, fps), size), fps)


def _open(path: Path, shape: tuple[int, ...], fps: float) -> cv2.VideoWriter:
    import cv2

    if len(shape) != 3 or shape[2] != 3 or min(shape) < 2:
        raise ValueError(f"a frame of a film is (H, W, 3) uint8 RGB, got shape {shape}")
    size = (shape[1], shape[0])
    with silence():
        writer = cv2.VideoWriter(
            str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"VP80"), fps, size
        )
    if not writer.isOpened():
        raise OSError(
            f"OpenCV {cv2.__version__} cannot write a VP8 film to {path.parent}: either that folder "
            "cannot be written to, or this OpenCV comes without FFmpeg (the one from PyPI has it: "
            "pip install --force-reinstall opencv-python-headless)"
        )
    return writer


def _check(path: Path, count: int, wanted: Path) -> None:
    """OpenCV does not tell when a write fails; what is on the disk does."""
    import cv2

    with silence():
        reader = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        readable = 0
        while reader.grab():
            readable += 1
        reader.release()
    if readable != count:
        raise OSError(
            f"the film {wanted} could not be written whole; the disk may be full: make room, "
            "or give another folder"
        )


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Keeps OpenCV from printing what we check and say ourselves."""
    import cv2

    loudness = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(loudness)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keeps C libraries off stderr: what they print there, users take for errors of ours.

    FFmpeg's "tag VP80 is not supported" comes with every good film.
    """
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
