"""An encoder learns to name what it sees, and to steer, from single frames."""

import numpy as np
import pytest
import torch

from redrive.models.policy import ObservationSpec, SensorSpec
from redrive.models.reading import Frames, ReadingSettings, reading_score, teach
from redrive.models.registry import make_policy
from redrive.models.sequence import SequencePolicy

SPEC = ObservationSpec(
    {"camera": SensorSpec((16, 24, 3), "uint8"), "odometry": SensorSpec((2,), "float32")}
)


def frames(count: int, seed: int = 0) -> Frames:
    """Grey noise with a bright square: none, on the left, or on the right; steer towards it."""
    rng = np.random.default_rng(seed)
    camera = rng.integers(90, 120, (count, 16, 24, 3), dtype=np.uint8)
    name = rng.integers(3, size=count)
    camera[name == 1, 8:12, 4:8] = 250
    camera[name == 2, 8:12, 16:20] = 250
    command = np.zeros((count, 2), np.float32)
    command[:, 0] = np.array([0.0, 1.0, -1.0])[name]
    return Frames(
        {"camera": torch.from_numpy(camera), "odometry": torch.zeros(count, 2)},
        torch.from_numpy(command),
        torch.from_numpy(name),
    )


def policy() -> SequencePolicy:
    made = make_policy("mlp", SPEC, seed=0)
    assert isinstance(made, SequencePolicy)
    return made


def test_what_is_taught_is_read_in_frames_that_are_new() -> None:
    learner = policy()
    naming = teach(learner, frames(400), ReadingSettings(steps=60, batch=64))
    shown, nothing = reading_score(learner, naming, frames(200, seed=1))
    assert shown > 0.95 and nothing > 0.95
    new = frames(100, seed=2)
    with torch.inference_mode():
        steered, _ = learner.step(new.obs, learner.initial_state(100))
    assert ((steered[:, 0] > 0.3) == (new.command[:, 0] > 0.3)).float().mean() > 0.9


def test_the_same_seed_teaches_the_same_weights() -> None:
    one, other = policy(), policy()
    for learner in (one, other):
        teach(learner, frames(60), ReadingSettings(steps=5, batch=16))
    for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_frames_that_all_show_the_same_cannot_teach_to_read() -> None:
    some = frames(50)
    with pytest.raises(ValueError, match="show nothing .* in some cases and something in others"):
        teach(
            policy(),
            Frames(some.obs, some.command, torch.zeros(50, dtype=torch.int64)),
            ReadingSettings(),
        )


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 0}, {"shown": 1.5}])
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        ReadingSettings(**wrong)  # type: ignore[arg-type]
