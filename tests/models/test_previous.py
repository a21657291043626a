"""The previous command is the command column, one step late."""

from collections.abc import Callable

import numpy as np
import pytest

from redrive.models.previous import PREVIOUS_COMMAND, WithPreviousCommand


def test_it_is_the_command_of_the_step_before(drives: Callable[..., list]) -> None:
    (drive,) = drives(1, steps=7)
    drive.columns["command"] = np.arange(14, dtype=np.float32).reshape(7, 2) + 1.0
    episode = WithPreviousCommand(drive)
    whole = episode.read(PREVIOUS_COMMAND, 0, 7)
    np.testing.assert_array_equal(whole[0], 0.0)
    np.testing.assert_array_equal(whole[1:], drive.columns["command"][:-1])
    assert episode.steps == 7 and whole.dtype == np.float32


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (0, 3), (1, 4), (6, 7), (3, 99), (0, 99)])
def test_any_slice_is_a_slice_of_the_whole(
    start: int, stop: int, drives: Callable[..., list]
) -> None:
    (drive,) = drives(1, steps=7)
    drive.columns["command"] = np.arange(14, dtype=np.float32).reshape(7, 2) + 1.0
    episode = WithPreviousCommand(drive)
    whole = episode.read(PREVIOUS_COMMAND, 0, 7)
    np.testing.assert_array_equal(episode.read(PREVIOUS_COMMAND, start, stop), whole[start:stop])
    np.testing.assert_array_equal(
        episode.read("odometry", start, stop), drive.columns["odometry"][start:stop]
    )
