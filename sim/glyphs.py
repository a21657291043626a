"""What stands on signs: small pictures with transparency, drawn once from polygons."""

from enum import IntEnum
from functools import cache

import cv2
import numpy as np

SIDE = 48  # of a glyph [px]
_FINE = 16  # drawn so many times as fine, then averaged: clean edges


class Glyph(IntEnum):
    """The face of a sign."""

    BLANK = 0  # a grey board that is switched off
    LEFT = 1  # white arrows on blue
    STRAIGHT = 2
    RIGHT = 3
    STOP = 4  # a red octagon with a white bar
    DETOUR_LEFT = 5  # black arrows on yellow: for somebody else
    DETOUR_RIGHT = 6
    PARKING = 7
    PRIORITY = 8  # a yellow square on its corner


ROUTE_GLYPHS = {2: (Glyph.LEFT, Glyph.RIGHT), 3: (Glyph.LEFT, Glyph.STRAIGHT, Glyph.RIGHT)}
"""What a board shows of a route, by the number of branches; the leftmost comes first."""
DISTRACTORS = (Glyph.DETOUR_LEFT, Glyph.DETOUR_RIGHT, Glyph.PARKING, Glyph.PRIORITY)

_WHITE, _GREY, _BLUE, _RED = (236, 236, 232), (74, 78, 84), (24, 74, 158), (190, 26, 32)
_YELLOW, _BLACK = (232, 186, 34), (26, 26, 28)
_ARROW = np.array(  # to the left, in shares of the side, y down
    [
        (0.14, 0.5),
        (0.46, 0.18),
        (0.46, 0.37),
        (0.86, 0.37),
        (0.86, 0.63),
        (0.46, 0.63),
        (0.46, 0.82),
    ]
)
_BOARD = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
_INNER = 0.06 + 0.88 * _BOARD
_DIAMOND = np.array([(0.5, 0.0), (1.0, 0.5), (0.5, 1.0), (0.0, 0.5)])
_CORNERS = np.deg2rad(22.5 + 45.0 * np.arange(8))
_OCTAGON = 0.5 + 0.5 / np.cos(np.deg2rad(22.5)) * np.stack([np.cos(_CORNERS), np.sin(_CORNERS)], 1)
_BAR = np.array([(0.2, 0.41), (0.8, 0.41), (0.8, 0.59), (0.2, 0.59)])
_P = np.array([(0.3, 0.16), (0.46, 0.16), (0.46, 0.84), (0.3, 0.84)])
_BELLY = np.array([(0.3, 0.16), (0.6, 0.16), (0.74, 0.25), (0.74, 0.45), (0.6, 0.56), (0.3, 0.56)])
_HOLE = np.array([(0.46, 0.29), (0.57, 0.29), (0.57, 0.43), (0.46, 0.43)])

Layers = list[tuple[np.ndarray, tuple[int, int, int]]]


@cache
def glyphs() -> np.ndarray:
    """(glyphs, SIDE, SIDE, 4) uint8: red, green, blue, and opacity, row 0 at the top."""
    right, up = _ARROW * (-1.0, 1.0) + (1.0, 0.0), _ARROW[:, ::-1]
    framed: Layers = [(_BOARD, _WHITE), (_INNER, _BLUE)]
    yellow: Layers = [(_BOARD, _BLACK), (_INNER, _YELLOW)]
    faces: dict[Glyph, Layers] = {
        Glyph.BLANK: [(_BOARD, _WHITE), (_INNER, _GREY)],
        Glyph.LEFT: [*framed, (_ARROW, _WHITE)],
        Glyph.STRAIGHT: [*framed, (up, _WHITE)],
        Glyph.RIGHT: [*framed, (right, _WHITE)],
        Glyph.STOP: [(_OCTAGON, _WHITE), (0.5 + 0.93 * (_OCTAGON - 0.5), _RED), (_BAR, _WHITE)],
        Glyph.DETOUR_LEFT: [*yellow, (_ARROW, _BLACK)],
        Glyph.DETOUR_RIGHT: [*yellow, (right, _BLACK)],
        Glyph.PARKING: [*framed, (_P, _WHITE), (_BELLY, _WHITE), (_HOLE, _BLUE)],
        Glyph.PRIORITY: [(_DIAMOND, _WHITE), (0.5 + 0.75 * (_DIAMOND - 0.5), _YELLOW)],
    }
    table = np.stack([_draw(faces[glyph]) for glyph in Glyph])
    table.setflags(write=False)
    return table


def _draw(layers: Layers) -> np.ndarray:
    side = SIDE * _FINE
    colour, opaque = np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8)
    for corners, paint in layers:
        points = np.rint(corners * (side - 1)).astype(np.int32)
        cv2.fillPoly(colour, [points], paint)
        cv2.fillPoly(opaque, [points], 255)
    share = _mean(opaque.astype(np.float64))
    # Averaged with their opacity, so that no dark rim comes from where there is no board.
    painted = (
        _mean(colour * (opaque[..., None] / 255.0)) * 255.0 / np.maximum(share, 1.0)[..., None]
    )
    return np.concatenate([np.rint(painted), np.rint(share)[..., None]], axis=2).astype(np.uint8)


def _mean(fine: np.ndarray) -> np.ndarray:
    """Of every block of fine pixels."""
    return fine.reshape(SIDE, _FINE, SIDE, _FINE, *fine.shape[2:]).mean(axis=(1, 3))
