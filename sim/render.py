"""The camera's picture of a road, computed exactly: one car, one picture; then a batch.

Ground first: the outlines of the ribbons near the car are projected and their area in every pixel
is added up (`raster.py`), then each row is coloured: verge, shoulder, asphalt, paint, with a grain
that is fixed to the world and with haze. Above the horizon: sky and hills.

The camera does not roll, so everything that depends on distance is constant along a picture row.
"""

from typing import NamedTuple

import numpy as np

from .appearance import SKYLINE_STEPS
from .compiled import uncounted, uncounted_inlined
from .raster import (
    FULL,
    LAYERS,
    ROW_BITS,
    draw_edges,
    make_cells,
    make_edges,
    make_parts,
    ready_edges,
    scratch_rows,
)  # fmt: skip
from .scene import CIRCLE, COARSEST, EIGHT, LEVEL_BEGINS, PIECE_CIRCLE
from .sensors.camera import Camera
from .shading import Pixels, Rows, add_noise, colour_ground, draw_sky, make_pixels, make_rows
from .vectors import fetch, see_eight, see_pieces

FAR_EDGE = 0.8  # ribbons less than this below the horizon are not drawn [px]
MAX_SECTIONS = 16384  # of the ribbons in one picture
CURVE_TOLERANCE = 0.2  # how far a chord may lie off its curve [px]

_F = np.float32
_AREA, _CIRCLE = np.uint64(len(CIRCLE)), np.uint64(len(PIECE_CIRCLE))  # numbers of each
_LINE = np.uint64(16)  # float32 in a line of the cache
GRAIN_CELLS = (0.015, 0.06, 0.24, 0.96)  # sizes of the grain; a row shows the one that fits it [m]


class Lens(NamedTuple):
    """A camera's numbers as the kernels want them; made once per camera."""

    numbers: np.ndarray  # (11,) float64: see `make_lens`
    distance: np.ndarray  # (rows,) ground distance at each row below the horizon [m]
    share: np.ndarray  # (rows,) share of the row that is below the horizon
    side: np.ndarray  # (rows,) width of a pixel on the ground [m]
    density: np.ndarray  # (rows,) cells of the grain per metre
    contrast: np.ndarray  # (rows,) uint16, of the grain, in 65536ths
    gradient: np.ndarray  # (top + 1,) of the sky: 0 at the horizon, 1 high up
    azimuth: np.ndarray  # (W,) of each column, in steps of the skyline, to the right
    bearing_cos: np.ndarray  # (W,) cosine of the same angle


def make_lens(camera: Camera) -> Lens:
    """What the kernels need to know of a camera."""
    top = int(np.floor(camera.horizon)) if camera.horizon > 0 else 0
    rows = np.arange(top, camera.height) + 0.5
    below = np.maximum(rows, camera.horizon + 0.25)
    down = (below - camera.cy) / camera.fy
    cos, sin = np.cos(camera.pitch), np.sin(camera.pitch)
    distance = camera.mount_height * (cos - down * sin) / (down * cos + sin)
    tilt = 1.0 / (down * cos + sin)
    patch = camera.mount_height**2 * tilt**3 / (camera.fx * camera.fy)  # area of ground [m²]
    sizes = np.array(GRAIN_CELLS)
    cell = sizes[np.minimum(np.searchsorted(sizes, 0.8 * np.sqrt(patch)), len(sizes) - 1)]
    upward = (camera.horizon - np.arange(top + 1) - 0.5) / camera.fy
    gradient = 1.0 - np.exp(-4.0 * np.maximum(upward, 0.0))
    share = np.clip(np.arange(top, camera.height) + 1.0 - camera.horizon, 0.0, 1.0)
    columns = (np.arange(camera.width) + 0.5 - camera.cx) / camera.fx
    # The horizon's ray of each column: right = columns / cos(pitch) per unit forward.
    angle = np.arctan(columns * cos)
    bottom = (camera.height - camera.cy) / camera.fy
    nearest = camera.mount_height * (cos - bottom * sin) / (bottom * cos + sin)
    numbers = np.array(
        [
            camera.fx,
            camera.fy,
            camera.cx,
            camera.cy,
            camera.mount_height,
            camera.mount_forward,
            cos,
            sin,
            nearest,
            top,
            np.clip(camera.fy * camera.mount_height / FAR_EDGE, 60.0, 400.0),
        ]
    )
    return Lens(
        numbers,
        distance.astype(np.float32),
        share.astype(np.float32),
        (distance * cos + camera.mount_height * sin) / camera.fx,
        1.0 / cell,
        (65535.0 * np.minimum(1.0, cell / np.sqrt(patch))).astype(np.uint16),
        gradient.astype(np.float32),
        (angle * (SKYLINE_STEPS / (2.0 * np.pi))).astype(np.float32),
        np.cos(angle).astype(np.float32),
    )


