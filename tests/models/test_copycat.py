"""Copycat diagnostics, on drivers of which is known what they do."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from redrive.models.checkpoint import read_policy_json
from redrive.models.copycat import diagnose
from redrive.models.dataset import Windows, WindowSettings
from redrive.models.fit import FitSettings, fit
from redrive.models.policy import Observation, ObservationSpec, Policy, SensorSpec, State
from redrive.models.previous import WithPreviousCommand

SENSORS = ("odometry", "previous_command")
Drives = Callable[..., list]


class Known(Policy):
    """Mixes the right command, which it can see as odometry, with the previous one."""

    Settings = dict

    def __init__(self, right: float, parrot: float) -> None:
        spec = ObservationSpec({name: SensorSpec((2,), "float32") for name in SENSORS})
        super().__init__(spec, {})
        self.right, self.parrot = right, parrot
        self.set_command_scale((0.02, 1.5))

    def initial_state(self, batch_size: int) -> State:
        return ()

    def step(self, obs: Observation, state: State) -> tuple[Tensor, State]:
        return self.right * obs["odometry"] + self.parrot * obs["previous_command"], state

    def forward(
        self, obs: Observation, state: State, is_first: Tensor | None = None
    ) -> tuple[Tensor, State]:
        return self.step(obs, state)


class Remembering(Known):
    """Repeats what was right in the step before, from memory."""

    def initial_state(self, batch_size: int) -> State:
        return (torch.zeros(batch_size, 2),)

    def forward(
        self, obs: Observation, state: State, is_first: Tensor | None = None
    ) -> tuple[Tensor, State]:
        line = torch.cat([state[0][:, None], obs["odometry"]], dim=1)
        said = line[:, :-1]
        if is_first is not None:
            said = torch.where(is_first[..., None], 0.0, said)
        return said, (line[:, -1],)


@pytest.fixture
def windows(drives: Drives) -> Windows:
    made = drives(6)
    for drive in made:
        drive.columns["odometry"] = drive.columns["command"] = drive.columns["expert_command"]
    episodes = [WithPreviousCommand(drive) for drive in made]
    return Windows(episodes, SENSORS, WindowSettings(batch=4, steps=12, burn_in=2))


def test_a_parrot_is_as_wrong_as_repeating_the_last_command(windows: Windows) -> None:
    found = diagnose(Known(right=0.0, parrot=1.0), windows)
    assert found["copycat_ratio"] == pytest.approx(1.0, rel=1e-5)
    assert found["error"] == pytest.approx(found["repeat_error"], rel=1e-5)
    assert found["residual_correlation"] == pytest.approx(1.0, rel=1e-5)
    assert found["echo_gain"] == pytest.approx(1.0, rel=1e-4)
    assert found["change_ratio"] > 2.0
    assert found["history_change"] == 0.0


def test_half_a_parrot_echoes_by_half(windows: Windows) -> None:
    found = diagnose(Known(right=0.5, parrot=0.5), windows)
    assert found["copycat_ratio"] == pytest.approx(0.25, rel=1e-4)
    assert found["residual_correlation"] == pytest.approx(1.0, rel=1e-4)
    assert found["echo_gain"] == pytest.approx(0.5, rel=1e-4)


def test_who_overdoes_every_change_does_not_lag(windows: Windows) -> None:
    found = diagnose(Known(right=1.5, parrot=-0.5), windows)
    assert found["residual_correlation"] == pytest.approx(-1.0, rel=1e-4)


def test_who_is_right_is_no_copycat(windows: Windows) -> None:
    found = diagnose(Known(right=1.0, parrot=0.0), windows)
    assert found["copycat_ratio"] == found["error"] == found["echo_gain"] == 0.0


def test_one_who_repeats_from_memory_shows_it_by_what_forgetting_changes(
    windows: Windows,
) -> None:
    found = diagnose(Remembering(0.0, 0.0), windows)
    assert found["copycat_ratio"] == pytest.approx(1.0, rel=1e-5)
    assert found["history_change"] > 0.5  # forgetting leaves it with nothing to say


def test_repeating_is_measured_at_every_step_that_has_one_before(
    windows: Windows, drives: Drives
) -> None:
    found = diagnose(Known(right=1.0, parrot=0.0), windows)
    steps = [np.diff(drive.columns["expert_command"], axis=0) for drive in drives(6)]
    whole = np.concatenate(steps).astype(np.float64) / [0.02, 1.5]
    assert found["repeat_error"] == pytest.approx(np.sqrt(np.mean(whole**2)), rel=1e-5)


def test_every_training_says_how_much_of_a_copycat_came_out(
    small_policy: Callable[..., Policy], drives: Drives, tmp_path: Path
) -> None:
    held_out = Windows(drives(2, seed=9), ("camera", "odometry"), WindowSettings(batch=4, steps=12))
    train = Windows(drives(3), ("camera", "odometry"), WindowSettings(batch=4, steps=12))
    policy = small_policy("lstm", awake=False)
    fit(policy, train, held_out, FitSettings(steps=3, validate_every=1), tmp_path)
    told = read_policy_json(tmp_path)["training"]["copycat"]
    assert told == diagnose(policy, held_out)
    assert told["echo_gain"] is None and told["history_change"] > 0.0
