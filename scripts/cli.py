"""The command `redrive`: says what there is, and hands over to the module of each command.

Modules are imported when their command is run, so that `redrive --help` is there at once.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from redrive import __version__, interrupt
from redrive.command import did_you_mean, run_command


class Entry(NamedTuple):
    """A command: the module with its `main(argv) -> int`, and what it is for."""

    module: str
    purpose: str


START = {
    "demo": Entry("demo", "all of the main job once, small: five drivers, in minutes"),
}
MAIN_JOB = {
    "import": Entry("import_drive", "make a recording of a real drive: KITTI, comma, a video"),
    "record": Entry("record", "let the expert, a learned driver or you drive, and keep it"),
    "train": Entry("train", "learn a driver from recordings, by imitation"),
    "evaluate": Entry("evaluate", "drive unseen episodes in closed loop; a table with intervals"),
    "watch": Entry("watch", "a window: the road from above and what the camera sees"),
    "report": Entry("report", "one self-contained page from results"),
    "compare": Entry("compare", "is A better than B, by how much, how sure"),
}
BESIDE = {
    "list": Entry("listing", "the worlds, sensors, policies and suites there are"),
    "info": Entry("info", "what a recording or a run holds"),
    "validate": Entry("validate", "what is wrong with a recording or a run, if anything"),
    "study": Entry("study", "the experiments that the docs quote, each re-runnable"),
    "bench": Entry("bench", "frames and steps a second on this machine"),
}
COMMANDS = START | MAIN_JOB | BESIDE


def help_text() -> str:
    """What `redrive --help` shows."""

    def lines(entries: dict[str, Entry]) -> str:
        return "\n".join(f"  {name:<10}{entry.purpose}" for name, entry in entries.items())

    return f"""\
redrive {__version__}: learn drivers from recorded drives, test them in closed loop

usage: redrive COMMAND ...          (python -m redrive is the same)

start here
{lines(START)}

the main job, in its order
{lines(MAIN_JOB)}

beside it
{lines(BESIDE)}

for example
  redrive record --regime noise-injection --episodes 150 --out recordings/first
  redrive train recordings/first --policy lstm --out runs/first
  redrive evaluate runs/first expert --suite roads --out results.json
  redrive watch runs/first --world procedural:7

redrive COMMAND --help explains one of them. Next, type: redrive demo"""


def dispatch(argv: Sequence[str]) -> int:
    """Run the command that the first word names, with the others."""
    if not argv or argv[0] in {"-h", "--help", "help"}:
        named = argv[1:2]
        if named and named[0] in COMMANDS:  # redrive help train
            return dispatch([named[0], "--help"])
        print(help_text())
        return 0
    name, *rest = argv
    if name == "--version":
        print(f"redrive {__version__}")
        return 0
    if name not in COMMANDS:
        hint = did_you_mean(name, COMMANDS)
        raise ValueError(f"no command {name!r}; {hint}redrive --help lists them")
    module = importlib.import_module(f"redrive.{COMMANDS[name].module}")
    interrupt.begin()
    status: int = module.main(rest)
    return status


def main(argv: Sequence[str] | None = None) -> int:
    """The console command; its exit status."""
    return run_command(dispatch, sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    sys.exit(main())
