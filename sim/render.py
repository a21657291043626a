"""The camera's picture of a road, computed exactly: one car, one picture; then a batch.

Ground first: the outlines of the ribbons near the car are projected and their area in every pixel
is added up (`raster.py`), then each row is coloured: verge, shoulder, asphalt, paint, with a grain
that is fixed to the world and with haze. Above the horizon: sky and hills.

The camera does not roll, so everything that depends on distance is constant along a picture row.
"""

from typing import NamedTuple

import numpy as np

from .appearance import SKYLINE_STEPS
from .compiled import compiled
from .raster import FULL, LAYER_BITS, ROW_BITS, add_edge
from .scene import FAR, NEAR
from .sensors.camera import Camera

FAR_EDGE = 0.6  # ribbons less than this below the horizon are not drawn [px]
CURVE_TOLERANCE = 0.2  # how far a chord may lie off its curve [px]

_F = np.float32
GRAIN_CELLS = (0.015, 0.06, 0.24, 0.96)  # sizes of the grain; a row shows the one that fits it [m]
GRAIN_WRAP = 4096  # cells after which the grain repeats; a power of two


class Lens(NamedTuple):
    """A camera's numbers as the kernels want them; made once per camera."""

    numbers: np.ndarray  # (11,) float64: see `make_lens`
    distance: np.ndarray  # (rows,) ground distance at each row below the horizon [m]
    share: np.ndarray  # (rows,) share of the row that is below the horizon
    cell: np.ndarray  # (rows,) size of the grain in each row [m]
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
        cell,
        np.minimum(1.0, cell / np.sqrt(patch)).astype(np.float32),
        gradient.astype(np.float32),
        (angle * (SKYLINE_STEPS / (2.0 * np.pi))).astype(np.float32),
        np.cos(angle).astype(np.float32),
    )


