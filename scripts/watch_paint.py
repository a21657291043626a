"""How the window paints: its colours, its type, and smooth shapes on a pygame surface.

Shapes are OpenCV's, with positions in sixteenths of a pixel: what moves slowly moves smoothly.
Only the window and the films import this; it needs pygame, but no display.
"""

from __future__ import annotations

import ctypes
import importlib.util
import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pygame

from redrive.sim.files import write_whole

Colour = tuple[int, int, int]  # RGB

# Surfaces
BACKGROUND: Colour = (18, 21, 25)
PANEL: Colour = (26, 30, 35)
RAISED: Colour = (38, 43, 50)
EDGE: Colour = (56, 63, 72)
# Writing
TEXT: Colour = (232, 235, 238)
DIM: Colour = (148, 157, 167)
# Who and how: Okabe and Ito's palette, which is told apart with any colour vision
DRIVER: Colour = (86, 180, 233)
EXPERT: Colour = (230, 159, 0)
PERSON: Colour = (222, 140, 184)
GOOD: Colour = (38, 178, 134)
BAD: Colour = (226, 104, 38)
# Of several drivers; light and dark, so that they differ also where hues do not
DRIVERS: tuple[Colour, ...] = (
    DRIVER,
    (240, 228, 66),
    (170, 140, 255),
    (120, 225, 200),
    (235, 235, 235),
    (255, 150, 130),
    (110, 140, 190),
)
# What a value means: to the left, to the right; little, much
LEFTWARDS: Colour = (90, 200, 255)
RIGHTWARDS: Colour = (255, 120, 70)

SHIFT = 4  # fractional bits of a position
_ONE = 1 << SHIFT


class Type(NamedTuple):
    """A font file, or None for pygame's own."""

    regular: str | None
    bold: str | None


MASKS = (0xFF0000, 0xFF00, 0xFF, 0)  # where red, green and blue are in a pixel


def surface(size: tuple[int, int]) -> pygame.Surface:
    """A canvas of 32 bits, whatever the display has, if there is one."""
    return pygame.Surface(size, 0, 32, MASKS)


def is_canvas(given: pygame.Surface) -> bool:
    """Whether it can be drawn on as on a canvas of `surface`: its pixels are the same."""
    return given.get_bitsize() == 32 and given.get_masks() == MASKS and not given.mustlock()


def pixels(target: pygame.Surface) -> np.ndarray:
    """(H, W, 4) uint8 BGRA: the surface's own memory, not locked, so that it can be blitted to."""
    width, height = target.get_size()
    pitch = target.get_pitch()
    memory: Any = (ctypes.c_uint8 * (pitch * (height - 1) + 4 * width)).from_address(
        target._pixels_address
    )
    memory.owner = target  # which lives as long as the array does
    return np.ndarray((height, width, 4), np.uint8, memory, strides=(pitch, 4, 1))


def picture(source: pygame.Surface) -> np.ndarray:
    """(H, W, 3) uint8 RGB: a copy of what is on a surface."""
    image = pixels(source)
    return np.ascontiguousarray(image[..., 2::-1])


