"""`redrive study`: the experiments that the docs quote, each re-runnable."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from tyro.conf import Positional

from redrive import kernels, terminal
from redrive.command import parse
from redrive.models.settings import suggest
from redrive.sim.files import write_whole

# The module that runs each study, and what it asks: one line here is all that a new study needs.
STUDIES = {
    "copycat": (
        "study_copycat",
        "does the driver with the smallest error drive best?",
    ),
    "bottleneck": (
        "study_bottleneck",
        "how many bits fit into a memory of so many numbers?",
    ),
    "embedding": (
        "study_embedding",
        "what do learned vectors for route commands know that one-hot numbers do not?",
    ),
    "order": (
        "study_order",
        "who notices which of two signs came first?",
    ),
    "overfitting": (
        "study_overfitting",
        "few demonstrations or many, and what helps: dropout, weight decay, early stopping?",
    ),
    "perceptron": (
        "study_perceptron",
        "what can one neuron drive, and what do its weights look like?",
    ),
    "gradients": (
        "study_gradients",
        "how far back is a mistake felt: tanh, rectifiers, gates, attention; what explodes?",
    ),
    "length": (
        "study_length",
        "learned on T steps, driven for 8 T: who still remembers; and what is faster where?",
    ),
    "optimisation": (
        "study_optimisation",
        "learning rate, batch size, optimizer, schedule: what do they do to a driver?",
    ),
    "real-footage": (
        "study_real_footage",
        "on a real drive (--recording): does view synthesis bring a driver back, and the log?",
    ),
    "synthesis": (
        "study_synthesis",
        "how far are re-synthesized views from the true ones (with --recording: of a real drive)?",
    ),
    "attention-maps": (
        "study_attention_maps",
        "what does a driver with attention look at when it decides, and does it need it?",
    ),
    "memory": (
        "study_memory",
        "for how long does each kind of memory remember a sign, until the fork it is about?",
    ),
    "tasks": (
        "study_tasks",
        "black frames, an unseen speed, a stop sign, late commands: who learns to drive with them?",
    ),
    "view-synthesis": (
        "study_view_synthesis",
        "what does one recorded drive teach: its log, side cameras, view synthesis, true pictures?",
    ),
}

ABOUT_A_RECORDING = ("synthesis", "real-footage")


@dataclass(frozen=True)
class StudyOptions:
    """Run an experiment: table.csv, plots, a page to look at (index.html) and summary.json.

    `redrive list` says what each of them asks. What is there already is not done again.
    """

    name: Positional[str]
    """Which experiment."""
    out: Path
    """The folder for what comes out of it."""
    quick: bool = False
    """A small version, for a first look and for tests."""
    recording: Path | None = None
    """synthesis, real-footage: a recording of a real camera (redrive import)."""
    seed: int = 0
    """Another seed, other roads."""
    processes: int = 0
    """Runs side by side; 0: one for each core."""


Progress = Callable[[int], object]


def run(options: StudyOptions) -> dict[str, Any]:
    """Run a study; its summary."""
    if options.name not in STUDIES:
        raise ValueError(f"unknown study {options.name!r}; {suggest(options.name, STUDIES)}")
    if options.recording is not None and options.name not in ABOUT_A_RECORDING:
        raise ValueError(f"--recording is for the studies {' and '.join(ABOUT_A_RECORDING)}")
    if options.processes < 0:
        raise ValueError(f"--processes is a number from 0, got {options.processes}")
    options.out.mkdir(parents=True, exist_ok=True)
    module = importlib.import_module(f"redrive.{STUDIES[options.name][0]}")
    summary: dict[str, Any] = module.study(options)
    write_json(options.out / "summary.json", summary)
    terminal.say(f"{options.out / 'index.html'}: what came out; the numbers are in summary.json")
    return summary


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Save values as JSON that is easy to read."""
    write_whole(path, json.dumps(values, indent=1, sort_keys=True).encode() + b"\n")


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Save rows as CSV, with the names of the first one's entries on top."""
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        for row in rows:
            writer.writerow({k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()})


def write_page(
    path: Path, title: str, lead: str, pictures: Sequence[tuple[str, str]], command: str
) -> None:
    """A page with what came out: a sentence, pictures with captions, the command."""
    figures = "\n".join(
        f'<figure><img src="{escape(name)}" alt="{escape(caption)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
        for name, caption in pictures
    )
    page = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>
<style>body{{font:17px/1.5 Georgia,serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}}
h1{{font-family:sans-serif}}img{{max-width:100%}}figure{{margin:2rem 0}}
figcaption,code{{color:#555;font-size:.9em}}</style></head><body>
<h1>{escape(title)}</h1><p>{escape(lead)}</p>
{figures}
<p>Made by <code>{escape(command)}</code>; the numbers are in table.csv and summary.json.</p>
</body></html>
"""
    write_whole(path, page.encode())


def main(argv: Sequence[str]) -> int:
    """The command."""
    options = parse(StudyOptions, argv, "study")
    kernels.ready()
    run(options)
    return 0
