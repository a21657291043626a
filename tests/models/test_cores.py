"""Memory itself: what each core can hold, for how long, and how it is set up to begin with."""

import math

import pytest
import torch
from torch import Tensor, nn

from redrive.models.attention import AttentionCore, AttentionSettings
from redrive.models.lstm import LstmCore, LstmSettings
from redrive.models.mlp import MlpCore, MlpSettings
from redrive.models.rnn import RnnCore, RnnSettings
from redrive.models.sequence import Core

DELAY = 10  # [steps] between the sign and the fork


def recall_accuracy(core: Core, seed: int, learn_steps: int) -> float:
    """Show a sign for one step, ask for it DELAY steps later; the share of right answers after learning."""
    generator = torch.Generator().manual_seed(seed)
    head = nn.Linear(core.size, 1)
    optimizer = torch.optim.AdamW([*core.parameters(), *head.parameters()], lr=5e-3)

    def lesson(count: int) -> tuple[Tensor, Tensor]:
        sign = torch.randint(0, 2, (count,), generator=generator).float()
        features = torch.zeros(count, DELAY + 1, 3)
        features[:, 0, 0] = 2.0 * sign - 1.0
        features[:, -1, 1] = 1.0  # the fork
        features[..., 2] = 0.3 * torch.randn(count, DELAY + 1, generator=generator)
        return features, sign

    def answer(features: Tensor) -> Tensor:
        memory, _ = core(features, core.initial_state(len(features)), None)
        return head(memory[:, -1])[:, 0]

    for _ in range(learn_steps):
        features, sign = lesson(32)
        loss = nn.functional.binary_cross_entropy_with_logits(answer(features), sign)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(core.parameters(), 1.0)
        optimizer.step()
    features, sign = lesson(500)
    with torch.no_grad():
        return float(((answer(features) > 0.0) == (sign > 0.5)).float().mean())


@pytest.mark.parametrize(
    "core",
    [
        pytest.param(lambda: MlpCore(3, MlpSettings(hidden=32, frames=DELAY + 1)), id="mlp-stack"),
        pytest.param(lambda: RnnCore(3, RnnSettings(hidden=32)), id="rnn-orthogonal"),
        pytest.param(lambda: LstmCore(3, LstmSettings(hidden=32)), id="lstm"),
        pytest.param(
            lambda: LstmCore(3, LstmSettings(hidden=32, forget_bias="chrono")), id="lstm-chrono"
        ),
        pytest.param(
            lambda: AttentionCore(3, AttentionSettings(hidden=32, window=16)), id="attention"
        ),
    ],
)
def test_a_memory_learns_to_keep_a_sign(core) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    assert recall_accuracy(core(), seed=0, learn_steps=150) > 0.95


@pytest.mark.parametrize(
    "core",
    [
        pytest.param(lambda: MlpCore(3, MlpSettings(hidden=32, frames=1)), id="mlp"),
        pytest.param(lambda: MlpCore(3, MlpSettings(hidden=32, frames=DELAY)), id="mlp-stack"),
        pytest.param(
            lambda: AttentionCore(3, AttentionSettings(hidden=32, layers=1, window=DELAY)),
            id="attention",
        ),
    ],
)
def test_a_window_that_ends_after_the_sign_leaves_guessing(core) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    assert 0.4 < recall_accuracy(core(), seed=0, learn_steps=80) < 0.6


@pytest.mark.parametrize("position", ["none", "sinusoidal", "learned", "rotary"])
@pytest.mark.parametrize("layers", [1, 2])
def test_attention_sees_exactly_its_window(position: str, layers: int) -> None:
    torch.manual_seed(0)
    settings = AttentionSettings(hidden=16, window=5, layers=layers, position=position)  # type: ignore[arg-type]
    core = AttentionCore(4, settings)
    features = torch.randn(1, 20, 4, requires_grad=True)
    output, _ = core(features, core.initial_state(1), None)
    output[0, 15].square().sum().backward()
    assert features.grad is not None
    felt = features.grad[0].abs().sum(dim=1) > 0.0
    seen = 1 + layers * (settings.window - 1)
    assert felt.nonzero()[:, 0].tolist() == list(range(16 - seen, 16))


def test_attention_costs_the_same_after_any_number_of_steps() -> None:
    core = AttentionCore(4, AttentionSettings(hidden=16, window=5))
    state = core.initial_state(2)
    shapes = [value.shape for value in state]
    for _ in range(12):
        _, state = core.step(torch.randn(2, 4), state)
        assert [value.shape for value in state] == shapes


