"""Drivers by the word that a person types: `expert`, or the folder of a run."""

from pathlib import Path

from ..sim.any_world import World
from .agent import Agent
from .expert import Expert


def driver_name(word: str) -> str:
    """What to call the driver of a word: `expert`, or the name of the run's folder."""
    return word if word == "expert" else Path(word).resolve().name


def told_route(*words: str) -> int | None:
    """Choices of the route command that drivers have learned to be told; None: they know of none.

    For `open_world` and `suite_world`. Neither the expert nor a person needs it: they know their lane.

    Raises:
        FileNotFoundError, ValueError: as `make_driver`.
    """
    told = []
    for word in words:
        if word not in ("expert", "human"):
            require_run(word)
            from ..models.checkpoint import read_policy_json  # torch takes seconds to import

            sensor = read_policy_json(word)["observation"]["sensors"].get("route")
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
