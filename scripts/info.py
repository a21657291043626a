"""`redrive info`: what a recording or a run holds."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tyro.conf import Positional

from redrive import terminal
from redrive.command import parse
from redrive.sim import recording
from redrive.sim.recording_header import HEADER_FILE, read_json

POLICY_FILE = "policy.json"


@dataclass(frozen=True)
class InfoOptions:
    """Say what a folder holds: episodes, hours, kilometres, columns, camera, source, licence."""

    folder: Positional[Path]
    """A folder that `redrive record` or `redrive train` has made."""
    json: bool = False
    """Print JSON, for other programs."""


def describe(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """What a recording or a run holds, as JSON values.

    Raises:
        FileNotFoundError: the folder is neither.
        ValueError: it is damaged.
    """
    folder = Path(folder)
    if (folder / HEADER_FILE).is_file():
        return {"kind": "recording"} | recording.describe(folder)
    if (folder / POLICY_FILE).is_file():
        return {"kind": "run", "folder": str(folder)} | read_json(folder / POLICY_FILE)
    raise FileNotFoundError(
        f"{folder} is neither a recording (it has no {HEADER_FILE}) nor a run (no {POLICY_FILE}); "
        "name a folder that `redrive record` or `redrive train` has made"
    )


def run(options: InfoOptions) -> dict[str, Any]:
    """Print what the folder holds."""
    told = describe(options.folder)
    if options.json:
        print(json.dumps(told, indent=1, sort_keys=True))
    elif told["kind"] == "recording":
        _print_recording(told)
    else:
        _print_lines(_flat(told))
    return told


def main(argv: Sequence[str]) -> int:
    run(parse(InfoOptions, argv, "info"))
    return 0


def _print_recording(told: Mapping[str, Any]) -> None:
    km = "unknown: there is no column speed" if told["km"] is None else f"{told['km']:.2f}"
    sides = f"{told['training_episodes']} to train, {told['validation_episodes']} to validate"
    lines = {
        "recording": told["folder"],
        "identity": told["identity"],
        "episodes": f"{told['episodes']} ({sides}, split by {told['split_by']})",
        "worlds": f"{told['worlds']}",
        "steps": f"{told['steps']:,} of {told['dt']:g} s",
        "hours": f"{told['hours']:.3f}",
        "km": km,
        "size": f"{told['bytes'] / 1e6:,.1f} MB",
        "drivers": _counted(told["drivers"]),
        "regimes": _counted(told["regimes"]),
        "results": _counted(told["results"]),
        "camera": _counted(told["camera"] or {}) or "none: frames are not stored",
        "right camera": _counted(told["camera_right"] or {}),
        "route": _counted(told["route"] or {}),
        "source": told["source"],
        "licence": told["licence"],
        **_about(told["about"] or {}),
        "made by": f"redrive {told['redrive_version']} (schema {told['schema']})",
    }
    if told["uncommitted"]:
        lines["ignored"] = f"{len(told['uncommitted'])} unfinished (redrive validate lists them)"
    _print_lines(lines)
    print()
    rows = [
        [name, column["dtype"], " x ".join(map(str, ["T", *column["shape"]])), *_unit(column)]
        for name, column in told["columns"].items()
    ]
    terminal.table(["column", "dtype", "shape", "unit", "frame"], rows)


def _unit(column: Mapping[str, Any]) -> tuple[str, str]:
    return "" if column["unit"] == "1" else column["unit"], column["frame"].replace("none", "")


def _about(about: Mapping[str, Any]) -> dict[str, str]:
    """What an import assumed and found."""
    notes = about.get("notes", [])
    lines = {f"note {number}": text for number, text in enumerate(notes, start=1)}
    return (
        _flat({name: value for name, value in about.items() if name not in ("notes", "lens")})
        | lines
    )


def _counted(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.6g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in values.items()
    )


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, str]:
    lines: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            lines |= _flat(value, f"{above}{name}.")
        else:
            lines[above + name] = str(value)
    return lines


def _print_lines(lines: Mapping[str, str]) -> None:
    width = max(map(len, lines))
    for name, text in lines.items():
        if text:
            print(f"{name:<{width}}  {text}")
