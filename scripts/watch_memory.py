"""Below the road: what a driver with a memory remembers. One small function per layer."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import pygame

from redrive.watch_drive import Drive
from redrive.watch_frame import Frame
from redrive.watch_insight import attention_of, hidden_states
from redrive.watch_paint import (
    DIM,
    EDGE,
    LEFTWARDS,
    PANEL,
    RIGHTWARDS,
    TEXT,
    Colour,
    mix,
    pixels,
    polygon,
    text_width,
    write,
)
from redrive.watch_panel import camera_of
from redrive.watch_session import Layer

HISTORY = 20.0  # of the hidden state [s]
TOP = 4  # frames that are shown small
DARK: Colour = (19, 22, 26)


def has_memory(frame: Frame) -> bool:
    """Whether there is something to show."""
    if not frame.shows(Layer.MEMORY):
        return False
    drive = frame.session.drive
    return attention_of(drive) is not None or hidden_states(drive, 1) is not None


def memory(frame: Frame, target: pygame.Surface) -> None:
    """Attention over the past frames, or the hidden state over time."""
    target.fill(PANEL)
    looked = attention_of(frame.session.drive)
    if looked is not None:
        attention_strip(frame, target, looked)
        return
    steps = int(HISTORY / frame.session.drive.world.dt)
    values = hidden_states(frame.session.drive, steps)
    if values is not None:
        hidden_strip(frame, target, values, steps)


def hidden_strip(frame: Frame, target: pygame.Surface, values: np.ndarray, steps: int) -> None:
    """One row for each unit, one column for each step, the newest to the right.

    Args:
        values: (N, T) in -1..1.
    """
    unit = frame.unit
    width, height = target.get_size()
    top, low = round(26 * unit), height - round(8 * unit)
    left, right = round(16 * unit), width - round(16 * unit)
    name = f"memory: {len(values)} numbers, the last {HISTORY:.0f} s"
    used = write(target, name, left, 14 * unit, 13 * unit, DIM)
    _scale_key(frame, target, left + used + 18 * unit, right, 14 * unit)
    if low - top < 8 or right - left < 40:
        return
    pixels(target)[top:low, left:right] = _heat(
        frame.session.drive, steps, (right - left, low - top)
    )


@lru_cache(maxsize=2)  # a step is shown in several pictures
def _heat(drive: Drive, steps: int, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 4) uint8 BGRA: the hidden state over time."""
    values = hidden_states(drive, steps)
    assert values is not None
    whole = np.zeros((len(values), steps), np.float32)
    whole[:, steps - values.shape[1] :] = values
    smooth = cv2.INTER_AREA if len(values) > size[1] else cv2.INTER_NEAREST
    shown = cv2.resize(_diverging(whole), size, interpolation=smooth)
    return cv2.cvtColor(shown, cv2.COLOR_RGB2BGRA)