class Outlines(NamedTuple):
    """Scratch: ribbons in view as chains of cross-sections, and where their two sides appear.

    Edge k of a side goes from section k to the next.
    """

    block: np.ndarray  # int32, blocks in view
    piece: np.ndarray  # int32, pieces to be drawn
    level: np.ndarray  # int32, how coarsely each may be drawn, see `scene.points_of_level`
    levels: np.ndarray  # int32, the same of eight of which some are drawn
    section: np.ndarray  # int32, number of the cross-section in the scene's points
    layer: np.ndarray  # int32, of the ribbon; -1 at the last section of a chain
    last: np.ndarray  # int32, the last section of each chain
    crossing: np.ndarray  # int32, the edges that cross the picture's lower edge
    left: "Side"
    right: "Side"
    ends: "Ends"


class Side(NamedTuple):
    """Scratch: one side of all chains."""

    ahead: np.ndarray  # float32, from the camera's foot [m]
    aside: np.ndarray  # float32, left positive [m]
    begin: np.ndarray  # float32, column where edge k begins [px]
    end: np.ndarray  # float32, and where it ends: the next section, or the picture's lower edge
    row: np.ndarray  # int32, of section k [1/1024 px]


class Ends(NamedTuple):
    """Scratch: edges from one side of a chain to the other, two for each chain."""

    u0: np.ndarray  # float32, columns where they begin [px]
    u1: np.ndarray  # and where they end
    y0: np.ndarray  # int32, rows where they begin [1/1024 px]
    y1: np.ndarray
    layer: np.ndarray  # int32


def make_outlines() -> np.ndarray:
    """Room for the outlines of one picture: `outlines_in` shows what lies where."""
    return scratch_rows(23, MAX_SECTIONS + 2 * EIGHT)


@uncounted_inlined
def _side_in(room):  # type: ignore[no-untyped-def]
    real = np.float32
    return Side(
        room[0].view(real), room[1].view(real), room[2].view(real), room[3].view(real), room[4]
    )


@uncounted_inlined
def outlines_in(room):  # type: ignore[no-untyped-def]
    """The `Outlines` in what `make_outlines` has made; one array is quicker to hand over."""
    left, right = _side_in(room[8:13]), _side_in(room[13:18])
    ends = Ends(
        room[18].view(np.float32), room[19].view(np.float32), room[20], room[21], room[22]
    )  # fmt: skip
    return Outlines(
        room[0], room[1], room[2], room[3], room[4], room[5], room[6], room[7], left, right, ends
    )  # fmt: skip


class Scratch(NamedTuple):
    """Room to draw pictures of one camera in, one after the other."""

    cells: np.ndarray  # (LAYERS * rows below the horizon * stride,) int16, zero between pictures
    parts: np.ndarray  # of `make_parts`
    edges: np.ndarray  # of `make_edges`
    outlines: np.ndarray  # of `make_outlines`
    pixels: Pixels
    rows: Rows
    palette: np.ndarray  # (5, 4) uint16
    crest: np.ndarray  # (W,) float32, where the hills end


def make_scratch(camera: Camera) -> Scratch:
    """What `draw_pictures` works in; every thread needs its own."""
    rows = camera.height - max(int(np.floor(camera.horizon)), 0)
    return Scratch(
        make_cells(rows, camera.width).reshape(-1),
        make_parts(),
        make_edges(3 * MAX_SECTIONS),
        make_outlines(),
        make_pixels(camera.width),
        make_rows(rows),
        np.empty((5, 4), np.uint16),
        np.empty(camera.width, np.float32),
    )


