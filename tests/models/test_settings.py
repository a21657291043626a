"""Settings become JSON and come back; what is misspelt or of another kind is an error."""

import json
from dataclasses import dataclass, field

import pytest

from redrive.models.dataset import WindowSettings
from redrive.models.fit import FitSettings
from redrive.models.registry import POLICIES
from redrive.models.settings import from_json, to_json


@dataclass(frozen=True)
class Inner:
    share: float = 0.5
    sizes: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class Outer:
    inner: Inner = field(default_factory=Inner)
    count: int | None = 3
    name: str = "a"
    on: bool = False


@pytest.mark.parametrize(
    "settings",
    [
        *(kind.Settings() for kind in POLICIES.values()),
        WindowSettings(batch=4, mirror=0.5),
        FitSettings(steps=7, learning_rate=1.0),
        Outer(Inner(0.25, (4,)), None, "b", True),
    ],
    ids=lambda settings: type(settings).__name__,
)
def test_settings_survive_json(settings: object) -> None:
    assert from_json(type(settings), json.loads(json.dumps(to_json(settings)))) == settings


def test_what_is_left_out_keeps_its_default_and_whole_numbers_may_be_floats() -> None:
    assert from_json(Outer, {"inner": {"share": 1}}) == Outer(Inner(share=1.0))
    assert isinstance(from_json(Inner, {"share": 1}).share, float)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"naem": "b"}, r"Outer has no setting naem; did you mean name\? Known: count, inner"),
        ({"inner": {"size": [1]}}, r"Inner has no setting inner\.size; did you mean sizes\?"),
        ({"inner": 3}, r"inner must be of type Inner, got 3"),
        ({"inner": {"share": "x"}}, r"inner\.share must be of type float, got 'x'"),
        ({"inner": {"sizes": 3}}, r"inner\.sizes must be a list, got 3"),
        ({"inner": {"sizes": [0.5]}}, r"inner\.sizes must be of type int, got 0\.5"),
        ({"count": True}, "count must be of type int, got True"),
        ({"count": 1.5}, "count must be of type int, got 1.5"),
        ({"name": None}, "name must be of type str, got None"),
    ],
)
def test_wrong_settings_are_named(values: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_json(Outer, values)


def test_a_choice_outside_the_list_is_told_the_list() -> None:
    with pytest.raises(ValueError, match="forget_bias must be one of 0, 1, 3, chrono, got '2'"):
        from_json(POLICIES["lstm"].Settings, {"forget_bias": "2"})
