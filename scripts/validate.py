"""`redrive validate`: what is wrong with a recording or a run, if anything."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tyro.conf import Positional

from redrive.command import parse
from redrive.sim import files, recording
from redrive.sim.recording import Problem
from redrive.sim.recording_header import HEADER_FILE, read_json

POLICY_FILE, WEIGHTS_FILE, LOG_FILE = "policy.json", "policy.safetensors", "log.jsonl"


@dataclass(frozen=True)
class ValidateOptions:
    """Read everything in a folder and say what is wrong with it.

    A recording is checked for episodes that are truncated, changed or half written, for columns
    that are missing, of another shape or not finite, and for labels that belong to another frame.
    Nothing is changed. The exit status is 0 when all is well and 1 when something is wrong.
    """

    folder: Positional[Path]
    """A folder that `redrive record` or `redrive train` has made."""


def validate(folder: str | os.PathLike[str]) -> list[Problem]:
    """What is wrong with a recording or a run.

    Raises:
        FileNotFoundError: the folder is neither.
    """
    folder = Path(folder)
    if (folder / HEADER_FILE).is_file():
        return recording.validate(folder)
    if (folder / POLICY_FILE).is_file() or (folder / WEIGHTS_FILE).is_file():
        return list(_check_run(folder))
    raise FileNotFoundError(
        f"{folder} is neither a recording (it has no {HEADER_FILE}) nor a run (no {POLICY_FILE}); "
        "name a folder that `redrive record` or `redrive train` has made"
    )


def run(options: ValidateOptions) -> int:
    """Print what is wrong; how many things that is."""
    problems = validate(options.folder)
    for problem in problems:
        print(problem)
    if problems:
        things = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        print(f"{options.folder}: {things}")
    else:
        print(f"{options.folder}: all is well")
    return len(problems)


def main(argv: Sequence[str]) -> int:
    return 1 if run(parse(ValidateOptions, argv, "validate")) else 0


def _check_run(folder: Path) -> Iterator[Problem]:
    train_again = "restore it from a copy or train again"
    try:
        read_json(folder / POLICY_FILE)
    except FileNotFoundError:
        yield Problem(POLICY_FILE, "", "missing, so nobody knows what the weights are", train_again)
    except ValueError as error:
        yield Problem(POLICY_FILE, "", str(error), train_again)
    weights = folder / WEIGHTS_FILE
    if not weights.is_file():
        yield Problem(WEIGHTS_FILE, "", "missing", "train, or train on with --resume")
        return
    try:
        columns = files.read_columns(weights)
    except ValueError as error:
        yield Problem(WEIGHTS_FILE, "", str(error), train_again)
        return
    for name, column in columns.items():
        if column.dtype.kind == "f" and not np.isfinite(files.read_whole(weights, column)).all():
            yield Problem(WEIGHTS_FILE, name, "not finite: training diverged", "train again")
