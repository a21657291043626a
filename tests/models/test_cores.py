"""Memory itself: what each core can hold, for how long, and how it is set up to begin with."""

import math
import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from redrive.models.attention import AttentionCore, AttentionSettings
from redrive.models.cfc import CfcCore, CfcSettings
from redrive.models.gates import keep_bias
from redrive.models.gru import GruCore, GruSettings
from redrive.models.irnn import IrnnCore, IrnnSettings
from redrive.models.lstm import LstmCore, LstmSettings
from redrive.models.mingru import MinGruCore, MinGruSettings, scan
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
        pytest.param(lambda: IrnnCore(3, IrnnSettings(hidden=32)), id="irnn"),
        pytest.param(lambda: GruCore(3, GruSettings(hidden=32)), id="gru"),
        pytest.param(lambda: LstmCore(3, LstmSettings(hidden=32)), id="lstm"),
        pytest.param(
            lambda: LstmCore(3, LstmSettings(hidden=32, forget_bias="chrono")), id="lstm-chrono"
        ),
        pytest.param(
            lambda: AttentionCore(3, AttentionSettings(hidden=32, window=16)), id="attention"
        ),
        pytest.param(lambda: MinGruCore(3, MinGruSettings(hidden=32)), id="mingru"),
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


@pytest.mark.parametrize("kind", ["0", "1", "3"])
def test_a_keep_bias_decides_what_new_gates_keep(kind: str) -> None:
    """With no input and no weights, a gated unit decays by its keep gate alone."""
    torch.manual_seed(0)
    kept = 1.0 / (1.0 + math.exp(-float(kind)))
    gru = GruCore(4, GruSettings(hidden=16, keep_bias=kind))  # type: ignore[arg-type]
    mingru = MinGruCore(4, MinGruSettings(hidden=16, layers=1, keep_bias=kind))  # type: ignore[arg-type]
    with torch.no_grad():
        for core in (gru, mingru):
            for name, parameter in core.named_parameters():
                if "weight" in name:
                    parameter.zero_()
        for bias in gru.gru.all_weights[0][2:]:
            bias[2 * 16 :] = 0.0  # of the candidate
        mingru.layers[0].candidate.bias.zero_()
        _, (h,) = gru(torch.zeros(1, 3, 4), (torch.ones(1, 16),), None)
        _, (below,) = mingru(torch.zeros(1, 3, 4), (torch.ones(1, 1, 16),), None)
    torch.testing.assert_close(below, torch.full((1, 1, 16), kept**3))
    # The recurrent weights are gone, the reset gate's biases are not: they have nothing to reset.
    torch.testing.assert_close(h, torch.full((1, 16), kept**3))


def test_chrono_asks_for_memories_of_every_length_up_to_the_longest() -> None:
    torch.manual_seed(0)
    lasts = 1.0 + keep_bias("chrono", 100, 4000).exp()  # 1 / (1 - sigmoid(b)) steps
    assert 2.0 <= lasts.min() < 3.0
    assert 98.0 < lasts.max() <= 100.0
    assert float(lasts.mean()) == pytest.approx(51.0, abs=2.0)


def test_a_new_irnn_adds_up_what_it_sees() -> None:
    torch.manual_seed(0)
    core = IrnnCore(4, IrnnSettings(hidden=16))
    features = torch.rand(1, 12, 4)
    w = core.rnn.all_weights[0][0].detach()
    assert float(w.std()) == pytest.approx(0.001, rel=0.3)
    with torch.no_grad():
        w.abs_()  # nothing is cut off by the rectifiers
        output, _ = core(features, core.initial_state(1), None)
    torch.testing.assert_close(output, (features @ w.T).cumsum(dim=1))


@pytest.mark.parametrize("steps", [1, 2, 3, 31, 64, 100])
def test_the_scan_is_the_loop(steps: int) -> None:
    torch.manual_seed(0)
    keep, write = torch.rand(2, steps, 5, dtype=torch.float64), torch.randn(2, steps, 5).double()
    h, looped = torch.zeros(2, 5).double(), []
    for t in range(steps):
        h = keep[:, t] * h + write[:, t]
        looped.append(h)
    torch.testing.assert_close(scan(keep, write), torch.stack(looped, dim=1))


def test_the_scan_neither_overflows_nor_forgets_over_a_long_drive() -> None:
    keep = torch.full((1, 4096, 1), 0.999)
    line = scan(keep, 1.0 - keep)
    assert line.isfinite().all()
    t = torch.arange(1, 4097)
    torch.testing.assert_close(line[0, :, 0], 1.0 - 0.999**t, rtol=1e-3, atol=1e-3)


