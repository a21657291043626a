"""Roads made ready for drawing: ribbons cut into pieces that a camera can pick from.

A piece is up to 16 m of one ribbon with a circle around it; a block is the pieces of one square of
the world. The camera asks the blocks first, so drawing costs the same on a 7 km circuit as on a
short road. A dashed ribbon has two forms: its dashes, for near, and one solid line of the same
paint per metre, for where dashes are finer than a picture row.

What is asked of all pieces lies together, eight numbers of a kind in a row for eight pieces, as
vector instructions take them; what is asked of those in view lies in a record each. The points of
a piece are there in every fineness, so that those of one lie side by side.
"""

from typing import Any, NamedTuple

import numpy as np

from .road import Ribbon, Road

PIECE_STEPS = 16  # of about 1 m
BLOCK_SIZE = 48.0  # [m]
ALWAYS, NEAR, FAR = 0, 1, 2
MOST_STEPS = 64  # of a piece; dashes are one each, however long
EIGHT = 8  # pieces, and blocks, that the camera looks at together

PIECE = np.dtype(
    [
        ("first", np.int32),  # its first point, of the coarsest fineness
        ("steps", np.int32),  # points beyond the first, of the finest; 0 where there is no piece
        ("layer", np.int32),  # Material
        ("start", np.int32),  # a piece that goes on where another ends starts at its start + steps
    ]
)
BLOCK = np.dtype(
    [
        ("first", np.int32),  # its first piece, a multiple of EIGHT
        ("count", np.int32),
    ]
)
CIRCLE = ("x", "y", "radius")
# And the distances between which a piece is shown, squared, in units of period * `blur`, see
# `render.py`; largest |curvature| [1/m].
PIECE_CIRCLE = (*CIRCLE, "beyond", "until", "bend")
_LINE = 4  # points in a line of the cache


def _finenesses() -> tuple[np.ndarray, np.ndarray]:
    """For each number of steps: the coarsest level, and where each level's points begin.

    Level k has every 2**k-th point, and the last one.
    """
    coarsest = np.zeros(MOST_STEPS + 1, np.int32)
    begins = np.zeros((MOST_STEPS + 1, MOST_STEPS.bit_length()), np.int32)
    for steps in range(1, MOST_STEPS + 1):
        coarsest[steps] = (steps - 1).bit_length()
        for level in range(coarsest[steps] - 1, -1, -1):
            coarser = len(points_of_level(steps, level + 1))
            begins[steps, level] = begins[steps, level + 1] + coarser
    return coarsest, begins


def points_of_level(steps: int, level: int) -> np.ndarray:
    """Which points of a piece are drawn when every 2**level-th is."""
    return np.minimum(np.arange(0, steps + (1 << level), 1 << level), steps)


COARSEST, LEVEL_BEGINS = _finenesses()


class Scene(NamedTuple):
    """What the camera draws of one road, or of many one after the other."""

    points: np.ndarray  # (P, 4) float32: left x, y and right x, y of a ribbon's cross-sections [m]
    pieces: np.ndarray  # (8 G,) PIECE
    circles: np.ndarray  # (G, 6, 8) float32: PIECE_CIRCLE of eight pieces
    blocks: np.ndarray  # (8 H,) BLOCK
    areas: np.ndarray  # (H, 3, 8) float32: CIRCLE of eight blocks [m]
    first_block: np.ndarray  # (roads + 1,) int32: where the blocks of each road begin
    kerbs: np.ndarray  # (roads,) uint8: 1 where Material.ACCENT is a kerb's red, not yellow paint


# What is found of a piece first.
_FOUND = np.dtype(
    [
        ("first", np.int32),
        ("steps", np.int32),
        ("layer", np.int32),
        ("shown", np.int32),  # ALWAYS, NEAR or FAR
        ("x", np.float32),
        ("y", np.float32),
        ("radius", np.float32),
        ("period", np.float32),  # of the dashes [m]
        ("bend", np.float32),
    ]
)