@pytest.mark.parametrize("position", ["none", "rotary", "learned"])
def test_attention_drives_for_days_as_in_the_first_minute(position: str) -> None:
    """A step late in a drive equals the same step early, once the window is full."""
    torch.manual_seed(0)
    settings = AttentionSettings(hidden=16, window=5, layers=1, position=position)  # type: ignore[arg-type]
    core = AttentionCore(4, settings)
    features = torch.randn(1, 10, 4)
    with torch.no_grad():
        early, _ = core(features, core.initial_state(1), None)
        keys, values, steps = core.initial_state(1)
        late, _ = core(features, (keys, values, steps + 5 * 10**8), None)
    torch.testing.assert_close(late[:, 4:], early[:, 4:], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("position", ["sinusoidal", "learned", "rotary"])
def test_a_position_encoding_tells_the_order_of_two_signs(position: str) -> None:
    """With one layer, only the position says which of two steps was first."""
    torch.manual_seed(0)

    def spread(position: str) -> float:
        settings = AttentionSettings(hidden=16, window=5, layers=1, position=position)  # type: ignore[arg-type]
        core = AttentionCore(4, settings)
        a, b, now = torch.randn(3, 1, 1, 4)
        with torch.no_grad():
            one, _ = core(torch.cat([a, b, now], 1), core.initial_state(1), None)
            other, _ = core(torch.cat([b, a, now], 1), core.initial_state(1), None)
        return float((one[:, -1] - other[:, -1]).abs().max())

    assert spread("none") < 1e-5
    assert spread(position) > 1e-3


@pytest.mark.parametrize(("bias", "kept"), [("0", 0.5), ("1", 0.731), ("3", 0.953)])
def test_the_forget_bias_decides_what_a_new_lstm_keeps(bias: str, kept: float) -> None:
    torch.manual_seed(0)
    core = LstmCore(4, LstmSettings(hidden=16, forget_bias=bias))  # type: ignore[arg-type]
    with torch.no_grad():
        for name, parameter in core.named_parameters():
            if "weight" in name:
                parameter.zero_()
        # With no weights, and the candidate's bias away, the cell decays by the forget gate alone.
        core.lstm.all_weights[0][2][2 * 16 : 3 * 16] = 0.0
        _, (_, c) = core(torch.zeros(1, 3, 4), (torch.zeros(1, 16), torch.ones(1, 16)), None)
    torch.testing.assert_close(c, torch.full((1, 16), kept**3), rtol=1e-2, atol=1e-3)


def test_chrono_spreads_the_cells_over_the_delays() -> None:
    torch.manual_seed(0)
    core = LstmCore(4, LstmSettings(hidden=256, forget_bias="chrono", chrono_steps=64))
    write, forget, _, _ = core.lstm.all_weights[0][2].detach().chunk(4)
    assert forget.min() >= 0.0
    assert forget.max() <= math.log(63.0)
    assert forget.exp().std() > 10.0
    assert torch.equal(write, -forget)


def test_an_orthogonal_rnn_keeps_lengths() -> None:
    torch.manual_seed(0)

    def length_after(init: str) -> float:
        core = RnnCore(4, RnnSettings(hidden=16, init=init))  # type: ignore[arg-type]
        h = 1e-3 * torch.randn(1, 16)  # so short that tanh is straight
        with torch.no_grad():
            for bias in core.rnn.all_weights[0][2:]:
                bias.zero_()
            _, (after,) = core(torch.zeros(1, 20, 4), (h,), None)
        return float(after.norm() / h.norm())

    assert length_after("orthogonal") == pytest.approx(1.0, abs=1e-3)
    assert length_after("default") < 0.1


@pytest.mark.parametrize(
    ("settings", "values", "message"),
    [
        (MlpSettings, {"frames": 0}, "frames must be at least 1"),
        (MlpSettings, {"hidden": 0}, "hidden must be positive"),
        (RnnSettings, {"dropout": 1.0}, "dropout must be a share"),
        (LstmSettings, {"chrono_steps": 2}, "chrono_steps must be at least 3"),
        (AttentionSettings, {"window": 0}, "must be at least 1"),
        (AttentionSettings, {"hidden": 60}, "multiple of twice the heads, got 60 and 4"),
    ],
)
def test_settings_out_of_range_are_refused(settings: type, values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings(**values)