def attention_strip(frame: Frame, target: pygame.Surface, looked: np.ndarray) -> None:
    """How much each layer and head looked at each past step, and the frames looked at most.

    Args:
        looked: (layers, heads, window) by age, the present first; shown with it to the right.
    """
    unit = frame.unit
    layers, heads, window = looked.shape
    width, height = target.get_size()
    left, right = round(16 * unit), width - round(16 * unit)
    top, low = round(26 * unit), height - round(20 * unit)
    found = camera_of(frame.session.drive)
    small_height = height - round(44 * unit)
    small_width = round(small_height * found[1].width / found[1].height) if found else 0
    room = 0.62 * (right - left)
    count = 0 if found is None else min(TOP, window, int(room // (small_width + 8 * unit)))
    strip = right - count * (small_width + round(8 * unit)) - round(10 * unit)
    write(target, f"attention: {layers} layers of {heads} heads", left, 14 * unit, 13 * unit, DIM,
          room=strip - left)  # fmt: skip
    if low - top < 8 or strip - left < 40:
        return
    share = looked.reshape(layers * heads, window)[:, ::-1]
    picture = _rising(np.sqrt(share))  # so that little is not nothing
    pixels(target)[top:low, left:strip, 2::-1] = cv2.resize(
        picture, (strip - left, low - top), interpolation=cv2.INTER_NEAREST
    )
    for layer in range(1, layers):
        y = round(top + (low - top) * layer / layers)
        target.fill(EDGE, (left, y - 1, strip - left, 2))
    cell = (strip - left) / window
    past = (window - 1) * frame.session.drive.world.dt
    write(target, f"{past:.1f} s ago", left, low + 10 * unit, 11 * unit, DIM)
    write(target, "now", strip, low + 10 * unit, 11 * unit, DIM, align="right")
    _frames_looked_at(frame, target, looked, (count, small_width, small_height, strip, cell))


def _frames_looked_at(
    frame: Frame,
    target: pygame.Surface,
    looked: np.ndarray,
    places: tuple[int, int, int, int, float],
) -> None:
    """The past frames that the driver looked at most, small, oldest first."""
    count, wide, high, strip, cell = places
    drive, unit = frame.session.drive, frame.unit
    found = camera_of(drive)
    seen = len(drive.steps)
    mean = looked.mean(axis=(0, 1))[:seen]
    if found is None or not count:
        return
    ages = sorted(np.argsort(-mean, kind="stable")[:count].tolist(), reverse=True)
    left, top = strip + round(18 * unit), round(26 * unit)
    write(target, "looked at most", left, 14 * unit, 13 * unit, DIM)
    for age in ages:
        picture = drive.steps[-1 - age].frame.view[found[0]][0]
        image = pixels(target)
        image[top : top + high, left : left + wide, 2::-1] = cv2.resize(
            picture, (wide, high), interpolation=cv2.INTER_AREA
        )
        ago = f"{age * drive.world.dt:.1f} s ago" if age else "now"
        label = f"{100 * mean[age]:.0f} %  {ago}"
        if text_width(label, 11 * unit) > wide:
            label = f"{100 * mean[age]:.0f} %"
        write(target, label, left, top + high + 9 * unit, 11 * unit, TEXT)
        at = strip - (age + 0.5) * cell
        mark = np.array([[at - 4 * unit, top - 6 * unit], [at + 4 * unit, top - 6 * unit],
                         [at, top]])  # fmt: skip
        polygon(image, mark, TEXT)
        left += wide + round(8 * unit)


def _scale_key(
    frame: Frame, target: pygame.Surface, left: float, right: float, middle: float
) -> None:
    """What the colours mean, where there is room for it."""
    unit = frame.unit
    wide = 60 * unit
    if right - left < wide + 60 * unit:
        return
    start = right - wide - 24 * unit
    image = pixels(target)
    ramp = _ramp(round(wide))
    y, high = round(middle - 4 * unit), max(2, round(8 * unit))
    image[y : y + high, round(start) : round(start) + ramp.shape[1], 2::-1] = ramp
    write(target, "-1", start - 6 * unit, middle, 11 * unit, DIM, align="right")
    write(target, "1", start + wide + 6 * unit, middle, 11 * unit, DIM)


@lru_cache(maxsize=4)
def _ramp(width: int) -> np.ndarray:
    """(1, W, 3) uint8 RGB: the colours of -1 to 1."""
    return _diverging(np.linspace(-1.0, 1.0, width)[None].astype(np.float32))


def _diverging(values: np.ndarray) -> np.ndarray:
    """(..., 3) uint8 RGB of values in -1..1: dark is 0."""
    share = np.clip(np.abs(values), 0.0, 1.0)[..., None]
    ink = np.where(
        values[..., None] > 0.0, np.array(LEFTWARDS, np.float32), np.array(RIGHTWARDS, np.float32)
    )
    return (np.array(DARK, np.float32) * (1.0 - share) + ink * share).astype(np.uint8)


def _rising(values: np.ndarray) -> np.ndarray:
    """(..., 3) uint8 RGB of values in 0..1."""
    share = np.clip(values, 0.0, 1.0)[..., None].astype(np.float32)
    half = np.array(mix(DARK, LEFTWARDS, 0.85), np.float32)
    low = np.array(DARK, np.float32) * (1.0 - 2.0 * share) + half * 2.0 * share
    high = half * (2.0 - 2.0 * share) + np.array((255, 255, 255), np.float32) * (2.0 * share - 1.0)
    return np.where(share < 0.5, low, high).astype(np.uint8)
