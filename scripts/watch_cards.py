"""What is written over and around the picture. One small function per layer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pygame

from redrive import watch_panel
from redrive.sim.task import Ended
from redrive.watch_drive import Drive, words
from redrive.watch_frame import Frame
from redrive.watch_insight import saliency_of
from redrive.watch_keys import HELP
from redrive.watch_paint import (
    BAD,
    DIM,
    DRIVER,
    EDGE,
    EXPERT,
    GOOD,
    PANEL,
    RAISED,
    TEXT,
    Colour,
    dim,
    disc,
    mix,
    pixels,
    polygon,
    text_width,
    veil,
    write,
)
from redrive.watch_session import LAYERS, Layer, Session

SHADE = 0.42  # of the light is left behind the help


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
    pace = "as fast as it goes" if math.isinf(session.speed) else f"{session.speed:g} x real time"
    write(target, pace, right, second, 13 * unit, DIM, align="right")
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
    """How every driver does: in this episode, and in those before it."""
    session, unit = frame.session, frame.unit
    size, row, pad = 12.5 * unit, 21 * unit, 10 * unit
    rows = [_score_row(frame, number) for number in range(len(session.drives))]
    names = [f"{k + 1}  {drive.driver}" for k, drive in enumerate(session.drives)]
    last = f"last: {session.score.last_end}" if session.score.last_end else ""
    name_room = min(max(text_width(name, size, True) for name in names), 150 * unit)
    columns = [max(text_width(cells[k], size) for cells in rows) for k in range(len(rows[0]))]
    wide = pad + 18 * unit + name_room + sum(columns) + 14 * unit * len(columns) + pad
    wide = min(max(wide, text_width(last, size) + 2 * pad), 0.75 * target.get_width())
    high = row * (len(rows) + bool(last)) + pad
    left, top = 14 * unit, 12 * unit
    veil(pixels(target), (left, top), (left + wide, top + high), (12, 14, 17), 0.72)
    end = left + wide - pad
    for number, (name, cells) in enumerate(zip(names, rows, strict=True)):
        y = top + 0.5 * pad + (number + 0.5) * row
        x = left + pad
        disc(pixels(target), x + 4 * unit, y, 4 * unit, frame.colour_of(number))
        x += 16 * unit
        followed = number == session.shown
        write(target, name, x, y, size, TEXT if followed else DIM, followed, room=name_room)
        x += name_room + 14 * unit
        for cell, column in zip(cells, columns, strict=True):
            if x + column > end + 1:
                break
            write(target, cell, x + column, y, size, TEXT if followed else DIM, align="right")
            x += column + 14 * unit
    if last:
        y = top + 0.5 * pad + (len(rows) + 0.5) * row
        write(target, last, left + pad, y, size, DIM, room=wide - 2 * pad)


def _score_row(frame: Frame, number: int) -> tuple[str, str, str, str]:
    """Route, mean distance from the centre, how it stands, and episodes that were completed."""
    session = frame.session
    drive, score = session.drives[number], session.scores[number]
    part = session.part_of(drive)
    done = drive.state.progress[0] + part * (drive.after.progress[0] - drive.state.progress[0])
    ended = drive.over and part >= 1.0
    stands = words(drive.ended) if ended else "driving"
    return (
        f"{max(done, 0.0):.0f} m",
        f"{_off_centre(drive):.2f} m off centre",
        stands,
        f"{score.completed} of {score.episodes} completed" if score.episodes else "",
    )


@lru_cache(maxsize=16)
def _off_centre(drive: Drive) -> float:
    """Mean over the episode so far [m]."""
    offsets = [abs(float(step.frame.state.lateral_offset[0])) for step in drive.steps]
    return sum(offsets) / len(offsets)


def marks(frame: Frame, target: pygame.Surface) -> None:
    """That something is being recorded, or filmed."""
    session, unit = frame.session, frame.unit
    right = target.get_width() - 14 * unit
    told = []
    if session.recording:
        seconds = (len(session.drive.steps) - session.taken_from) * session.drive.world.dt
        told.append((f"recording {max(seconds, 0.0):.0f} s", BAD))
    if session.filming:
        told.append(("filming", DRIVER))
    for text, colour in told:
        wide = text_width(text, 13 * unit) + 40 * unit
        left = right - wide
        veil(pixels(target), (left, 12 * unit), (right, 38 * unit), (12, 14, 17), 0.78)
        disc(pixels(target), left + 15 * unit, 25 * unit, 5 * unit, colour)
        write(target, text, left + 28 * unit, 25 * unit, 13 * unit, TEXT)
        right = left - 8 * unit


def paused(frame: Frame, target: pygame.Surface) -> None:
    """That nothing moves because it was asked not to."""
    session, unit = frame.session, frame.unit
    if not session.paused or session.help or session.menu:
        return
    step = "." if session.at_the_wheel else "→"
    width, height = target.get_size()
    _pill(target, f"paused   space goes on, {step} is one step", 0.5 * width,
          height - 26 * unit, 14 * unit, unit, TEXT, align="middle", room=0.66)  # fmt: skip


def ending(frame: Frame, target: pygame.Surface) -> None:
    """Why the episode is over."""
    session, unit = frame.session, frame.unit
    if not session.finished:
        return
    ended = session.drive.ended
    said = words(ended)
    colour = GOOD if ended in (Ended.ROUTE_COMPLETED, Ended.END_OF_ROAD) else BAD
    if ended is Ended.TIME_UP and session.drive.world.task.route_length == 0.0:
        said, colour = "time is up, still in the lane", GOOD
    width, height = target.get_size()
    below_score = (12 + 21 * (len(session.drives) + 1) + 10 + 56) * unit
    middle, top = 0.5 * width, max(0.2 * height, below_score)
    last = session.score.last_end
    wide = max(text_width(said, 26 * unit, True), text_width(last, 14 * unit))
    half = np.array([0.5 * wide + 28 * unit, 44 * unit])
    image = pixels(target)
    corners = (middle - half[0], top - half[1]), (middle + half[0], top + half[1])
    veil(image, *corners, (12, 14, 17), 0.86)
    edge = _box(middle - half[0], top - half[1], middle - half[0] + 5 * unit, top + half[1])
    polygon(image, edge, colour)
    write(target, said[0].upper() + said[1:], middle, top - 14 * unit, 26 * unit, TEXT, True,
          "middle")  # fmt: skip
    _, _, after = last.partition(" after ")
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
    rows = [(keys, meaning, True) for keys, meaning in HELP]
    _card(frame, target, "Keys", "F1 closes this", rows)


def menu_card(frame: Frame, target: pygame.Surface) -> None:
    """What can be drawn or left out."""
    rows = [((str(k + 1),), layer.value, frame.shows(layer)) for k, layer in enumerate(LAYERS)]
    _card(frame, target, "What is drawn", "L closes this", rows)


def _card(
    frame: Frame,
    target: pygame.Surface,
    title: str,
    closes: str,
    rows: Sequence[tuple[tuple[str, ...], str, bool]],
) -> None:
    """A card over the picture: keys and what they do; what is off is dim."""
    width, height = target.get_size()
    unit = min(frame.unit, height / 660)
    row = 31 * unit
    half = np.array([300 * unit, 0.5 * (len(rows) * row + 84 * unit)])
    middle = np.array([0.5 * width, 0.5 * height])
    (left, top), (right, low) = middle - half, middle + half
    image = pixels(target)
    dim(image, SHADE)
    polygon(image, _box(left, top, right, low), PANEL)
    write(target, title, left + 28 * unit, top + 34 * unit, 20 * unit, TEXT, True)
    write(target, closes, right - 28 * unit, top + 34 * unit, 13 * unit, DIM, align="right")
    widths = [[_key_width(key, unit) + 6 * unit for key in keys] for keys, _, _ in rows]
    column = left + 28 * unit + max(map(sum, widths)) + 14 * unit
    for k, (keys, meaning, on) in enumerate(rows):
        y = top + 76 * unit + k * row
        x = left + 28 * unit
        for key in keys:
            wide = _key_width(key, unit)
            image = pixels(target)
            polygon(image, _box(x, y - 12 * unit, x + wide, y + 12 * unit), EDGE)
            inner = _box(x + 1, y - 12 * unit + 1, x + wide - 1, y + 12 * unit - 2)
            polygon(image, inner, RAISED)
            write(target, key, x + 0.5 * wide, y - 0.5, 13 * unit, TEXT, True, "middle")
            x += wide + 6 * unit
        write(target, meaning, column, y, 14 * unit, TEXT if on else DIM)
        if not on:
            write(target, "off", right - 28 * unit, y, 13 * unit, DIM, align="right")


def _key_width(key: str, unit: float) -> float:
    return max(text_width(key, 13 * unit, True) + 16 * unit, 26 * unit)


def caption(frame: Frame, target: pygame.Surface) -> None:
    """What the picture of the camera is."""
    found = watch_panel.camera_of(frame.session.drive)
    if found is None:
        return
    unit = frame.unit
    width, height = target.get_size()
    short = f"{found[0]}, {found[1].width} x {found[1].height} pixels"
    long = f"{short}, as the driver sees it"
    if frame.shows(Layer.SALIENCY):
        learned = saliency_of(frame.session.drive) is not None
        long = "blue steered to the left, red to the right" if learned else (
            f"{short}; no network drives")  # fmt: skip
    text = long if text_width(long, 12 * unit) <= width else short
    write(target, text, 0.0, 0.5 * height, 12 * unit, DIM, room=width)


def legend(frame: Frame, target: pygame.Surface) -> None:
    """Whose colour is whose."""
    drive, unit = frame.session.drive, frame.unit
    named = [("you" if frame.person_drives else drive.driver, frame.driver_colour)]
    if frame.session.at_the_wheel and not frame.person_drives:
        named.append(("you", frame.colour))
    if not frame.expert_drives:
        named.append(("expert", EXPERT))
    width, height = target.get_size()
    hint = "F1 help"
    write(target, hint, width, 0.5 * height, 12 * unit, DIM, align="right")
    left, end = 0.0, width - text_width(hint, 12 * unit) - 8 * unit
    for name, colour in named:
        disc(pixels(target), left + 4 * unit, 0.5 * height, 4 * unit, colour)
        left += 13 * unit
        room = min(110 * unit, end - left)
        left += write(target, name, left, 0.5 * height, 12 * unit, DIM, room=room) + 12 * unit


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
    veil(image, (left, y - 0.95 * size), (left + wide, y + 0.95 * size), (12, 14, 17), 0.72)
    write(target, text, left + 10 * unit, y, size, mix(colour, TEXT, 0.3), room=most)
