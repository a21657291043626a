"""What a recording says about itself: `dataset.json`, checked key by key."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__

SCHEMA = 1
OPTIONAL = ("camera_right", "route", "about")  # keys that a header without them need not name
HEADER_FILE = "dataset.json"


@dataclass(frozen=True)
class Feature:
    """One column over time."""

    dtype: str  # as numpy says it: "uint8", "float32"
    shape: tuple[int, ...]  # of one row, without the time axis; () for a number
    unit: str  # SI: "m", "rad", "m/s"; "1" where there is none; "1/m, m/s^2" for unlike parts
    frame: str = "none"  # "world", "ego", "lane", "image", or "none"

    def __post_init__(self) -> None:
        try:
            known = np.dtype(self.dtype).name
        except TypeError:
            known = None
        if known != self.dtype:
            raise ValueError(
                f"dtype must be a numpy name such as 'uint8' or 'float32', got {self.dtype!r}"
            )
        if not all(isinstance(n, int) and n > 0 for n in self.shape):
            raise ValueError(f"shape must be whole numbers above 0, got {self.shape!r}")
        if not isinstance(self.unit, str) or not self.unit:
            raise ValueError("unit is missing; give the SI unit, or '1' for a quantity without one")
        if not isinstance(self.frame, str) or not self.frame:
            raise ValueError("frame is missing; give 'world', 'ego', 'lane', 'image' or 'none'")


@dataclass(frozen=True)
class SplitRule:
    """Which episodes are for validation: those of some worlds, so no road is on both sides."""

    by: str = "world"  # the sidecar's entry that must not be shared by both sides
    validation_share: float = 0.1

    def __post_init__(self) -> None:
        if not isinstance(self.by, str) or not self.by:
            raise ValueError(f"split.by must name an entry of the sidecars, got {self.by!r}")
        if not 0.0 <= self.validation_share < 1.0:
            raise ValueError(
                f"split.validation_share must lie in [0, 1), got {self.validation_share!r}"
            )


@dataclass(frozen=True)
class RecordingHeader:
    """What holds for every episode of a recording."""

    features: Mapping[str, Feature]
    dt: float  # [s] between rows
    source: str  # where the drives come from
    licence: str
    camera: Mapping[str, Any] | None = None  # the camera's settings; None when there are no frames
    split: SplitRule = field(default_factory=SplitRule)
    # A second camera's settings, and its "baseline": how far it is to the right of the first [m].
    camera_right: Mapping[str, Any] | None = None
    route: Mapping[str, Any] | None = None  # settings of the route command, where one is a column
    about: Mapping[str, Any] | None = None  # of an import: what was assumed, estimated, left out
    redrive_version: str = __version__
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        if self.schema != SCHEMA:
            raise ValueError(
                f"schema must be {SCHEMA}, got {self.schema!r}; "
                "the recording was made by another version of redrive"
            )
        if not isinstance(self.dt, int | float) or not 0.0 < self.dt < math.inf:
            raise ValueError(f"dt must be a time above 0 s, got {self.dt!r}")
        if not self.features:
            raise ValueError("features is empty; a recording needs at least one column")
        for name in ("camera", *OPTIONAL):
            if not isinstance(getattr(self, name), Mapping | None):
                raise TypeError(f"{name} must be an object or null, got {getattr(self, name)!r}")
        for name in ("camera", "camera_right"):
            if name in self.features and getattr(self, name) is None:
                raise ValueError(
                    f"{name} is null although there is a column {name!r}; "
                    "give the camera's settings"
                )
        for name in ("source", "licence", "redrive_version"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise ValueError(f"{name} is missing; it must be a text that is not empty")


def simulated_features(
    camera: tuple[int, int] | None = (64, 96), odometry: bool = True, route: bool = False
) -> dict[str, Feature]:
    """The columns of a drive in a simulated world.

    Args:
        camera: height and width of the frames [px]; None for a recording without frames.
        odometry, route: whether the drivers had these sensors.
    """
    seen = {"odometry": Feature("float32", (2,), "m/s, rad/s", "ego")} if odometry else {}
    if route:
        seen["route"] = Feature("int64", (), "1")
    features = {} if camera is None else {"camera": Feature("uint8", (*camera, 3), "1", "image")}
    return {
        **features,
        **seen,
        "command": Feature("float32", (2,), "1/m, m/s^2", "ego"),
        "expert_command": Feature("float32", (2,), "1/m, m/s^2", "ego"),
        "x": Feature("float64", (), "m", "world"),
        "y": Feature("float64", (), "m", "world"),
        "yaw": Feature("float64", (), "rad", "world"),
        "speed": Feature("float64", (), "m/s", "ego"),
        "lateral_offset": Feature("float32", (), "m", "lane"),
        "heading_error": Feature("float32", (), "rad", "lane"),
        "arc_length": Feature("float32", (), "m", "lane"),
        "time": Feature("float64", (), "s"),
        "state_id": Feature("int64", (), "1"),
        "camera_state_id": Feature("int64", (), "1"),
        "label_state_id": Feature("int64", (), "1"),
    }


def header_to_json(header: RecordingHeader) -> bytes:
    """The content of `dataset.json`; equal headers give equal bytes."""
    values = asdict(header)
    for name in OPTIONAL:
        if values[name] is None:
            del values[name]
    try:
        text = json.dumps(values, indent=1, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"the header cannot be written as JSON ({error}); use numbers, texts and lists"
        ) from error
    return text.encode() + b"\n"


def read_header(path: Path) -> RecordingHeader:
    """Read `dataset.json`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is not JSON, lacks a key, has one too many, or a value is wrong.
    """
    values = read_json(path)
    try:
        values = _strict(values, RecordingHeader, OPTIONAL)
        named = values["features"]
        if not isinstance(named, dict):
            raise TypeError("features must be an object of column names")
        features = {}
        for name, entry in named.items():
            try:
                entry = _strict(entry, Feature)
                features[name] = Feature(**(entry | {"shape": tuple(entry["shape"])}))
            except (ValueError, TypeError) as error:
                raise ValueError(f"features.{name}: {error}") from error
        split = SplitRule(**_strict(values["split"], SplitRule))
        return RecordingHeader(**(values | {"features": features, "split": split}))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}; correct the file or restore it from a copy") from error


def read_json(path: Path) -> Any:
    """The values in a JSON file; NaN and infinity are refused.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not JSON, with the line that is wrong.
    """
    try:
        return json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise ValueError(
            f"{path} is not valid JSON ({where}); correct it or restore it from a copy"
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not valid JSON (it is not UTF-8); restore it from a copy"
        ) from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that JSON knows; correct the value")


def _strict(values: Any, of: type, optional: Sequence[str] = ()) -> dict[str, Any]:
    """`values` if it has exactly the fields of the dataclass `of`."""
    names = {item.name for item in fields(of)}
    if not isinstance(values, dict):
        raise TypeError(f"expected an object with {', '.join(sorted(names))}")
    if missing := sorted(names - values.keys() - set(optional)):
        raise ValueError(f"missing {', '.join(missing)}")
    if unknown := sorted(values.keys() - names):
        raise ValueError(f"unknown {', '.join(unknown)} (known: {', '.join(sorted(names))})")
    return values
