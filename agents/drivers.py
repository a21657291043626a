"""Drivers by the word that a person types: `expert`, or the folder of a run."""

from pathlib import Path

from ..sim.any_world import World
from .agent import Agent
from .expert import Expert


def driver_name(word: str) -> str:
    """What to call the driver of a word: `expert`, or the name of the run's folder."""
    return word if word == "expert" else Path(word).resolve().name


def make_driver(word: str, world: World) -> Agent:
    """The driver that a word names.

    Raises:
        FileNotFoundError, ValueError: there is no such run, or it does not fit the world.
    """
    if word == "expert":
        return Expert()
    if not Path(word).exists():
        raise FileNotFoundError(
            f"no driver {word!r}: it is neither `expert` nor the folder of a trained run; "
            "train one with `redrive train`"
        )
    from .learned import LearnedDriver  # torch takes seconds to import

    return LearnedDriver.load(word, world)