@uncounted_inlined
def _find_pieces(outlines, scene, road, numbers, width, x0, y0, cos, sin):  # type: ignore[no-untyped-def]
    """List the pieces of ribbons to be drawn; returns how many there are.

    Free of branches: which piece is in view is nothing that a processor could guess.
    """
    areas, circles, blocks, pieces = scene.areas, scene.circles, scene.blocks, scene.pieces
    block, piece, level, levels = outlines.block, outlines.piece, outlines.level, outlines.levels
    fx, fy, cx = _F(numbers[0]), _F(numbers[1]), _F(numbers[2])
    tall = _F(numbers[4])
    # A point is inside the view's side planes when ahead * edge -+ aside > 0.
    edge_left = (cx / fx) / _F(numbers[6])
    edge_right = ((_F(width) - cx) / fx) / _F(numbers[6])
    norm_left = _F(1.0) / np.sqrt(_F(1.0) + edge_left * edge_left)
    norm_right = _F(1.0) / np.sqrt(_F(1.0) + edge_right * edge_right)
    view = (
        _F(numbers[8]), _F(numbers[10]), edge_left, norm_left, edge_right, norm_right, tall
    )  # fmt: skip
    flat, one, eight = areas.reshape(-1), np.uint64(1), np.uint64(EIGHT)
    blocks_seen = np.uint64(0)
    most = np.uint64(MAX_SECTIONS - 2 * EIGHT)
    first, stop = np.uint64(scene.first_block[road]), np.uint64(scene.first_block[road + 1])
    for b in range(first, stop, eight):
        seen = np.uint64(see_eight(flat, b * _AREA, x0, y0, cos, sin, view))
        for j in range(eight):
            block[blocks_seen] = b + j
            blocks_seen += np.uint64(seen >> j) & one
        blocks_seen = min(blocks_seen, most)
    flat, count = circles.reshape(-1), np.uint64(0)
    for i in range(blocks_seen):
        among = blocks[np.uint64(np.uint32(block[i]))]
        begin = np.uint64(np.uint32(among.first)) * _CIRCLE
        stop = begin + np.uint64(np.uint32(among.count)) * _CIRCLE
        for at in range(begin, stop, _LINE):
            fetch(flat, at)
    blur = fy * tall  # dashes of period p are finer than a row beyond sqrt(blur * p)
    # Leave points out while the chords stay on the curve to a fraction of a pixel.
    slack, straight, near = (_F(8.0 * CURVE_TOLERANCE), fx), _F(1e-5), _F(3.0)
    for i in range(blocks_seen):
        among = blocks[np.uint64(np.uint32(block[i]))]
        begin = np.uint64(np.uint32(among.first))
        for p in range(begin, begin + np.uint64(np.uint32(among.count)), eight):
            found = see_pieces(
                flat, p * _CIRCLE, x0, y0, cos, sin, view, blur, slack, straight, near, levels
            )
            seen = np.uint64(found)
            for j in range(eight):
                piece[count], level[count] = p + j, levels[j]
                count += np.uint64(seen >> j) & one
            count = min(count, most)
            fetch(pieces, p)
            fetch(pieces, p + np.uint64(4))
    return count


@uncounted_inlined
def _find_sections(outlines, scene, count):  # type: ignore[no-untyped-def]
    """List the cross-sections of so many pieces; returns the number of sections and chains."""
    pieces, points = scene.pieces, scene.points
    piece, wanted = outlines.piece, outlines.level
    section, layer, last = outlines.section, outlines.layer, outlines.last
    one = np.uint64(1)
    n, chains = np.uint64(0), np.uint64(0)
    come_to = np.int32(-1)  # where the last listed piece ends
    for i in range(count):
        of = pieces[np.uint64(np.uint32(piece[i]))]
        steps = np.uint64(np.uint32(of.steps))
        if n + steps + np.uint64(2 * EIGHT) >= np.uint64(MAX_SECTIONS):
            break
        level = np.uint64(np.uint32(min(wanted[i], COARSEST[steps])))
        many = ((steps + (one << level) - one) >> level) + one
        at = np.int32(of.first + LEVEL_BEGINS[steps, level])
        fetch(points, np.uint64(np.uint32(at)))
        fetch(points, np.uint64(np.uint32(at)) + many - one)
        goes_on = np.uint64(of.start == come_to)
        # A chain ends where none goes on, the first one before it has begun: written over then.
        before = n - min(n, one)
        layer[before] = layer[before] if goes_on else np.int32(-1)
        last[chains] = before
        chains += np.uint64((n > np.uint64(0)) & (of.start != come_to))
        at = np.int32(at + np.int32(goes_on))
        which = of.layer
        for j in range(np.uint64(EIGHT)):  # most have fewer; what is too much is written over
            section[n + j] = np.int32(at + np.int32(j))
            layer[n + j] = which
        more = np.uint64(EIGHT)
        while more < many:
            section[n + more] = np.int32(at + np.int32(more))
            layer[n + more] = which
            more += one
        n += many - goes_on
        come_to = np.int32(of.start + of.steps)
    if n > np.uint64(0):
        layer[n - one] = -1
        last[chains] = n - one
        chains += one
    return n, chains


@uncounted_inlined
def _column(ahead, aside, numbers):  # type: ignore[no-untyped-def]
    """Column where a point that is not nearer than the picture begins appears [px]."""
    fx, cx, tall = _F(numbers[0]), _F(numbers[2]), _F(numbers[4])
    scale = _F(1.0) / (ahead * _F(numbers[6]) + tall * _F(numbers[7]))
    return cx - fx * aside * scale


