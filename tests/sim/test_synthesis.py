"""View synthesis against geometry, and against the pictures that the exact renderer draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redrive.sim.sensors.camera import Camera, ground_at, project_ground
from redrive.sim.synthesis import Move, reproject, synthesize
from redrive.sim.world import RoadWorld

CAMERA = Camera()
WIDE = Camera.with_field_of_view(384, 208, float(2.0 * np.arctan(2.0)))  # twice as sharp


def one(forward: float = 0.0, left: float = 0.0, yaw: float = 0.0) -> Move:
    return Move(np.array([forward]), np.array([left]), np.array([yaw]))


def noise(camera: Camera, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (1, *camera.shape), np.uint8)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10.0 * np.log10(255.0**2 / np.mean((a.astype(float) - b) ** 2)))


def test_from_where_the_frame_was_taken_it_is_the_frame() -> None:
    frames = noise(CAMERA)
    pictures, mask = synthesize(frames, CAMERA, CAMERA, np.zeros(1, int), one())
    assert mask.all()
    np.testing.assert_array_equal(pictures, frames)


@settings(max_examples=60, deadline=None)
@given(
    forward=st.floats(-1.0, 2.0),
    left=st.floats(-2.0, 2.0),
    yaw=st.floats(-0.3, 0.3),
    ahead=st.floats(4.0, 60.0),
    aside=st.floats(-8.0, 8.0),
)
def test_a_point_of_the_road_is_found_where_the_source_camera_saw_it(
    forward: float, left: float, yaw: float, ahead: float, aside: float
) -> None:
    """Two ways: by the formula, and by way of the road point itself (VISTA's parallax is 1.1x)."""
    target_pixel, seen = project_ground(CAMERA, np.array([ahead, aside]))
    assert seen
    cos, sin = np.cos(yaw), np.sin(yaw)
    in_source = np.array([forward + cos * ahead - sin * aside, left + sin * ahead + cos * aside])
    expected, in_front = project_ground(WIDE, in_source)
    if in_front:
        found = reproject(WIDE, CAMERA, target_pixel, forward, left, yaw)
        np.testing.assert_allclose(found, expected, atol=1e-6)


@given(left=st.floats(-3.0, 3.0), forward=st.floats(-2.0, 2.0))
def test_moving_leaves_what_is_above_the_horizon_where_it_was(left: float, forward: float) -> None:
    above = np.array([[3.0, 2.0], [48.0, 20.0], [90.0, CAMERA.horizon]])
    found = reproject(CAMERA, CAMERA, above, forward, left, 0.0)
    np.testing.assert_allclose(found, above, atol=1e-9)


@given(left=st.floats(-2.0, 2.0), yaw=st.floats(-0.3, 0.3))
def test_there_is_no_seam_at_the_horizon(left: float, yaw: float) -> None:
    columns = np.linspace(10.0, 86.0, 20)
    just_above = np.stack([columns, np.full(20, CAMERA.horizon - 1e-7)], axis=-1)
    just_below = just_above + [0.0, 2e-7]
    moved = reproject(WIDE, CAMERA, just_below, 0.0, left, yaw)
    np.testing.assert_allclose(
        moved, reproject(WIDE, CAMERA, just_above, 0.0, left, yaw), atol=1e-4
    )


def test_a_step_to_the_left_shifts_the_road_to_the_right_by_the_pinhole_amount() -> None:
    pixel, _ = project_ground(CAMERA, np.array([10.0, 0.0]))
    found = reproject(CAMERA, CAMERA, pixel, 0.0, 1.0, 0.0)
    depth = (10.0 - CAMERA.mount_forward) * np.cos(CAMERA.pitch) + 1.4 * np.sin(CAMERA.pitch)
    assert found[0] == pytest.approx(pixel[0] - CAMERA.fx * 1.0 / depth, abs=1e-9)
    assert found[1] == pytest.approx(pixel[1], abs=1e-9)  # and no height drift (VISTA's 8.7 cm/m)


@given(
    left=st.floats(-1.0, 1.0), yaw=st.floats(-0.1, 0.1), u=st.floats(20, 76), v=st.floats(27, 60)
)
def test_there_and_back_is_where_one_was(left: float, yaw: float, u: float, v: float) -> None:
    there = reproject(CAMERA, CAMERA, np.array([u, v]), 0.0, left, yaw)
    cos, sin = np.cos(yaw), np.sin(yaw)
    back = reproject(CAMERA, CAMERA, there, -sin * left, -cos * left, -yaw)
    np.testing.assert_allclose(back, [u, v], atol=1e-6)


def test_the_mask_says_what_the_frame_did_not_show() -> None:
    frames = np.full((1, *CAMERA.shape), 200, np.uint8)
    pictures, mask = synthesize(frames, CAMERA, CAMERA, np.zeros(1, int), one(yaw=0.3))
    assert not mask[0, :, :5].any()  # turned to the left: the left is new
    assert mask[0, 20:40, 60:].all()
    assert (pictures[~mask] == 0).all()
    assert (pictures[mask] == 200).all()


def test_cars_of_a_batch_do_not_feel_each_other() -> None:
    frames = np.concatenate([noise(CAMERA, k) for k in range(4)])
    move = Move(np.linspace(0, 1, 6), np.linspace(-1, 1, 6), np.linspace(-0.1, 0.1, 6))
    which = np.array([3, 0, 1, 2, 3, 1])
    together, masks = synthesize(frames, CAMERA, CAMERA, which, move)
    for car in range(6):
        alone = Move(*(column[car : car + 1] for column in move))
        picture, mask = synthesize(frames, CAMERA, CAMERA, which[car : car + 1], alone)
        np.testing.assert_array_equal(together[car], picture[0])
        np.testing.assert_array_equal(masks[car], mask[0])


@pytest.mark.parametrize(("lateral", "degrees"), [(0.0, 6.0), (1.0, 0.0), (-1.0, -6.0), (0.5, 3.0)])
def test_a_synthesized_view_is_close_to_the_true_one(lateral: float, degrees: float) -> None:
    """What VISTA cannot know: our worlds can draw the true view, too."""
    world = RoadWorld(world="procedural:0-12")
    state = world.reset(np.arange(6))
    source = world.draw(state, WIDE)
    there = world.place(state, np.full(6, lateral), np.full(6, np.deg2rad(degrees)))
    cos, sin = np.cos(state.yaw), np.sin(state.yaw)
    dx, dy = there.x - state.x, there.y - state.y
    move = Move(cos * dx + sin * dy, cos * dy - sin * dx, there.yaw - state.yaw)
    pictures, mask = synthesize(source, WIDE, CAMERA, np.arange(6), move)
    true = world.draw(there, CAMERA)
    assert mask.mean() > 0.97
    for picture, truth, seen in zip(pictures, true, mask, strict=True):
        assert psnr(picture[seen], truth[seen]) > 30.0
    # and the other way round it would be far off
    wrong, seen = synthesize(source, WIDE, CAMERA, np.arange(6), Move(*(-m for m in move)))
    if lateral:
        assert psnr(wrong[seen], true[seen]) < 28.0


def test_ground_at_is_the_inverse_that_the_formula_uses() -> None:
    point = ground_at(CAMERA, np.array([30.0, 50.0]))
    seen, _ = project_ground(WIDE, point)
    np.testing.assert_allclose(reproject(WIDE, CAMERA, np.array([30.0, 50.0]), 0, 0, 0), seen)
