"""Blur and dirt: as much as was asked for, the same for an episode, alone or in a batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.sim.picture_faults import PictureFaults, dirt, spoil

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (5, 40, 60, 3), dtype=np.uint8)
KEYS = RNG.integers(0, 2**63, 5, dtype=np.uint64)


@given(key=st.integers(0, 2**63), share=st.floats(0.01, 0.9))
def test_dirt_covers_the_share_that_was_asked_for(key: int, share: float) -> None:
    covered = dirt(key, (40, 60), share)
    assert covered.mean() == pytest.approx(share, abs=0.01)


def test_dirt_lies_elsewhere_in_other_episodes() -> None:
    spots = [dirt(key, (40, 60), 0.2) for key in range(20)]
    assert len({mask.tobytes() for mask in spots}) == 20
    np.testing.assert_array_equal(dirt(3, (40, 60), 0.2), spots[3])


def test_dirt_hides_and_leaves_the_rest_as_it_was() -> None:
    spoiled = spoil(PICTURES, KEYS, PictureFaults(occlusion=0.3))
    for before, after, key in zip(PICTURES, spoiled, KEYS, strict=True):
        covered = dirt(int(key), (40, 60), 0.3)
        assert len(np.unique(after[covered], axis=0)) == 1
        np.testing.assert_array_equal(after[~covered], before[~covered])


def test_a_point_is_blurred_to_a_gaussian() -> None:
    point = np.zeros((1, 41, 41, 3), np.uint8)
    point[0, 20, 20] = 255
    big = np.repeat(point, 1, axis=0)
    blurred = spoil(big, KEYS[:1], PictureFaults(blur=1.0))[0, :, :, 0].astype(float)
    v, u = np.mgrid[-20:21, -20:21]
    expected = 255.0 * np.exp(-(u**2 + v**2) / 2.0) / (2.0 * np.pi)
    np.testing.assert_allclose(blurred, expected, atol=1.5)


@pytest.mark.parametrize("faults", [PictureFaults(blur=2.0), PictureFaults(1.0, 0.2)])
def test_a_picture_is_spoilt_the_same_alone_and_in_a_batch(faults: PictureFaults) -> None:
    before = PICTURES.copy()
    together = spoil(PICTURES, KEYS, faults)
    for i in range(len(KEYS)):
        alone = spoil(PICTURES[i : i + 1], KEYS[i : i + 1], faults)
        assert alone[0].tobytes() == together[i].tobytes()
    np.testing.assert_array_equal(PICTURES, before)


def test_settings_are_checked() -> None:
    assert not PictureFaults().any and PictureFaults(blur=0.1).any
    with pytest.raises(ValueError, match="blur is 0 to 50 px, got -1"):
        PictureFaults(blur=-1.0)
    with pytest.raises(ValueError, match="a share from 0 to 0.9, got 20"):
        PictureFaults(occlusion=20.0)
