"""Donkeycar tubs (version 2): steering and throttle become a path by dead reckoning.

A tub knows neither speed nor place nor camera. What is assumed is stated in the recording: a
kinematic bicycle, a speed in proportion to the throttle, a fixed frame rate. Donkeycar's steering
is +1 to the RIGHT.

Source:
    https://docs.donkeycar.com, "Tub v2" (manifest.json, catalogs, deleted_indexes).
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import motion
from .drive import Drive, Eye, gap_notes, starts_of
from .lens import UNKNOWN, Lens, Mounting
from .lens_file import read_lens
from .note import Note
from .pictures import ImageFolder

RATE = 20.0  # pictures a second, Donkeycar's default [1/s]


@dataclass(frozen=True)
class Chassis:
    """What steering and throttle do to the car."""

    wheelbase: float = 0.26  # of a 1/10 car [m]
    max_steer: float = float(np.deg2rad(25.0))  # of the road wheels, at +-1 [rad]
    full_speed: float = 1.5  # at throttle 1 [m/s]

    def __post_init__(self) -> None:
        if not 0.02 <= self.wheelbase <= 5.0:
            raise ValueError(f"wheelbase must lie between 0.02 and 5 m, got {self.wheelbase}")
        if not 0.02 <= self.max_steer <= 1.2:
            raise ValueError(
                f"max_steer must lie between 0.02 and 1.2 rad, got {self.max_steer:.3g}; "
                "is it in degrees?"
            )
        if not 0.05 <= self.full_speed <= 60.0:
            raise ValueError(f"full_speed must lie between 0.05 and 60 m/s, got {self.full_speed}")


def read(
    path: str | os.PathLike[str],
    chassis: Chassis = Chassis(),
    rate: float | None = None,
    camera: str | os.PathLike[str] | None = None,
    mounting: Mounting = UNKNOWN,
) -> Drive:
    """A tub.

    Args:
        rate: pictures a second [1/s]; None takes the time stamps where they can be true.
        camera: the calibration (JSON); without one a 120 degree fisheye is assumed.
        mounting: what is known of the camera better than its file does.

    Raises:
        FileNotFoundError, ValueError: with what is missing or wrong.
    """
    folder = find_tub(path)
    notes: list[Note] = []
    records, deleted = read_records(folder, notes)
    steer = _numbers(folder, records, "user/angle")
    throttle = _numbers(folder, records, "user/throttle")
    index = np.array([record["_index"] for record in records])
    for name, values in (("user/angle", steer), ("user/throttle", throttle)):
        if np.abs(values).max() > 1.001:
            raise ValueError(
                f"{folder}: {name} reaches {np.abs(values).max():.3g}, it lies between -1 and 1; "
                "is it in degrees?"
            )
    time = _times(records, index, rate, notes)
    missing = np.concatenate([[False], np.diff(index) > 1])
    gaps = motion.find_gaps(time) & ~missing  # a deleted picture explains a step of the clock
    notes += gap_notes(np.zeros(len(index), bool), gaps)
    starts = missing | gaps

    speed = throttle * chassis.full_speed
    curvature = -np.tan(steer * chassis.max_steer) / chassis.wheelbase  # +1 is to the right
    yaw_rate = speed * curvature
    x, y, yaw = motion.integrate(time, speed, yaw_rate)

    pictures, own_frame = _pictures(folder, records)
    if camera is None:
        eye = Eye(pictures, mounting.applied(assumed_lens(pictures.size)))
        notes.append(
            Note(
                "assumed-camera",
                "no calibration was given: a 120 degree fisheye, "
                f"{eye.lens.mount_height:g} m high, pitched down "
                f"{np.rad2deg(eye.lens.pitch):.0f} degrees is assumed",
            )
        )
    else:
        given, amiss = read_lens(camera, pictures.size)
        notes += amiss
        eye = Eye(pictures, mounting.applied(given))
    notes.append(
        Note(
            "dead-reckoning",
            f"poses are integrated: wheelbase {chassis.wheelbase:g} m, {chassis.full_speed:g} m/s "
            f"at full throttle, {np.rad2deg(chassis.max_steer):.3g} degrees at full lock; they drift",
        )
    )
    rows = np.flatnonzero(np.isin(own_frame, pictures.numbers))
    if len(rows) < len(index):
        notes.append(
            Note("no-picture", f"{len(index) - len(rows)} records have no picture; left out")
        )
    return Drive(
        name=f"donkeycar:{folder.resolve().name}",
        time=time[rows],
        x=x[rows],
        y=y[rows],
        yaw=yaw[rows],
        speed=speed[rows],
        yaw_rate=yaw_rate[rows],
        curvature=curvature[rows],
        accel=motion.acceleration(time, speed, starts)[rows],
        starts=starts_of(rows, starts),
        frame=own_frame[rows],
        source=f"Donkeycar tub {folder.resolve().name}",
        licence="not stated",
        eye=eye,
        notes=tuple(notes),
        about={
            "format": "donkeycar",
            "command_from": "steering",
            "wheelbase": chassis.wheelbase,
            "max_steer": chassis.max_steer,
            "full_speed": chassis.full_speed,
            "deleted": deleted,
            "lens": eye.lens.to_json(),
        },
    )


def find_tub(path: str | os.PathLike[str]) -> Path:
    """The folder with manifest.json: `path` or one below it."""
    path = Path(path)
    found = [item.parent for depth in ("", "*/") for item in sorted(path.glob(depth + "manifest.json"))]  # fmt: skip
    if len(found) != 1:
        what = "no tub" if not found else f"{len(found)} tubs"
        raise FileNotFoundError(
            f"{path} holds {what}; name the folder with manifest.json, *.catalog and images/ "
            "(version 1 tubs: run Donkeycar's convert_to_tub_v2 first)"
        )
    return found[0]


def read_records(folder: Path, notes: list[Note]) -> tuple[list[dict[str, Any]], int]:
    """Every record that was not deleted, by index, and how many were.

    Raises:
        ValueError: the manifest is not one, a line is not JSON, or there are no records.
    """
    manifest = _json_lines(folder / "manifest.json")
    listed = next((item for item in manifest if isinstance(item, dict) and "paths" in item), None)
    if listed is None:
        raise ValueError(f"{folder / 'manifest.json'} names no catalogs; is it a version 2 tub?")
    deleted = set(listed.get("deleted_indexes") or [])
    records: dict[int, dict[str, Any]] = {}
    for name in listed["paths"]:
        catalog = folder / name
        if not catalog.is_file():
            raise FileNotFoundError(f"{catalog} is missing; manifest.json names it")
        for line, record in enumerate(_json_lines(catalog), start=1):
            if not isinstance(record, dict) or not isinstance(record.get("_index"), int):
                raise ValueError(  # noqa: TRY004  what the file says is wrong, not the call
                    f"{catalog}, line {line}: a record is an object with _index"
                )
            if record["_index"] in records:
                raise ValueError(
                    f"{catalog}, line {line}: record {record['_index']} is there twice"
                )
            records[record["_index"]] = record
    gone = len(deleted & records.keys())
    if gone:
        notes.append(Note("deleted", f"{gone} records were deleted; the drive is split there"))
    kept = [records[index] for index in sorted(records.keys() - deleted)]
    if len(kept) < 2:
        raise ValueError(f"{folder} has {len(kept)} records left; a drive needs at least 2")
    return kept, gone


def assumed_lens(size: tuple[int, int]) -> Lens:
    """A wide Raspberry Pi camera on a small car: 120 degrees, an equidistant fisheye.

    The height and pitch put the horizon where a floor ends in the pictures of such cars.
    """
    width, height = size
    focal = width / float(np.deg2rad(120.0))
    return Lens(
        width=width,
        height=height,
        fx=focal,
        fy=focal,
        cx=0.5 * width - 0.5,
        cy=0.5 * height - 0.5,
        mount_height=0.12,
        mount_forward=0.1,
        pitch=float(np.deg2rad(16.0)),
        model="fisheye",
    )


def _times(
    records: list[dict[str, Any]], index: np.ndarray, rate: float | None, notes: list[Note]
) -> np.ndarray:
    """The records' times [s]: the stamps, unless they cannot be those of a drive."""
    if rate is not None:
        if not 0.1 <= rate <= 1000.0:
            raise ValueError(f"rate is pictures a second, 0.1 to 1000, got {rate}")
        return (index - index[0]) / rate
    stamps = np.array([record.get("_timestamp_ms", np.nan) for record in records], float) / 1000.0
    steps = np.diff(stamps)
    if np.isfinite(stamps).all() and (steps > 0.0).all() and 0.01 <= np.median(steps) <= 1.0:
        return stamps - stamps[0]
    usual = float(np.median(steps[np.isfinite(steps)])) if np.isfinite(steps).any() else np.nan
    notes.append(
        Note(
            "time-stamps",
            f"the stamps cannot be times of a drive (usually {usual * 1000:.3g} ms apart, or not "
            f"growing); {RATE:g} pictures a second are assumed",
        )
    )
    return (index - index[0]) / RATE


