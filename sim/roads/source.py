"""Which roads a world string names: one, a family of seeds, or the files of a folder."""

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from ..road import Road
from .procedural import procedural_road
from .racetrack import load_racetrack
from .task_roads import KINDS, Built, Fork, is_built, parse_built

FAMILY = 1000  # roads of `procedural` without a seed
CACHED_ROADS = 64

READERS: dict[str, Callable[[Path], Road]] = {".csv": load_racetrack}

HELP = (
    "a world is `procedural` (another road for every episode), `procedural:SEED` (one road), "
    "`procedural:A-B` (the roads of seeds A to B-1; `procedural:A,B,C-D` for some), `fork` or "
    "`stop` with settings (as in `fork:delay=32,branches=2`), `circuit:seed=7`, a racetrack .csv or a folder of them"
)


class RoadSource:
    """The roads of one world, made when they are asked for and then kept for a while.

    Raises:
        ValueError: the text names no world.
        FileNotFoundError: it names a file or folder that is not there.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._keys: Sequence[int] | Sequence[Path] | Sequence[Built] = _parse(text)
        self._kept = lru_cache(maxsize=CACHED_ROADS)(_make)

    @property
    def count(self) -> int:
        """How many roads there are."""
        return len(self._keys)

    @property
    def branches(self) -> int:
        """The most branches that a fork of theirs has; 1: none of them forks."""
        return max((key.branches for key in self._keys if isinstance(key, Fork)), default=1)

    def road(self, i: int) -> Road:
        """Road `i`, counted from 0."""
        return self._kept(self._key(i))

    def name(self, i: int) -> str:
        """The `Road.name` of road `i`, without making the road."""
        key = self._key(i)
        if isinstance(key, Path):
            return key.stem
        return f"procedural:{key}" if isinstance(key, int) else key.name

    def _key(self, i: int) -> int | Path | Built:
        if not 0 <= i < self.count:
            raise IndexError(f"world {self.text!r} has roads 0 to {self.count - 1}, not {i}")
        return self._keys[i]


def _make(key: int | Path | Built) -> Road:
    if isinstance(key, Path):
        return READERS[key.suffix.lower()](key)
    return procedural_road(key) if isinstance(key, int) else key.make()


def _parse(text: str) -> Sequence[int] | Sequence[Path] | Sequence[Built]:
    if is_built(text):
        return parse_built(text)
    word, colon, seeds = text.partition(":")
    if word == "procedural":
        return _parse_seeds(text, seeds) if colon else range(FAMILY)
    path = Path(text)
    if text and path.is_dir():
        return _list_folder(path)
    if text and path.exists():
        if path.suffix.lower() not in READERS:
            raise ValueError(
                f"{text} is a {path.suffix or 'file without an ending'}, "
                f"roads are read from {', '.join(READERS)}; {HELP}"
            )
        return (path,)
    if near := get_close_matches(word.lower(), ["procedural", "random", *KINDS], n=1, cutoff=0.7):
        meant = near[0].replace("random", "procedural")
        raise ValueError(f"unknown world {text!r}; did you mean {f'{meant}{colon}{seeds}'!r}?")
    if "/" not in text and not path.suffix:
        raise ValueError(f"unknown world {text!r}; {HELP}")
    raise FileNotFoundError(f"there is no file or folder {text}; {_near(path) or HELP}")


def _parse_seeds(text: str, seeds: str) -> Sequence[int]:
    """A range stays one, however long; a list of seeds is read one by one."""
    parts = [_parse_part(text, part) for part in seeds.split(",")]
    return parts[0] if len(parts) == 1 else [seed for part in parts for seed in part]


def _parse_part(text: str, seeds: str) -> range:
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", seeds, re.ASCII)
    if match is None:
        raise ValueError(
            f"unknown world {text!r}: {seeds!r} is no seed; write a whole number from 0, as in "
            "'procedural:7', or two, as in 'procedural:0-100' (100 is not one of them)"
        )
    first = int(match[1])
    last = first + 1 if match[2] is None else int(match[2])
    if last <= first:
        raise ValueError(
            f"world {text!r} has no road: it names the seeds from {first} up to, not including, "
            f"{last}; write 'procedural:{min(first, last)}-{max(first, last) + 1}'"
        )
    return range(first, last)


def _list_folder(folder: Path) -> tuple[Path, ...]:
    """Its road files, by name."""
    found = tuple(sorted(path for path in folder.iterdir() if path.suffix.lower() in READERS))
    if not found:
        below = sorted({path.parent for path in folder.glob("*/*") if path.suffix in READERS})
        hint = f"did you mean {' or '.join(str(path) for path in below)}?" if below else HELP
        raise ValueError(f"there is no road in the folder {folder} ({', '.join(READERS)}); {hint}")
    return found


def _near(path: Path) -> str:
    """A hint at files whose names are much alike."""
    folder = path.parent
    if not folder.is_dir():
        return f"there is no folder {folder} either"
    names = [entry.name for entry in folder.iterdir()]
    alike = {name.lower(): name for name in names}
    near = get_close_matches(path.name.lower(), list(alike), n=3)
    return f"did you mean {' or '.join(str(folder / alike[name]) for name in near)}?" * bool(near)