def build_scene(road: Road) -> Scene:
    """The scene of one road."""
    points: list[np.ndarray] = []
    found: list[np.ndarray] = []
    count = 0
    for ribbon in road.ribbons:
        for part_points, part_pieces in _cut(ribbon):
            part_pieces["first"] += count
            count += len(part_points)
            points.append(part_points)
            found.append(part_pieces)
    every = np.concatenate(found) if found else np.empty(0, _FOUND)
    square = np.floor(np.stack([every["x"], every["y"]]) / BLOCK_SIZE).astype(np.int64)
    key = square[0] * 1_000_003 + square[1]
    order = np.argsort(key, kind="stable")
    every = every[order]
    starts = np.flatnonzero(np.diff(key[order], prepend=key[order][:1] - 1))
    counts = np.diff(np.append(starts, len(every)))
    rooms = _whole_eights(counts)
    blocks = np.zeros(_whole_eights(len(starts)), BLOCK)
    blocks["first"][: len(starts)] = np.cumsum(rooms) - rooms
    blocks["count"][: len(starts)] = counts
    places = np.arange(len(every)) + np.repeat(blocks["first"][: len(starts)] - starts, counts)
    pieces, circles = np.zeros(rooms.sum(), PIECE), _circles(PIECE_CIRCLE, int(rooms.sum()))
    fine = np.concatenate(points) if points else np.empty((0, 4))
    drawn, firsts = _in_levels(fine.astype(np.float32), every["first"], every["steps"])
    pieces["first"][places], pieces["start"][places] = firsts, every["first"]
    for name in ("steps", "layer"):
        pieces[name][places] = every[name]
    for name in (*CIRCLE, "bend"):
        circles[name][places] = every[name]
    far, near = every["shown"] == FAR, every["shown"] == NEAR
    circles["beyond"][places] = np.where(far, every["period"], -1.0)
    circles["until"][places] = np.where(near, every["period"], np.inf)
    areas = _circles(CIRCLE, len(blocks))
    for b, (first, size) in enumerate(zip(starts, counts, strict=True)):
        inside = every[first : first + size]
        x, y = inside["x"].mean(), inside["y"].mean()
        away = np.hypot(inside["x"] - x, inside["y"] - y)
        areas["x"][b], areas["y"][b] = x, y
        areas["radius"][b] = (away + inside["radius"]).max()
    return Scene(
        drawn,
        pieces,
        _in_eights(circles),
        blocks,
        _in_eights(areas),
        np.array([0, len(blocks)], np.int32),
        np.array([road.kerbs], np.uint8),
    )


def _whole_eights(count: Any) -> Any:
    return -(-count // EIGHT) * EIGHT


def _circles(names: tuple[str, ...], count: int) -> dict[str, np.ndarray]:
    """Numbers of so many circles, which nobody sees yet."""
    circles = {name: np.zeros(count, np.float32) for name in names}
    circles["radius"][:] = -np.inf
    return circles


def _in_eights(circles: dict[str, np.ndarray]) -> np.ndarray:
    """(G, names, 8) float32."""
    rows = np.stack(list(circles.values()))
    return np.ascontiguousarray(rows.reshape(len(rows), -1, EIGHT).transpose(1, 0, 2))


def of_eights(circles: np.ndarray, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The numbers of `Scene.circles` or `Scene.areas` by name."""
    rows = circles.transpose(1, 0, 2).reshape(len(names), -1)
    return dict(zip(names, rows, strict=True))


def _in_levels(
    points: np.ndarray, firsts: np.ndarray, steps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The points of each piece in every fineness, the coarsest first; where they begin."""
    patterns = [np.zeros(0, np.int64)]
    for count in range(1, MOST_STEPS + 1):
        levels = [points_of_level(count, k) for k in range(COARSEST[count], -1, -1)]
        pattern = np.concatenate(levels)
        patterns.append(np.pad(pattern, (0, -len(pattern) % _LINE), mode="edge"))
    sizes = np.array([len(pattern) for pattern in patterns])[steps]
    begins = np.cumsum(sizes) - sizes
    drawn = np.empty((sizes.sum(), 4), np.float32)
    for count in np.unique(steps):
        which, pattern = np.flatnonzero(steps == count), patterns[count]
        to = begins[which][:, None] + np.arange(len(pattern))
        drawn[to] = points[firsts[which][:, None] + pattern]
    return drawn, begins


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
    steps = min(max(1, int(np.ceil(ribbon.dash))), MOST_STEPS)
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
    pieces = np.zeros(len(firsts), _FOUND)
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
