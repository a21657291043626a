"""Colours of a picture: what covers each pixel becomes red, green and blue; sky; sensor noise.

The ground is coloured in blocks of rows, in 16-bit integers: shares of a pixel are counted in
65536ths, colours in 128ths of a grey level. One multiplication then keeps the upper half of the
product, and processors do 32 of them at once. Every loop here is one step of the formula for a
whole block, short enough for the compiler to make vectors of it.
"""

from typing import NamedTuple

import numpy as np

from .appearance import SKYLINE_STEPS
from .compiled import compiled, inlined
from .fixed_point import HALF, WHOLE, share_of
from .raster import FULL, scratch_rows

BLOCK_PIXELS = 1024  # coloured together; they stay in the nearest cache
GRAIN_BITS = 12  # cells after which the grain repeats, as a power of two

_FRACTION_BITS = 32 - GRAIN_BITS
_ROUGH = (0.20, 0.22, 0.09, 0.06, 0.05)  # contrast of the grain on each material of the palette

_F = np.float32
_U8, _U16, _U32, _U64 = np.uint8, np.uint16, np.uint32, np.uint64
_SIXTEEN = np.uint32(16)


class Pixels(NamedTuple):
    """Scratch: a block of rows, one after the other."""

    total: np.ndarray  # int64, coverage of each pixel, four layers in one number
    cover: np.ndarray  # int16, `total` layer by layer
    grain: np.ndarray  # uint16, the ground's grain
    white: np.ndarray  # uint16, shares of the pixel where each material is seen
    accent: np.ndarray
    asphalt: np.ndarray
    shoulder: np.ndarray
    ground: np.ndarray
    red: np.ndarray  # uint16
    green: np.ndarray
    blue: np.ndarray
    bright: np.ndarray  # uint16, what the grain makes of the colour


class Rows(NamedTuple):
    """Scratch: what is constant along each row below the horizon."""

    x: np.ndarray  # uint32, the grain's coordinates of the first pixel, see `_grain_row`
    y: np.ndarray
    dx: np.ndarray  # uint32, and their step to the next
    dy: np.ndarray
    clear: np.ndarray  # uint16, share of the colour that comes through the haze
    red: np.ndarray  # uint16, what the haze adds [1/64 grey level]
    green: np.ndarray
    blue: np.ndarray