def test_weights_of_attention_say_what_was_looked_at() -> None:
    """Read out in two gaits, they agree; their mixture of values is what came out."""
    torch.manual_seed(0)
    core = AttentionCore(4, AttentionSettings(hidden=16, window=5, heads=2, layers=3))
    features = torch.randn(2, 12, 4)
    is_first = torch.zeros(2, 12, dtype=torch.bool)
    is_first[:, 0] = is_first[1, 7] = True
    with torch.no_grad():
        plain, _ = core(features, core.initial_state(2), is_first)
        output, state, weights = core.forward_with_weights(
            features, core.initial_state(2), is_first
        )
        assert weights.shape == (2, 3, 2, 12, 5)
        torch.testing.assert_close(output, plain)
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3, 2, 12))
        walked = core.initial_state(2)
        for t in range(12):
            walked = tuple(
                torch.where(is_first[:, t].view(-1, *[1] * (new.ndim - 1)), new, old)
                for new, old in zip(core.initial_state(2), walked, strict=True)
            )
            stepped, walked, now = core.step_with_weights(features[:, t], walked)
            torch.testing.assert_close(now, weights[..., t, :])
            torch.testing.assert_close(stepped, output[:, t])
        for one, other in zip(walked, state, strict=True):
            torch.testing.assert_close(one, other)
    ages = torch.arange(5)
    for car, start in ((0, 0), (1, 7)):
        for t in range(start, 12):
            unseen = weights[car, ..., t, ages > t - start]
            assert unseen.numel() == 0 or unseen.max() == 0.0
    assert weights[0, ..., 8, :].min() > 0.0


def test_a_look_at_one_step_finds_it() -> None:
    """A head whose keys know a sign puts its weight on the step where the sign was."""
    torch.manual_seed(0)
    core = AttentionCore(
        2, AttentionSettings(hidden=8, window=8, heads=1, layers=1, position="none")
    )
    with torch.no_grad():
        for parameter in core.parameters():
            parameter.zero_()
        core.enter.weight[0, 0], core.enter.weight[1, 1] = 1.0, 1.0
        block: Any = core.blocks[0]
        block.norm.weight.fill_(1.0)
        block.query_key_value.bias[0] = 9.0  # everybody asks for it
        block.query_key_value.weight[8, 0] = 9.0  # the key of a step with the sign
        features = torch.zeros(1, 8, 2)
        features[..., 1] = 1.0
        features[0, 2] = torch.tensor([1.0, 0.0])
        _, _, weights = core.forward_with_weights(features, core.initial_state(1))
    assert weights[0, 0, 0, 7].argmax() == 5  # steps ago
    assert weights[0, 0, 0, 7, 5] > 0.99


def test_cfc_is_the_cell_of_its_authors() -> None:
    torch.manual_seed(0)
    ncps = pytest.importorskip("ncps.torch", reason="needs ncps: pip install 'redrive[cfc]'")
    core = CfcCore(4, CfcSettings(hidden=8, backbone=16))
    theirs = ncps.CfC(4, 8, backbone_units=16, backbone_layers=1, batch_first=True)
    theirs.rnn_cell.load_state_dict(core.cell.state_dict())
    features = torch.randn(3, 9, 4)
    with torch.no_grad():
        output, (h,) = core(features, core.initial_state(3), None)
        wanted, last = theirs(features)
    torch.testing.assert_close(output, wanted)
    torch.testing.assert_close(h, last)


def test_cfc_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ncps.torch", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'redrive\[cfc\]'"):
        CfcCore(4, CfcSettings(hidden=8))


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
        (IrnnSettings, {"input_scale": 0.0}, "input_scale must be positive"),
        (LstmSettings, {"chrono_steps": 2}, "chrono_steps must be at least 3"),
        (GruSettings, {"chrono_steps": 2}, "chrono_steps must be at least 3"),
        (MinGruSettings, {"layers": 0}, "layers must be at least 1"),
        (CfcSettings, {"backbone": 0}, "backbone must be at least 1"),
        (AttentionSettings, {"window": 0}, "must be at least 1"),
        (AttentionSettings, {"hidden": 60}, "multiple of twice the heads, got 60 and 4"),
    ],
)
def test_settings_out_of_range_are_refused(settings: type, values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings(**values)
