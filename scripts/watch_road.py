"""The left of the window: the road from above, following the car. One small function per layer."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pygame

from redrive.sim.road import Material, Road
from redrive.watch_drive import Drive, pose
from redrive.watch_frame import Frame
from redrive.watch_paint import (
    DIM,
    EXPERT,
    PERSON,
    Colour,
    disc,
    glaze,
    line,
    lines,
    mix,
    picture,
    pixels,
    polygon,
    polygons,
    surface,
    veil,
    write,
)
from redrive.watch_strips import Sight, runs, strips_in_sight, strips_of, tufts_in_sight

GROUND: Colour = (35, 45, 39)
GRASS: tuple[Colour, ...] = ((29, 38, 33), (41, 53, 45), (48, 61, 51))
SHOULDER: Colour = (82, 77, 67)
ASPHALT: Colour = (60, 64, 70)
LANE: Colour = (70, 75, 82)
WHITE: Colour = (226, 229, 230)
YELLOW: Colour = (232, 184, 66)
RED: Colour = (196, 70, 56)

AHEAD = 18.0, 2.4  # [m] and seconds of the road that are shown ahead of the car
ZOOMS = 1.0, 1.8, 0.45
CAR_HEIGHT = 0.74  # of the picture: where the car is
SWAY = 0.5  # share of the car's heading error that shows as a turned car, not as a turned road
TRAIL_PIECE = 5  # steps of one colour
CIRCLE = np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0.0, 2.0 * np.pi, 13)[:-1]])
NOODLE_TIME = 2.0  # how far ahead a command is drawn [s]


def sight_of(frame: Frame, size: tuple[int, int]) -> Sight:
    """From where this frame looks at the road, in a picture of this size."""
    session = frame.session
    return _sight(session.drive, session.part, session.zoom % len(ZOOMS), size)


@lru_cache(maxsize=4)  # every layer of a picture asks
def _sight(drive: Drive, part: float, zoom: int, size: tuple[int, int]) -> Sight:
    width, height = size
    x, y, yaw, speed = pose(drive, part)
    before, after = drive.state.heading_error[0], drive.after.heading_error[0]
    error = before + part * (after - before)
    shown = AHEAD[0] + AHEAD[1] * speed
    scale = CAR_HEIGHT * height / shown * ZOOMS[zoom]
    across, down = 0.5 * width, CAR_HEIGHT * height
    return Sight(
        x=x,
        y=y,
        up=float(yaw - SWAY * error),
        scale=scale,
        across=across,
        down=down,
        reach=float(np.hypot(across, max(down, height - down))) / scale + 3.0,
    )


def ground(frame: Frame, target: pygame.Surface) -> None:
    """The plain beside the road."""
    target.fill(GROUND)
    sight = sight_of(frame, target.get_size())
    points, radius, shade = tufts_in_sight(sight)
    width, height = target.get_size()
    inside = ((points > -8) & (points < (width + 8, height + 8))).all(axis=1)
    points, radius, shade = points[inside], radius[inside] * sight.scale, len(GRASS) * shade[inside]
    image = pixels(target)
    shade = shade.astype(int)
    for k, colour in enumerate(GRASS):
        chosen = shade == k
        shapes = points[chosen, None] + radius[chosen, None, None] * CIRCLE
        polygons(image, shapes, colour)


def pavement(frame: Frame, target: pygame.Surface) -> None:
    """Asphalt, paint, and the lane that is to be kept."""
    drive = frame.session.drive
    sight = sight_of(frame, target.get_size())
    accent = RED if drive.road.closed else YELLOW
    colours = {
        Material.SHOULDER: SHOULDER,
        Material.ASPHALT: ASPHALT,
        Material.ACCENT: accent,
        Material.WHITE: WHITE,
    }
    paint: dict[Material, list[np.ndarray]] = {Material.ACCENT: [], Material.WHITE: []}
    image = pixels(target)
    for material, outline in strips_in_sight(strips_of(drive.road), sight):
        if material in paint:
            paint[material].append(outline)
        else:
            polygon(image, outline, colours[material])
    if any(paint.values()):
        _lane(image, drive, sight)
    for material, outlines in paint.items():  # which do not overlap: all of a colour at once
        polygons(image, outlines, colours[material])


def _lane(image: np.ndarray, drive: Drive, sight: Sight) -> None:
    """The lane's ground, and its centre line, faintly."""
    lane = drive.lane
    near = np.hypot(lane.x - sight.x, lane.y - sight.y) < sight.reach + lane.left + lane.right
    faint, thin = mix(LANE, WHITE, 0.3), max(1.0, 0.08 * sight.scale)
    for first, stop in runs(near):
        nodes = np.arange(first, min(stop + 1, len(near) + lane.closed)) % len(near)
        centre = np.column_stack([lane.x[nodes], lane.y[nodes]])
        normal = np.column_stack([-np.sin(lane.heading[nodes]), np.cos(lane.heading[nodes])])
        left = sight.to_screen(centre + lane.left[nodes, None] * normal)
        right = sight.to_screen(centre - lane.right[nodes, None] * normal)
        polygon(image, np.concatenate([left, right[::-1]]), LANE)
        middle = sight.to_screen(centre)
        begins = np.arange(-first % 4, len(middle) - 2, 4)
        lines(image, middle[begins[:, None] + np.arange(3)], faint, thin)


