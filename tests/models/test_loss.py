"""The loss: near errors by their square, far ones by their size, and only where it counts."""

import pytest
import torch

from redrive.models.loss import LossSettings, command_loss

SCALE = torch.tensor([0.02, 2.0])


def loss(error: tuple[float, float], **settings: float) -> float:
    """Of one step that is wrong by `error` typical commands."""
    label = torch.tensor([[[0.01, -1.0]]])
    predicted = label + torch.tensor(error) * SCALE
    value = command_loss(predicted, label, SCALE, torch.ones(1, 1), LossSettings(**settings))
    return float(value)


def test_near_errors_count_by_their_square_and_far_ones_by_their_size() -> None:
    assert loss((0.0, 0.0)) == pytest.approx(0.0, abs=1e-6)
    assert loss((0.08, 0.0)) == pytest.approx(4.0 * loss((0.04, 0.0)), rel=1e-3)
    assert loss((6.0, 0.0)) - loss((4.0, 0.0)) == pytest.approx(2.0, rel=1e-3)
    assert loss((0.3, 0.0)) == pytest.approx(loss((-0.3, 0.0)), rel=1e-3)
    assert loss((0.5, 0.0), delta=1.0) == pytest.approx(0.125, rel=1e-3)


def test_acceleration_counts_half_as_much_as_curvature() -> None:
    assert loss((0.0, 0.7)) == pytest.approx(0.5 * loss((0.7, 0.0)), rel=1e-3)
    assert loss((0.0, 0.7), accel=0.0) == 0.0


def test_what_does_not_count_changes_nothing_not_even_nan() -> None:
    label = torch.zeros(2, 3, 2)
    predicted = torch.randn(2, 3, 2, generator=torch.Generator().manual_seed(0))
    weight = torch.tensor([[1.0, 2.0, 0.0], [0.0, 1.0, 0.0]])
    settings = LossSettings()
    value = command_loss(predicted, label, SCALE, weight, settings)
    predicted[0, 2] = 7.0
    predicted[1, 0] = torch.nan
    assert torch.equal(command_loss(predicted, label, SCALE, weight, settings), value)
    alone = [
        command_loss(predicted[b, t], label[b, t], SCALE, torch.tensor(1.0), settings)
        for b, t in ((0, 0), (0, 1), (1, 1))
    ]
    torch.testing.assert_close(value, (alone[0] + 2.0 * alone[1] + alone[2]) / 4.0)
    assert float(command_loss(predicted, label, SCALE, 0.0 * weight, settings)) == 0.0


@pytest.mark.parametrize("values", [{"delta": 0.0}, {"accel": -1.0}, {"curvature": 0, "accel": 0}])
def test_settings_out_of_range_are_refused(values: dict) -> None:
    with pytest.raises(ValueError, match="must"):
        LossSettings(**values)
