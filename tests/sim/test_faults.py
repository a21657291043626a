"""Lost frames and pushes: as many as asked for, the same for everybody, at the same time."""

import numpy as np
import pytest

from redrive.sim.faults import KICK_TIME, dark_frames, kicks

CARS, STEPS = 200, 400
SEED = np.arange(CARS).astype(np.uint64)
EPISODE = np.zeros(CARS, np.int64)


def failures(share: float, burst: int) -> np.ndarray:
    """(STEPS, CARS) bool."""
    return np.stack(
        [dark_frames(SEED, EPISODE, np.full(CARS, t), share, burst) for t in range(STEPS)]
    )


@pytest.mark.parametrize("burst", [1, 4, 16])
@pytest.mark.parametrize("share", [0.25, 0.75])
def test_the_share_of_dark_frames_is_the_one_asked_for(share: float, burst: int) -> None:
    dark = failures(share, burst)[1:]
    # Frames of one burst are alike: so many independent ones are left to average over.
    tolerance = 4.0 * np.sqrt(share * (1.0 - share) * 2.0 * burst / dark.size)
    assert dark.mean() == pytest.approx(share, abs=tolerance)
    at_the_start = dark[:burst].mean()
    assert at_the_start == pytest.approx(share, abs=4.0 * np.sqrt(0.25 * burst / CARS))


def test_a_burst_lasts_at_least_as_long_as_it_says() -> None:
    dark = failures(0.3, 8)
    for car in range(20):
        changes = np.flatnonzero(np.diff(dark[:, car].astype(int)))
        runs = np.diff(changes)[::2]  # it begins in light
        assert runs[changes[:-1:2] > 0].min() >= 8  # the first frame is spared


def test_frames_fail_on_their_own_without_bursts() -> None:
    dark = failures(0.5, 1)[1:].astype(float)
    together = np.corrcoef(dark[:-1].ravel(), dark[1:].ravel())[0, 1]
    assert abs(together) < 0.02


def test_the_first_frame_is_seen_and_nothing_fails_at_a_share_of_zero() -> None:
    assert not failures(0.9, 32)[0].any()
    assert not failures(0.0, 4).any()


def test_a_car_in_a_batch_fails_like_the_same_car_alone() -> None:
    many = dark_frames(SEED, EPISODE + 3, np.full(CARS, 17), 0.5, 4)
    for car in (0, 7, 199):
        one = dark_frames(SEED[car : car + 1], np.array([3]), np.array([17]), 0.5, 4)
        assert one[0] == many[car]


def test_pushes_last_and_then_change_within_their_strength() -> None:
    dt = 0.1
    pushed = np.stack(
        [np.stack(kicks(SEED, EPISODE, np.full(CARS, t), dt, (0.6, 0.8))) for t in range(100)]
    )
    assert (np.abs(pushed[:, 0]) <= 0.6).all() and (np.abs(pushed[:, 1]) <= 0.8).all()
    assert np.abs(pushed[:, 0]).max() > 0.59 and np.abs(pushed[:, 1]).max() > 0.79
    assert abs(pushed.mean()) < 0.02
    changes = np.flatnonzero(np.abs(np.diff(pushed[:, 0, 0])) > 0.0) + 1
    np.testing.assert_array_equal(changes, np.arange(1, 10) * round(KICK_TIME / dt))