def trail(frame: Frame, target: pygame.Surface) -> None:
    """Where the car has been; it fades."""
    drive = frame.session.drive
    sight = sight_of(frame, target.get_size())
    points = np.array([(step.x, step.y) for step in drive.past] + [(sight.x, sight.y)])
    near = np.hypot(points[:, 0] - sight.x, points[:, 1] - sight.y) < sight.reach
    first = len(points) - int(np.argmin(near[::-1])) if not near.all() else 0
    shown = sight.to_screen(points[first:])
    colours = [PERSON if step.by_hand else frame.driver_colour for step in drive.past[first:]]
    width = max(2.0, 0.16 * sight.scale)
    image = pixels(target)
    start = 0
    for k in range(1, len(shown)):
        if k == len(shown) - 1 or k - start == TRAIL_PIECE or colours[k] != colours[start]:
            fresh = k / len(shown)
            line(image, shown[start : k + 1], mix(LANE, colours[start], 0.15 + 0.6 * fresh), width)
            start = k


def ghost_trails(frame: Frame, target: pygame.Surface) -> None:
    """Where the other drivers have been."""
    session = frame.session
    sight = sight_of(frame, target.get_size())
    for number, drive in enumerate(session.drives):
        if number == session.shown:
            continue
        x, y, _, _ = pose(drive, session.part_of(drive))
        points = np.array([(step.x, step.y) for step in drive.past] + [(x, y)])
        near = np.hypot(points[:, 0] - sight.x, points[:, 1] - sight.y) < sight.reach
        colour = mix(LANE, frame.colour_of(number), 0.45)
        for first, stop in runs(near):
            shown = sight.to_screen(points[first:stop])
            line(pixels(target), shown, colour, max(1.0, 0.09 * sight.scale))


def intentions(frame: Frame, target: pygame.Surface) -> None:
    """Where the command of now leads, and dotted, where the expert's would."""
    session = frame.session
    drive, part = session.drive, session.part
    sight = sight_of(frame, target.get_size())
    _, _, yaw, speed = pose(drive, part)
    length = max(6.0, NOODLE_TIME * speed)
    command = float(drive.command.curvature[0])
    if not frame.expert_drives or session.at_the_wheel:
        dots = _arc(sight, yaw, float(drive.expert.curvature[0]), np.arange(4.0, length, 1.6))
        image = pixels(target)
        polygons(image, dots[:, None] + max(1.3, 0.13 * sight.scale) * CIRCLE, EXPERT)
    along = np.linspace(0.0, length, 24)
    half = np.linspace(0.32, 0.10, 24)
    noodle = np.concatenate(
        [
            _arc(sight, yaw, command, along, half),
            _arc(sight, yaw, command, along, -half)[::-1],
        ]
    )
    image = pixels(target)
    glaze(image, noodle, frame.colour, 0.8)


