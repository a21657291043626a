"""Roadside signs in the camera's picture: upright cut-outs, drawn over the road, far ones first.

Every pixel that a sign may touch is looked at in SAMPLES² places: a ray through each meets the
plane of the sign, where its glyph says colour and opacity. So perspective is exact, edges are
smooth, and no sign has a seam with the ground it stands on. Roads without signs cost nothing.
"""

from typing import NamedTuple

import numpy as np

from .compiled import compiled
from .glyphs import ROUTE_GLYPHS, SIDE, Glyph
from .road import Road
from .shading import add_noise

SAMPLES = 4  # in each direction, in every pixel
REACH = 150.0  # beyond which no sign is drawn [m]
POLE_WIDTH = 0.09  # [m]
_NEAR = 0.2  # a sign closer to the lens than this is not drawn [m]
_POLE = (128.0, 130.0, 132.0)
_BACK = (112.0, 114.0, 116.0)  # of a sign that is seen from behind
_F = np.float32

SIGN = np.dtype(
    [
        ("x", float),  # of its foot [m]
        ("y", float),
        ("cos", float),  # of the heading of whom it faces
        ("sin", float),
        ("width", float),  # of its board, which is as high [m]
        ("bottom", float),  # of the board, above the ground [m]
        ("glyph", np.int64),
        ("shows_route", np.int64),  # then the glyph is the car's, not its own
    ]
)


class SignTable(NamedTuple):
    """The signs of one road, or of many one after the other."""

    signs: np.ndarray  # (S,) SIGN
    first: np.ndarray  # (roads + 1,) int64


def make_signs(road: Road) -> SignTable:
    """The signs of one road."""
    signs = np.zeros(len(road.signs), SIGN)
    for entry, sign in zip(signs, road.signs, strict=True):
        entry["x"], entry["y"] = sign.x, sign.y
        entry["cos"], entry["sin"] = np.cos(sign.heading), np.sin(sign.heading)
        entry["width"], entry["bottom"] = sign.width, sign.bottom
        entry["glyph"], entry["shows_route"] = sign.glyph, sign.shows_route
    return SignTable(signs, np.array([0, len(signs)], np.int64))


def route_faces(route: np.ndarray, branches: np.ndarray, lit: np.ndarray) -> np.ndarray:
    """(B,) int64: the glyph on boards that show the route, to each car; blank where not `lit`."""
    faces = np.full(len(route), int(Glyph.BLANK), np.int64)
    for count, shown in ROUTE_GLYPHS.items():
        cars = lit & (branches == count)
        faces[cars] = np.array(shown, np.int64)[route[cars]]
    return faces


@compiled
def _next_farthest(signs, first, stop, x, y, cos, sin, last_ahead, last):  # type: ignore[no-untyped-def]
    """The farthest sign in front of the camera that is nearer than the last one; -1: none is."""
    best, best_ahead = -1, 0.0
    for k in range(first, stop):
        ahead = cos * (signs[k].x - x) + sin * (signs[k].y - y)
        if ahead <= 0.0 or ahead > REACH:
            continue
        if ahead > last_ahead or (ahead == last_ahead and k <= last):
            continue
        if best < 0 or ahead > best_ahead:
            best, best_ahead = k, ahead
    return best, best_ahead


