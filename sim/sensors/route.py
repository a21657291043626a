"""Which branch to take at a fork: a command, as a navigation device would give it."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Route:
    """The number of the branch, counted from the left, 0 to `choices` - 1: an int64 for each car.

    Where the road does not fork it is 0.
    """

    choices: int = 2
    shape = ()

    def __post_init__(self) -> None:
        if not 1 <= self.choices <= 64:
            raise ValueError(f"choices is 1 to 64, got {self.choices}")

    def to_json(self) -> dict[str, Any]:
        """Settings as plain numbers, for files."""
        return asdict(self)