def _arc(
    sight: Sight,
    yaw: float,
    curvature: float,
    along: np.ndarray,
    side: np.ndarray | float = 0.0,
) -> np.ndarray:
    """Points of the arc that a car drives from here, and beside it [px]."""
    half = 0.5 * curvature * along
    chord = along * np.sinc(half / np.pi)
    x = sight.x + chord * np.cos(yaw + half) - side * np.sin(yaw + 2.0 * half)
    y = sight.y + chord * np.sin(yaw + half) + side * np.cos(yaw + 2.0 * half)
    return sight.to_screen(np.column_stack([x, y]))


def minimap(frame: Frame, target: pygame.Surface) -> None:
    """The whole road, north up, with the car on it."""
    drive = frame.session.drive
    width, height = target.get_size()
    room = round(min(0.24 * width, 0.3 * height))
    if room < 70:
        return
    drawn, low, scale = _whole_road(drive.road, room)
    left, top = width - drawn.get_width() - room // 10, height - drawn.get_height() - room // 10
    low_right = left + drawn.get_width(), top + drawn.get_height()
    veil(pixels(target), (left, top), low_right, GROUND, 0.7)
    target.blit(drawn, (left, top))
    image = pixels(target)
    session = frame.session
    others = [k for k in range(len(session.drives)) if k != session.shown]
    for number in (*others, session.shown):  # the followed one on top
        x, y, _, _ = pose(session.drives[number], session.part_of(session.drives[number]))
        at = left + (x - low[0]) * scale, top + drawn.get_height() - (y - low[1]) * scale
        shown = number == session.shown
        size = 1.0 if shown else 0.7
        disc(image, *at, size * max(3.0, 0.045 * room), (16, 18, 20))
        colour = frame.colour if shown else frame.colour_of(number)
        disc(image, *at, size * max(2.2, 0.033 * room), colour)


@lru_cache(maxsize=8)
def _whole_road(road: Road, room: int) -> tuple[pygame.Surface, np.ndarray, float]:
    """The road in a square of `room` px; its lowest corner [m]; pixels per metre."""
    lane = road.lanes[0]
    points = np.column_stack([lane.x, lane.y])
    if lane.closed:
        points = np.concatenate([points, points[:1]])
    edge = 4.0
    low, high = points.min(axis=0), points.max(axis=0)
    scale = (room - 2.0 * edge) / max(float((high - low).max()), 1.0)
    size = np.ceil((high - low) * scale + 2.0 * edge).astype(int)
    low = low - edge / scale
    drawn = surface((int(size[0]), int(size[1])))
    drawn.fill((255, 0, 255))
    shown = np.column_stack([points[:, 0] - low[0], points[:, 1] - low[1]]) * scale
    shown[:, 1] = size[1] - shown[:, 1]
    veil = pygame.Surface(drawn.get_size(), pygame.SRCALPHA)
    drawn.fill((0, 0, 0))
    image = pixels(drawn)
    line(image, shown, (255, 255, 255), max(2.0, room / 55))
    cover = picture(drawn)[..., 0]
    veil.fill((*mix(DIM, WHITE, 0.3), 0))
    alpha = pygame.surfarray.pixels_alpha(veil)
    alpha[...] = cover.T
    del alpha
    return veil, low, scale


def scale_bar(frame: Frame, target: pygame.Surface) -> None:
    """How long some metres are."""
    sight = sight_of(frame, target.get_size())
    height = target.get_height()
    unit = frame.unit
    metres = next(m for m in (2, 5, 10, 20, 50, 100, 1000) if m * sight.scale > 44 * unit)
    left, low = 16 * unit, height - 18 * unit
    long = metres * sight.scale
    image = pixels(target)
    ends = [(0.0, -5.0), (0.0, 0.0), (long / unit, 0.0), (long / unit, -5.0)]
    line(image, np.array(ends) * unit + (left, low), DIM, 1.5 * unit)
    write(target, f"{metres} m", left + 0.5 * long, low - 9 * unit, 12 * unit, DIM, align="middle")
