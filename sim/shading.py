"""Colours of a picture: what covers each pixel becomes red, green and blue; sky; sensor noise.

The ground is coloured in blocks of rows, in 16-bit integers: shares of a pixel are counted in
65536ths, colours in 128ths of a grey level. One multiplication then keeps the upper half of the
product, and processors do 32 of them at once. Every loop here is one step of the formula for a
whole block, short enough for the compiler to make vectors of it.
"""

from typing import NamedTuple

import numpy as np

from .appearance import SKYLINE_STEPS
from .compiled import uncounted, uncounted_inlined
from .fixed_point import HALF, WHOLE, share_of
from .raster import FULL, LAYERS, ROW_BITS, scratch_rows
from .vectors import fill_sixteen, take_row

GRAIN_BITS = 12  # cells after which the grain repeats, as a power of two

_FRACTION_BITS = 32 - GRAIN_BITS
_ROUGH = (0.20, 0.22, 0.09, 0.06, 0.05)  # contrast of the grain on each material of the palette

_F = np.float32
_U8, _U16, _U32, _U64 = np.uint8, np.uint16, np.uint32, np.uint64
_SIXTEEN = np.uint32(16)


class Pixels(NamedTuple):
    """Scratch: one row of the picture."""

    shares: np.ndarray  # (LAYERS * at least W + 8,) uint16, what each layer covers of each pixel
    grain: np.ndarray  # (at least W,) uint16, the ground's grain


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
    """Room for a row of this width; sums are written eight at a time."""
    rows = scratch_rows(LAYERS + 1, (width + 8) // 2 + 1).view(np.uint16)
    return Pixels(rows[:LAYERS].reshape(-1), rows[LAYERS])


@uncounted_inlined
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


@uncounted_inlined
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


@uncounted_inlined
def _colour_row(  # type: ignore[no-untyped-def]
    image, v, shares, room, grain, width, palette, wear, fades, clear, haze_red, haze_green, haze_blue
):  # fmt: skip
    """Write one picture row: what is seen of each material, its colour, grain, and haze before it.

    Args:
        shares: uint16, what asphalt, paint, accent and shoulder cover of each pixel, `room` apart.
        grain: (width,) uint16. wear: uint16, share of the paint that is gone where the grain is 1.
        fades: uint16, share of the grain's contrast that is seen; clear: uint16, share of the
            colour that comes through; haze_...: uint16, what the haze adds [1/64 grey level].
    """
    g0, g1, g2, g3 = palette[0, 0], palette[0, 1], palette[0, 2], palette[0, 3]
    s0, s1, s2, s3 = palette[1, 0], palette[1, 1], palette[1, 2], palette[1, 3]
    a0, a1, a2, a3 = palette[2, 0], palette[2, 1], palette[2, 2], palette[2, 3]
    y0, y1, y2, y3 = palette[3, 0], palette[3, 1], palette[3, 2], palette[3, 3]
    w0, w1, w2, w3 = palette[4, 0], palette[4, 1], palette[4, 2], palette[4, 3]
    most, three, six = _U16(255), _U64(3), _U16(6)
    second, third = _U64(2) * room, three * room
    for u in range(_U64(width)):  # vectorised by the compiler
        rough = grain[u]
        asphalt, white = shares[u], shares[room + u]
        accent, shoulder = shares[second + u], shares[third + u]
        # Paint lies on the accent, that on asphalt, that on the shoulder, that on the ground.
        gone = share_of(rough, wear)
        w = _U16(white - share_of(white, gone))
        y = _U16(accent - share_of(accent, gone))
        rest = _U16(WHOLE - w)
        y = share_of(y, rest)
        rest = _U16(rest - y)
        a = share_of(asphalt, rest)
        rest = _U16(rest - a)
        s = share_of(shoulder, rest)
        g = _U16(rest - s)
        red = _U16(
            share_of(g, g0) + share_of(s, s0) + share_of(a, a0) + share_of(y, y0) + share_of(w, w0)
        )
        green = _U16(
            share_of(g, g1) + share_of(s, s1) + share_of(a, a1) + share_of(y, y1) + share_of(w, w1)
        )
        blue = _U16(
            share_of(g, g2) + share_of(s, s2) + share_of(a, a2) + share_of(y, y2) + share_of(w, w2)
        )
        contrast = _U16(
            share_of(g, g3) + share_of(s, s3) + share_of(a, a3) + share_of(y, y3) + share_of(w, w3)
        )
        # Brighter and darker by the grain: by 1 - contrast ... 1 + contrast, in 1/32768.
        contrast = share_of(contrast, fades)
        bright = _U16(_U16(HALF - _U16(contrast >> _U16(1))) + share_of(rough, contrast))
        red = _U16(_U16(share_of(share_of(red, bright), clear) + haze_red) >> six)
        green = _U16(_U16(share_of(share_of(green, bright), clear) + haze_green) >> six)
        blue = _U16(_U16(share_of(share_of(blue, bright), clear) + haze_blue) >> six)
        image[v, three * u] = _U8(min(red, most))
        image[v, three * u + _U64(1)] = _U8(min(green, most))
        image[v, three * u + _U64(2)] = _U8(min(blue, most))


@uncounted_inlined
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


@uncounted_inlined
def _fixed(cells):  # type: ignore[no-untyped-def]
    """A coordinate in cells of the grain, in 32 bits that turn over where the grain repeats."""
    return _U32(np.int64(np.floor(cells * (1 << _FRACTION_BITS))))


@uncounted_inlined
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


@uncounted_inlined
def colour_ground(  # type: ignore[no-untyped-def]
    image, cells, pixels, rows, palette, lens, look, x, y, yaw, width, kerbs
):
    """Colour every row below the horizon.

    Args:
        image: (H, 3 W) uint8. cells: of `make_cells` in one row, zero afterwards.
        pixels, rows: scratch; palette: (5, 4) uint16 scratch.
        x, y: the camera's foot [m]. kerbs: whether the accent is a kerb's red.
    """
    _fill_palette(palette, look, kerbs)
    top = np.int64(lens.numbers[9])
    count = image.shape[0] - top
    plane = _U64(cells.shape[0] // LAYERS)
    stride = _U64(plane // _U64(count))
    worn = _U16(min(_F(2.0) * look.wear, _F(1.0)) * _F(65535.0))
    _prepare_rows(rows, count, lens, look, x, y, yaw)
    # Out of the tuples before the loop: numba counts references at every access.
    contrast = lens.contrast
    begin_x, begin_y, step_x, step_y = rows.x, rows.y, rows.dx, rows.dy
    clear, haze_red, haze_green, haze_blue = rows.clear, rows.red, rows.green, rows.blue
    shares, grain = pixels.shares, pixels.grain
    room = _U64(shares.shape[0] // LAYERS)
    for row in range(_U64(count)):
        take_row(
            cells, row * stride, plane, stride, np.int16(FULL - 1), np.int16(16 - ROW_BITS), shares,
            _U64(0), room, _U64(width),
        )  # fmt: skip
        _grain_row(grain, _U64(0), width, begin_x[row], begin_y[row], step_x[row], step_y[row])
        _colour_row(
            image, _U64(top) + row, shares, room, grain, width, palette, worn, contrast[row],
            clear[row], haze_red[row], haze_green[row], haze_blue[row],
        )  # fmt: skip


@uncounted_inlined
def _mix(low, high, share):  # type: ignore[no-untyped-def]
    return low + share * (high - low)


@uncounted_inlined
def _fill_row(image, v, width, red, green, blue):  # type: ignore[no-untyped-def]
    three, many = _U64(3), _U64(_U64(width) >> _U64(4))
    at = _U64(v) * _U64(width) * three
    colour = _U32(_U32(red) | _U32(_U32(green) << _U32(8)) | _U32(_U32(blue) << _U32(16)))
    for u in range(many):
        fill_sixteen(image, at + _U64(48) * u, colour)
    for u in range(many << _U64(4), _U64(width)):
        image[v, three * u] = red
        image[v, three * u + _U64(1)] = green
        image[v, three * u + _U64(2)] = blue


@uncounted_inlined
def draw_sky(image, crest, lens, hills, look, yaw, width):  # type: ignore[no-untyped-def]
    """Sky and hills, from the top of the picture to the row above the horizon's."""
    fy, cy = _F(lens.numbers[1]), _F(lens.numbers[3])
    cos_pitch, sin_pitch = _F(lens.numbers[6]), _F(lens.numbers[7])
    top = np.int32(lens.numbers[9])
    azimuth, bearing_cos, gradient = lens.azimuth, lens.bearing_cos, lens.gradient
    facing = -(yaw + look.turn) * (SKYLINE_STEPS / (2.0 * np.pi))
    facing = _F(facing - np.floor(facing / SKYLINE_STEPS) * SKYLINE_STEPS + SKYLINE_STEPS)
    which = look.skyline
    for u in range(_U64(width)):
        at = facing + azimuth[u]
        step = np.uint32(at)
        part = at - _F(step)
        step = np.uint32(step & np.uint32(SKYLINE_STEPS - 1))
        rise = hills[which, step]
        crest[u] = rise + part * (hills[which, step + np.uint32(1)] - rise)
    for u in range(_U64(width)):  # vectorised, unlike the one before
        ahead, rise = bearing_cos[u], crest[u]
        crest[u] = cy - fy * (ahead * sin_pitch + rise * cos_pitch) / (
            ahead * cos_pitch - rise * sin_pitch
        )
    highest, lowest = np.int32(top), np.int32(0)
    for u in range(_U64(width)):
        row = np.int32(max(min(crest[u], _F(top)), _F(0.0)))
        highest, lowest = min(highest, row), max(lowest, row)
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
        if v < highest or v > lowest:  # nothing but sky, nothing but hills
            share = zero if v < highest else one
            _fill_row(
                image, v, width, _U8(np.int32(s0 + share * (h0 - s0))),
                _U8(np.int32(s1 + share * (h1 - s1))), _U8(np.int32(s2 + share * (h2 - s2))),
            )  # fmt: skip
            continue
        below = _F(v + 1)
        for u in range(_U64(width)):
            share = max(min(below - crest[u], one), zero)
            image[v, three * u] = _U8(np.int32(s0 + share * (h0 - s0)))
            image[v, three * u + _U64(1)] = _U8(np.int32(s1 + share * (h1 - s1)))
            image[v, three * u + _U64(2)] = _U8(np.int32(s2 + share * (h2 - s2)))


@uncounted
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