@compiled
def _draw_ground(cells, scene, road, lens, width, height, x, y, yaw):  # type: ignore[no-untyped-def]
    """Add every ribbon in view to `cells`."""
    points, pieces, blocks = scene.points, scene.pieces, scene.blocks
    numbers = lens.numbers
    fx, fy = _F(numbers[0]), _F(numbers[1])
    cx, cy = _F(numbers[2]), _F(numbers[3])
    tall = _F(numbers[4])
    cos_pitch, sin_pitch = _F(numbers[6]), _F(numbers[7])
    nearest = _F(numbers[8])
    first_row = np.int64(numbers[9]) << ROW_BITS
    last_row = np.int64(height) << ROW_BITS
    reach = _F(numbers[10])
    cos, sin = _F(np.cos(yaw)), _F(np.sin(yaw))
    # The camera's foot, not the rear axle, is the origin here.
    x0 = _F(x + numbers[5] * np.cos(yaw))
    y0 = _F(y + numbers[5] * np.sin(yaw))
    # A point is inside the view's side planes when ahead * edge -+ aside > 0.
    edge_left = (cx / fx) / cos_pitch
    edge_right = ((_F(width) - cx) / fx) / cos_pitch
    norm_left = _F(1.0) / np.sqrt(_F(1.0) + edge_left * edge_left)
    norm_right = _F(1.0) / np.sqrt(_F(1.0) + edge_right * edge_right)
    blur = np.sqrt(fy * tall)  # dashes of period p are finer than a row beyond blur * sqrt(p)
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
        first_piece = blocks[b].first
        at = np.int64(-1)  # the point that the drawn part of a ribbon has come to
        unit = np.int64(0)
        la = ll = ra = rl = _F(0.0)
        lu = ru = _F(0.0)
        ly = ry = np.int64(0)
        for p in range(first_piece, first_piece + blocks[b].count):
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
            first = np.int64(pieces[p].first)
            stop = first + steps
            joined = first == at
            if not joined:
                if at >= 0:  # close the far end of what came before
                    _add_between(
                        cells, unit, ra, rl, ru, ry, la, ll, lu, ly,
                        fx, fy, cx, cy, tall, cos_pitch, sin_pitch, nearest,
                        width, first_row, last_row,
                    )  # fmt: skip
                unit = np.int64(1) << np.int64(LAYER_BITS * pieces[p].layer)
                at = first - stride
            while at < stop:
                at = min(at + stride, stop)
                dx, dy = points[at, 0] - x0, points[at, 1] - y0
                la1, ll1 = cos * dx + sin * dy, cos * dy - sin * dx
                dx, dy = points[at, 2] - x0, points[at, 3] - y0
                ra1, rl1 = cos * dx + sin * dy, cos * dy - sin * dx
                scale = _F(1.0) / (max(la1, nearest) * cos_pitch + tall * sin_pitch)
                lu1 = cx - fx * ll1 * scale
                ly1 = _fixed(cy + fy * (tall * cos_pitch - max(la1, nearest) * sin_pitch) * scale)
                scale = _F(1.0) / (max(ra1, nearest) * cos_pitch + tall * sin_pitch)
                ru1 = cx - fx * rl1 * scale
                ry1 = _fixed(cy + fy * (tall * cos_pitch - max(ra1, nearest) * sin_pitch) * scale)
                if joined or at > first:
                    _add_between(
                        cells, unit, la1, ll1, lu1, ly1, la, ll, lu, ly,
                        fx, fy, cx, cy, tall, cos_pitch, sin_pitch, nearest,
                        width, first_row, last_row,
                    )  # fmt: skip
                    _add_between(
                        cells, unit, ra, rl, ru, ry, ra1, rl1, ru1, ry1,
                        fx, fy, cx, cy, tall, cos_pitch, sin_pitch, nearest,
                        width, first_row, last_row,
                    )  # fmt: skip
                else:  # close the near end
                    _add_between(
                        cells, unit, la1, ll1, lu1, ly1, ra1, rl1, ru1, ry1,
                        fx, fy, cx, cy, tall, cos_pitch, sin_pitch, nearest,
                        width, first_row, last_row,
                    )  # fmt: skip
                la, ll, lu, ly = la1, ll1, lu1, ly1
                ra, rl, ru, ry = ra1, rl1, ru1, ry1
        if at >= 0:
            _add_between(
                cells, unit, ra, rl, ru, ry, la, ll, lu, ly,
                fx, fy, cx, cy, tall, cos_pitch, sin_pitch, nearest,
                width, first_row, last_row,
            )  # fmt: skip


@compiled
def _fixed(row):  # type: ignore[no-untyped-def]
    """An image row in 1/1024 px."""
    return np.int64(row * _F(FULL) + _F(0.5))


@compiled
def _add_between(  # type: ignore[no-untyped-def]
    cells, unit, a0, l0, u0, y0, a1, l1, u1, y1,
    fx, fy, cx, cy, tall, cos_pitch, sin_pitch, nearest, width, first_row, last_row,
):  # fmt: skip
    """Add the edge between two projected ground points, cut off where the picture begins.

    A point is (ahead, left) on the ground and (u, y) in the picture; u is wrong where ahead is
    less than `nearest`.
    """
    if a0 < nearest:
        if a1 < nearest:
            return
        at = l0 + (l1 - l0) * (nearest - a0) / (a1 - a0)
        u0 = cx - fx * at / (nearest * cos_pitch + tall * sin_pitch)
    elif a1 < nearest:
        at = l1 + (l0 - l1) * (nearest - a1) / (a0 - a1)
        u1 = cx - fx * at / (nearest * cos_pitch + tall * sin_pitch)
    add_edge(cells, unit, u0, y0, u1, y1, width, first_row, last_row)


@compiled
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


@compiled
def _share(coverage):  # type: ignore[no-untyped-def]
    """The share of a pixel that a material covers, in [0, 1]; overlaps count once, folds not."""
    return max(min(_F(coverage) * _F(1.0 / FULL), _F(1.0)), _F(0.0))


@compiled
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


@compiled
def _mix(low, high, share):  # type: ignore[no-untyped-def]
    return low + share * (high - low)


