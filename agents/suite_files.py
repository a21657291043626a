"""A suite with its seed, number of episodes and roads: exactly these episodes, to be shared."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from ..sim.files import file_sha256, write_whole
from ..sim.recording_header import read_json
from ..sim.trace import is_recording
from .suites import Suite

SCHEMA = 1
EPISODES, SEED = 60, 0  # where nobody says otherwise


@dataclass(frozen=True)
class SeededSuite:
    """What an evaluation drives."""

    suite: Suite
    episodes: int = EPISODES
    seed: int = SEED
    roads: str | None = None  # other roads than the suite's own

    dt: ClassVar[float] = 0.1  # from one command to the next [s]

    @cached_property
    def id(self) -> str:
        """A digest of what is driven: equal where episodes of one seed and index are the same.

        The number of episodes is not in it: more episodes are the same and further ones.
        """
        told = {
            "suite": self.suite.to_json(),
            "seed": self.seed,
            "roads": {text: _road_digests(text) for text in self._worlds()},
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    def _worlds(self) -> list[str]:
        if self.roads is not None:
            return [self.roads]
        return sorted({variant.world for variant in self.suite.variants().values()})

    def save(self, path: Path) -> None:
        """Write it to a file that others can evaluate with."""
        content = {
            "schema": SCHEMA,
            "id": self.id,
            "episodes": self.episodes,
            "seed": self.seed,
            "roads": self.roads,
            "suite": self.suite.to_json(),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(content, indent=1, sort_keys=True).encode() + b"\n")


def load_suite(path: Path) -> SeededSuite:
    """The suite of a file.

    Raises:
        FileNotFoundError, ValueError: no file, a damaged one, or its roads are others here.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no suite file {path}; `--write-suite` writes one")
    content = read_json(path)
    try:
        if not isinstance(content, dict) or "suite" not in content:
            raise ValueError("not a suite file: it has no entry suite")
        if content.get("schema") != SCHEMA:
            raise ValueError(f"schema is {content.get('schema')!r}, this redrive reads {SCHEMA}")
        if not isinstance(content["suite"], dict):
            raise TypeError("entry suite must be an object")
        found = SeededSuite(
            Suite.from_json(content["suite"]),
            _whole(content, "episodes"),
            _whole(content, "seed"),
            _text_or_none(content, "roads"),
        )
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}; restore the file from a copy") from error
    if found.id != content.get("id"):
        raise ValueError(
            f"{path} was written for other episodes than it gives here (id {content.get('id')!r}, "
            f"here {found.id!r}): the file was changed, or its roads are not the same files"
        )
    return found


def _road_digests(text: str) -> list[str]:
    """What a world's files hold; nothing for roads that are made from their seed."""
    return [file_sha256(path) for path in _road_files(text)]


def _road_files(text: str) -> Iterator[Path]:
    path = Path(text)
    if is_recording(text):
        yield from sorted([*path.glob("dataset.json"), *path.glob("episodes/*.json")])
    elif path.is_dir():
        yield from sorted(path.glob("*.*"))
    elif path.is_file():
        yield path


def _whole(content: dict[str, Any], name: str) -> int:
    value = content.get(name)
    if type(value) is not int:
        raise TypeError(f"entry {name} must be a whole number, got {value!r}")
    return value


def _text_or_none(content: dict[str, Any], name: str) -> str | None:
    value = content.get(name)
    if not isinstance(value, str | None):
        raise TypeError(f"entry {name} must be text or null, got {value!r}")
    return value
