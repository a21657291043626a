"""The whole picture: which layer is where, in a window of any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pygame

from redrive import watch_panel, watch_road
from redrive.sim.task import Ended
from redrive.watch_drive import WORDS
from redrive.watch_frame import Frame
from redrive.watch_keys import HELP
from redrive.watch_paint import (
    BACKGROUND,
    BAD,
    DIM,
    EDGE,
    GOOD,
    PANEL,
    RAISED,
    TEXT,
    Colour,
    disc,
    glaze,
    mix,
    pixels,
    polygon,
    surface,
    text_width,
    write,
)
from redrive.watch_session import Session

Layer = Callable[[Frame, pygame.Surface], None]

SMALLEST = (320, 200)  # [px]; what is smaller is drawn as if it were that large
ROAD_LAYERS: tuple[Layer, ...] = (
    watch_road.ground,
    watch_road.pavement,
    watch_road.trail,
    watch_road.intentions,
    watch_road.car,
    watch_road.minimap,
    watch_road.scale_bar,
)


@dataclass(frozen=True)
class Layout:
    """Where everything is [px]."""

    unit: float
    header: pygame.Rect
    road: pygame.Rect
    panel: pygame.Rect
    camera: pygame.Rect
    gauges: pygame.Rect


def layout(size: tuple[int, int], camera_size: tuple[int, int]) -> Layout:
    """The layout of a window; a camera picture is enlarged by a whole number where it can be."""
    width, height = size
    unit = max(0.5, min(width / 1280, height / 720))
    pad = round(16 * unit)
    header = pygame.Rect(0, 0, width, round(60 * unit))
    free_width, free_height = round(0.305 * width), round(0.42 * height)
    fit = min(free_width / camera_size[0], free_height / camera_size[1])
    fit = float(int(fit)) if fit >= 1.0 else fit
    camera_width, camera_height = (max(8, round(fit * side)) for side in camera_size)
    panel_width = max(camera_width, round(0.25 * width)) + 2 * pad
    panel = pygame.Rect(width - panel_width, header.bottom, panel_width, height - header.bottom)
    camera = pygame.Rect(0, 0, camera_width, camera_height)
    camera.midtop = (panel.centerx, panel.top + pad)
    gauges_top = camera.bottom + round(34 * unit)
    low = max(height - round(30 * unit), gauges_top + 30)
    gauges = pygame.Rect(panel.left + pad, gauges_top, panel_width - 2 * pad, low - gauges_top)
    road = pygame.Rect(0, header.bottom, panel.left, height - header.bottom)
    return Layout(unit, header, road, panel, camera, gauges)


def render(session: Session, size: tuple[int, int]) -> pygame.Surface:
    """A picture of the session."""
    target = surface(size)
    draw(session, target)
    return target


def draw(session: Session, target: pygame.Surface) -> None:
    """Draws the session over the whole target."""
    width, height = target.get_size()
    if width < SMALLEST[0] or height < SMALLEST[1]:
        large = render(session, (max(width, SMALLEST[0]), max(height, SMALLEST[1])))
        pygame.transform.smoothscale(large, (width, height), target)
        return
    found = watch_panel.camera_of(session.drive)
    camera_size = (found[1].width, found[1].height) if found else (96, 64)
    places = layout((width, height), camera_size)
    frame = Frame(session, places.unit)
    target.fill(BACKGROUND)
    road = target.subsurface(places.road)
    for layer in ROAD_LAYERS:
        layer(frame, road)
    target.fill(PANEL, places.panel)
    watch_panel.camera(frame, target.subsurface(places.camera))
    _camera_caption(frame, target, places)
    watch_panel.gauges(frame, target.subsurface(places.gauges.clip(target.get_rect())))
    header(frame, target.subsurface(places.header))
    for layer in (score, paused, ending, notice):
        layer(frame, road)
    if session.help:
        help_card(frame, target)


def header(frame: Frame, target: pygame.Surface) -> None:
    """Who drives, where, for how long, and how much of the route is done."""
    session, unit = frame.session, frame.unit
    drive = session.drive
    target.fill(PANEL)
    width, height = target.get_size()
    pad, first, second = 16 * unit, 0.36 * height, 0.72 * height
    image = pixels(target)
    disc(image, pad + 6 * unit, first, 6 * unit, frame.colour)
    left = pad + 20 * unit
    right = width - pad
    share = _route_done(session)
    after = drive.state
    seconds = (after.steps[0] + session.part) * drive.world.dt
    metres = after.progress[0] + session.part * (drive.after.progress[0] - after.progress[0])
    clock = f"{seconds:.1f} s"
    write(target, clock, right, first, 20 * unit, TEXT, True, "right")
    write(target, f"{session.speed:g} x real time", right, second, 13 * unit, DIM, align="right")
    route = right - 150 * unit
    write(target, f"{100 * share:.0f} %", route, first, 20 * unit, TEXT, True, "right")
    of = f"{max(metres, 0.0):.0f} of {drive.after.route_length[0]:.0f} m"
    write(target, of, route, second, 13 * unit, DIM, align="right")
    room = route - 110 * unit - left
    used = write(target, frame.who, left, first, 20 * unit, TEXT, True, room=room)
    if drive.by_hand:
        aside = f"instead of {drive.driver}"
        write(target, aside, left + used + 10 * unit, first + unit, 13 * unit, DIM,
              room=room - used - 10 * unit)  # fmt: skip
    where = f"{drive.road.name}   seed {drive.seed}, episode {drive.episode + 1}"
    write(target, where, left, second, 13 * unit, DIM, room=room)
    low = height - max(2, round(3 * unit))
    target.fill(RAISED, (0, low, width, height - low))
    target.fill(frame.colour, (0, low, round(share * width), height - low))


def score(frame: Frame, target: pygame.Surface) -> None:
    """How the last episode ended, and how many went well."""
    session, unit = frame.session, frame.unit
    if session.last_end and not session.over:
        text = f"last: {session.last_end}   {session.completed} of {session.episodes} completed"
        _pill(target, text, 14 * unit, 22 * unit, 13 * unit, unit, DIM, room=0.7)


def paused(frame: Frame, target: pygame.Surface) -> None:
    """That nothing moves because it was asked not to."""
    session, unit = frame.session, frame.unit
    if not session.paused or session.help:
        return
    step = "." if session.at_the_wheel else "→"
    width, height = target.get_size()
    _pill(target, f"paused   space goes on, {step} is one step", 0.5 * width,
          height - 26 * unit, 14 * unit, unit, TEXT, align="middle", room=0.66)  # fmt: skip


def ending(frame: Frame, target: pygame.Surface) -> None:
    """Why the episode is over."""
    session, unit = frame.session, frame.unit
    if not session.over:
        return
    ended = session.drive.ended
    words = WORDS[ended]
    colour = GOOD if ended is Ended.ROUTE_COMPLETED else BAD
    if ended is Ended.TIME_UP and session.drive.world.task.route_length == 0.0:
        words, colour = "time is up, still in the lane", GOOD
    width, height = target.get_size()
    middle, top = 0.5 * width, 0.2 * height
    wide = max(text_width(words, 26 * unit, True), text_width(session.last_end, 14 * unit))
    half = np.array([0.5 * wide + 28 * unit, 44 * unit])
    image = pixels(target)
    box = _box(middle - half[0], top - half[1], middle + half[0], top + half[1])
    glaze(image, box, (12, 14, 17), 0.86)
    edge = _box(middle - half[0], top - half[1], middle - half[0] + 5 * unit, top + half[1])
    polygon(image, edge, colour)
    write(target, words[0].upper() + words[1:], middle, top - 14 * unit, 26 * unit, TEXT, True,
          "middle")  # fmt: skip
    _, _, after = session.last_end.partition(" after ")
    write(target, f"after {after}", middle, top + 20 * unit, 14 * unit, DIM, align="middle")


def notice(frame: Frame, target: pygame.Surface) -> None:
    """What the last key did, where it does not show by itself."""
    if frame.session.notice:
        unit = frame.unit
        _pill(target, frame.session.notice, 0.5 * target.get_width(),
              target.get_height() - 58 * unit, 14 * unit, unit, TEXT, align="middle",
              room=0.9)  # fmt: skip


def help_card(frame: Frame, target: pygame.Surface) -> None:
    """Every key."""
    width, height = target.get_size()
    unit = min(frame.unit, height / 560)
    row = 31 * unit
    half = np.array([300 * unit, 0.5 * (len(HELP) * row + 84 * unit)])
    middle = np.array([0.5 * width, 0.5 * height])
    (left, top), (right, low) = middle - half, middle + half
    image = pixels(target)
    glaze(image, _box(0, 0, width, height), (8, 10, 12), 0.55)
    polygon(image, _box(left, top, right, low), PANEL)
    write(target, "Keys", left + 28 * unit, top + 34 * unit, 20 * unit, TEXT, True)
    write(target, "F1 closes this", right - 28 * unit, top + 34 * unit, 13 * unit, DIM,
          align="right")  # fmt: skip
    for k, (keys, meaning) in enumerate(HELP):
        y = top + 76 * unit + k * row
        x = left + 28 * unit
        for key in keys:
            wide = max(text_width(key, 13 * unit, True) + 16 * unit, 26 * unit)
            image = pixels(target)
            polygon(image, _box(x, y - 12 * unit, x + wide, y + 12 * unit), EDGE)
            inner = _box(x + 1, y - 12 * unit + 1, x + wide - 1, y + 12 * unit - 2)
            polygon(image, inner, RAISED)
            write(target, key, x + 0.5 * wide, y - 0.5, 13 * unit, TEXT, True, "middle")
            x += wide + 6 * unit
        write(target, meaning, left + 210 * unit, y, 14 * unit, TEXT)


def _camera_caption(frame: Frame, target: pygame.Surface, places: Layout) -> None:
    found = watch_panel.camera_of(frame.session.drive)
    unit = frame.unit
    y = places.camera.bottom + 14 * unit
    if found:
        sensor = found[1]
        text = f"{found[0]}, {sensor.width} x {sensor.height} pixels: all that a driver sees"
        write(target, text, places.camera.left, y, 12 * unit, DIM, room=places.camera.width)
    write(target, "F1 help", places.panel.right - 16 * unit, places.panel.bottom - 14 * unit,
          12 * unit, DIM, align="right")  # fmt: skip
    left = places.gauges.left
    low = places.panel.bottom - 14 * unit
    for name, colour in _legend(frame):
        image = pixels(target)
        disc(image, left + 4 * unit, low, 4 * unit, colour)
        left += 14 * unit + write(target, name, left + 13 * unit, low, 12 * unit, DIM,
                                  room=110 * unit) + 12 * unit  # fmt: skip


def _legend(frame: Frame) -> list[tuple[str, Colour]]:
    drive = frame.session.drive
    named = [("you" if frame.person_drives else drive.driver, frame.driver_colour)]
    if frame.session.at_the_wheel and not frame.person_drives:
        named.append(("you", frame.colour))
    if not frame.expert_drives:
        from redrive.watch_paint import EXPERT

        named.append(("expert", EXPERT))
    return named


def _route_done(session: Session) -> float:
    drive, part = session.drive, session.part
    done = drive.state.progress[0] + part * (drive.after.progress[0] - drive.state.progress[0])
    return float(min(max(done / max(drive.after.route_length[0], 1e-9), 0.0), 1.0))


def _box(left: float, top: float, right: float, low: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, low], [left, low]], float)


def _pill(
    target: pygame.Surface,
    text: str,
    x: float,
    y: float,
    size: float,
    unit: float,
    colour: Colour,
    align: str = "left",
    room: float = 1.0,
) -> None:
    """A line of writing on a dark ground; `room` is the share of the target it may take up."""
    most = room * target.get_width()
    wide = min(text_width(text, size), most) + 20 * unit
    left = x if align == "left" else x - 0.5 * wide
    image = pixels(target)
    box = _box(left, y - 0.95 * size, left + wide, y + 0.95 * size)
    glaze(image, box, (12, 14, 17), 0.72)
    write(target, text, left + 10 * unit, y, size, mix(colour, TEXT, 0.3), room=most)