@compiled
def _draw_sky(image, crest, lens, hills, look, yaw, width):  # type: ignore[no-untyped-def]
    """Sky and hills, from the top of the picture to the row above the horizon's."""
    fy, cy = _F(lens.numbers[1]), _F(lens.numbers[3])
    cos_pitch, sin_pitch = _F(lens.numbers[6]), _F(lens.numbers[7])
    top = np.int32(lens.numbers[9])
    azimuth, bearing_cos = lens.azimuth, lens.bearing_cos
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
        high = lens.gradient[v]
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
    image, cells, cover, crest, palette, rough, scene, road, lens, hills, look, x, y, yaw, noise_key
):
    """Draw what one camera sees.

    Args:
        image: (H, 3 W) uint8, written: R G B of each pixel.
        cells: (rows below the horizon, W + 2) int64 scratch, zero before and after.
        cover: `cells` as int16; crest: (W,) scratch; palette: (5, 3) scratch; rough: (5,).
        x, y, yaw: rear axle of the car, world frame [m, m, rad].
        noise_key: int32 that is different for every picture.
    """
    height = image.shape[0]
    width = image.shape[1] // 3
    top = np.int32(lens.numbers[9])
    _draw_sky(image, crest, lens, hills, look, yaw, width)
    _draw_ground(cells, scene, road, lens, width, height, x, y, yaw)
    fx, cx = lens.numbers[0], lens.numbers[2]
    tall, cos_pitch, sin_pitch = lens.numbers[4], lens.numbers[6], lens.numbers[7]
    cos, sin = np.cos(yaw), np.sin(yaw)
    x0 = x + lens.numbers[5] * cos
    y0 = y + lens.numbers[5] * sin
    half, one = _F(0.5), _F(1.0)
    for row in range(height - top):
        total = np.int64(0)
        for u in range(width):
            total += cells[row, u]
            cells[row, u] = total
        ahead = lens.distance[row]
        clear = (one - ahead / (ahead + look.haze)) * lens.share[row]
        for c in range(3):
            far = half * (look.sky_low[c] + look.hills[c])
            light = look.light[c]
            palette[0, c] = _mix(far, look.ground[c], clear) * light
            palette[1, c] = _mix(far, look.shoulder[c], clear) * light
            palette[2, c] = _mix(far, look.asphalt[c], clear) * light
            palette[3, c] = _mix(far, look.accent[c], clear) * light
            palette[4, c] = _mix(far, look.white[c], clear) * light
        # Ground under the first pixel's centre, and from one pixel to the next.
        side = (ahead * cos_pitch + tall * sin_pitch) / fx
        begin = (0.5 - cx) * side
        scale = 1.0 / lens.cell[row]
        gx = (x0 + cos * ahead + sin * begin) * scale
        gy = (y0 + sin * ahead - cos * begin) * scale
        _colour_row(
            image, top + row, cover, row, width, palette, rough,
            _F(gx - np.floor(gx / GRAIN_WRAP) * GRAIN_WRAP),
            _F(gy - np.floor(gy / GRAIN_WRAP) * GRAIN_WRAP),
            _F(sin * side * scale), _F(-cos * side * scale),
            look.grain * lens.contrast[row] * clear, look.wear,
        )  # fmt: skip
        for u in range(width + 2):
            cells[row, u] = 0
    if look.noise > _F(0.0):
        _add_noise(image, look.noise, noise_key)


@compiled
def draw_pictures(  # type: ignore[no-untyped-def]
    images, first, stop, scene, roads, lens, hills, looks, x, y, yaw, noise_keys
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
    palette = np.empty((5, 3), np.float32)
    rough = np.array([0.20, 0.22, 0.09, 0.06, 0.05], np.float32)
    for i in range(first, stop):
        draw_picture(
            images[i], cells, cover, crest, palette, rough, scene, roads[i], lens, hills,
            looks[i], x[i], y[i], yaw[i], noise_keys[i],
        )  # fmt: skip
