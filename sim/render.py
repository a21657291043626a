"""The camera's picture of a road, computed exactly: one car, one picture; then a batch.

Ground first: the outlines of the ribbons near the car are projected and their area in every pixel
is added up (`raster.py`), then each row is coloured: verge, shoulder, asphalt, paint, with a grain
that is fixed to the world and with haze. Above the horizon: sky and hills.

The camera does not roll, so everything that depends on distance is constant along a picture row.
"""

from typing import NamedTuple

import numpy as np

from .appearance import SKYLINE_STEPS
from .compiled import compiled, inlined
from .raster import FULL, LAYER_BITS, ROW_BITS, SPARE, Parts, add_edges, make_parts, scratch_rows
from .scene import FAR, NEAR
from .sensors.camera import Camera
from .shading import Pixels, Rows, add_noise, colour_ground, draw_sky, make_pixels, make_rows

FAR_EDGE = 0.8  # ribbons less than this below the horizon are not drawn [px]
MAX_CORNERS = 32768  # of the outlines in one picture
CURVE_TOLERANCE = 0.2  # how far a chord may lie off its curve [px]

_F = np.float32
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
    """Scratch: the outlines of ribbons in view, one after the other, and where they appear.

    Each goes along the right side of a ribbon, back along its left side, and to its first corner.
    Edge k goes from corner k to the next.
    """

    corner: np.ndarray  # int32, number of the point: twice that of the section, 1 more on the right
    unit: np.ndarray  # int64, what edge k is counted in; 0 from one outline to the next
    ahead: np.ndarray  # float32, from the camera's foot [m]
    aside: np.ndarray  # float32, left positive [m]
    begin: np.ndarray  # float32, column where edge k begins [px]
    end: np.ndarray  # float32, and where it ends: the next corner, or the picture's lower edge
    row: np.ndarray  # int32, of corner k [1/1024 px]
    crossing: np.ndarray  # int32, the edges that cross the picture's lower edge
    parts: Parts


def make_outlines() -> Outlines:
    """Room for the outlines of one picture."""
    corner, row, crossing, *floats = scratch_rows(len(Outlines._fields) - 2, MAX_CORNERS)
    ahead, aside, begin, end = (array.view(np.float32) for array in floats)
    unit = np.empty(MAX_CORNERS, np.int64)
    return Outlines(corner, unit, ahead, aside, begin, end, row, crossing, make_parts())


class Scratch(NamedTuple):
    """Room to draw pictures of one camera in, one after the other."""

    cells: np.ndarray  # (rows below the horizon, W + SPARE) int64, zero between pictures
    outlines: Outlines
    pixels: Pixels
    rows: Rows
    palette: np.ndarray  # (5, 4) uint16
    crest: np.ndarray  # (W,) float32, where the hills end


def make_scratch(camera: Camera) -> Scratch:
    """What `draw_pictures` works in; every thread needs its own."""
    rows = camera.height - max(int(np.floor(camera.horizon)), 0)
    return Scratch(
        np.zeros((rows, camera.width + SPARE), np.int64),
        make_outlines(),
        make_pixels(camera.width),
        make_rows(rows),
        np.empty((5, 4), np.uint16),
        np.empty(camera.width, np.float32),
    )


@inlined
def _close(corner, unit, first, count, amount):  # type: ignore[no-untyped-def]
    """Go back along the other side of a ribbon, to where its outline began; returns the count."""
    if first == count:
        return count
    for k in range(first, count):
        corner[2 * count - 1 - k] = corner[k] - 1
    stop = 2 * count - first
    corner[stop] = corner[first]
    for k in range(first, stop):
        unit[k] = amount
    unit[stop] = 0
    return stop + 1


@inlined
def _out_of_view(  # type: ignore[no-untyped-def]
    ahead, aside, radius, nearest, reach, edge_left, norm_left, edge_right, norm_right, tall
):
    """Whether a circle on the ground lies beside, behind or beyond what the camera sees."""
    return (
        ahead + radius < nearest
        or ahead - radius > reach
        or (ahead * edge_left - aside) * norm_left < -radius - tall
        or (ahead * edge_right + aside) * norm_right < -radius - tall
    )