@uncounted_inlined
def _lower_edge(ahead, aside, other_ahead, other_aside, numbers):  # type: ignore[no-untyped-def]
    """Column where the edge between two points meets the picture's lower edge [px]."""
    fx, cx, nearest = _F(numbers[0]), _F(numbers[2]), _F(numbers[8])
    scale = nearest * _F(numbers[6]) + _F(numbers[4]) * _F(numbers[7])
    at = aside + (other_aside - aside) * (nearest - ahead) / (other_ahead - ahead)
    return cx - fx * at / scale


@uncounted_inlined
def _project(side, crossing, count, numbers):  # type: ignore[no-untyped-def]
    """Where one side's sections appear in the picture, and edges begin and end in it."""
    ahead, aside, begin, end, row = side.ahead, side.aside, side.begin, side.end, side.row
    fx, fy = _F(numbers[0]), _F(numbers[1])
    cx, cy = _F(numbers[2]), _F(numbers[3])
    tall, nearest = _F(numbers[4]), _F(numbers[8])
    cos_pitch, sin_pitch = _F(numbers[6]), _F(numbers[7])
    one, half, full = _F(1.0), _F(0.5), _F(FULL)
    for k in range(count):  # vectorised
        # What lies nearer than the picture begins is cut off later; here it stays finite.
        seen = max(ahead[k], nearest)
        scale = one / (seen * cos_pitch + tall * sin_pitch)
        begin[k] = cx - fx * aside[k] * scale
        row[k] = np.int32((cy + fy * (tall * cos_pitch - seen * sin_pitch) * scale) * full + half)
    # Cut edges where they meet the picture's lower edge.
    next_one = np.uint64(1)
    edges = count - min(count, next_one)
    for k in range(edges):
        end[k] = begin[k + next_one]
    crossings = np.uint64(0)
    for k in range(edges):
        crossing[crossings] = k
        crosses = (ahead[k] < nearest) != (ahead[k + next_one] < nearest)
        crossings += np.uint64(crosses)
    for i in range(crossings):
        edge = np.uint64(np.uint32(crossing[i]))
        other = edge + next_one
        column = _lower_edge(ahead[edge], aside[edge], ahead[other], aside[other], numbers)
        if ahead[edge] < nearest:
            begin[edge] = column
        else:
            end[edge] = column


@uncounted_inlined
def _place_sections(outlines, count, points, x0, y0, cos, sin):  # type: ignore[no-untyped-def]
    """Where the sections lie as seen from the camera's foot."""
    section, left, right = outlines.section, outlines.left, outlines.right
    left_ahead, left_aside = left.ahead, left.aside
    right_ahead, right_aside = right.ahead, right.aside
    for k in range(count):
        at = np.uint64(np.uint32(section[k]))
        dx, dy = points[at, 0] - x0, points[at, 1] - y0
        left_ahead[k] = cos * dx + sin * dy
        left_aside[k] = cos * dy - sin * dx
        dx, dy = points[at, 2] - x0, points[at, 3] - y0
        right_ahead[k] = cos * dx + sin * dy
        right_aside[k] = cos * dy - sin * dx


@uncounted_inlined
def _list_ends(outlines, chains, numbers):  # type: ignore[no-untyped-def]
    """The first and the last cross-section of every chain as edges, from side to side."""
    left, right, ends = outlines.left, outlines.right, outlines.ends
    last, layer = outlines.last, outlines.layer
    left_ahead, left_aside, left_begin, left_row = left.ahead, left.aside, left.begin, left.row
    right_ahead, right_aside, right_begin, right_row = (
        right.ahead, right.aside, right.begin, right.row,
    )  # fmt: skip
    u0, u1, y0, y1, which = ends.u0, ends.u1, ends.y0, ends.y1, ends.layer
    nearest, two, one = _F(numbers[8]), np.uint64(2), np.uint64(1)
    first = np.uint64(0)
    for i in range(chains):
        stop = np.uint64(np.uint32(last[i]))
        which[two * i] = which[two * i + one] = layer[first]
        for k, n in ((first, two * i), (stop, two * i + one)):
            near, far = left_ahead[k], right_ahead[k]
            # The columns of the sections themselves: those of edges may be cut.
            u, v = left_begin[k], right_begin[k]
            if near < nearest or far < nearest:
                u = _column(max(near, nearest), left_aside[k], numbers)
                v = _column(max(far, nearest), right_aside[k], numbers)
                if (near < nearest) != (far < nearest):
                    column = _lower_edge(near, left_aside[k], far, right_aside[k], numbers)
                    if near < nearest:
                        u = column
                    else:
                        v = column
            u0[n], u1[n], y0[n], y1[n] = u, v, left_row[k], right_row[k]
        # Back from the right side to the left one.
        n = two * i + one
        u0[n], u1[n] = u1[n], u0[n]
        y0[n], y1[n] = y1[n], y0[n]
        first = stop + one


