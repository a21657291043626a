"""Pictures show what geometry says is there: against samples, closed forms, and each other."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redrive.sim.appearance import Appearance, clear_day, skylines
from redrive.sim.render import draw_pictures, make_lens, make_scratch
from redrive.sim.road import Lane, Material, Ribbon, Road
from redrive.sim.roads.source import RoadSource
from redrive.sim.scene import Scene, build_scene
from redrive.sim.sensors.camera import Camera, ground_at, project_ground
from redrive.sim.world import RoadWorld

HILLS = skylines()
SMALL = Camera().scaled(0.5)
Points = list[tuple[float, float]]


def plain_look() -> np.ndarray:
    """A clear day without grain or haze, in colours that tell materials apart."""
    look = clear_day()
    look["grain"] = 0.0
    look["haze"] = 1e9
    return look


def draw(
    scene: Scene, camera: Camera, look: np.ndarray, x: float = 0.0, y: float = 0.0, yaw: float = 0.0
) -> np.ndarray:
    """(H, W, 3): what one car sees."""
    image = np.zeros((1, camera.height, 3 * camera.width), np.uint8)
    draw_pictures(
        image, 0, 1, make_scratch(camera), scene, np.zeros(1, np.int64), make_lens(camera), HILLS,
        look.reshape(1), np.array([x]), np.array([y]), np.array([yaw]), np.zeros(1, np.int32),
    )  # fmt: skip
    return image.reshape(camera.shape)


def road_of(*ribbons: Ribbon) -> Road:
    nodes = np.arange(101.0)
    zero = np.zeros(101)
    lane = Lane(nodes, zero, zero, zero, 1.0, zero + 2.0, zero + 2.0, closed=False)
    return Road("hand-made", (lane,), ribbons, closed=False, speed_limit=20.0)


def strip(material: Material, left: Points, right: Points) -> Ribbon:
    """Between two polylines, with points about 1 m apart between their corners."""
    sides = np.concatenate([left, right], axis=1).astype(float)
    step = np.hypot(*np.diff(sides[:, :2], axis=0).T)
    corner = np.concatenate([[0], np.cumsum(np.ceil(step))])
    at = np.arange(corner[-1] + 1)
    fine = np.stack([np.interp(at, corner, column) for column in sides.T], axis=1)
    return Ribbon(fine[:, :2], fine[:, 2:], material, closed=False)


def lengthwise(material: Material, left: float, right: float, start: float, stop: float) -> Ribbon:
    return strip(material, [(start, left), (stop, left)], [(start, right), (stop, right)])


CROOKED = (
    strip(Material.SHOULDER, [(-4, 6), (12, 7), (30, 2)], [(-4, -7), (11, -5), (31, -9)]),
    strip(Material.ASPHALT, [(-4, 4), (11, 5), (29, 0)], [(-4, -4), (12, -3), (30, -7)]),
    strip(Material.ACCENT, [(-4, 0.7), (12, 1.1), (29, -3)], [(-4, 0.2), (12, 0.7), (29, -3.5)]),
    strip(Material.WHITE, [(1, -2), (9, -1), (24, -5)], [(1, -2.4), (10, -1.5), (25, -5.6)]),
    strip(Material.WHITE, [(6, 3), (7, 3)], [(6, 2), (7, 2)]),
)


def sampled(ribbons: tuple[Ribbon, ...], camera: Camera, look: np.ndarray, fine: int) -> np.ndarray:
    """(H, W, 3) float: the mean colour of fine x fine rays through every pixel; NaN where one misses
    the ground."""
    v, u = np.meshgrid(
        (np.arange(camera.height * fine) + 0.5) / fine,
        (np.arange(camera.width * fine) + 0.5) / fine,
        indexing="ij",
    )
    ground = ground_at(camera, np.stack([u, v], axis=-1))
    colour = np.where(np.isnan(ground[..., :1]), np.nan, look["ground"])
    order = (Material.SHOULDER, Material.ASPHALT, Material.ACCENT, Material.WHITE)
    for material in order:
        for ribbon in (r for r in ribbons if r.material == material):
            outline = np.concatenate([ribbon.left, ribbon.right[::-1]])
            winding = np.zeros(ground.shape[:2])
            for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
                if y0 == y1:
                    continue
                crosses = (ground[..., 1] >= min(y0, y1)) & (ground[..., 1] < max(y0, y1))
                at = x0 + (ground[..., 1] - y0) * (x1 - x0) / (y1 - y0)
                winding += np.where(crosses & (ground[..., 0] > at), np.sign(y1 - y0), 0.0)
            colour[winding != 0.0] = look[material.name.lower()]
    shape = (camera.height, fine, camera.width, fine, 3)
    return np.asarray(colour.reshape(shape).mean(axis=(1, 3)))


@pytest.mark.parametrize(
    "camera",
    [
        Camera(mount_forward=0.0),
        Camera(width=45, height=31, fx=30.0, fy=22.0, cx=20.0, cy=12.0, pitch=0.3),
    ],
)
def test_every_pixel_is_the_mean_of_what_it_sees(camera: Camera) -> None:
    look = plain_look()
    picture = draw(build_scene(road_of(*CROOKED)), camera, look)
    truth = sampled(CROOKED, camera, look, 16)
    ground = ~np.isnan(truth).any(axis=(1, 2))
    difference = np.abs(picture[ground] - truth[ground])
    # 16 x 16 samples are off by a sixteenth of the contrast along an edge in the worst case, and
    # where edges of two materials share a pixel its shares are mixed as if they were independent.
    assert difference.max() < 14.0
    assert difference.mean() < 0.5
    assert np.quantile(difference, 0.99) < 4.0


def test_the_road_turns_with_the_car() -> None:
    look = plain_look()
    turned = 0.7
    cos, sin = np.cos(turned), np.sin(turned)
    spin = np.array([[cos, sin], [-sin, cos]])
    moved = tuple(
        replace(r, left=r.left @ spin + [200.0, -90.0], right=r.right @ spin + [200.0, -90.0])
        for r in CROOKED
    )
    here = draw(build_scene(road_of(*CROOKED)), Camera(), look)
    there = draw(build_scene(road_of(*moved)), Camera(), look, 200.0, -90.0, turned)
    horizon = int(Camera().horizon)  # the hills do not turn
    assert np.abs(here[horizon:].astype(int) - there[horizon:]).max() <= 2


@pytest.mark.parametrize("lateral", [-2.0, 0.0, 1.3])
def test_a_line_lands_where_the_pinhole_puts_it(lateral: float) -> None:
    look = plain_look()
    look["ground"] = look["asphalt"] = 0.0
    look["white"] = 200.0
    half = 0.08
    line = lengthwise(Material.WHITE, lateral + half, lateral - half, 1.0, 60.0)
    camera = Camera()
    picture = draw(build_scene(road_of(line)), camera, look)[..., 0].astype(float)
    for row in (30, 36, 44, 52, 60):
        # The middle of the line, and of the row.
        at = ground_at(camera, np.array([camera.cx, row + 0.5]))[0]
        (u, _), _ = project_ground(camera, np.array([at, lateral]))
        weights = picture[row]
        if not 3.0 < u < camera.width - 3.0:
            continue
        found = ((np.arange(camera.width) + 0.5) * weights).sum() / weights.sum()
        assert found == pytest.approx(u, abs=0.1)
        ends, _ = project_ground(camera, np.array([[at, lateral + half], [at, lateral - half]]))
        width = ends[1, 0] - ends[0, 0]
        assert weights.sum() / 200.0 == pytest.approx(width, abs=0.06)


def test_far_dashes_are_as_bright_as_dashes_on_average() -> None:
    look = plain_look()
    look["ground"] = 0.0
    look["white"] = 250.0
    line = lengthwise(Material.WHITE, 0.2, -0.2, 0.0, 100.0)
    dashed = replace(line, dash=1.0, gap=1.0)
    camera = Camera().scaled(2.0)
    solid = draw(build_scene(road_of(line)), camera, look).astype(float).sum(axis=(1, 2))
    horizon = int(camera.horizon) + 1
    mean = np.zeros(camera.height)
    for shift in np.arange(0.0, 2.0, 0.1):
        picture = draw(build_scene(road_of(dashed)), camera, look, x=float(shift))
        mean += picture.astype(float).sum(axis=(1, 2)) / 20.0
    rows = np.arange(horizon + 1, camera.height)
    far = rows[solid[rows] > 0.0]
    assert (mean[far].sum() / solid[far].sum()) == pytest.approx(0.5, abs=0.04)


def test_without_a_road_there_is_verge_up_to_the_horizon() -> None:
    look = plain_look()
    camera = Camera()
    for scene, x in ((build_scene(road_of()), 0.0), (build_scene(road_of(*CROOKED)), 9000.0)):
        picture = draw(scene, camera, look, x)
        below = picture[int(np.ceil(camera.horizon)) :]
        assert np.abs(below - look["ground"]).max() <= 1.0
        above = picture[: int(camera.horizon)]
        assert (np.abs(above - look["ground"]).sum(axis=2) > 20.0).all()


def test_the_horizon_is_mixed_in_its_row() -> None:
    look = plain_look()
    camera = Camera()
    row = int(camera.horizon)
    share = row + 1.0 - camera.horizon
    haze = 0.5 * (look["sky_low"] + look["hills"])
    truth = share * look["ground"] + (1.0 - share) * haze
    picture = draw(build_scene(road_of()), camera, look)
    assert np.abs(picture[row] - truth).max() <= 1.0


def test_a_full_turn_shows_the_same() -> None:
    scene = build_scene(road_of(*CROOKED))
    look = clear_day()
    here = draw(scene, Camera(), look, yaw=0.4)
    around = draw(scene, Camera(), look, yaw=0.4 + 2.0 * np.pi)
    assert np.abs(here.astype(int) - around).max() <= 2


def test_hills_pan_with_the_car() -> None:
    camera = Camera(pitch=0.0).scaled(3.0)
    look = clear_day()
    look["hills"] = 0.0
    look["sky_top"] = look["sky_low"]
    scene = build_scene(road_of())

    def heights(yaw: float) -> np.ndarray:
        """(W,) of the hills above the horizon [px]."""
        sky = draw(scene, camera, look, yaw=yaw)[: int(camera.horizon), :, 0].astype(float)
        return np.asarray(((sky.max() - sky) / (sky.max() - sky.min())).sum(axis=0))

    ahead = heights(0.0)
    for column in (20, 90, 200, 270):
        # Turn towards what stands there: it comes to the middle, and nearer to the lens' axis.
        angle = np.arctan((camera.cx - column - 0.5) / camera.fx)
        middle = heights(float(angle))[int(camera.cx) - 1 : int(camera.cx) + 1].mean()
        assert middle == pytest.approx(ahead[column] * np.cos(angle), abs=0.35)
    assert np.ptp(ahead) > 2.0


def test_grain_is_fixed_to_the_ground() -> None:
    look = clear_day()
    look["haze"] = 1e9
    scene = build_scene(road_of())
    camera = Camera(pitch=1.2, cy=0.0, mount_forward=0.0)  # straight down, nearly
    # Grain repeats after a whole number of its cells, and not before.
    here = draw(scene, camera, look)
    assert here[camera.height // 2 :].std() > 2.0
    np.testing.assert_array_equal(here, draw(scene, camera, look))
    assert (here != draw(scene, camera, look, x=0.31)).mean() > 0.3


def test_the_accent_of_a_circuit_is_a_red_kerb_and_of_a_road_yellow_paint() -> None:
    look = plain_look()
    wall = lengthwise(Material.ACCENT, 3.0, -3.0, 0.0, 40.0)
    scene = build_scene(road_of(wall))
    for kerbs, colour in ((0, look["accent"]), (1, look["kerb"])):
        picture = draw(scene._replace(kerbs=np.array([kerbs], np.uint8)), Camera(), look)
        assert np.abs(picture[60, 48] - colour).max() <= 1.0


def test_wear_takes_paint_away() -> None:
    road = road_of(*CROOKED)
    fresh, worn = plain_look(), plain_look()
    worn["wear"] = 0.5
    pictures = (draw(build_scene(road), Camera(), look) for look in (fresh, worn))
    before, after = (
        picture[..., 0].astype(int) for picture in pictures
    )  # all paint is red, partly
    assert (after <= before + 1).all()
    assert after.sum() < before.sum()


def test_light_scales_what_is_lit() -> None:
    road = build_scene(road_of(*CROOKED))
    bright, dim = plain_look(), plain_look()
    dim["light"] = 0.5
    full, half = (draw(road, Camera(), look).astype(float) for look in (bright, dim))
    assert np.abs(half - 0.5 * full).max() <= 1.5


def test_noise_has_its_standard_deviation_and_another_pattern_each_time() -> None:
    world = RoadWorld("procedural:0-4", appearance=Appearance(sensor_noise=4.0))
    clean = RoadWorld("procedural:0-4")
    state = world.reset(np.arange(3))
    noisy, plain = world.draw(state, Camera()), clean.draw(clean.reset(np.arange(3)), Camera())
    difference = noisy.astype(float) - plain
    assert difference.std() == pytest.approx(4.0, rel=0.1)
    assert abs(difference.mean()) < 0.6
    assert (difference[0] != difference[1]).mean() > 0.5


@pytest.mark.parametrize(
    "camera",
    [
        Camera(),
        Camera().scaled(5.0),
        Camera(width=97, height=63),
        Camera(width=33, height=17, fx=20.0, fy=20.0, cx=16.0, cy=8.0),
        Camera(width=8, height=8, fx=4.0, fy=4.0, cx=4.0, cy=4.0),
        Camera(pitch=-0.2, cy=12.0),
        Camera(pitch=0.9),
    ],
)
def test_pictures_of_a_batch_are_the_pictures_of_each_car(camera: Camera) -> None:
    world = RoadWorld("procedural:0-8", appearance=Appearance(randomise=1.0))
    threaded = RoadWorld("procedural:0-8", appearance=Appearance(randomise=1.0), threads=2)
    seeds = np.arange(7)
    together = world.draw(world.reset(seeds), camera)
    np.testing.assert_array_equal(threaded.draw(threaded.reset(seeds), camera), together)
    for seed in seeds:
        alone = world.draw(world.reset(seeds[seed : seed + 1]), camera)
        np.testing.assert_array_equal(alone[0], together[seed])


def test_a_picture_does_not_depend_on_what_was_drawn_before() -> None:
    camera = Camera()
    scene = build_scene(RoadSource("procedural").road(3))
    look = clear_day()
    first = draw(scene, camera, look, 0.0, 0.0, 1.0)
    for yaw in (0.0, 2.0, 4.0):
        draw(scene, Camera().scaled(3.0), look, 10.0, 5.0, yaw)
    np.testing.assert_array_equal(draw(scene, camera, look, 0.0, 0.0, 1.0), first)


@pytest.mark.parametrize("seed", [2, 5])
@pytest.mark.parametrize("camera", [Camera(), Camera(width=97, height=63)])
def test_nothing_leaks_to_the_side(seed: int, camera: Camera) -> None:
    # Every colour on the ground lies between those of the materials, in every pose.
    look = plain_look()
    materials = np.stack([look[n] for n in ("ground", "shoulder", "asphalt", "accent", "white")])
    road = RoadSource("procedural").road(seed)
    scene = build_scene(road)
    lane = road.lanes[0]
    below = int(np.ceil(camera.horizon))
    for node in range(0, len(lane.x), 97):
        for turn in np.linspace(0.0, 6.0, 5):
            ground = draw(scene, camera, look, lane.x[node], lane.y[node], turn)[below:]
            assert (ground >= materials.min(axis=0) - 1.0).all()
            assert (ground <= materials.max(axis=0) + 1.0).all()


def test_a_strip_that_folds_over_does_not_reach_the_pictures_edge() -> None:
    look = plain_look()
    # Left and right change sides half way: the second half turns around.
    twisted = strip(
        Material.WHITE, [(4, 1), (8, 1), (12, -1), (20, -1)], [(4, -1), (8, -1), (12, 1), (20, 1)]
    )
    picture = draw(build_scene(road_of(twisted)), Camera(), look)
    below = int(np.ceil(Camera().horizon))
    for edge in (picture[below:, :4], picture[below:, -4:]):
        assert np.abs(edge - look["ground"]).max() <= 1.0


@settings(max_examples=60)
@given(
    st.floats(-1500.0, 1500.0),
    st.floats(-1500.0, 1500.0),
    st.floats(-20.0, 20.0),
    st.integers(0, 3),
)
def test_any_pose_can_be_drawn_and_leaves_nothing_behind(
    x: float, y: float, yaw: float, seed: int
) -> None:
    scene = build_scene(RoadSource("procedural").road(seed))
    draw(scene, SMALL, clear_day(), x, y, yaw)
    far_away = draw(scene, SMALL, clear_day(), 1e5, 1e5, 0.0)
    np.testing.assert_array_equal(
        far_away, draw(build_scene(road_of()), SMALL, clear_day(), 1e5, 1e5)
    )


@given(st.floats(-6.0, 6.0), st.floats(-3.2, 3.2), st.floats(-3.0, 28.0))
def test_any_pose_beside_a_crooked_road_shows_only_its_colours(
    y: float, yaw: float, x: float
) -> None:
    look = plain_look()
    below = int(np.ceil(SMALL.horizon))
    picture = draw(build_scene(road_of(*CROOKED)), SMALL, look, x, y, yaw)[below:]
    materials = np.stack([look[n] for n in ("ground", "shoulder", "asphalt", "accent", "white")])
    assert (picture >= materials.min(axis=0) - 1.0).all()
    assert (picture <= materials.max(axis=0) + 1.0).all()