@compiled
def _find_outlines(outlines, scene, road, numbers, width, x0, y0, cos, sin):  # type: ignore[no-untyped-def]
    """List the outline of every ribbon in view; returns the number of corners."""
    pieces, blocks = scene.pieces, scene.blocks
    corner, unit = outlines.corner, outlines.unit
    fx, fy, cx = _F(numbers[0]), _F(numbers[1]), _F(numbers[2])
    tall, nearest, reach = _F(numbers[4]), _F(numbers[8]), _F(numbers[10])
    # A point is inside the view's side planes when ahead * edge -+ aside > 0.
    edge_left = (cx / fx) / _F(numbers[6])
    edge_right = ((_F(width) - cx) / fx) / _F(numbers[6])
    norm_left = _F(1.0) / np.sqrt(_F(1.0) + edge_left * edge_left)
    norm_right = _F(1.0) / np.sqrt(_F(1.0) + edge_right * edge_right)
    blur = np.sqrt(fy * tall)  # dashes of period p are finer than a row beyond blur * sqrt(p)
    count = 0
    opened = 0  # the first corner of the outline that is being listed
    amount = np.int64(0)
    for b in range(scene.first_block[road], scene.first_block[road + 1]):
        dx, dy = blocks[b].x - x0, blocks[b].y - y0
        ahead = cos * dx + sin * dy
        aside = cos * dy - sin * dx
        radius = blocks[b].radius
        if _out_of_view(
            ahead, aside, radius, nearest, reach, edge_left, norm_left, edge_right, norm_right, tall
        ):
            continue
        come_to = np.int64(-1)  # the point at which the last listed piece ends
        for p in range(blocks[b].first, blocks[b].first + blocks[b].count):
            dx, dy = pieces[p].x - x0, pieces[p].y - y0
            ahead = cos * dx + sin * dy
            aside = cos * dy - sin * dx
            radius = pieces[p].radius
            if _out_of_view(
                ahead,
                aside,
                radius,
                nearest,
                reach,
                edge_left,
                norm_left,
                edge_right,
                norm_right,
                tall,
            ):
                continue
            away = np.sqrt(dx * dx + dy * dy)
            if pieces[p].shown != 0:
                fine = away > blur * np.sqrt(pieces[p].period)
                if (pieces[p].shown == NEAR and fine) or (pieces[p].shown == FAR and not fine):
                    continue
            # Skip points while the chords stay on the curve to a fraction of a pixel.
            close = max(away - radius, _F(3.0))
            slack = _F(8.0 * CURVE_TOLERANCE) * close / (fx * max(pieces[p].bend, _F(1e-5)))
            stride = 1
            steps = pieces[p].steps
            while stride < steps and _F(4 * stride * stride) < slack:
                stride *= 2
            at = np.int64(pieces[p].first)
            stop = at + steps
            if 2 * (count + steps) + 4 > MAX_CORNERS:
                break
            if at != come_to:
                count = _close(corner, unit, opened, count, amount)
                opened = count
                amount = np.int64(1) << np.int64(LAYER_BITS * pieces[p].layer)
                corner[count] = 2 * at + 1
                count += 1
            while at < stop:
                at = min(at + stride, stop)
                corner[count] = 2 * at + 1
                count += 1
            come_to = stop
        count = _close(corner, unit, opened, count, amount)
        opened = count
    return count


