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
from .raster import FULL, LAYER_BITS, ROW_BITS, add_edge
from .scene import FAR, NEAR
from .sensors.camera import Camera

FAR_EDGE = 0.6  # ribbons less than this below the horizon are not drawn [px]
MAX_SECTIONS = 16384  # cross-sections of ribbons in one picture
CURVE_TOLERANCE = 0.2  # how far a chord may lie off its curve [px]

_F = np.float32
GRAIN_CELLS = (0.015, 0.06, 0.24, 0.96)  # sizes of the grain; a row shows the one that fits it [m]
GRAIN_WRAP = 4096  # cells after which the grain repeats; a power of two


class Lens(NamedTuple):
    """A camera's numbers as the kernels want them; made once per camera."""

    numbers: np.ndarray  # (11,) float64: see `make_lens`
    distance: np.ndarray  # (rows,) ground distance at each row below the horizon [m]
    share: np.ndarray  # (rows,) share of the row that is below the horizon
    side: np.ndarray  # (rows,) width of a pixel on the ground [m]
    density: np.ndarray  # (rows,) cells of the grain per metre
    contrast: np.ndarray  # (rows,) of the grain
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
        np.minimum(1.0, cell / np.sqrt(patch)).astype(np.float32),
        gradient.astype(np.float32),
        (angle * (SKYLINE_STEPS / (2.0 * np.pi))).astype(np.float32),
        np.cos(angle).astype(np.float32),
    )


class Side(NamedTuple):
    """Scratch: one side of the listed ribbons, on the ground and in the picture; (S,) each."""

    ahead: np.ndarray  # float32, from the camera's foot [m]
    aside: np.ndarray  # float32, left positive [m]
    column: np.ndarray  # float32 [px]
    row: np.ndarray  # int32 [1/1024 px]


class Edges(NamedTuple):
    """Scratch: edges of outlines in the picture, (3 S,) each."""

    u0: np.ndarray  # float32 [px]
    y0: np.ndarray  # int32 [1/1024 px]
    u1: np.ndarray
    y1: np.ndarray
    unit: np.ndarray  # int64: what they are counted in


class Sections(NamedTuple):
    """Scratch: the cross-sections of ribbons that a picture needs, and where they appear."""

    point: np.ndarray  # (S,) int32, number in `Scene.points`
    unit: np.ndarray  # (S,) int64: what a ribbon begins to be counted in here; 0 where it goes on
    left: Side
    right: Side
    edges: Edges


def make_sections() -> Sections:
    """Room for the sections of one picture."""

    def side() -> Side:
        floats = (np.empty(MAX_SECTIONS, np.float32) for _ in range(3))
        return Side(*floats, np.empty(MAX_SECTIONS, np.int32))

    many = 3 * MAX_SECTIONS
    kinds = (np.float32, np.int32, np.float32, np.int32, np.int64)
    return Sections(
        np.empty(MAX_SECTIONS, np.int32),
        np.empty(MAX_SECTIONS, np.int64),
        side(),
        side(),
        Edges(*(np.empty(many, kind) for kind in kinds)),
    )


