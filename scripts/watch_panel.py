"""The right of the window: what the driver sees, and how it does. One small function per layer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import pygame

from redrive.sim.sensors.camera import Camera
from redrive.watch_drive import Drive, Past
from redrive.watch_frame import Frame
from redrive.watch_insight import saliency_of, seen_by
from redrive.watch_paint import (
    BAD,
    DIM,
    EDGE,
    EXPERT,
    LEFTWARDS,
    PANEL,
    PERSON,
    RAISED,
    RIGHTWARDS,
    TEXT,
    Colour,
    line,
    mix,
    pixels,
    polygon,
    text_width,
    write,
)
from redrive.watch_road import ASPHALT, WHITE
from redrive.watch_session import Layer
from redrive.watch_strips import runs

SPREAD = 1.2  # of what a pixel did, so that it can be seen [px]
PLOT_TIME = 20.0  # that the plots go back [s]
KMH = 3.6
STEERING_SCALES = (0.02, 0.05, 0.1, 0.2, 0.5)  # full deflection of the gauge [1/m]
OFFSET_SCALES = (0.5, 1.0, 2.0, 4.0, 8.0)  # of the plot [m]


class Band(NamedTuple):
    """Where one gauge is: a line of writing, a bar, and a plot below [px]."""

    left: float
    right: float
    writing: float  # middle of the line
    bar_top: float
    bar_low: float
    plot_top: float
    plot_low: float


def camera_of(drive: Drive) -> tuple[str, Camera] | None:
    """Name and settings of the camera that is shown: the first."""
    for name, sensor in drive.world.sensors.items():
        if isinstance(sensor, Camera):
            return name, sensor
    return None


def camera(frame: Frame, target: pygame.Surface) -> None:
    """What the driver saw when it decided."""
    found = camera_of(frame.session.drive)
    if found is None:
        write(target, "no camera", 10 * frame.unit, 0.5 * target.get_height(), 14 * frame.unit, DIM)
        return
    explained = frame.shows(Layer.SALIENCY) and found[0] == "camera"
    pixels(target)[...] = _seen(frame.session.drive, found[0], target.get_size(), explained)


@lru_cache(maxsize=2)  # a step is shown in several pictures
def _seen(drive: Drive, sensor: str, size: tuple[int, int], explained: bool) -> np.ndarray:
    """(H, W, 4) uint8 BGRA: a camera's picture, perhaps with what moved the command."""
    seen = seen_by(drive)[sensor][0]
    smooth = cv2.INTER_NEAREST if size[0] >= seen.shape[1] else cv2.INTER_AREA
    found_out = saliency_of(drive) if explained else None
    if found_out is not None:
        shown = tinted(seen, found_out.pixels, size)
    else:
        shown = cv2.resize(seen, size, interpolation=smooth)
    return cv2.cvtColor(shown, cv2.COLOR_RGB2BGRA)


