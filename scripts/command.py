"""What every command shares: options from a dataclass, and errors that are one line.

A command module has `main(argv) -> int`; it reads its options with `parse` and raises where
something is wrong. `run_command` turns what it raises into a line and an exit status.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import io
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from redrive import interrupt
from redrive.interrupt import INTERRUPTED

Options = TypeVar("Options")

FAILED, WRONG, PIPE_CLOSED = 1, 2, 141  # exit statuses, beside INTERRUPTED
TRACEBACK = "REDRIVE_TRACEBACK"
FULL = {errno.ENOSPC, errno.EDQUOT}


def unknown(kind: str, word: str, known: Iterable[str]) -> str:
    """The sentence for a word that is none of the known ones, with those nearest to it.

    `unknown policy 'lsmt'; did you mean 'lstm'? There are attention, lstm, mlp`
    """
    words = sorted(known)
    return f"unknown {kind} {word!r}; {did_you_mean(word, words)}there are {', '.join(words)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean 'lstm'? `, or nothing where no known word is near."""
    words = sorted(known)
    longer = [name for name in words if len(word) > 1 and name.startswith(word.lower())]
    near = longer or difflib.get_close_matches(word.lower(), words, n=2)
    return f"did you mean {' or '.join(map(repr, near))}? " if near else ""


def parse(options: type[Options], argv: Sequence[str], command: str) -> Options:
    """Read the options of `redrive COMMAND` with tyro; a wrong word is told the near ones."""
    import tyro

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(options, args=argv, prog=f"redrive {command}")
    except SystemExit as stop:
        if not stop.code:
            sys.stderr.write(said.getvalue())
            raise
        shown = io.StringIO()
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(shown):
            tyro.cli(options, args=["--help"])
        told = [*_unknown_options(argv, shown.getvalue()), *_unknown_choice(said.getvalue())]
        line = "; ".join(told).rstrip("?") or _first_section(said.getvalue())
        sys.stderr.write(f"redrive: error: {line}; redrive {command} --help explains\n")
        raise


def run_command(main: Callable[[Sequence[str]], int], argv: Sequence[str]) -> int:
    """Run a command to its end; its exit status.

    0 done, 2 something given was wrong, 130 stopped by Ctrl-C, 1 a mistake of ours. Nobody sees a
    traceback for what they typed or for a file that is broken; REDRIVE_TRACEBACK=1 shows it.
    """
    try:
        status = _run(main, argv)
        interrupt.end(status)
    except KeyboardInterrupt:
        _explain(interrupt.STOPPED)
        status = INTERRUPTED
        interrupt.end(status)
    return status


def _run(main: Callable[[Sequence[str]], int], argv: Sequence[str]) -> int:
    """`run_command`, but for Ctrl-C."""
    try:
        status = main(argv)
        sys.stdout.flush()
        return status
    except SystemExit as stop:  # tyro: after --help, or after it has said what is wrong
        return _status(stop)
    except BrokenPipeError:  # the reader of our output has gone: `redrive list | head -1`
        with contextlib.suppress(OSError):  # else Python complains when it flushes at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except Exception as error:
        if interrupt.came():  # a library has made this error of it
            raise KeyboardInterrupt from error
        message = user_message(error)
        if message is None:
            traceback.print_exc()
            _explain(
                "redrive: error: this is a mistake in redrive, not in what you typed; "
                "please report it with the lines above"
            )
            return FAILED
        if os.environ.get(TRACEBACK):
            traceback.print_exc()
        _explain(f"redrive: error: {message}")
        return WRONG


def user_message(error: Exception) -> str | None:
    """The one line for an error that a user can do something about; None for a mistake of ours."""
    text = " ".join(str(error).split())
    # safetensors has an error of its own, with the system's words inside
    if getattr(error, "errno", None) in FULL or "No space left on device" in text:
        if isinstance(error, OSError) and error.strerror is None:  # our own words, which know more
            return text
        where = getattr(error, "filename", None)
        place = f" (while writing {where})" if where else ""
        return (
            f"the disk is full{place}; make room and give the same command again: "
            "what was finished is saved"
        )
    if isinstance(error, KeyError):  # our own are sentences; a bare key is a mistake of ours
        argument = error.args[0] if error.args else None
        return argument if isinstance(argument, str) and " " in argument else None
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror[0].lower()}{error.strerror[1:]}"
    if isinstance(error, MemoryError):
        return f"out of memory: {text}" if text else "out of memory; ask for less at a time"
    # FloatingPointError: a loss that is no number; its message says what to look at
    if isinstance(error, (ValueError, OSError, ImportError, FloatingPointError)):
        return text or type(error).__name__
    return None


def _status(stop: SystemExit) -> int:
    if isinstance(stop.code, int) or stop.code is None:
        return stop.code or 0
    _explain(str(stop.code))
    return FAILED


def _explain(line: str) -> None:
    with contextlib.suppress(OSError):  # stderr may be closed, too
        print(line, file=sys.stderr, flush=True)


def _unknown_options(argv: Sequence[str], shown: str) -> Iterator[str]:
    """What to say about each option that the help does not show."""
    known = {name.rstrip(".") for name in re.findall(r"--[a-z][\w.-]*", shown)}
    for word in argv:
        name = word.split("=")[0].replace("_", "-")
        if name.startswith("--") and name not in known:
            yield f"no option {name}; {did_you_mean(name, known)}".rstrip("; ")


def _unknown_choice(said: str) -> Iterator[str]:
    """For tyro's "invalid choice 'x' for argument '--y'. Expected one of (...)"."""
    found = re.search(
        r"invalid choice '(.*?)' for argument '(.*?)'\. Expected one of (.*)", _first_section(said)
    )
    if found:
        word, argument, rest = found.groups()
        choices = re.findall(r"'(.*?)'", rest)
        yield f"{argument}: {unknown('choice', word, choices)}"


def _first_section(said: str) -> str:
    """What tyro says below its title, down to the first rule, as one line; frames may be blank."""
    lines: list[str] = []
    for line in said.splitlines()[1:]:
        text = line.strip("│| ")
        if not re.search(r"[─-]{4}[╮╯+]?$", text):
            lines.append(text)
        elif lines:
            break
    return " ".join(" ".join(lines).split()).rstrip(". ")
