"""Drivers by the word that a person types: `expert`, or the folder of a run."""

from pathlib import Path
from typing import Any

from ..sim.any_world import World
from ..sim.sensors.camera import Camera
from .agent import Agent
from .expert import Expert


def driver_name(word: str) -> str:
    """What to call the driver of a word: `expert`, or the name of the run's folder."""
    return word if word == "expert" else Path(word).resolve().name


def trained_camera(*words: str) -> Camera | None:
    """The camera that drivers were trained with; None: there is no run among them.

    For `open_world` and `suite_world`. Neither the expert nor a person minds which one it is.

    Raises:
        FileNotFoundError, ValueError: as `make_driver`; or they were trained with several.
    """
    found: dict[str, Camera] = {}
    for word in words:
        if settings := _sensors_of(word).get("camera", {}).get("settings"):
            found[word] = Camera.from_json(settings)
    if len(set(found.values())) > 1:
        (one, first), (other, second) = _two_that_differ(found)
        raise ValueError(
            f"{one} and {other} were trained with different cameras ({_difference(first, second)}), "
            "and drivers that are seen side by side look through one: name them one at a time"
        )
    return next(iter(found.values()), None)


def _two_that_differ(found: dict[str, Camera]) -> list[tuple[str, Camera]]:
    one = next(iter(found.items()))
    return [one, next(item for item in found.items() if item[1] != one[1])]


def _difference(first: Camera, second: Camera) -> str:
    ours, theirs = first.to_json(), second.to_json()
    apart = [f"{key} {ours[key]:g} and {theirs[key]:g}" for key in ours if ours[key] != theirs[key]]
    return ", ".join(apart)


def _sensors_of(word: str) -> dict[str, Any]:
    """What a driver was trained to see, as its `policy.json` says; nothing for who is no run."""
    if word in ("expert", "human"):
        return {}
    require_run(word)
    from ..models.checkpoint import read_policy_json  # torch takes seconds to import

    sensors: dict[str, Any] = read_policy_json(word)["observation"]["sensors"]
    return sensors


def told_route(*words: str) -> int | None:
    """Choices of the route command that drivers have learned to be told; None: they know of none.

    For `open_world` and `suite_world`. Neither the expert nor a person needs it: they know their lane.

    Raises:
        FileNotFoundError, ValueError: as `make_driver`.
    """
    told = []
    for word in words:
        sensor = _sensors_of(word).get("route")
        told += [] if sensor is None else [int(sensor["settings"]["choices"])]
    return max(told, default=None)


def require_run(word: str) -> None:
    """Refuse a word that names no driver at all."""
    if not Path(word).exists():
        raise FileNotFoundError(
            f"no driver {word!r}: it is neither `expert` nor the folder of a trained run; "
            "train one with `redrive train`"
        )


def make_driver(word: str, world: World) -> Agent:
    """The driver that a word names.

    Raises:
        FileNotFoundError, ValueError: there is no such run, or it does not fit the world.
    """
    if word == "expert":
        return Expert()
    require_run(word)
    from .learned import LearnedDriver  # torch takes seconds to import

    return LearnedDriver.load(word, world)
