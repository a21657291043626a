"""Roads made ready for drawing: ribbons cut into pieces that a camera can pick from.

A piece is up to 16 m of one ribbon with a circle around it; a block is the pieces of one square of
the world. The camera asks the blocks first, so drawing costs the same on a 7 km circuit as on a
short road. A dashed ribbon has two forms: its dashes, for near, and one solid line of the same
paint per metre, for where dashes are finer than a picture row.
"""

from typing import NamedTuple

import numpy as np

from .road import Ribbon, Road

PIECE_STEPS = 16  # of about 1 m
BLOCK_SIZE = 48.0  # [m]
ALWAYS, NEAR, FAR = 0, 1, 2

PIECE = np.dtype(
    [
        ("first", np.int32),  # its first point
        ("steps", np.int32),  # points beyond the first
        ("layer", np.int32),  # Material
        ("shown", np.int32),  # ALWAYS, NEAR or FAR
        ("x", np.float32),
        ("y", np.float32),
        ("radius", np.float32),
        ("period", np.float32),  # of the dashes [m]
        ("bend", np.float32),  # largest |curvature| [1/m]
    ]
)
BLOCK = np.dtype(
    [
        ("first", np.int32),  # its first piece
        ("count", np.int32),
        ("x", np.float32),
        ("y", np.float32),
        ("radius", np.float32),
    ]
)


class Scene(NamedTuple):
    """What the camera draws of one road, or of many one after the other."""

    points: np.ndarray  # (P, 4) float32: left x, y and right x, y of a ribbon's cross-sections [m]
    pieces: np.ndarray  # PIECE
    blocks: np.ndarray  # BLOCK
    first_block: np.ndarray  # (roads + 1,) int32: where the blocks of each road begin
    kerbs: np.ndarray  # (roads,) uint8: 1 where Material.ACCENT is a kerb's red, not yellow paint


def build_scene(road: Road) -> Scene:
    """The scene of one road."""
    points: list[np.ndarray] = []
    pieces: list[np.ndarray] = []
    count = 0
    for ribbon in road.ribbons:
        for part_points, part_pieces in _cut(ribbon):
            part_pieces["first"] += count
            count += len(part_points)
            points.append(part_points)
            pieces.append(part_pieces)
    every = np.concatenate(pieces) if pieces else np.empty(0, PIECE)
    square = np.floor(np.stack([every["x"], every["y"]]) / BLOCK_SIZE).astype(np.int64)
    key = square[0] * 1_000_003 + square[1]
    order = np.argsort(key, kind="stable")
    every = every[order]
    starts = np.flatnonzero(np.diff(key[order], prepend=key[order][:1] - 1))
    stops = np.append(starts, len(every))[1:]
    blocks = np.zeros(len(starts), BLOCK)
    for block, first, stop in zip(blocks, starts, stops, strict=True):
        inside = every[first:stop]
        block["first"], block["count"] = first, stop - first
        block["x"], block["y"] = inside["x"].mean(), inside["y"].mean()
        away = np.hypot(inside["x"] - block["x"], inside["y"] - block["y"])
        block["radius"] = (away + inside["radius"]).max()
    flat = np.concatenate(points) if points else np.empty((0, 4))
    return Scene(
        flat.astype(np.float32),
        every,
        blocks,
        np.array([0, len(blocks)], np.int32),
        np.array([road.kerbs], np.uint8),
    )


def _cut(ribbon: Ribbon) -> list[tuple[np.ndarray, np.ndarray]]:
    """Points and pieces of each form of a ribbon."""
    sections = np.concatenate([ribbon.left, ribbon.right], axis=1)
    if ribbon.closed:
        sections = np.concatenate([sections, sections[:1]])
    layer = int(ribbon.material)
    if ribbon.gap <= 0.0:
        return [(sections, _pieces(sections, PIECE_STEPS, layer, ALWAYS, 0.0))]
    period = ribbon.dash + ribbon.gap
    middle = 0.5 * (sections[:, :2] + sections[:, 2:])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(middle, axis=0).T))])
    starts = np.arange(0.0, along[-1] - ribbon.dash, period)
    steps = max(1, int(np.ceil(ribbon.dash)))
    at = (starts[:, None] + np.linspace(0.0, ribbon.dash, steps + 1)).ravel()
    dashes = np.stack([np.interp(at, along, column) for column in sections.T], axis=1)
    share = ribbon.dash / period
    thin = np.concatenate(
        [
            middle + share * (sections[:, :2] - middle),
            middle + share * (sections[:, 2:] - middle),
        ],
        axis=1,
    )
    forms = [(thin, _pieces(thin, PIECE_STEPS, layer, FAR, period))]
    if len(starts):
        forms.append((dashes, _pieces(dashes, steps, layer, NEAR, period, steps + 1)))
    return forms


def _pieces(
    sections: np.ndarray, steps: int, layer: int, shown: int, period: float, stride: int = 0
) -> np.ndarray:
    """Pieces of `steps` steps, one every `stride` points (0: each begins where the last ends)."""
    last = len(sections) - 1
    firsts = np.arange(0, last, stride or steps)
    ends = np.minimum(firsts + steps, last)
    pieces = np.zeros(len(firsts), PIECE)
    pieces["first"], pieces["steps"] = firsts, ends - firsts
    pieces["layer"], pieces["shown"], pieces["period"] = layer, shown, period
    middle = 0.5 * (sections[:, :2] + sections[:, 2:])
    centre = 0.5 * (middle[firsts] + middle[ends])
    pieces["x"], pieces["y"] = centre.T
    inside = firsts[:, None] + np.minimum(np.arange(steps + 1), (ends - firsts)[:, None])
    corners = sections[inside].reshape(len(firsts), -1, 2) - centre[:, None]
    pieces["radius"] = np.hypot(corners[..., 0], corners[..., 1]).max(axis=1)
    run = np.diff(middle[inside], axis=1)
    length = np.hypot(run[..., 0], run[..., 1])
    cross = run[:, :-1, 0] * run[:, 1:, 1] - run[:, :-1, 1] * run[:, 1:, 0]
    product = np.maximum(length[:, :-1] * length[:, 1:], 1e-12)
    bend = np.where(
        length[:, 1:] > 1e-6,
        np.abs(np.arcsin(np.clip(cross / product, -1.0, 1.0))) / np.maximum(length[:, :-1], 1e-6),
        0.0,
    )
    pieces["bend"] = bend.max(axis=1, initial=0.0)
    return pieces
