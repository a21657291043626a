"""Camera files: a lens and its mounting as JSON, under the names that others use, too."""

import json
import os
from pathlib import Path

import numpy as np

from ..recording_header import read_json
from .lens import Lens
from .note import Note

NAMES = {  # what camera files call things: ours, then theirs
    "mount_height": ("camera_height_m", "camera_height", "height_m"),
    "distortion": ("distortion_k1k2p1p2k3", "dist_coeffs", "D"),
    "width": ("image_width",),
}
DEGREES = {  # entries in degrees: ours, and the sign
    "pitch_deg": ("pitch", 1.0),
    "pitch_down_deg": ("pitch", 1.0),
    "pitch_up_deg": ("pitch", -1.0),
    "yaw_deg": ("yaw", 1.0),
    "yaw_left_deg": ("yaw", 1.0),
    "yaw_right_deg": ("yaw", -1.0),
}


def read_lens(path: str | os.PathLike[str], size: tuple[int, int]) -> tuple[Lens, list[Note]]:
    """The lens in a camera file (JSON) for pictures of `size`, and what was amiss.

    Entries: fx, fy, cx, cy or K (3 x 3); distortion; model; width and height of the picture [px];
    mount_height [m] (or height, when it cannot be the picture's), mount_forward [m]; pitch [rad]
    or pitch_deg, positive down; yaw [rad] or yaw_deg, positive left.

    Raises:
        FileNotFoundError: no such file.
        ValueError: an entry is missing or wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; give the camera's calibration as JSON")
    entries = read_json(path)
    if not isinstance(entries, dict):
        raise ValueError(  # noqa: TRY004  what the file says is wrong, not the call
            f"{path} must be a JSON object with fx, fy, cx, cy, ..."
        )
    values = dict(entries)
    for ours, theirs in NAMES.items():
        for name in theirs:
            if name in values:
                values[ours] = values.pop(name)
    if "image_height" in values:
        picture_height = values.pop("image_height")
        if "height" in values:
            values.setdefault("mount_height", values["height"])
        values["height"] = picture_height
    elif (
        "mount_height" not in values
        and _is_number(values.get("height"))
        and values["height"] < 48  # no picture is that low: it is the camera's height in metres
    ):
        values["mount_height"] = values.pop("height")
    for name, (ours, sign) in DEGREES.items():
        if name in values:
            values[ours] = sign * float(np.deg2rad(_number(path, name, values.pop(name))))
    if "K" in values:
        matrix = np.array(values.pop("K"), float)
        if matrix.shape != (3, 3):
            raise ValueError(f"{path}: K must be 3 x 3, got {matrix.shape}")
        values |= {"fx": matrix[0, 0], "fy": matrix[1, 1], "cx": matrix[0, 2], "cy": matrix[1, 2]}
    values.setdefault("width", size[0])
    values.setdefault("height", size[1])
    known = set(Lens.__dataclass_fields__)
    notes = []
    if ignored := sorted(values.keys() - known):
        notes.append(Note("ignored", f"{path.name}: {', '.join(ignored)} mean nothing here"))
    if "pitch" not in values:
        notes.append(
            Note("no-pitch", f"{path.name}: no pitch, so 0 is assumed; half a degree counts")
        )
    required = ("fx", "fy", "cx", "cy", "mount_height")
    if missing := [name for name in required if name not in values]:
        raise ValueError(
            f"{path}: missing calibration {', '.join(missing)}; a camera file has fx, fy, cx, cy "
            "[px], mount_height [m] and pitch [rad]"
        )
    numbers = {
        name: _number(path, name, values[name])
        for name in known & values.keys() - {"distortion", "model"}
    }
    distortion = values.get("distortion") or ()
    if not isinstance(distortion, list | tuple) or not all(map(_is_number, distortion)):
        raise ValueError(f"{path}: distortion must be a list of numbers, got {distortion!r}")
    try:
        lens = Lens(
            width=int(numbers["width"]),
            height=int(numbers["height"]),
            fx=numbers["fx"],
            fy=numbers["fy"],
            cx=numbers["cx"],
            cy=numbers["cy"],
            mount_height=numbers["mount_height"],
            mount_forward=numbers.get("mount_forward", 0.0),
            pitch=numbers.get("pitch", 0.0),
            yaw=numbers.get("yaw", 0.0),
            distortion=tuple(map(float, distortion)),
            model=values.get("model", "pinhole"),
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return lens.for_size(size, "a picture"), notes


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(path: Path, name: str, value: object) -> float:
    if not _is_number(value):
        raise ValueError(f"{path}: {name} must be a number, got {json.dumps(value)}")
    return float(value)  # type: ignore[arg-type]