@compiled
def _project(outlines, count, points, numbers, x0, y0, cos, sin):  # type: ignore[no-untyped-def]
    """Where corners appear in the picture, and edges begin and end in it."""
    corner, out_ahead, out_aside = outlines.corner, outlines.ahead, outlines.aside
    begin, end, row = outlines.begin, outlines.end, outlines.row
    fx, fy = _F(numbers[0]), _F(numbers[1])
    cx, cy = _F(numbers[2]), _F(numbers[3])
    tall, nearest = _F(numbers[4]), _F(numbers[8])
    cos_pitch, sin_pitch = _F(numbers[6]), _F(numbers[7])
    one, half, full = _F(1.0), _F(0.5), _F(FULL)
    for k in range(np.uint64(count)):
        at = np.uint32(corner[k])
        dx = points[at, 0] - x0
        dy = points[at, 1] - y0
        out_ahead[k] = cos * dx + sin * dy
        out_aside[k] = cos * dy - sin * dx
    for k in range(np.uint64(count)):  # vectorised, unlike the one before
        # What lies nearer than the picture begins is cut off later; here it stays finite.
        seen = max(out_ahead[k], nearest)
        scale = one / (seen * cos_pitch + tall * sin_pitch)
        begin[k] = cx - fx * out_aside[k] * scale
        row[k] = np.int32((cy + fy * (tall * cos_pitch - seen * sin_pitch) * scale) * full + half)
    # Cut edges where they meet the picture's lower edge.
    scale = nearest * cos_pitch + tall * sin_pitch
    last = np.uint64(max(count - 1, 0))
    next_one = np.uint64(1)
    for k in range(last):
        end[k] = begin[k + next_one]
    crossing, crossings = outlines.crossing, np.uint64(0)
    for k in range(last):
        crossing[crossings] = k
        crosses = (out_ahead[k] < nearest) != (out_ahead[k + next_one] < nearest)
        crossings += np.uint64(crosses)
    for i in range(crossings):
        edge = np.uint32(crossing[i])
        j = np.uint32(edge + np.uint32(1))
        a, b = out_ahead[edge], out_ahead[j]
        at = out_aside[edge] + (out_aside[j] - out_aside[edge]) * (nearest - a) / (b - a)
        column = cx - fx * at / scale
        if a < nearest:
            begin[edge] = column
        else:
            end[edge] = column


@inlined
def _draw_ground(cells, outlines, scene, road, lens, width, height, x, y, yaw):  # type: ignore[no-untyped-def]
    """Add every ribbon in view to `cells`."""
    numbers = lens.numbers
    cos, sin = _F(np.cos(yaw)), _F(np.sin(yaw))
    x0, y0 = _F(x), _F(y)
    count = _find_outlines(outlines, scene, road, numbers, width, x0, y0, cos, sin)
    _project(outlines, count, scene.points.reshape(-1, 2), numbers, x0, y0, cos, sin)
    first = np.int64(numbers[9]) << ROW_BITS
    add_edges(
        cells, outlines.parts, outlines.begin, outlines.end, outlines.row, outlines.unit,
        count - 1, width, first, np.int64(height) << ROW_BITS,
    )  # fmt: skip


@compiled
def draw_picture(  # type: ignore[no-untyped-def]
    image, cells, flat, pixels, rows, palette, outlines, crest, scene, road, lens, hills, look, x, y, yaw,
    noise_key,
):  # fmt: skip
    """Draw what one camera sees.

    Args:
        image: (H, 3 W) uint8, written: R G B of each pixel.
        cells: (rows below the horizon, W + SPARE) int64 scratch, zero before and after.
        flat: `cells` in one row; pixels, palette, outlines, crest: scratch.
        x, y, yaw: rear axle of the car, world frame [m, m, rad].
        noise_key: int32 that is different for every picture.
    """
    height = image.shape[0]
    width = image.shape[1] // 3
    draw_sky(image, crest, lens, hills, look, yaw, width)
    # The camera's foot, not the rear axle, is the origin from here on.
    x += lens.numbers[5] * np.cos(yaw)
    y += lens.numbers[5] * np.sin(yaw)
    _draw_ground(flat, outlines, scene, road, lens, width, height, x, y, yaw)
    kerbs = scene.kerbs[road] != 0
    colour_ground(image, cells, pixels, rows, palette, lens, look, x, y, yaw, width, kerbs)
    if look.noise > _F(0.0):
        add_noise(image, look.noise, noise_key)


@compiled
def draw_pictures(  # type: ignore[no-untyped-def]
    images, first, stop, scratch, scene, roads, lens, hills, looks, x, y, yaw, noise_keys
):
    """Draw the pictures of cars first..stop of a batch; see `draw_picture`.

    Args:
        images: (B, H, 3 W) uint8.
        scratch: of `make_scratch` for this camera; one for each thread.
        roads: (B,) which road of the scene; looks: (B,) LOOK; x, y, yaw, noise_keys: (B,).
    """
    flat = scratch.cells.reshape(-1)
    for i in range(first, stop):
        draw_picture(
            images[i], scratch.cells, flat, scratch.pixels, scratch.rows, scratch.palette, scratch.outlines,
            scratch.crest, scene, roads[i], lens, hills, looks[i], x[i], y[i], yaw[i], noise_keys[i],
        )  # fmt: skip
