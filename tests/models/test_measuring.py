"""An encoder learns to measure what it sees, and to steer, from single frames."""

import numpy as np
import pytest
import torch

from redrive.models.measuring import (
    MeasuredFrames,
    MeasuringSettings,
    measuring_error,
    teach_to_measure,
)
from redrive.models.policy import ObservationSpec, SensorSpec
from redrive.models.registry import make_policy
from redrive.models.sequence import SequencePolicy

SPEC = ObservationSpec(
    {"camera": SensorSpec((16, 24, 3), "uint8"), "odometry": SensorSpec((2,), "float32")}
)


def frames(count: int, seed: int = 0) -> MeasuredFrames:
    """Grey noise with a bright column; how far to the right it is, and nothing that is ever known."""
    rng = np.random.default_rng(seed)
    camera = rng.integers(90, 120, (count, 16, 24, 3), dtype=np.uint8)
    where = rng.integers(2, 22, size=count)
    for row, column in enumerate(where):
        camera[row, 6:, column - 2 : column + 2] = 250
    quantity = np.full((count, 2), np.nan, np.float32)
    quantity[:, 0] = (where - 12.0) / 6.0
    return MeasuredFrames(
        {"camera": torch.from_numpy(camera), "odometry": torch.zeros(count, 2)},
        torch.zeros(count, 2),
        torch.from_numpy(quantity),
    )


def policy() -> SequencePolicy:
    made = make_policy("mlp", SPEC, seed=0)
    assert isinstance(made, SequencePolicy)
    return made


def test_what_is_taught_is_measured_in_frames_that_are_new() -> None:
    learner = policy()
    measuring = teach_to_measure(learner, frames(400), MeasuringSettings(steps=80, batch=64))
    place, unknown = measuring_error(learner, measuring, frames(100, seed=1)).tolist()
    assert place < 0.35  # of a spread of 1
    assert np.isnan(unknown)


def test_the_same_seed_teaches_the_same_weights() -> None:
    one, other = policy(), policy()
    for learner in (one, other):
        teach_to_measure(learner, frames(60), MeasuringSettings(steps=3, batch=16))
    for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_settings_that_cannot_teach_are_refused() -> None:
    with pytest.raises(ValueError, match="steps and batch must be at least 1"):
        MeasuringSettings(steps=0)
