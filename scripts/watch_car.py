"""The car from above."""

from __future__ import annotations

import numpy as np
import pygame

from redrive.watch_drive import pose
from redrive.watch_frame import Frame
from redrive.watch_paint import Colour, glaze, line, mix, pixels, polygon, write
from redrive.watch_road import sight_of

GLASS: Colour = (24, 29, 35)
TYRE: Colour = (12, 14, 16)
LAMP: Colour = (255, 248, 220)
REAR_LAMP: Colour = (150, 52, 44)
BRAKE_LAMP: Colour = (255, 80, 60)
BRAKING = -0.4  # [m/s²]
WHEELBASE = 0.6  # share of the car's length; for the look of its wheels


def ghosts(frame: Frame, target: pygame.Surface) -> None:
    """The cars of the other drivers, seen through, with their names."""
    session = frame.session
    sight = sight_of(frame, target.get_size())
    vehicle = session.drive.world.vehicle
    rear, front = -vehicle.rear_overhang, vehicle.length - vehicle.rear_overhang
    outline = _rounded(rear, front, 0.5 * vehicle.width, 0.28 * vehicle.width)
    for number, drive in enumerate(session.drives):
        if number == session.shown:
            continue
        x, y, yaw, _ = pose(drive, session.part_of(drive))
        if np.hypot(x - sight.x, y - sight.y) > sight.reach:
            continue
        cos, sin = np.cos(yaw), np.sin(yaw)
        shape = sight.to_screen(outline @ np.array([[cos, sin], [-sin, cos]]) + (x, y))
        image, colour = pixels(target), frame.colour_of(number)
        glaze(image, shape, colour, 0.45)
        line(image, np.concatenate([shape, shape[:1]]), colour, max(1.0, 1.4 * frame.unit))
        place = shape.max(axis=0)[0] + 6 * frame.unit, shape.mean(axis=0)[1]
        write(target, f"{number + 1} {drive.driver}", *place, 12 * frame.unit, colour)


def car(frame: Frame, target: pygame.Surface) -> None:
    """The car with its shadow."""
    drive = frame.session.drive
    vehicle = drive.world.vehicle
    sight = sight_of(frame, target.get_size())
    _, _, yaw, _ = pose(drive, frame.session.part)
    rear, front = -vehicle.rear_overhang, vehicle.length - vehicle.rear_overhang
    side = 0.5 * vehicle.width
    cos, sin = np.cos(yaw), np.sin(yaw)

    def place(points: np.ndarray) -> np.ndarray:
        turned = points @ np.array([[cos, sin], [-sin, cos]])
        return sight.to_screen(turned + (sight.x, sight.y))

    body = place(_rounded(rear, front, side, 0.28 * vehicle.width))
    steered = float(np.arctan(WHEELBASE * vehicle.length * drive.after.curvature[0]))
    image = pixels(target)
    shadow = body + 0.22 * sight.scale * np.array([0.6, 0.8])
    glaze(image, shadow, (0, 0, 0), 0.5, 0.18 * sight.scale)
    for along, angle in ((0.0, 0.0), (WHEELBASE * vehicle.length, steered)):
        for across in (side - 0.1, 0.1 - side):
            polygon(image, place(_wheel(along, across, angle)), TYRE)
    polygon(image, body, mix(frame.colour, (255, 255, 255), 0.55))
    inner = _rounded(rear + 0.1, front - 0.1, side - 0.1, 0.26 * vehicle.width)
    polygon(image, place(inner), frame.colour)
    roof = mix(frame.colour, (0, 0, 0), 0.12)
    long = front - rear
    for first, last, wide in ((0.60, 0.74, 0.82), (0.14, 0.24, 0.76)):
        glass = _pane(rear + first * long, rear + last * long, wide * side, first > 0.5)
        polygon(image, place(glass), GLASS)
    polygon(image, place(_pane(rear + 0.26 * long, rear + 0.58 * long, 0.74 * side)), roof)
    back = BRAKE_LAMP if drive.after.accel[0] < BRAKING else REAR_LAMP
    for across in (0.66 * side, -0.66 * side):
        polygon(image, place(_light(rear + 0.16, across, 0.26)), back)
        polygon(image, place(_light(front - 0.2, across, 0.24)), LAMP)


def _rounded(rear: float, front: float, side: float, radius: float) -> np.ndarray:
    """(N, 2) a rectangle with round corners, ego frame [m]."""
    turn = np.linspace(0.0, 0.5 * np.pi, 5)
    corners = []
    for k, (x, y) in enumerate(((front, side), (rear, side), (rear, -side), (front, -side))):
        centre = np.array([x - np.sign(x - 0.5 * (rear + front)) * radius, y - np.sign(y) * radius])
        angle = turn + 0.5 * np.pi * k
        corners.append(centre + radius * np.column_stack([np.cos(angle), np.sin(angle)]))
    return np.concatenate(corners)


def _pane(rear: float, front: float, half: float, widens: bool = False) -> np.ndarray:
    ahead = half if widens else 0.92 * half
    behind = 0.9 * half if widens else half
    return np.array([[front, ahead], [rear, behind], [rear, -behind], [front, -ahead]])


def _light(along: float, across: float, wide: float) -> np.ndarray:
    return np.array([along, across]) + np.array(
        [[0.07, wide], [-0.07, wide], [-0.07, -wide], [0.07, -wide]]
    ) * (1.0, 0.8)


def _wheel(along: float, across: float, angle: float) -> np.ndarray:
    shape = np.array([[0.34, 0.13], [-0.34, 0.13], [-0.34, -0.13], [0.34, -0.13]])
    cos, sin = np.cos(angle), np.sin(angle)
    return shape @ np.array([[cos, sin], [-sin, cos]]) + (along, across)