def save_picture(source: pygame.Surface, path: Path) -> None:
    """Writes what is on a surface to a file, .png or what else the ending says.

    Raises:
        OSError: it cannot be written.
    """
    content = io.BytesIO()
    try:
        pygame.image.save(source, content, path.name)
    except pygame.error as error:
        raise OSError(f"the picture {path} could not be saved: {error}") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content.getvalue())


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """From `a` (share 0) to `b` (share 1)."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def polygon(image: np.ndarray, points: np.ndarray, colour: Colour) -> None:
    """A filled polygon; points (N, 2) [px]."""
    cv2.fillPoly(image, [_fixed(points)], _bgra(colour), cv2.LINE_AA, SHIFT)


def polygons(image: np.ndarray, shapes: np.ndarray | Sequence[np.ndarray], colour: Colour) -> None:
    """Filled polygons that do not overlap; shapes (N, K, 2), or (K, 2) each [px]."""
    if len(shapes):
        fixed = (
            list(_fixed(shapes))
            if isinstance(shapes, np.ndarray)
            else [_fixed(shape) for shape in shapes]
        )
        cv2.fillPoly(image, fixed, _bgra(colour), cv2.LINE_AA, SHIFT)


def line(image: np.ndarray, points: np.ndarray, colour: Colour, width: float = 1.0) -> None:
    """A line through points (N, 2) [px]."""
    lines(image, [points], colour, width)


def lines(
    image: np.ndarray, each: np.ndarray | Sequence[np.ndarray], colour: Colour, width: float = 1.0
) -> None:
    """Lines through points: (L, N, 2), or (N, 2) each [px]."""
    if isinstance(each, np.ndarray):
        fixed = list(_fixed(each)) if len(each) else []
    else:
        fixed = [_fixed(points) for points in each if len(points) > 1]
    if fixed:
        thick = max(1, round(width))
        cv2.polylines(image, fixed, False, _bgra(colour), thick, cv2.LINE_AA, SHIFT)


def disc(image: np.ndarray, x: float, y: float, radius: float, colour: Colour) -> None:
    """A filled circle."""
    centre = (round(x * _ONE), round(y * _ONE))
    cv2.circle(image, centre, round(radius * _ONE), _bgra(colour), -1, cv2.LINE_AA, SHIFT)


def glaze(
    image: np.ndarray, points: np.ndarray, colour: Colour, share: float, blur: float = 0.0
) -> None:
    """A polygon that lets through what is below it.

    Args:
        share: 0 invisible .. 1 opaque.
        blur: of its edge [px].
    """
    height, width = image.shape[:2]
    room = 2.0 * blur + 2.0
    left, top = np.floor(points.min(axis=0) - room).astype(int)
    right, bottom = np.ceil(points.max(axis=0) + room).astype(int)
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if left >= right or top >= bottom:
        return
    below = image[top:bottom, left:right]
    shape = [_fixed(points - (left, top))]
    if blur <= 0.0:
        painted = below.copy()
        cv2.fillPoly(painted, shape, _bgra(colour), cv2.LINE_AA, SHIFT)
        cv2.addWeighted(painted, share, below, 1.0 - share, 0.0, dst=below)
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    cv2.fillPoly(mask, shape, (255,), cv2.LINE_AA, SHIFT)
    weight = cv2.GaussianBlur(mask, (0, 0), blur).astype(np.float32) * np.float32(share / 255.0)
    ink = np.full_like(below, _bgra(colour))
    below[...] = cv2.blendLinear(below, ink, 1.0 - weight, weight)


def veil(
    image: np.ndarray,
    low: tuple[float, float],
    high: tuple[float, float],
    colour: Colour,
    share: float,
) -> None:
    """An upright box from one corner to the opposite that lets through what is below it.

    What `glaze` does, in whole pixels and many times as fast.
    """
    height, width = image.shape[:2]
    (left, top), (right, bottom) = (
        (min(max(round(x), 0), width), min(max(round(y), 0), height)) for x, y in (low, high)
    )
    if left < right and top < bottom:
        below = image[top:bottom, left:right]
        cv2.convertScaleAbs(below, dst=below, alpha=1.0 - share)
        cv2.add(below, share * np.array(_bgra(colour), float), dst=below)


def dim(image: np.ndarray, share: float) -> None:
    """Leaves this share of its light."""
    cv2.convertScaleAbs(image, dst=image, alpha=share)


def write(
    target: pygame.Surface,
    text: str,
    x: float,
    y: float,
    size: float,
    colour: Colour = TEXT,
    bold: bool = False,
    align: str = "left",
    room: float | None = None,
) -> float:
    """Writes a line of text; returns its width [px].

    Args:
        x: of its left end, its middle or its right end, as `align` says.
        y: of the middle of its letters.
        room: it is cut short with an ellipsis to be no wider [px].
    """
    if room is not None:
        text = _cut(text, round(size), bold, int(room))
    if not text:
        return 0.0
    drawn = _drawn(text, round(size), colour, bold)
    width, height = drawn.get_size()
    left = x - {"left": 0.0, "middle": 0.5 * width, "right": float(width)}[align]
    target.blit(drawn, (round(left), round(y - 0.5 * height)))
    return float(width)


def text_width(text: str, size: float, bold: bool = False) -> int:
    """[px]"""
    return _width(text, round(size), bold)


@lru_cache(maxsize=1024)
def _width(text: str, size: int, bold: bool) -> int:
    return font(size, bold).size(text)[0]


@lru_cache(maxsize=64)
def font(size: int, bold: bool = False) -> pygame.font.Font:
    """The window's type; letters of lines above each other are `size` px apart."""
    if not pygame.font.get_init():
        pygame.font.init()
    return pygame.font.Font(_type().bold if bold else _type().regular, max(size, 6))


@lru_cache(maxsize=1)
def _type() -> Type:
    """DejaVu Sans, which comes with matplotlib; pygame's own where it has gone."""
    found = importlib.util.find_spec("matplotlib")
    for place in (found.submodule_search_locations or []) if found else []:
        folder = Path(place) / "mpl-data" / "fonts" / "ttf"
        regular, bold = folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf"
        if regular.is_file() and bold.is_file():
            return Type(str(regular), str(bold))
    return Type(None, None)


@lru_cache(maxsize=1024)
def _drawn(text: str, size: int, colour: Colour, bold: bool) -> pygame.Surface:
    return font(size, bold).render(text, True, colour)


@lru_cache(maxsize=512)
def _cut(text: str, size: int, bold: bool, room: int) -> str:
    letters = font(size, bold)
    if letters.size(text)[0] <= room:
        return text
    while text and letters.size(text + "…")[0] > room:
        text = text[:-1]
    return text.rstrip() + "…" if text else ""


def _fixed(points: np.ndarray) -> np.ndarray:
    return (points * float(_ONE)).astype(np.int32)


def _bgra(colour: Colour) -> tuple[int, int, int, int]:
    return colour[2], colour[1], colour[0], 255
