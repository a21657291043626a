"""The contract of every policy: two gaits that agree, no look into the future, no memory beyond a reset."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from redrive.models.loss import LossSettings
from redrive.models.policy import (
    Observation,
    ObservationSpec,
    Policy,
    SensorSpec,
    State,
    restart,
    steps_since_reset,
)
from redrive.models.registry import POLICIES, make_policy
from redrive.models.sequence import ENCODED, SequencePolicy

B, T = 3, 23
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "perceptron": ("perceptron", {}),
    "perceptron, linear": ("perceptron", {"nonlinearity": False}),
    "mlp": ("mlp", {}),
    "mlp, 5 frames": ("mlp", {"frames": 5}),
    "rnn": ("rnn", {}),
    "rnn, default init": ("rnn", {"init": "default"}),
    "irnn": ("irnn", {}),
    "gru": ("gru", {}),
    "gru, chrono": ("gru", {"keep_bias": "chrono"}),
    "lstm": ("lstm", {}),
    "lstm, PyTorch's init": ("lstm", {"forget_bias": "0"}),
    "lstm, chrono": ("lstm", {"forget_bias": "chrono"}),
    "attention": ("attention", {"window": 6}),
    "attention, one step": ("attention", {"window": 1}),
    "attention, wide": ("attention", {"window": 40, "layers": 3, "heads": 2}),
    "attention, no position": ("attention", {"window": 6, "position": "none"}),
    "attention, sinusoidal": ("attention", {"window": 6, "position": "sinusoidal"}),
    "attention, learned": ("attention", {"window": 6, "position": "learned"}),
    "mingru": ("mingru", {}),
    "mingru, one layer": ("mingru", {"layers": 1, "keep_bias": "0"}),
    "cfc": ("cfc", {}),
    "lstm, gaussian": ("lstm", {"head": "gaussian"}),
    "lstm, mixture": ("lstm", {"head": "mixture"}),
    "attention, mixture": ("attention", {"window": 6, "head": "mixture", "components": 2}),
}
MEMORYLESS = {"perceptron", "perceptron, linear", "mlp", "attention, one step"}

Observe = Callable[..., Observation]


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def policy(variant: str, small_policy: Callable[..., Policy]) -> Policy:
    name, settings = VARIANTS[variant]
    return small_policy(name, **settings)


def part(obs: Observation, *index: slice | int) -> Observation:
    return {name: value[index] for name, value in obs.items()}


def drive(
    policy: Policy, obs: Observation, is_first: Tensor | None = None, state: State | None = None
) -> tuple[Tensor, State]:
    """Commands in multiples of typical ones, so that one tolerance fits both."""
    state = policy.initial_state(len(obs["camera"])) if state is None else state
    with torch.no_grad():
        command, state = policy(obs, state, is_first)
    return command / policy.command_scale, state


def walk(policy: Policy, obs: Observation, state: State | None = None) -> tuple[Tensor, State]:
    """The same, step by step."""
    state = policy.initial_state(len(obs["camera"])) if state is None else state
    commands = []
    with torch.no_grad():
        for t in range(obs["camera"].shape[1]):
            command, state = policy.step(part(obs, slice(None), t), state)
            commands.append(command / policy.command_scale)
    return torch.stack(commands, dim=1), state


def assert_same(given: Tensor, wanted: Tensor, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(given, wanted, rtol=tolerance, atol=tolerance)


def test_all_policies_are_here() -> None:
    assert {name for name, _ in VARIANTS.values()} == set(POLICIES)


def test_commands_differ_between_steps_and_cars(policy: Policy, observe: Observe) -> None:
    """Or else the tests below would pass for a driver that does nothing."""
    commands, _ = drive(policy, observe(B, T))
    assert commands.shape == (B, T, 2)
    assert (commands.std(dim=1) > 0.01).all()
    assert (commands.std(dim=0) > 1e-4).all()


def test_stepping_agrees_with_the_whole_sequence(policy: Policy, observe: Observe) -> None:
    obs = observe(B, T)
    whole, state_after_whole = drive(policy, obs)
    steps, state_after_steps = walk(policy, obs)
    assert_same(steps, whole)
    for one, other in zip(state_after_steps, state_after_whole, strict=True):
        assert one.shape == other.shape
        assert len(one) == B
        assert_same(one, other)


def test_a_drive_longer_than_any_window_still_agrees(policy: Policy, observe: Observe) -> None:
    obs = observe(1, 150)
    assert_same(walk(policy, obs)[0], drive(policy, obs)[0], 1e-4)


def test_the_future_does_not_leak(policy: Policy, observe: Observe) -> None:
    obs, other = observe(B, T), observe(B, T, seed=1)
    for t in (1, 7, T - 1):
        changed = {
            name: torch.cat([value[:, :t], other[name][:, t:]], 1) for name, value in obs.items()
        }
        before, after = drive(policy, obs)[0], drive(policy, changed)[0]
        assert torch.equal(before[:, :t], after[:, :t])
        assert not torch.equal(before[:, t:], after[:, t:])


def test_padding_on_the_right_changes_nothing_before_it(policy: Policy, observe: Observe) -> None:
    obs = observe(B, T)
    padded = {
        name: torch.cat([value, torch.zeros_like(value[:, :9])], 1) for name, value in obs.items()
    }
    assert_same(drive(policy, padded)[0][:, :T], drive(policy, obs)[0])


def test_chunks_with_carried_state_agree_with_the_whole(policy: Policy, observe: Observe) -> None:
    obs = observe(B, T)
    whole, _ = drive(policy, obs)
    chunks, state = [], policy.initial_state(B)
    for start, stop in ((0, 1), (1, 4), (4, 15), (15, T)):
        chunk, state = drive(policy, part(obs, slice(None), slice(start, stop)), None, state)
        chunks.append(chunk)
    assert_same(torch.cat(chunks, 1), whole)


def test_a_car_does_not_feel_the_others(policy: Policy, observe: Observe) -> None:
    obs = observe(B, T)
    together, _ = drive(policy, obs)
    for car in range(B):
        alone, _ = drive(policy, part(obs, slice(car, car + 1)))
        assert_same(alone, together[car : car + 1])


@pytest.mark.parametrize("second_starts", [1, 4, 5, 6, 17, T - 2])
def test_joined_episodes_are_driven_as_if_apart(
    policy: Policy, observe: Observe, second_starts: int
) -> None:
    obs = observe(B, T)
    is_first = torch.zeros(B, T, dtype=torch.bool)
    is_first[:, second_starts] = True
    joined, state = drive(policy, obs, is_first)
    first, _ = drive(policy, part(obs, slice(None), slice(None, second_starts)))
    second, state_apart = drive(policy, part(obs, slice(None), slice(second_starts, None)))
    assert_same(joined, torch.cat([first, second], 1))
    more = observe(B, 8, seed=2)  # nor does the state after them remember the first episode
    assert_same(drive(policy, more, None, state)[0], drive(policy, more, None, state_apart)[0])


def test_each_car_is_reset_on_its_own(policy: Policy, observe: Observe) -> None:
    obs = observe(B, T)
    is_first = torch.zeros(B, T, dtype=torch.bool)
    is_first[0, 0] = is_first[1, 3] = is_first[1, 4] = is_first[1, T - 1] = True
    begun = drive(policy, observe(B, 9, seed=3))[1]
    commands, _ = drive(policy, obs, is_first, begun)
    for car, starts in enumerate([[0], [3, 4, T - 1], []]):
        edges = [0, *[t for t in starts if t > 0], T]
        for start, stop in pairwise(edges):
            mine = slice(car, car + 1)
            state = tuple(value[mine] for value in begun)
            state = policy.initial_state(1) if start in starts else state
            alone, _ = drive(policy, part(obs, mine, slice(start, stop)), None, state)
            assert_same(commands[mine, start:stop], alone)


def test_a_reset_before_the_first_step_is_a_fresh_driver(policy: Policy, observe: Observe) -> None:
    obs = observe(B, T)
    is_first = torch.zeros(B, T, dtype=torch.bool)
    is_first[:, 0] = True
    begun = drive(policy, observe(B, 9, seed=3))[1]
    assert_same(drive(policy, obs, is_first, begun)[0], drive(policy, obs)[0])


def test_memory_matters_exactly_where_there_is_one(
    variant: str, policy: Policy, observe: Observe
) -> None:
    begun = drive(policy, observe(B, 9, seed=3))[1]
    obs = observe(B, 1)
    remembered = not torch.equal(drive(policy, obs, None, begun)[0], drive(policy, obs)[0])
    assert remembered == (variant not in MEMORYLESS)


def test_some_cars_restart_while_others_drive_on(policy: Policy, observe: Observe) -> None:
    begun = drive(policy, observe(B, 9, seed=3))[1]
    where = torch.tensor([False, True, False])
    state = restart(where, policy.initial_state(B), begun)
    obs = observe(B, 5)
    mixed, fresh, old = (
        drive(policy, obs, None, s)[0] for s in (state, policy.initial_state(B), begun)
    )
    assert_same(mixed, torch.where(where[:, None, None], fresh, old))


def test_commands_scale_with_what_is_typical(policy: Policy, observe: Observe) -> None:
    obs = observe(B, 2)
    before, _ = policy(obs, policy.initial_state(B))
    policy.set_command_scale((0.04, 0.5))
    after, _ = policy(obs, policy.initial_state(B))
    assert_same(after / before, torch.tensor([2.0, 1.0 / 3.0]).expand(B, 2, 2))


def test_a_prediction_is_what_is_driven(policy: Policy, observe: Observe) -> None:
    obs = observe(B, T)
    with torch.no_grad():
        prediction, state = policy.predict(obs, policy.initial_state(B))
        commands, other = policy(obs, policy.initial_state(B))
    assert torch.equal(policy.command(prediction), commands)
    assert policy.error(prediction, commands, LossSettings()).shape == (B, T)
    for one, two in zip(state, other, strict=True):
        assert torch.equal(one, two)


def test_every_weight_learns(policy: Policy, observe: Observe) -> None:
    prediction, _ = policy.predict(observe(B, T), policy.initial_state(B))
    policy.error(prediction, torch.randn(B, T, 2), LossSettings()).sum().backward()
    for name, parameter in policy.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0.0, name


@pytest.mark.parametrize("name", sorted(set(POLICIES) - {"perceptron"}))
def test_dropout_acts_only_while_learning(
    name: str, small_policy: Callable[..., Policy], observe: Observe
) -> None:
    policy = small_policy(name, dropout=0.5)
    obs = observe(B, 2)
    assert torch.equal(drive(policy, obs)[0], drive(policy, obs)[0])
    policy.train()
    assert not torch.equal(drive(policy, obs)[0], drive(policy, obs)[0])
    assert not torch.equal(walk(policy, obs)[0], walk(policy, obs)[0])


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_the_seed_decides_the_weights_and_nothing_else_does(
    name: str, spec: ObservationSpec, installed: Callable[[str], None]
) -> None:
    installed(name)
    torch.manual_seed(1)
    one = make_policy(name, spec, seed=5).state_dict()
    drawn = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), drawn)  # the generator of others is left alone
    other = make_policy(name, spec, seed=5).state_dict()
    assert all(torch.equal(one[key], other[key]) for key in one)
    if name != "perceptron":  # it begins at zero
        third = make_policy(name, spec, seed=6).state_dict()
        assert not all(torch.equal(one[key], third[key]) for key in one)


def test_steps_are_counted_from_the_last_reset() -> None:
    is_first = torch.tensor([[False, True, False, True, False], [False] * 5])
    since = steps_since_reset(is_first, torch.tensor([7, 2]), 5)
    assert since.tolist() == [[7, 0, 1, 0, 1], [2, 3, 4, 5, 6]]
    assert steps_since_reset(None, torch.tensor([7]), 3).tolist() == [[7, 8, 9]]


def test_an_unknown_policy_is_told_the_near_one(spec: ObservationSpec) -> None:
    with pytest.raises(ValueError, match=r"unknown policy lsmt; did you mean lstm\? Known: attent"):
        make_policy("lsmt", spec)


def test_settings_of_another_policy_are_refused(spec: ObservationSpec) -> None:
    with pytest.raises(ValueError, match="settings of lstm are LstmSettings, got MlpSettings"):
        make_policy("lstm", spec, POLICIES["mlp"].Settings())


@pytest.mark.parametrize("scale", [(0.0, 1.0), (1.0, float("nan")), (1.0,)])
def test_a_command_scale_must_be_two_positive_numbers(
    scale: tuple[float, ...], spec: ObservationSpec
) -> None:
    with pytest.raises(ValueError, match="two positive numbers"):
        make_policy("mlp", spec, command_scale=scale)


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_world_without_camera_is_refused(name: str, installed: Callable[[str], None]) -> None:
    installed(name)
    blind = ObservationSpec({"odometry": SensorSpec((2,), "float32")})
    with pytest.raises(ValueError, match="needs the sensor camera, the world gives odometry"):
        make_policy(name, blind)


def test_specs_survive_json(spec: ObservationSpec) -> None:
    assert ObservationSpec.from_json(spec.to_json()) == spec
    with pytest.raises(ValueError, match="dt must be a positive"):
        ObservationSpec(spec.sensors, dt=0.0)
    with pytest.raises(ValueError, match="at least one sensor"):
        ObservationSpec({})
    with pytest.raises(ValueError, match=r"must be positive, got \(0, 3\)"):
        SensorSpec((0, 3), "uint8")


def test_backpropagation_gives_the_slope_that_is_measured(policy: Policy) -> None:
    """Move all weights a little along one direction, in float64: the loss changes as its gradient says."""
    if not isinstance(policy, SequencePolicy):
        pytest.skip("has no core")
    policy = policy.double()
    generator = torch.Generator().manual_seed(0)
    frames = torch.randn(B, T, policy.encoder.size, generator=generator, dtype=torch.float64)
    learned = [p for part in (policy.core, policy.head) for p in part.parameters()]
    along = [torch.randn(p.shape, generator=generator, dtype=torch.float64) for p in learned]

    def loss() -> Tensor:
        command, _ = policy({ENCODED: frames}, policy.initial_state(B))
        return (command / policy.command_scale).square().mean()

    loss().backward()
    slope = sum(
        (p.grad * way).sum().item()
        for p, way in zip(learned, along, strict=True)
        if p.grad is not None
    )
    found, small = [], 1e-6
    with torch.no_grad():
        for sign in (1.0, -2.0):  # forwards, then as far back behind the beginning
            for parameter, way in zip(learned, along, strict=True):
                parameter.add_(sign * small * way)
            found.append(loss().item())
    assert slope == pytest.approx((found[0] - found[1]) / (2.0 * small), rel=1e-5)