def make_rows(count: int) -> Rows:
    """Room for so many rows."""
    fine = scratch_rows(4, count).view(np.uint32)
    return Rows(*fine, *scratch_rows(4, (count + 1) // 2).view(np.uint16))


def make_pixels(width: int) -> Pixels:
    """Room for a block of rows of this width."""
    room = block_rows(width) * width
    total = np.empty(room, np.int64)
    rows = scratch_rows(10, (room + 1) // 2).view(np.uint16)
    return Pixels(total, total.view(np.int16), *rows)


def block_rows(width: int) -> int:
    """How many rows are coloured together."""
    return max(1, BLOCK_PIXELS // width)


@inlined
def _hash(column, row, salt):  # type: ignore[no-untyped-def]
    """A number in [-1, 1) that belongs to a cell of the ground: an integer hash, no table."""
    # Numba widens 32-bit products to 64 bits; the casts keep them, and the vector lanes, at 32.
    wrapped = np.int32((1 << GRAIN_BITS) - 1)
    h = np.uint32((column & wrapped) * np.int32(-1640531535))
    h = np.uint32(h ^ np.uint32((row & wrapped) * np.int32(-2048144777)))
    h = np.uint32(h ^ np.uint32(salt))
    h = np.uint32(np.uint32(h ^ np.uint32(h >> np.uint32(15))) * np.uint32(0x2C1B3C6D))
    h = np.uint32(h ^ np.uint32(h >> np.uint32(12)))
    return _F(np.int32(h)) * _F(1.0 / 2147483648.0)


@inlined
def _share(coverage):  # type: ignore[no-untyped-def]
    """Of a pixel, in 65536ths; overlaps count once, folds not at all."""
    return _U16(_U16(max(min(np.int16(coverage), np.int16(FULL - 1)), np.int16(0))) << _U16(6))


@inlined
def _sum_row(sums, at, cells, row, width):  # type: ignore[no-untyped-def]
    """Coverage of one row: the running sum of its cells, which are zero again."""
    total = np.int64(0)
    for u in range(_U64(width)):
        total += cells[row, u]
        sums[at + u] = total
    for u in range(_U64(cells.shape[1])):
        cells[row, u] = 0


@inlined
def _grain_row(grain, at, width, x, y, dx, dy):  # type: ignore[no-untyped-def]
    """Numbers that belong to cells of the ground: an integer hash, no table.

    Args:
        x, y, dx, dy: uint32, the first pixel on the ground and the step to the next, in
            fractions of a cell; whole turns of 32 bits are where the grain repeats.
    """
    bits = _U32(_FRACTION_BITS)
    for u in range(_U64(width)):
        column = _U32(_U32(x + _U32(u) * dx) >> bits)
        row = _U32(_U32(y + _U32(u) * dy) >> bits)
        h = _U32(_U32(column * _U32(0x9E3779B1)) ^ _U32(row * _U32(0x85EBCA77)))
        h = _U32(_U32(h ^ _U32(h >> _U32(15))) * _U32(0x2C1B3C6D))
        grain[at + u] = _U16(h >> _SIXTEEN)


@inlined
def _find_shares(pixels, count, wear):  # type: ignore[no-untyped-def]
    """What of each material is seen: paint, the accent under it, then asphalt, shoulder, ground."""
    cover, grain = pixels.cover, pixels.grain
    white, accent, asphalt = pixels.white, pixels.accent, pixels.asphalt
    shoulder, rest = pixels.shoulder, pixels.ground
    four = _U64(4)
    for u in range(_U64(count)):
        asphalt[u] = _share(cover[four * u])
        white[u] = _share(cover[four * u + _U64(1)])
        accent[u] = _share(cover[four * u + _U64(2)])
        shoulder[u] = _share(cover[four * u + _U64(3)])
        rest[u] = share_of(grain[u], wear)
    for u in range(_U64(count)):
        gone = rest[u]
        seen = _U16(white[u] - share_of(white[u], gone))
        accent[u] = _U16(accent[u] - share_of(accent[u], gone))
        white[u] = seen
        rest[u] = _U16(WHOLE - seen)
    for u in range(_U64(count)):
        seen = share_of(accent[u], rest[u])
        accent[u] = seen
        rest[u] = _U16(rest[u] - seen)
    for u in range(_U64(count)):
        seen = share_of(asphalt[u], rest[u])
        asphalt[u] = seen
        rest[u] = _U16(rest[u] - seen)
    for u in range(_U64(count)):
        seen = share_of(shoulder[u], rest[u])
        shoulder[u] = seen
        rest[u] = _U16(rest[u] - seen)


@inlined
def _mix_colours(pixels, count, palette):  # type: ignore[no-untyped-def]
    """Colours and contrast of the grain, from the shares of the materials."""
    white, accent, asphalt = pixels.white, pixels.accent, pixels.asphalt
    shoulder, ground = pixels.shoulder, pixels.ground
    red, green, blue, bright = pixels.red, pixels.green, pixels.blue, pixels.bright
    g0, g1, g2, g3 = palette[0, 0], palette[0, 1], palette[0, 2], palette[0, 3]
    s0, s1, s2, s3 = palette[1, 0], palette[1, 1], palette[1, 2], palette[1, 3]
    a0, a1, a2, a3 = palette[2, 0], palette[2, 1], palette[2, 2], palette[2, 3]
    y0, y1, y2, y3 = palette[3, 0], palette[3, 1], palette[3, 2], palette[3, 3]
    w0, w1, w2, w3 = palette[4, 0], palette[4, 1], palette[4, 2], palette[4, 3]
    for u in range(_U64(count)):
        g, s, a, y, w = ground[u], shoulder[u], asphalt[u], accent[u], white[u]
        red[u] = _U16(
            share_of(g, g0) + share_of(s, s0) + share_of(a, a0) + share_of(y, y0) + share_of(w, w0)
        )
        green[u] = _U16(
            share_of(g, g1) + share_of(s, s1) + share_of(a, a1) + share_of(y, y1) + share_of(w, w1)
        )
        blue[u] = _U16(
            share_of(g, g2) + share_of(s, s2) + share_of(a, a2) + share_of(y, y2) + share_of(w, w2)
        )
        bright[u] = _U16(
            share_of(g, g3) + share_of(s, s3) + share_of(a, a3) + share_of(y, y3) + share_of(w, w3)
        )


@inlined
def _grain_colours(pixels, count):  # type: ignore[no-untyped-def]
    """Make colours brighter and darker by the grain: by 1 - contrast ... 1 + contrast."""
    grain, bright = pixels.grain, pixels.bright
    red, green, blue = pixels.red, pixels.green, pixels.blue
    for u in range(_U64(count)):
        contrast = bright[u]
        bright[u] = _U16(
            _U16(HALF - _U16(contrast >> _U16(1))) + share_of(grain[u], contrast)
        )  # in 1/32768
    for u in range(_U64(count)):
        factor = bright[u]
        red[u] = share_of(red[u], factor)
        green[u] = share_of(green[u], factor)
        blue[u] = share_of(blue[u], factor)


@inlined
def _write_row(image, v, red, green, blue, at, width, clear, haze_red, haze_green, haze_blue):  # type: ignore[no-untyped-def]
    """Write one picture row, seen through haze.

    Args:
        clear: uint16, share of the colour that comes through; haze_...: uint16, what the haze
            adds [1/64 grey level].
    """
    most, three = _U16(255), _U64(3)
    for u in range(_U64(width)):
        i = at + u
        r = _U16(_U16(share_of(red[i], clear) + haze_red) >> _U16(6))
        g = _U16(_U16(share_of(green[i], clear) + haze_green) >> _U16(6))
        b = _U16(_U16(share_of(blue[i], clear) + haze_blue) >> _U16(6))
        image[v, three * u] = _U8(min(r, most))
        image[v, three * u + _U64(1)] = _U8(min(g, most))
        image[v, three * u + _U64(2)] = _U8(min(b, most))


@inlined
def _fill_palette(palette, look, kerbs):  # type: ignore[no-untyped-def]
    """Lit colours [1/128 grey level] and contrast of the grain of each material."""
    for c in range(3):
        light = look.light[c] * _F(128.0)
        palette[0, c] = _U16(min(look.ground[c] * light, _F(65408.0)))
        palette[1, c] = _U16(min(look.shoulder[c] * light, _F(65408.0)))
        palette[2, c] = _U16(min(look.asphalt[c] * light, _F(65408.0)))
        accent = look.kerb[c] if kerbs else look.accent[c]
        palette[3, c] = _U16(min(accent * light, _F(65408.0)))
        palette[4, c] = _U16(min(look.white[c] * light, _F(65408.0)))
    for m in range(5):
        palette[m, 3] = _U16(min(_F(_ROUGH[m]) * look.grain, _F(0.999)) * _F(65536.0))


@inlined
def _fixed(cells):  # type: ignore[no-untyped-def]
    """A coordinate in cells of the grain, in 32 bits that turn over where the grain repeats."""
    return _U32(np.int64(np.floor(cells * (1 << _FRACTION_BITS))))


@inlined
def _prepare_rows(rows, count, lens, look, x, y, yaw):  # type: ignore[no-untyped-def]
    """Where the grain lies in each row, and how hazy it is; vectorised by the compiler."""
    distance, below, side, density = lens.distance, lens.share, lens.side, lens.density
    begin_x, begin_y, step_x, step_y = rows.x, rows.y, rows.dx, rows.dy
    middle = 0.5 - lens.numbers[2]
    cos, sin = np.cos(yaw), np.sin(yaw)
    for row in range(_U64(count)):
        # Ground under the first pixel's centre, and from one pixel to the next.
        ahead, step, scale = np.float64(distance[row]), side[row], density[row]
        aside = middle * step
        begin_x[row] = _fixed((x + cos * ahead + sin * aside) * scale)
        begin_y[row] = _fixed((y + sin * ahead - cos * aside) * scale)
        step_x[row] = _fixed(sin * step * scale)
        step_y[row] = _fixed(-cos * step * scale)
    through, red, green, blue = rows.clear, rows.red, rows.green, rows.blue
    haze, one = look.haze, _F(1.0)
    far = _F(0.5 * 64.0)  # half of each of the two colours that the haze has
    most, half = _F(65000.0), _F(32.0)
    far_red = far * (look.sky_low[0] + look.hills[0]) * look.light[0]
    far_green = far * (look.sky_low[1] + look.hills[1]) * look.light[1]
    far_blue = far * (look.sky_low[2] + look.hills[2]) * look.light[2]
    for row in range(_U64(count)):
        ahead = distance[row]
        clear = (one - ahead / (ahead + haze)) * below[row]
        through[row] = _U16(clear * _F(65535.0))
        red[row] = _U16(min((one - clear) * far_red, most) + half)
        green[row] = _U16(min((one - clear) * far_green, most) + half)
        blue[row] = _U16(min((one - clear) * far_blue, most) + half)


@inlined
def colour_ground(  # type: ignore[no-untyped-def]
    image, cells, pixels, rows, palette, lens, look, x, y, yaw, width, kerbs
):
    """Colour every row below the horizon.

    Args:
        image: (H, 3 W) uint8. cells: (rows, W + SPARE) int64, zero afterwards.
        pixels, rows: scratch; palette: (5, 4) uint16 scratch.
        x, y: the camera's foot [m]. kerbs: whether the accent is a kerb's red.
    """
    _fill_palette(palette, look, kerbs)
    top, count = np.int64(lens.numbers[9]), cells.shape[0]
    worn = _U16(min(_F(2.0) * look.wear, _F(1.0)) * _F(65535.0))
    _prepare_rows(rows, count, lens, look, x, y, yaw)
    # Out of the tuples before the loop: numba counts references at every access.
    contrast = lens.contrast
    begin_x, begin_y, step_x, step_y = rows.x, rows.y, rows.dx, rows.dy
    clear, haze_red, haze_green, haze_blue = rows.clear, rows.red, rows.green, rows.blue
    sums, grain, bright = pixels.total, pixels.grain, pixels.bright
    red, green, blue = pixels.red, pixels.green, pixels.blue
    many = max(1, BLOCK_PIXELS // width)
    first = 0
    while first < count:
        stop = min(first + many, count)
        for row in range(first, stop):
            at = _U64((row - first) * width)
            _sum_row(sums, at, cells, row, width)
            _grain_row(grain, at, width, begin_x[row], begin_y[row], step_x[row], step_y[row])
        inside = (stop - first) * width
        _find_shares(pixels, inside, worn)
        _mix_colours(pixels, inside, palette)
        for row in range(first, stop):
            at = _U64((row - first) * width)
            fades = contrast[row]
            for u in range(_U64(width)):
                bright[at + u] = share_of(bright[at + u], fades)
        _grain_colours(pixels, inside)
        for row in range(first, stop):
            _write_row(
                image, top + row, red, green, blue, _U64((row - first) * width), width,
                clear[row], haze_red[row], haze_green[row], haze_blue[row],
            )  # fmt: skip
        first = stop


@inlined
def _mix(low, high, share):  # type: ignore[no-untyped-def]
    return low + share * (high - low)


@inlined
def _fill_row(image, v, width, red, green, blue):  # type: ignore[no-untyped-def]
    three = _U64(3)
    for u in range(_U64(width)):
        image[v, three * u] = red
        image[v, three * u + _U64(1)] = green
        image[v, three * u + _U64(2)] = blue


@inlined
def draw_sky(image, crest, lens, hills, look, yaw, width):  # type: ignore[no-untyped-def]
    """Sky and hills, from the top of the picture to the row above the horizon's."""
    fy, cy = _F(lens.numbers[1]), _F(lens.numbers[3])
    cos_pitch, sin_pitch = _F(lens.numbers[6]), _F(lens.numbers[7])
    top = np.int32(lens.numbers[9])
    azimuth, bearing_cos, gradient = lens.azimuth, lens.bearing_cos, lens.gradient
    facing = -(yaw + look.turn) * (SKYLINE_STEPS / (2.0 * np.pi))
    facing = _F(facing - np.floor(facing / SKYLINE_STEPS) * SKYLINE_STEPS + SKYLINE_STEPS)
    which = look.skyline
    highest, lowest = _F(np.inf), _F(-np.inf)
    for u in range(_U64(width)):
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
    for u in range(_U64(width)):
        highest, lowest = min(highest, crest[u]), max(lowest, crest[u])
    one, zero, full = _F(1.0), _F(0.0), _F(255.0)
    haze = _F(0.35)
    h0 = min(_mix(look.hills[0], look.sky_low[0], haze) * look.light[0], full)
    h1 = min(_mix(look.hills[1], look.sky_low[1], haze) * look.light[1], full)
    h2 = min(_mix(look.hills[2], look.sky_low[2], haze) * look.light[2], full)
    # Out of the record before the loop.
    light = look.light
    low0, low1, low2 = (
        look.sky_low[0] * light[0], look.sky_low[1] * light[1], look.sky_low[2] * light[2],
    )  # fmt: skip
    top0, top1, top2 = (
        look.sky_top[0] * light[0], look.sky_top[1] * light[1], look.sky_top[2] * light[2],
    )  # fmt: skip
    three = _U64(3)
    for v in range(top):
        high = gradient[v]
        s0 = min(_mix(low0, top0, high), full)
        s1 = min(_mix(low1, top1, high), full)
        s2 = min(_mix(low2, top2, high), full)
        below = _F(v + 1)
        if below <= highest or below - one >= lowest:  # nothing but sky, nothing but hills
            share = zero if below <= highest else one
            _fill_row(
                image, v, width, _U8(np.int32(s0 + share * (h0 - s0))),
                _U8(np.int32(s1 + share * (h1 - s1))), _U8(np.int32(s2 + share * (h2 - s2))),
            )  # fmt: skip
            continue
        for u in range(_U64(width)):
            share = max(min(below - crest[u], one), zero)
            image[v, three * u] = _U8(np.int32(s0 + share * (h0 - s0)))
            image[v, three * u + _U64(1)] = _U8(np.int32(s1 + share * (h1 - s1)))
            image[v, three * u + _U64(2)] = _U8(np.int32(s2 + share * (h2 - s2)))


@compiled
def add_noise(image, sigma, key):  # type: ignore[no-untyped-def]
    """Add sensor noise of standard deviation `sigma`: a sum of three uniforms, hashed."""
    height, bytes_wide = image.shape
    for v in range(height):
        for i in range(bytes_wide):
            column, row = np.int32(i), np.int32(v)
            noise = (  # three uniforms on [-1, 1) have variance 1
                _hash(column, row, key)
                + _hash(np.int32(column + np.int32(1365)), row, key)
                + _hash(np.int32(column + np.int32(2730)), row, key)
            )
            value = _F(image[v, i]) + sigma * noise + _F(0.5)
            image[v, i] = np.uint8(np.int32(max(min(value, _F(255.0)), _F(0.0))))
