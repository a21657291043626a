"""What the shared encoder sees, and what it does not."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from redrive.models.encoder import Encoder, EncoderSettings
from redrive.models.policy import Observation, ObservationSpec, SensorSpec

SMALL = EncoderSettings(channels=(8, 8, 8), embedding=12)
Observe = Callable[..., Observation]


def camera(height: int, width: int, dtype: str = "uint8") -> ObservationSpec:
    return ObservationSpec(
        {
            "camera": SensorSpec((height, width, 3), dtype),
            "odometry": SensorSpec((2,), "float32"),
        }
    )


@pytest.mark.parametrize("size", [(64, 96), (48, 64), (33, 47), (12, 100), (100, 12)])
def test_any_size_of_picture_will_do(size: tuple[int, int]) -> None:
    encoder = Encoder(camera(*size), EncoderSettings())
    pictures = torch.zeros(2, 3, *size, 3, dtype=torch.uint8)
    seen = encoder({"camera": pictures, "odometry": torch.zeros(2, 3, 2)})
    assert seen.shape == (2, 3, encoder.size) == (2, 3, 65)
    with pytest.raises(ValueError, match=r"a camera picture of 9 x 96 .* at least 8 x 8"):
        Encoder(camera(9, 96), EncoderSettings())


def test_rows_above_the_cut_are_never_looked_at(spec: ObservationSpec, observe: Observe) -> None:
    encoder = Encoder(spec, replace(SMALL, top_cut=0.3))
    obs = observe(2)
    seen = encoder(obs)
    changed = dict(obs, camera=obs["camera"].clone())
    changed["camera"][:, :6] = 0  # 0.3 of 20 rows
    assert torch.equal(encoder(changed), seen)
    changed["camera"][:, 6] = 0
    assert not torch.equal(encoder(changed), seen)
    assert torch.equal(obs["camera"], observe(2)["camera"])  # and it changed nothing itself


def test_every_pixel_and_colour_below_it_counts(spec: ObservationSpec, observe: Observe) -> None:
    encoder = Encoder(spec, replace(SMALL, top_cut=0.0)).eval()
    obs = observe(1)
    seen = encoder(obs)
    for row, column, colour in ((0, 0, 0), (19, 23, 2), (10, 0, 1), (0, 23, 1)):
        changed = obs["camera"].clone()
        changed[0, row, column, colour] += 128
        assert not torch.equal(encoder(dict(obs, camera=changed)), seen)


def test_the_previous_command_is_seen_only_when_asked_for(
    spec: ObservationSpec, observe: Observe
) -> None:
    obs = dict(observe(2), previous_command=torch.tensor([[0.02, 1.0], [-0.04, 0.5]]))
    blind = Encoder(spec, SMALL)
    assert torch.equal(blind(obs), blind(observe(2)))
    wanted = replace(SMALL, previous_command=True)
    with pytest.raises(ValueError, match="needs the sensor previous_command, the world gives cam"):
        Encoder(spec, wanted)
    told = ObservationSpec({**spec.sensors, "previous_command": SensorSpec((2,), "float32")})
    seen = Encoder(told, wanted)(obs)
    assert seen.shape == (2, 12 + 1 + 2)
    torch.testing.assert_close(seen[:, -2:], torch.tensor([[1.0, 1.0], [-2.0, 0.5]]))


def test_what_a_study_tells_is_seen_as_it_is(spec: ObservationSpec, observe: Observe) -> None:
    obs = dict(observe(2), told=torch.tensor([[0.5, 1.0, 2.0], [3.0, 4.0, 5.0]]))
    with pytest.raises(ValueError, match="needs the sensor told"):
        Encoder(spec, replace(SMALL, told=True))
    told = ObservationSpec({**spec.sensors, "told": SensorSpec((3,), "float32")})
    encoder = Encoder(told, replace(SMALL, told=True))
    assert encoder.size == 12 + 1 + 3
    assert torch.equal(encoder(obs)[:, -3:], obs["told"])


def test_speed_is_seen_and_yaw_rate_is_not_unless_asked_for(
    spec: ObservationSpec, observe: Observe
) -> None:
    obs = observe(2)
    other = dict(obs, odometry=obs["odometry"] + torch.tensor([5.0, 0.3]))
    difference = {}
    for speed in (False, True):
        for yaw_rate in (False, True):
            encoder = Encoder(spec, replace(SMALL, speed=speed, yaw_rate=yaw_rate))
            change = (encoder(other) - encoder(obs)).detach()[:, 12:]
            difference[speed, yaw_rate] = change[0].tolist()
    assert difference[False, False] == []
    assert difference[True, False] == pytest.approx([0.5])  # 10 m/s is one
    assert difference[False, True] == pytest.approx([1.0])  # 0.3 rad/s is one
    assert difference[True, True] == pytest.approx([0.5, 1.0])
    assert EncoderSettings().speed
    assert not EncoderSettings().yaw_rate


def test_a_world_without_odometry_needs_a_driver_without_it(observe: Observe) -> None:
    blind = ObservationSpec({"camera": SensorSpec((20, 24, 3), "uint8")})
    with pytest.raises(ValueError, match="needs the sensor odometry, the world gives camera"):
        Encoder(blind, EncoderSettings())
    encoder = Encoder(blind, replace(SMALL, speed=False))
    assert encoder({"camera": observe(2, 5)["camera"]}).shape == (2, 5, 12)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"top_cut": 1.0}, "top_cut must be a share"),
        ({"channels": (8, 12, 8)}, "multiples of 8"),
        ({"embedding": 0}, "embedding and route_size must be positive, got 0, 8"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EncoderSettings(**values)


def test_pictures_of_floats_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must give uint8 pictures .* got float32 \(64, 96, 3\)"):
        Encoder(camera(64, 96, "float32"), EncoderSettings())


def with_route(choices: object = 4, dtype: str = "int64") -> ObservationSpec:
    spec = camera(20, 24)
    route = SensorSpec((), dtype, {"choices": choices})
    return replace(spec, sensors={**spec.sensors, "route": route})


def test_a_route_is_seen_as_a_number_for_each(observe: Observe) -> None:
    encoder = Encoder(with_route(), SMALL)
    obs = {**observe(2, 3), "route": torch.tensor([[0, 1, 3], [2, 2, 0]])}
    seen = encoder(obs)
    assert seen.shape == (2, 3, encoder.size) == (2, 3, 12 + 1 + 4)
    assert seen[..., -4:].argmax(-1).equal(obs["route"])
    assert seen[..., -4:].sum(-1).eq(1.0).all()


def test_a_route_is_seen_as_a_learned_vector(observe: Observe) -> None:
    encoder = Encoder(with_route(), replace(SMALL, route="embedding", route_size=5))
    obs = {**observe(2, 3), "route": torch.tensor([[0, 1, 3], [2, 2, 0]])}
    seen = encoder(obs)
    assert seen.shape[-1] == encoder.size == 12 + 1 + 5
    assert torch.equal(seen[1, 0, -5:], seen[1, 1, -5:])
    assert not torch.equal(seen[0, 0, -5:], seen[0, 1, -5:])
    seen[0, 1, -5:].sum().backward()
    learned = encoder.route.table.grad
    assert learned is not None
    assert learned.abs().sum(dim=1).nonzero().flatten().tolist() == [1]


def test_a_route_need_not_be_seen(observe: Observe) -> None:
    encoder = Encoder(with_route(), replace(SMALL, route="none"))
    assert encoder(observe(2)).shape[-1] == 12 + 1  # and need not be there either


@pytest.mark.parametrize("spec", [with_route(None), with_route(0), with_route(3, "float32")])
def test_a_route_must_say_how_many_there_are(spec: ObservationSpec) -> None:
    with pytest.raises(ValueError, match="the route must be a single int64 with the setting choi"):
        Encoder(spec, SMALL)
