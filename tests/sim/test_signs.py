"""Signs in the picture: where geometry says, far behind near, lit like the world, in no other's way."""

from dataclasses import replace

import numpy as np
import pytest

from redrive.sim.appearance import LOOK, clear_day
from redrive.sim.glyphs import Glyph, glyphs
from redrive.sim.render import make_lens
from redrive.sim.road import Road, Sign
from redrive.sim.roads.task_roads import Fork
from redrive.sim.sensors.camera import Camera
from redrive.sim.signs import SIGN, SignTable, draw_signs, make_signs, route_faces

CAMERA = Camera().scaled(3)
BACKGROUND = 77


def picture(signs: list[Sign], yaw: float = 0.0, look: np.ndarray | None = None) -> np.ndarray:
    """What a car at the origin sees of signs before a plain background, (H, W, 3)."""
    road = replace(Fork(delay=8).make(), signs=tuple(signs))
    looks = np.zeros(1, LOOK)
    looks[0] = clear_day() if look is None else look
    image = np.full((1, CAMERA.height, CAMERA.width * 3), BACKGROUND, np.uint8)
    one = np.zeros(1)
    draw_signs(
        image, 0, 1, make_signs(road), np.zeros(1, np.int64), np.zeros(1, np.int64), glyphs(),
        make_lens(CAMERA).numbers, looks, one, one, one + yaw, np.zeros(1, np.int32),
    )  # fmt: skip
    return image.reshape(CAMERA.shape)


def project(x: float, y: float, z: float) -> tuple[float, float]:
    """Column and row of a point [m], by the pinhole model written out."""
    forward, up = x - CAMERA.mount_forward, z - CAMERA.mount_height
    cos, sin = np.cos(CAMERA.pitch), np.sin(CAMERA.pitch)
    depth = forward * cos - up * sin
    down = -up * cos - forward * sin
    return CAMERA.cx - CAMERA.fx * y / depth, CAMERA.cy + CAMERA.fy * down / depth


@pytest.mark.parametrize(("x", "y"), [(8.0, -3.0), (12.0, 2.5), (20.0, 0.0)])
def test_a_sign_appears_where_the_pinhole_model_puts_it(x: float, y: float) -> None:
    seen = picture([Sign(x, y, 0.0, Glyph.LEFT, 1.5, 0.5)]) != BACKGROUND
    rows, columns = np.nonzero(seen.any(axis=2))
    left, top = project(x, y + 0.75, 2.0)
    right, _ = project(x, y - 0.75, 2.0)
    _, foot = project(x, y, 0.0)
    assert columns.min() == pytest.approx(left, abs=1.5)
    assert columns.max() + 1 == pytest.approx(right, abs=1.5)
    assert rows.min() == pytest.approx(top, abs=1.5)
    assert rows.max() + 1 == pytest.approx(foot, abs=1.5)


def test_its_area_is_that_of_the_projected_board() -> None:
    """Coverage, not samples: the sum over pixels is the area to a fraction of a pixel."""
    white = replace_look(light=(1.0, 1.0, 1.0), haze=1e9)
    image = picture([Sign(9.3, -2.1, 0.0, Glyph.BLANK, 1.2, 0.0)], look=white).astype(float)
    covered = (image[..., 2] - BACKGROUND) / (84.0 - BACKGROUND)  # grey inside; the frame is 236
    inner = covered[(covered > 0.0) & (covered < 1.5)].sum()
    corners = [project(9.3, -2.1 + s * 0.528, z) for s, z in ((1, 1.128), (-1, 0.072))]
    area = abs(corners[0][0] - corners[1][0]) * abs(corners[0][1] - corners[1][1])
    assert inner == pytest.approx(area, rel=0.12)


def replace_look(**changes: object) -> np.ndarray:
    look = clear_day()
    for name, value in changes.items():
        look[name] = value
    return look


def test_the_nearer_sign_hides_the_farther_one_in_whatever_order_they_stand_in() -> None:
    near, far = (
        Sign(8.0, -2.0, 0.0, Glyph.STOP, 1.5, 0.5),
        Sign(16.0, -4.2, 0.0, Glyph.LEFT, 1.5, 0.5),
    )
    one, other = picture([near, far]), picture([far, near])
    np.testing.assert_array_equal(one, other)
    alone = picture([near])
    inside = (glyph_box(near) & (alone != BACKGROUND).all(axis=2))[..., None]
    solid = inside & (np.abs(alone.astype(int) - [190, 26, 32]).sum(axis=2) < 40)[..., None]
    assert solid.sum() > 50
    np.testing.assert_array_equal(np.where(solid, one, 0), np.where(solid, alone, 0))


def glyph_box(sign: Sign) -> np.ndarray:
    box = np.zeros((CAMERA.height, CAMERA.width), bool)
    left, top = project(sign.x, sign.y + 0.5 * sign.width, sign.bottom + sign.width)
    right, low = project(sign.x, sign.y - 0.5 * sign.width, sign.bottom)
    box[max(int(top), 0) : int(low), max(int(left), 0) : int(right)] = True
    return box


def test_light_darkens_signs_and_haze_swallows_them() -> None:
    sign = Sign(30.0, -2.0, 0.0, Glyph.LEFT, 3.0, 0.5)
    clear = picture([sign], look=replace_look(haze=1e9))
    dusk = picture([sign], look=replace_look(haze=1e9, light=0.5))
    inside = glyph_box(sign)
    assert dusk[inside].mean() == pytest.approx(0.5 * clear[inside].mean(), rel=0.08)
    fog = picture([sign], look=replace_look(haze=5.0))
    assert fog[inside].std() < 0.5 * clear[inside].std()


def test_a_sign_is_grey_from_behind_and_gone_when_it_is_passed() -> None:
    behind = picture([Sign(8.0, -2.0, np.pi, Glyph.LEFT, 1.5, 0.5)]).astype(int)
    seen = np.abs(behind - BACKGROUND).sum(axis=2) > 60
    assert seen.any() and np.ptp(behind[seen], axis=-1).max() < 30
    assert (picture([Sign(-3.0, -2.0, 0.0, Glyph.LEFT, 1.5, 0.5)]) == BACKGROUND).all()
    assert (picture([Sign(8.0, -2.0, 0.0, Glyph.LEFT, 1.5, 0.5)], yaw=np.pi) == BACKGROUND).all()


def test_boards_show_the_route_of_each_car_and_nothing_when_they_are_off() -> None:
    faces = route_faces(
        np.array([0, 1, 0, 2, 1]), np.array([2, 2, 3, 3, 3]), np.array([1, 1, 1, 1, 0], bool)
    )
    assert faces.tolist() == [Glyph.LEFT, Glyph.RIGHT, Glyph.LEFT, Glyph.RIGHT, Glyph.BLANK]


def test_a_road_without_signs_has_an_empty_table() -> None:
    road = Fork(delay=8).make()
    bare = Road(road.name, road.lanes, road.ribbons, road.closed, road.speed_limit)
    table = make_signs(bare)
    assert isinstance(table, SignTable) and table.signs.dtype == SIGN
    assert len(table.signs) == 0 and table.first.tolist() == [0, 0]
