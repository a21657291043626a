"""The whole picture: which layer is where, in a window of any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pygame

from redrive import watch_car, watch_cards, watch_panel, watch_road
from redrive.watch_frame import Frame
from redrive.watch_paint import BACKGROUND, PANEL, surface
from redrive.watch_session import Session

Layer = Callable[[Frame, pygame.Surface], None]

SMALLEST = (480, 300)  # [px]; what is smaller is drawn as if it were that large
ROAD_LAYERS: tuple[Layer, ...] = (
    watch_road.ground,
    watch_road.pavement,
    watch_road.trail,
    watch_road.intentions,
    watch_car.car,
    watch_road.minimap,
    watch_road.scale_bar,
    watch_cards.score,
    watch_cards.paused,
    watch_cards.ending,
    watch_cards.notice,
)


@dataclass(frozen=True)
class Layout:
    """Where everything is [px]."""

    unit: float
    header: pygame.Rect
    road: pygame.Rect
    panel: pygame.Rect
    camera: pygame.Rect
    caption: pygame.Rect
    gauges: pygame.Rect
    legend: pygame.Rect


def layout(size: tuple[int, int], camera_size: tuple[int, int]) -> Layout:
    """The layout of a window; a camera picture is enlarged by a whole number where it can be."""
    width, height = size
    unit = max(0.7, min(width / 1280, height / 720))
    pad = round(16 * unit)
    header = pygame.Rect(0, 0, width, round(60 * unit))
    free_width, free_height = round(0.305 * width), round(0.42 * height)
    fit = min(free_width / camera_size[0], free_height / camera_size[1])
    fit = float(int(fit)) if fit >= 1.0 else fit
    camera_width, camera_height = (max(8, round(fit * side)) for side in camera_size)
    panel_width = max(camera_width, round(0.25 * width), round(220 * unit)) + 2 * pad
    panel = pygame.Rect(width - panel_width, header.bottom, panel_width, height - header.bottom)
    left, wide = panel.left + pad, panel_width - 2 * pad
    camera = pygame.Rect(0, 0, camera_width, camera_height)
    camera.midtop = (panel.centerx, panel.top + pad)
    row = round(28 * unit)
    caption = pygame.Rect(left, camera.bottom, wide, row)
    legend = pygame.Rect(left, height - row, wide, row)
    gauges = pygame.Rect(left, caption.bottom + round(6 * unit), wide, 0)
    gauges.height = max(legend.top - gauges.top, 1)
    road = pygame.Rect(0, header.bottom, panel.left, height - header.bottom)
    return Layout(unit, header, road, panel, camera, caption, gauges, legend)


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
    watch_cards.caption(frame, target.subsurface(places.caption))
    watch_panel.gauges(frame, target.subsurface(places.gauges))
    watch_cards.legend(frame, target.subsurface(places.legend))
    watch_cards.header(frame, target.subsurface(places.header))
    if session.help:
        watch_cards.help_card(frame, target)