def tinted(picture: np.ndarray, moved: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture in grey, with the pixels in colour that moved the command: left blue, right red.

    Args:
        picture: (H, W, 3) uint8 RGB.
        moved: (H, W) [1/m], left is positive; only how they compare with each other is shown.
        size: width and height of the result [px].
    """
    spread = cv2.GaussianBlur(moved, (0, 0), SPREAD)
    most = max(float(np.percentile(np.abs(spread), 99.5)), 1e-12)
    share = np.clip(spread / most, -1.0, 1.0)
    # Half the light, without colour: then any colour is a statement.
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) * 0.55
    weight = np.abs(share)[..., None] ** 0.7
    ink = np.where(
        share[..., None] > 0.0, np.array(LEFTWARDS, np.float32), np.array(RIGHTWARDS, np.float32)
    )
    told = (grey[..., None] * (1.0 - weight) + ink * weight).astype(np.uint8)
    return cv2.resize(told, size, interpolation=cv2.INTER_NEAREST)


def gauges(frame: Frame, target: pygame.Surface) -> None:
    """Speed, steering and place in the lane: now, and over the last seconds."""
    width, height = target.get_size()
    unit = frame.unit
    gap = 12 * unit
    each = (height + gap) / 3.0
    bands = []
    for k in range(3):
        top = k * each
        bar = top + 26 * unit
        bands.append(
            Band(
                0.0, float(width), top + 10 * unit, bar, bar + 8 * unit, bar + 14 * unit,
                top + each - gap,
            )
        )  # fmt: skip
    speed_gauge(frame, target, bands[0])
    steering_gauge(frame, target, bands[1])
    offset_gauge(frame, target, bands[2])


def speed_gauge(frame: Frame, target: pygame.Surface, band: Band) -> None:
    """Against the careful speed plan's."""
    now = frame.session.drive.past[-1]
    road = frame.session.drive.road
    top = max(1.15 * road.speed_limit, *(step.speed for step in frame.session.drive.past))
    value = f"{KMH * now.speed:.0f} km/h"
    _head(frame, target, band, "speed", value, f"planned {KMH * now.target_speed:.0f}")
    image = pixels(target)
    _bar(image, band, 0.0, now.speed / top, frame.colour)
    _mark(image, band, now.target_speed / top, frame.unit)
    _plot(frame, target, band, "speed", "target_speed", (0.0, top))


def steering_gauge(frame: Frame, target: pygame.Surface, band: Band) -> None:
    """The commanded curvature against the expert's; left is left in the bar, up in the plot."""
    past = _recent(frame.session.drive)
    now = past[-1]
    full = _scale(
        STEERING_SCALES, [max(abs(step.curvature), abs(step.expert_curvature)) for step in past]
    )
    value = f"{abs(now.curvature):.3f} /m{_side(now.curvature, 0.0005)}"
    note = f"expert {abs(now.expert_curvature):.3f}{_side(now.expert_curvature, 0.0005)}"
    _head(frame, target, band, "steering", value, note)
    image = pixels(target)
    _bar(image, band, 0.5, 0.5 - 0.5 * now.curvature / full, frame.colour)
    _mark(image, band, 0.5 - 0.5 * now.expert_curvature / full, frame.unit)
    _plot(frame, target, band, "curvature", "expert_curvature", (-full, full))


def offset_gauge(frame: Frame, target: pygame.Surface, band: Band) -> None:
    """The car between the bounds of its lane; left is left in the bar, up in the plot."""
    drive = frame.session.drive
    lane, vehicle = drive.lane, drive.world.vehicle
    node = min(int(drive.state.arc_length[0] / lane.spacing), len(lane.x) - 1)
    left, right = float(lane.left[node]), float(lane.right[node])
    state = drive.after if frame.session.finished else drive.state
    at, margin = float(state.lateral_offset[0]), float(state.margin[0])
    value = f"{abs(at):.2f} m{_side(at, 0.005)}"
    note = f"free {margin:.2f} m" if margin >= 0.0 else f"over by {-margin:.2f} m"
    _head(frame, target, band, "in the lane", value, note, BAD if margin < 0.0 else DIM)
    room = left + right + 1.2  # a little beside the lane is shown, too [m]
    half = 0.5 * vehicle.width

    def place(offset: float) -> float:
        return (left + 0.6 - offset) / room

    image = pixels(target)
    _fill(image, band, 0.0, 1.0, RAISED)
    _fill(image, band, place(left), place(-right), ASPHALT)
    for bound in (left, -right):
        _fill(image, band, place(bound + 0.05), place(bound - 0.05), WHITE)
    _fill(image, band, place(0.03), place(-0.03), mix(ASPHALT, WHITE, 0.4))
    _fill(image, band, place(at + half), place(at - half), BAD if margin < 0.0 else frame.colour)
    most = _scale(OFFSET_SCALES, [abs(step.lateral_offset) for step in _recent(drive)])
    _plot(frame, target, band, "lateral_offset", None, (-most, most))


def _recent(drive: Drive) -> Sequence[Past]:
    steps = int(PLOT_TIME / drive.world.dt) + 2
    return drive.past[-steps:]


def _scale(scales: Sequence[float], values: Sequence[float]) -> float:
    """The least scale that holds all of them."""
    most = max(values)
    return next((scale for scale in scales if scale >= most), scales[-1])


def _side(value: float, least: float) -> str:
    if abs(value) < least:
        return ""
    return " left" if value > 0.0 else " right"


def _head(
    frame: Frame,
    target: pygame.Surface,
    band: Band,
    name: str,
    value: str,
    note: str,
    note_colour: Colour = DIM,
) -> None:
    unit = frame.unit
    used = write(target, value, band.right, band.writing, 18 * unit, TEXT, True, "right")
    start = write(target, name, band.left, band.writing, 13 * unit, DIM)
    column = max(used, 142 * unit) + 14 * unit  # so that it stays where it is when digits change
    if text_width(note, 12 * unit) < band.right - band.left - column - start - 12 * unit:
        right = band.right - column
        write(target, note, right, band.writing + unit, 12 * unit, note_colour, align="right")


def _fill(image: np.ndarray, band: Band, first: float, last: float, colour: Colour) -> None:
    """Part of a bar, from one share of its length to another."""
    first, last = sorted((min(max(first, 0.0), 1.0), min(max(last, 0.0), 1.0)))
    long = band.right - band.left - 1.0
    a, b = band.left + first * long, band.left + last * long
    polygon(
        image,
        np.array([[a, band.bar_top], [b, band.bar_top], [b, band.bar_low], [a, band.bar_low]]),
        colour,
    )


def _bar(image: np.ndarray, band: Band, first: float, last: float, colour: Colour) -> None:
    _fill(image, band, 0.0, 1.0, RAISED)
    _fill(image, band, first, last, colour)
    if first > 0.0:
        _fill(image, band, first - 0.002, first + 0.002, DIM)


def _mark(image: np.ndarray, band: Band, share: float, unit: float) -> None:
    """Where the expert would be."""
    at = band.left + min(max(share, 0.0), 1.0) * (band.right - band.left - 1.0)
    wide = 1.6 * unit
    top, low = band.bar_top - 3 * unit, band.bar_low + 3 * unit
    edge = np.array([[at - 2 * wide, top], [at + 2 * wide, top], [at + 2 * wide, low],
                     [at - 2 * wide, low]])  # fmt: skip
    polygon(image, edge, PANEL)
    inner = np.array([[at - wide, top], [at + wide, top], [at + wide, low], [at - wide, low]])
    polygon(image, inner, EXPERT)


def _plot(
    frame: Frame,
    target: pygame.Surface,
    band: Band,
    value: str,
    wanted: str | None,
    span: tuple[float, float],
) -> None:
    """The last seconds of a value, and of what was wanted; the newest to the right."""
    unit = frame.unit
    if band.plot_low - band.plot_top < 14 * unit or not frame.shows(Layer.PLOTS):
        return
    session = frame.session
    left, top = round(band.left), round(band.plot_top)
    width, height = round(band.right) - left, round(band.plot_low) - top
    curves = _curves(session.drive, value, wanted, span, (width, height), unit, frame.driver_colour)
    moved = round(session.part * (curves.shape[1] - width))
    pixels(target)[top : top + height, left : left + width] = curves[:, moved : moved + width]
    for seconds in range(5, int(PLOT_TIME), 5):
        at = round(left + (1.0 - seconds / PLOT_TIME) * width)
        target.fill(
            EDGE, (at, top + height - round(4 * unit), max(1, round(unit)), round(4 * unit))
        )


@lru_cache(maxsize=8)  # a step is shown in several pictures
def _curves(
    drive: Drive,
    value: str,
    wanted: str | None,
    span: tuple[float, float],
    size: tuple[int, int],
    unit: float,
    colour: Colour,
) -> np.ndarray:
    """(H, W + way, 4) uint8 BGRA: a plot, and beside it the way that it moves on during a step."""
    past = _recent(drive)
    (width, height), (low, high) = size, span
    a_second = width / PLOT_TIME
    way = round(a_second * drive.world.dt)
    image = np.empty((height, width + way, 4), np.uint8)
    image[...] = (*mix(PANEL, (0, 0, 0), 0.28)[::-1], 255)
    x = width - 1.0 + (np.array([step.time for step in past]) - past[-1].time) * a_second

    def points(values: Sequence[float]) -> np.ndarray:
        share = (np.clip(values, low, high) - low) / (high - low)
        return np.column_stack([x, height - 2.0 - share * (height - 4.0)])

    zero = height - 2.0 - (np.clip(0.0, low, high) - low) / (high - low) * (height - 4.0)
    line(image, np.array([[0.0, zero], [width + way, zero]]), EDGE)
    if wanted is not None:
        targets = points([getattr(step, wanted) for step in past])
        line(image, targets, mix(PANEL, EXPERT, 0.75), max(1.0, 1.2 * unit))
    shown = points([getattr(step, value) for step in past])
    thick = max(1.0, 1.8 * unit)
    line(image, shown, colour, thick)
    for first, stop in runs(np.array([step.by_hand for step in past])):
        line(image, shown[first : stop + 1], PERSON, thick)
    return image