def _pictures(folder: Path, records: list[dict[str, Any]]) -> tuple[ImageFolder, np.ndarray]:
    """The images, and the number of each record's."""
    names = [record.get("cam/image_array") for record in records]
    if not all(isinstance(name, str) for name in names):
        raise ValueError(f"{folder}: a record has no cam/image_array; pictures are needed")
    if not (folder / "images").is_dir():
        raise FileNotFoundError(f"{folder / 'images'} is missing; a tub keeps its pictures there")
    numbers = []
    for name in names:
        digits = str(name).split("_")[0]
        if not digits.isdecimal():
            raise ValueError(f"{folder}: cam/image_array {name!r} does not begin with a number")
        numbers.append(int(digits))
    return ImageFolder(folder / "images"), np.array(numbers)


def _numbers(folder: Path, records: list[dict[str, Any]], name: str) -> np.ndarray:
    if missing := sum(name not in record for record in records):
        raise ValueError(f"{folder}: {missing} records have no {name}; a driven tub has it in each")
    try:
        values = np.array([float(record[name]) for record in records])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{folder}: {name} is not a number ({error})") from error
    motion.check_numbers(name, values, str(folder))
    return values


def _json_lines(path: Path) -> list[Any]:
    """A JSON value from each line that is not empty."""
    values = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            try:
                values.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}, line {number} is not JSON ({error.msg})") from error
    return values