@compiled
def _find_sections(sections, scene, road, numbers, width, x0, y0, cos, sin):  # type: ignore[no-untyped-def]
    """List the cross-sections of every ribbon in view; returns how many."""
    pieces, blocks = scene.pieces, scene.blocks
    point, unit = sections.point, sections.unit
    fx, fy, cx = _F(numbers[0]), _F(numbers[1]), _F(numbers[2])
    tall, nearest, reach = _F(numbers[4]), _F(numbers[8]), _F(numbers[10])
    # A point is inside the view's side planes when ahead * edge -+ aside > 0.
    edge_left = (cx / fx) / _F(numbers[6])
    edge_right = ((_F(width) - cx) / fx) / _F(numbers[6])
    norm_left = _F(1.0) / np.sqrt(_F(1.0) + edge_left * edge_left)
    norm_right = _F(1.0) / np.sqrt(_F(1.0) + edge_right * edge_right)
    blur = np.sqrt(fy * tall)  # dashes of period p are finer than a row beyond blur * sqrt(p)
    count = 0
    for b in range(scene.first_block[road], scene.first_block[road + 1]):
        dx, dy = blocks[b].x - x0, blocks[b].y - y0
        ahead = cos * dx + sin * dy
        aside = cos * dy - sin * dx
        radius = blocks[b].radius
        if (
            ahead + radius < nearest
            or ahead - radius > reach
            or (ahead * edge_left - aside) * norm_left < -radius - tall
            or (ahead * edge_right + aside) * norm_right < -radius - tall
        ):
            continue
        come_to = np.int64(-1)  # the point at which the last listed piece ends
        for p in range(blocks[b].first, blocks[b].first + blocks[b].count):
            dx, dy = pieces[p].x - x0, pieces[p].y - y0
            ahead = cos * dx + sin * dy
            aside = cos * dy - sin * dx
            radius = pieces[p].radius
            if (
                ahead + radius < nearest
                or ahead - radius > reach
                or (ahead * edge_left - aside) * norm_left < -radius - tall
                or (ahead * edge_right + aside) * norm_right < -radius - tall
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
            if count + steps + 1 > MAX_SECTIONS:
                return count
            if at != come_to:
                point[count] = at
                unit[count] = np.int64(1) << np.int64(LAYER_BITS * pieces[p].layer)
                count += 1
            while at < stop:
                at = min(at + stride, stop)
                point[count] = at
                unit[count] = 0
                count += 1
            come_to = stop
    return count


@compiled
def _project_side(out, point, count, points, side, numbers, x0, y0, cos, sin):  # type: ignore[no-untyped-def]
    """Where one edge of the listed cross-sections appears; vectorised by the compiler."""
    out_ahead, out_aside, out_column, out_row = out.ahead, out.aside, out.column, out.row
    fx, fy = _F(numbers[0]), _F(numbers[1])
    cx, cy = _F(numbers[2]), _F(numbers[3])
    tall, nearest = _F(numbers[4]), _F(numbers[8])
    cos_pitch, sin_pitch = _F(numbers[6]), _F(numbers[7])
    one, half, full = _F(1.0), _F(0.5), _F(FULL)
    for k in range(count):
        at = np.uint32(point[k])
        dx = points[at, side] - x0
        dy = points[at, side + 1] - y0
        ahead = cos * dx + sin * dy
        aside = cos * dy - sin * dx
        out_ahead[k] = ahead
        out_aside[k] = aside
        # What lies nearer than the picture begins is cut off later; here it stays finite.
        seen = max(ahead, nearest)
        scale = one / (seen * cos_pitch + tall * sin_pitch)
        out_column[k] = cx - fx * aside * scale
        out_row[k] = np.int32(
            (cy + fy * (tall * cos_pitch - seen * sin_pitch) * scale) * full + half
        )


@inlined
def _cut(numbers, a0, l0, u0, a1, l1):  # type: ignore[no-untyped-def]
    """Column of the first of two ground points; of where their edge meets the picture's lower
    edge, when the first is nearer than that and the second is not."""
    nearest = _F(numbers[8])
    if a0 >= nearest or a1 < nearest:
        return u0
    at = l0 + (l1 - l0) * (nearest - a0) / (a1 - a0)
    scale = nearest * _F(numbers[6]) + _F(numbers[4]) * _F(numbers[7])
    return _F(numbers[2]) - _F(numbers[0]) * at / scale


@inlined
def _add_edges(cells, edges, count, width, first, last):  # type: ignore[no-untyped-def]
    """Add listed edges to `cells`."""
    u0, u1, y0, y1, unit = edges.u0, edges.u1, edges.y0, edges.y1, edges.unit
    for k in range(count):
        add_edge(cells, unit[k], u0[k], np.int64(y0[k]), u1[k], np.int64(y1[k]), width, first, last)


@compiled
def _list_edges(edges, sections, count, numbers):  # type: ignore[no-untyped-def]
    """List the outlines of the ribbons: their sides, and their ends across; returns how many."""
    eu0, eu1, ey0, ey1, eunit = edges.u0, edges.u1, edges.y0, edges.y1, edges.unit
    begins = sections.unit
    l_ahead, l_aside = sections.left.ahead, sections.left.aside
    l_column, l_row = sections.left.column, sections.left.row
    r_ahead, r_aside = sections.right.ahead, sections.right.aside
    r_column, r_row = sections.right.column, sections.right.row
    unit = np.int64(0)
    n = 0
    for k in range(count + 1):
        opens = k == count or begins[k] != 0
        if opens and k > 0:  # the far end of the ribbon before, from right to left
            j = k - 1
            eu0[n] = _cut(numbers, r_ahead[j], r_aside[j], r_column[j], l_ahead[j], l_aside[j])
            eu1[n] = _cut(numbers, l_ahead[j], l_aside[j], l_column[j], r_ahead[j], r_aside[j])
            ey0[n], ey1[n], eunit[n] = r_row[j], l_row[j], unit
            n += 1
        if k == count:
            break
        if opens:  # the near end of a new one, from left to right
            unit = begins[k]
            eu0[n] = _cut(numbers, l_ahead[k], l_aside[k], l_column[k], r_ahead[k], r_aside[k])
            eu1[n] = _cut(numbers, r_ahead[k], r_aside[k], r_column[k], l_ahead[k], l_aside[k])
            ey0[n], ey1[n], eunit[n] = l_row[k], r_row[k], unit
            n += 1
            continue
        j = k - 1
        if l_row[j] != l_row[k]:
            eu0[n] = _cut(numbers, l_ahead[k], l_aside[k], l_column[k], l_ahead[j], l_aside[j])
            eu1[n] = _cut(numbers, l_ahead[j], l_aside[j], l_column[j], l_ahead[k], l_aside[k])
            ey0[n], ey1[n], eunit[n] = l_row[k], l_row[j], unit
            n += 1
        if r_row[j] != r_row[k]:
            eu0[n] = _cut(numbers, r_ahead[j], r_aside[j], r_column[j], r_ahead[k], r_aside[k])
            eu1[n] = _cut(numbers, r_ahead[k], r_aside[k], r_column[k], r_ahead[j], r_aside[j])
            ey0[n], ey1[n], eunit[n] = r_row[j], r_row[k], unit
            n += 1
    return n


@inlined
def _draw_ground(cells, sections, scene, road, lens, width, height, x, y, yaw):  # type: ignore[no-untyped-def]
    """Add every ribbon in view to `cells`."""
    numbers = lens.numbers
    cos, sin = _F(np.cos(yaw)), _F(np.sin(yaw))
    # The camera's foot, not the rear axle, is the origin here.
    x0 = _F(x + numbers[5] * np.cos(yaw))
    y0 = _F(y + numbers[5] * np.sin(yaw))
    count = _find_sections(sections, scene, road, numbers, width, x0, y0, cos, sin)
    point = sections.point
    _project_side(sections.left, point, count, scene.points, 0, numbers, x0, y0, cos, sin)
    _project_side(sections.right, point, count, scene.points, 2, numbers, x0, y0, cos, sin)
    count = _list_edges(sections.edges, sections, count, numbers)
    first = np.int64(numbers[9]) << ROW_BITS
    _add_edges(cells, sections.edges, count, width, first, np.int64(height) << ROW_BITS)


@inlined
def _grain(column, row, salt):  # type: ignore[no-untyped-def]
    """A number in [-1, 1) that belongs to a cell of the ground: an integer hash, no table."""
    # Numba widens 32-bit products to 64 bits; the casts keep them, and the vector lanes, at 32.
    wrapped = np.int32(GRAIN_WRAP - 1)
    h = np.uint32((column & wrapped) * np.int32(-1640531535))
    h = np.uint32(h ^ np.uint32((row & wrapped) * np.int32(-2048144777)))
    h = np.uint32(h ^ np.uint32(salt))
    h = np.uint32(np.uint32(h ^ np.uint32(h >> np.uint32(15))) * np.uint32(0x2C1B3C6D))
    h = np.uint32(h ^ np.uint32(h >> np.uint32(12)))
    return _F(np.int32(h)) * _F(1.0 / 2147483648.0)


@inlined
def _share(coverage):  # type: ignore[no-untyped-def]
    """The share of a pixel that a material covers, in [0, 1]; overlaps count once, folds not."""
    return max(min(_F(coverage) * _F(1.0 / FULL), _F(1.0)), _F(0.0))


@inlined
def _colour_row(  # type: ignore[no-untyped-def]
    image,
    v,
    cover,
    row,
    width,
    palette,
    rough,
    grain_x,
    grain_y,
    grain_dx,
    grain_dy,
    contrast,
    wear,
):
    """Colour one picture row below the horizon.

    Args:
        image: (H, 3 W) uint8; row v is written.
        cover: (rows, 4 W + ...) int16, summed coverage of the four layers side by side.
        palette: (5, 3) colours of ground, shoulder, asphalt, accent, white in this row.
        rough: (5,) how much the grain changes each of them.
        grain_x .. grain_dy: the grain's coordinates at the first pixel and their steps.
        contrast: of the grain in this row; wear: share of the paint that is gone.
    """
    g0, g1, g2 = palette[0, 0], palette[0, 1], palette[0, 2]
    s0, s1, s2 = palette[1, 0] - g0, palette[1, 1] - g1, palette[1, 2] - g2
    a0, a1, a2 = palette[2, 0], palette[2, 1], palette[2, 2]
    y0, y1, y2 = palette[3, 0], palette[3, 1], palette[3, 2]
    w0, w1, w2 = palette[4, 0], palette[4, 1], palette[4, 2]
    q0, q1, q2, q3, q4 = rough[0], rough[1], rough[2], rough[3], rough[4]
    one, full = _F(1.0), _F(255.0)
    for u in range(width):  # vectorised by the compiler: keep it free of branches
        asphalt = _share(cover[row, 4 * u])
        white = _share(cover[row, 4 * u + 1])
        accent = _share(cover[row, 4 * u + 2])
        shoulder = _share(cover[row, 4 * u + 3])
        grain = _grain(
            np.int32(np.floor(grain_x + _F(u) * grain_dx)),
            np.int32(np.floor(grain_y + _F(u) * grain_dy)),
            np.int32(77),
        )
        kept = one - wear * (one + grain)
        white *= kept
        accent *= kept
        level = q0 + shoulder * (q1 - q0)
        level += asphalt * (q2 - level)
        level += accent * (q3 - level)
        level += white * (q4 - level)
        bright = one + contrast * grain * level
        r = g0 + shoulder * s0
        r += asphalt * (a0 - r)
        r += accent * (y0 - r)
        r += white * (w0 - r)
        g = g1 + shoulder * s1
        g += asphalt * (a1 - g)
        g += accent * (y1 - g)
        g += white * (w1 - g)
        b = g2 + shoulder * s2
        b += asphalt * (a2 - b)
        b += accent * (y2 - b)
        b += white * (w2 - b)
        image[v, 3 * u] = np.uint8(np.int32(min(r * bright, full)))
        image[v, 3 * u + 1] = np.uint8(np.int32(min(g * bright, full)))
        image[v, 3 * u + 2] = np.uint8(np.int32(min(b * bright, full)))


@inlined
def _mix(low, high, share):  # type: ignore[no-untyped-def]
    return low + share * (high - low)


@inlined
def _draw_sky(image, crest, lens, hills, look, yaw, width):  # type: ignore[no-untyped-def]
    """Sky and hills, from the top of the picture to the row above the horizon's."""
    fy, cy = _F(lens.numbers[1]), _F(lens.numbers[3])
    cos_pitch, sin_pitch = _F(lens.numbers[6]), _F(lens.numbers[7])
    top = np.int32(lens.numbers[9])
    azimuth, bearing_cos, gradient = lens.azimuth, lens.bearing_cos, lens.gradient
    facing = -(yaw + look.turn) * (SKYLINE_STEPS / (2.0 * np.pi))
    facing = _F(facing - np.floor(facing / SKYLINE_STEPS) * SKYLINE_STEPS + SKYLINE_STEPS)
    which = look.skyline
    highest = _F(1e9)
    for u in range(width):
        at = facing + azimuth[u]
        step = np.uint32(at)
        part = at - _F(step)
        step = np.uint32(step & np.uint32(SKYLINE_STEPS - 1))
        rise = hills[which, step]
        rise += part * (hills[which, step + np.uint32(1)] - rise)
        ahead = bearing_cos[u]
        crest[u] = cy - fy * (ahead * sin_pitch + rise * cos_pitch) / (
            ahead * cos_pitch - rise * sin_pitch
        )
        highest = min(highest, crest[u])
    one, zero, full = _F(1.0), _F(0.0), _F(255.0)
    haze = _F(0.35)
    h0 = min(_mix(look.hills[0], look.sky_low[0], haze) * look.light[0], full)
    h1 = min(_mix(look.hills[1], look.sky_low[1], haze) * look.light[1], full)
    h2 = min(_mix(look.hills[2], look.sky_low[2], haze) * look.light[2], full)
    for v in range(top):
        high = gradient[v]
        s0 = min(_mix(look.sky_low[0], look.sky_top[0], high) * look.light[0], full)
        s1 = min(_mix(look.sky_low[1], look.sky_top[1], high) * look.light[1], full)
        s2 = min(_mix(look.sky_low[2], look.sky_top[2], high) * look.light[2], full)
        if _F(v + 1) <= highest:
            c0, c1, c2 = np.uint8(np.int32(s0)), np.uint8(np.int32(s1)), np.uint8(np.int32(s2))
            for u in range(width):
                image[v, 3 * u] = c0
                image[v, 3 * u + 1] = c1
                image[v, 3 * u + 2] = c2
        else:
            below = _F(v + 1)
            for u in range(width):
                share = max(min(below - crest[u], one), zero)
                image[v, 3 * u] = np.uint8(np.int32(s0 + share * (h0 - s0)))
                image[v, 3 * u + 1] = np.uint8(np.int32(s1 + share * (h1 - s1)))
                image[v, 3 * u + 2] = np.uint8(np.int32(s2 + share * (h2 - s2)))


@compiled
def _add_noise(image, sigma, key):  # type: ignore[no-untyped-def]
    """Add sensor noise of standard deviation `sigma`: a sum of three uniforms, hashed."""
    height, bytes_wide = image.shape
    for v in range(height):
        for i in range(bytes_wide):
            column, row = np.int32(i), np.int32(v)
            noise = (  # three uniforms on [-1, 1) have variance 1
                _grain(column, row, key)
                + _grain(np.int32(column + np.int32(1365)), row, key)
                + _grain(np.int32(column + np.int32(2730)), row, key)
            )
            value = _F(image[v, i]) + sigma * noise + _F(0.5)
            image[v, i] = np.uint8(np.int32(max(min(value, _F(255.0)), _F(0.0))))


@compiled
def draw_picture(  # type: ignore[no-untyped-def]
    image,
    cells,
    cover,
    sections,
    crest,
    haze,
    lit,
    palette,
    rough,
    scene,
    road,
    lens,
    hills,
    look,
    x,
    y,
    yaw,
    noise_key,
):
    """Draw what one camera sees.

    Args:
        image: (H, 3 W) uint8, written: R G B of each pixel.
        cells: (rows below the horizon, W + 2) int64 scratch, zero before and after.
        cover: `cells` as int16; sections: scratch; crest: (W,) scratch; haze, lit, palette: scratch for
            colours, (3,) and (5, 3); rough: (5,) contrast of the grain on each material.
        x, y, yaw: rear axle of the car, world frame [m, m, rad].
        noise_key: int32 that is different for every picture.
    """
    height = image.shape[0]
    width = image.shape[1] // 3
    top = np.int32(lens.numbers[9])
    _draw_sky(image, crest, lens, hills, look, yaw, width)
    _draw_ground(cells, sections, scene, road, lens, width, height, x, y, yaw)
    cx = lens.numbers[2]
    cos, sin = np.cos(yaw), np.sin(yaw)
    x0 = x + lens.numbers[5] * cos
    y0 = y + lens.numbers[5] * sin
    # Lit colours of ground, shoulder, asphalt, accent and white, as differences from the haze.
    half, one = _F(0.5), _F(1.0)
    for c in range(3):
        far = half * (look.sky_low[c] + look.hills[c]) * look.light[c]
        haze[c] = far
        lit[0, c] = look.ground[c] * look.light[c] - far
        lit[1, c] = look.shoulder[c] * look.light[c] - far
        lit[2, c] = look.asphalt[c] * look.light[c] - far
        lit[3, c] = look.accent[c] * look.light[c] - far
        lit[4, c] = look.white[c] * look.light[c] - far
    wrap, unwrap = np.float64(GRAIN_WRAP), 1.0 / GRAIN_WRAP
    # Out of the tuple before the loop: numba counts references at every access.
    distance, below, width_on_ground = lens.distance, lens.share, lens.side
    density, contrast = lens.density, lens.contrast
    for row in range(height - top):
        total = np.int64(0)
        for u in range(width):
            total += cells[row, u]
            cells[row, u] = total
        ahead = distance[row]
        clear = (one - ahead / (ahead + look.haze)) * below[row]
        for m in range(5):
            for c in range(3):
                palette[m, c] = haze[c] + clear * lit[m, c]
        # Ground under the first pixel's centre, and from one pixel to the next.
        side = width_on_ground[row]
        begin = (0.5 - cx) * side
        scale = density[row]
        gx = (x0 + cos * ahead + sin * begin) * scale
        gy = (y0 + sin * ahead - cos * begin) * scale
        side *= scale
        _colour_row(
            image, top + row, cover, row, width, palette, rough,
            _F(gx - np.floor(gx * unwrap) * wrap), _F(gy - np.floor(gy * unwrap) * wrap),
            _F(sin * side), _F(-cos * side),
            look.grain * contrast[row] * clear, look.wear,
        )  # fmt: skip
        for u in range(width + 2):
            cells[row, u] = 0
    if look.noise > _F(0.0):
        _add_noise(image, look.noise, noise_key)


@compiled
def draw_pictures(  # type: ignore[no-untyped-def]
    images, first, stop, sections, scene, roads, lens, hills, looks, x, y, yaw, noise_keys
):
    """Draw the pictures of cars first..stop of a batch; see `draw_picture`.

    Args:
        images: (B, H, 3 W) uint8.
        roads: (B,) which road of the scene; looks: (B,) LOOK; x, y, yaw, noise_keys: (B,).
    """
    height, width = images.shape[1], images.shape[2] // 3
    top = np.int32(lens.numbers[9])
    cells = np.zeros((height - top, width + 2), np.int64)
    cover = cells.view(np.int16)
    crest = np.empty(width, np.float32)
    haze = np.empty(3, np.float32)
    lit = np.empty((5, 3), np.float32)
    palette = np.empty((5, 3), np.float32)
    rough = np.array([0.20, 0.22, 0.09, 0.06, 0.05], np.float32)
    for i in range(first, stop):
        draw_picture(
            images[i], cells, cover, sections, crest, haze, lit, palette, rough, scene, roads[i], lens, hills,
            looks[i], x[i], y[i], yaw[i], noise_keys[i],
        )  # fmt: skip