@uncounted_inlined
def _draw_ground(cells, parts, edges, room, scene, road, lens, width, height, x, y, yaw):  # type: ignore[no-untyped-def]
    """Add every ribbon in view to `cells`.

    An outline goes along the right side of a ribbon, back along its left side, and to where it
    began.
    """
    numbers = lens.numbers
    outlines = outlines_in(room)
    left, right = outlines.left, outlines.right
    cos, sin = _F(np.cos(yaw)), _F(np.sin(yaw))
    x0, y0 = _F(x), _F(y)
    pieces = _find_pieces(outlines, scene, road, numbers, width, x0, y0, cos, sin)
    count, chains = _find_sections(outlines, scene, pieces)
    _place_sections(outlines, count, scene.points, x0, y0, cos, sin)
    _project(left, outlines.crossing, count, numbers)
    _project(right, outlines.crossing, count, numbers)
    _list_ends(outlines, chains, numbers)
    rows = np.int32(numbers[9])
    above, below = np.int32(rows << ROW_BITS), np.int32(height << ROW_BITS)
    plane = np.int32(cells.shape[0] // LAYERS)
    stride = np.int32(plane // np.int32(height - rows))
    sections, layer, ends = count - min(count, np.uint64(1)), outlines.layer, outlines.ends
    n = np.uint64(0)
    n = ready_edges(
        edges, n, right.begin, right.end, right.row, right.row, 1, layer, sections, np.int32(1),
        plane, stride, above, below, width,
    )  # fmt: skip
    n = ready_edges(
        edges, n, left.begin, left.end, left.row, left.row, 1, layer, sections, np.int32(-1),
        plane, stride, above, below, width,
    )  # fmt: skip
    n = ready_edges(
        edges, n, ends.u0, ends.u1, ends.y0, ends.y1, 0, ends.layer, np.uint64(2) * chains,
        np.int32(1), plane, stride, above, below, width,
    )  # fmt: skip
    draw_edges(cells, parts, edges, n, width, stride)


@uncounted_inlined
def draw_picture(  # type: ignore[no-untyped-def]
    image, cells, parts, edges, pixels, rows, palette, outlines, crest, scene, road, lens, hills, look, x, y, yaw,
    noise_key,
):  # fmt: skip
    """Draw what one camera sees.

    Args:
        image: (H, 3 W) uint8, written: R G B of each pixel.
        cells: of `make_cells` in one row, scratch, zero before and after. parts, edges, pixels,
            palette, outlines, crest: scratch.
        x, y, yaw: rear axle of the car, world frame [m, m, rad].
        noise_key: int32 that is different for every picture.
    """
    height = image.shape[0]
    width = image.shape[1] // 3
    draw_sky(image, crest, lens, hills, look, yaw, width)
    # The camera's foot, not the rear axle, is the origin from here on.
    x += lens.numbers[5] * np.cos(yaw)
    y += lens.numbers[5] * np.sin(yaw)
    _draw_ground(cells, parts, edges, outlines, scene, road, lens, width, height, x, y, yaw)
    kerbs = scene.kerbs[road] != 0
    colour_ground(image, cells, pixels, rows, palette, lens, look, x, y, yaw, width, kerbs)
    if look.noise > _F(0.0):
        add_noise(image, look.noise, noise_key)


@uncounted
def draw_pictures(  # type: ignore[no-untyped-def]
    images, first, stop, scratch, scene, roads, lens, hills, looks, x, y, yaw, noise_keys
):
    """Draw the pictures of cars first..stop of a batch; see `draw_picture`.

    Args:
        images: (B, H, 3 W) uint8.
        scratch: of `make_scratch` for this camera; one for each thread.
        roads: (B,) which road of the scene; looks: (B,) LOOK; x, y, yaw, noise_keys: (B,).
    """
    for i in range(first, stop):
        draw_picture(
            images[i], scratch.cells, scratch.parts, scratch.edges, scratch.pixels, scratch.rows, scratch.palette, scratch.outlines,
            scratch.crest, scene, roads[i], lens, hills, looks[i], x[i], y[i], yaw[i], noise_keys[i],
        )  # fmt: skip