@compiled
def _draw_sign(image, sign, glyph, glyphs, numbers, look, x, y, cos, sin):  # type: ignore[no-untyped-def]
    """Draw one sign over the picture.

    Args:
        image: (H, 3 W) uint8. numbers: of the lens. x, y: the camera's foot [m].
    """
    height, width = image.shape[0], image.shape[1] // 3
    fx, fy, cx, cy, tall = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
    cos_pitch, sin_pitch = numbers[6], numbers[7]
    ahead = cos * (sign.x - x) + sin * (sign.y - y)
    aside = cos * (sign.y - y) - sin * (sign.x - x)
    # Where the sign looks, and its right as seen by whom it faces, in the camera's ground frame.
    to_ahead = cos * sign.cos + sin * sign.sin
    to_aside = cos * sign.sin - sin * sign.cos
    right_ahead, right_aside = to_aside, -to_ahead
    half = 0.5 * sign.width
    top = sign.bottom + sign.width
    # The box around its corners.
    u0, u1, v0, v1 = np.inf, -np.inf, np.inf, -np.inf
    for corner in range(4):
        side = half if corner % 2 == 0 else -half
        z = top if corner < 2 else 0.0
        a, s = ahead + side * right_ahead, aside + side * right_aside
        depth = a * cos_pitch + (tall - z) * sin_pitch
        if depth < _NEAR:
            return
        u = cx - fx * s / depth
        v = cy + fy * ((tall - z) * cos_pitch - a * sin_pitch) / depth
        u0, u1, v0, v1 = min(u0, u), max(u1, u), min(v0, v), max(v1, v)
    if u1 <= 0.0 or u0 >= width or v1 <= 0.0 or v0 >= height:
        return
    first_u, last_u = max(int(np.floor(u0)), 0), min(int(np.ceil(u1)), width)
    first_v, last_v = max(int(np.floor(v0)), 0), min(int(np.ceil(v1)), height)
    facing = ahead * to_ahead + aside * to_aside
    from_behind = facing < 0.0
    haze = np.float64(look.haze)
    clear = 1.0 - ahead / (ahead + haze)
    step = 1.0 / SAMPLES
    for v in range(first_v, last_v):
        for u in range(first_u, last_u):
            red = green = blue = cover = 0.0
            for j in range(SAMPLES):
                down = (v + (j + 0.5) * step - cy) / fy
                ray_ahead = cos_pitch - down * sin_pitch
                ray_up = -(down * cos_pitch + sin_pitch)
                for i in range(SAMPLES):
                    ray_aside = -(u + (i + 0.5) * step - cx) / fx
                    slope = ray_ahead * to_ahead + ray_aside * to_aside
                    if slope * facing <= 0.0:
                        continue
                    far = facing / slope
                    z = tall + far * ray_up
                    across = (far * ray_ahead - ahead) * right_ahead
                    across += (far * ray_aside - aside) * right_aside
                    if z < 0.0 or z >= top or abs(across) >= half:
                        continue
                    if z < sign.bottom:
                        if abs(across) < 0.5 * POLE_WIDTH:
                            red, green, blue = red + _POLE[0], green + _POLE[1], blue + _POLE[2]
                            cover += 1.0
                        continue
                    column = min(int((across + half) / sign.width * SIDE), SIDE - 1)
                    row = min(int((top - z) / sign.width * SIDE), SIDE - 1)
                    opaque = glyphs[glyph, row, column, 3] / 255.0
                    if from_behind:
                        red, green = red + opaque * _BACK[0], green + opaque * _BACK[1]
                        blue += opaque * _BACK[2]
                    else:
                        red += opaque * glyphs[glyph, row, column, 0]
                        green += opaque * glyphs[glyph, row, column, 1]
                        blue += opaque * glyphs[glyph, row, column, 2]
                    cover += opaque
            if cover > 0.0:
                share = cover * step * step
                paint = (red / cover, green / cover, blue / cover)
                for c in range(3):
                    far_colour = 0.5 * (look.sky_low[c] + look.hills[c])
                    seen = (clear * paint[c] + (1.0 - clear) * far_colour) * look.light[c]
                    old = image[v, 3 * u + c]
                    image[v, 3 * u + c] = np.uint8(old + share * (min(seen, 255.0) - old) + 0.5)


@compiled
def draw_signs(  # type: ignore[no-untyped-def]
    images, first, stop, table, roads, faces, glyphs, numbers, looks, x, y, yaw, noise_keys
):
    """Draw the signs of cars first..stop of a batch over pictures without noise; then the noise.

    Args:
        images: (B, H, 3 W) uint8, with the ground and the sky.
        faces: (B,) int64, what boards that show the route show to each car.
        glyphs: of `glyphs.glyphs`. numbers: of the lens.
        looks: (B,) LOOK; x, y, yaw: (B,) the rear axle; noise_keys: (B,) int32.
    """
    signs = table.signs
    for i in range(first, stop):
        cos, sin = np.cos(yaw[i]), np.sin(yaw[i])
        foot_x, foot_y = x[i] + numbers[5] * cos, y[i] + numbers[5] * sin
        begin, end = table.first[roads[i]], table.first[roads[i] + 1]
        k, ahead = _next_farthest(signs, begin, end, foot_x, foot_y, cos, sin, np.inf, -1)
        while k >= 0:
            glyph = faces[i] if signs[k].shows_route else signs[k].glyph
            _draw_sign(
                images[i], signs[k], glyph, glyphs, numbers, looks[i], foot_x, foot_y, cos, sin
            )
            k, ahead = _next_farthest(signs, begin, end, foot_x, foot_y, cos, sin, ahead, k)
        if looks[i].noise > _F(0.0):
            add_noise(images[i], looks[i].noise, noise_keys[i])
