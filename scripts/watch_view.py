"""The whole picture: which layer is where, in a window of any size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pygame

from redrive import watch_car, watch_cards, watch_memory, watch_panel, watch_road
from redrive.watch_frame import Frame
from redrive.watch_paint import PANEL, surface
from redrive.watch_session import Layer, Session

Paint = Callable[[Frame, pygame.Surface], None]

SMALLEST = (480, 300)  # [px]; what is smaller is drawn as if it were that large
ROAD_LAYERS: tuple[tuple[Paint, Layer | None], ...] = (  # and what switches each off
    (watch_road.ground, None),
    (watch_road.pavement, None),
    (watch_road.ghost_trails, Layer.GHOSTS),
    (watch_road.trail, Layer.TRAIL),
    (watch_road.intentions, Layer.PATHS),
    (watch_car.ghosts, Layer.GHOSTS),
    (watch_car.car, None),
    (watch_road.minimap, Layer.MAP),
    (watch_road.scale_bar, None),
    (watch_cards.score, Layer.SCORE),
    (watch_cards.marks, None),
    (watch_cards.paused, None),
    (watch_cards.ending, None),
    (watch_cards.notice, None),
)


@dataclass(frozen=True)
class Layout:
    """Where everything is [px]."""

    unit: float
    header: pygame.Rect
    road: pygame.Rect
    memory: pygame.Rect  # below the road; of no height where there is none
    panel: pygame.Rect
    camera: pygame.Rect
    caption: pygame.Rect
    gauges: pygame.Rect
    legend: pygame.Rect


def layout(size: tuple[int, int], camera_size: tuple[int, int], memory: bool = False) -> Layout:
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
    band = round(min(132 * unit, 0.25 * height)) if memory else 0
    road = pygame.Rect(0, header.bottom, panel.left, height - header.bottom - band)
    below = pygame.Rect(0, road.bottom, panel.left, band)
    return Layout(unit, header, road, below, panel, camera, caption, gauges, legend)


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
    memory = watch_memory.has_memory(Frame(session, 1.0))
    places = layout((width, height), camera_size, memory)
    frame = Frame(session, places.unit)
    road = target.subsurface(places.road)
    for paint, layer in ROAD_LAYERS:
        if layer is None or frame.shows(layer):
            paint(frame, road)
    if memory:
        watch_memory.memory(frame, target.subsurface(places.memory))
    target.fill(PANEL, places.panel)
    watch_panel.camera(frame, target.subsurface(places.camera))
    watch_cards.caption(frame, target.subsurface(places.caption))
    watch_panel.gauges(frame, target.subsurface(places.gauges))
    watch_cards.legend(frame, target.subsurface(places.legend))
    watch_cards.header(frame, target.subsurface(places.header))
    if session.help:
        watch_cards.help_card(frame, target)
    elif session.menu:
        watch_cards.menu_card(frame, target)
