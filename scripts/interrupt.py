"""Ctrl-C in a command: one line and exit status 130 whenever it comes, never a traceback.

While a command runs, KeyboardInterrupt leaves it, and it tidies up on the way. That alone is not
enough: before it runs, libraries are imported, which make errors of their own of it; Python
swallows it in finalizers; a second one would break into the tidying up; and when the command
has ended, Python has not. So a process that is the command listens from its first line to its last.
"""

from __future__ import annotations

import _thread
import atexit
import contextlib
import gc
import os
import signal  # what takes longer to import than these must wait: we are not listening yet
import sys
import threading
import time
from collections.abc import Iterator

INTERRUPTED = 130  # the exit status
STOPPED = "stopped; what was finished is saved"
PATIENCE = 5.0  # a second Ctrl-C waits so long for the tidying up after the first [s]
AGAIN = 0.02  # until one that Python has swallowed comes once more [s]


class _Process:
    """Where this process is: it imports, or runs a command, or has done so."""

    def __init__(self) -> None:
        self.runs = False
        self.status: int | None = None  # of the command that has ended
        self.since: float | None = None  # when Ctrl-C came [s, monotonic]


_process = _Process()


def is_command() -> bool:
    """Whether this process was started as `redrive` or `python -m redrive`.

    A program that imports redrive is not, nor is a process that the command starts.
    """
    program = sys.argv[0] if sys.argv else ""
    if program == "-m":  # Python looks for the module yet
        return "redrive" in sys.orig_argv
    name = os.path.basename(program).removesuffix(".exe")
    return name == "redrive" and program in sys.orig_argv


def listen() -> None:
    """Take Ctrl-C over; until `begin` it ends the process at once, as nothing has begun."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else: `nohup`, `&`
        signal.signal(signal.SIGINT, _on_ctrl_c)
        sys.unraisablehook = _on_unraisable
        # The last thing that Python does in order; what follows is short and must not be a crash.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


def begin() -> None:
    """From now on a command runs: Ctrl-C is a KeyboardInterrupt."""
    _process.runs = True


def end(status: int) -> None:
    """The command is over: Ctrl-C only hurries Python's own end."""
    _process.status = status
    if _process.runs and is_command():  # not a program that called it, and goes on
        gc.freeze()  # else half a second goes into looking for garbage that nobody will need


def came() -> bool:
    """Whether Ctrl-C came while the command ran, whatever was made of it."""
    return _process.since is not None


@contextlib.contextmanager
def kept_from_children() -> Iterator[None]:
    """Processes started in this block never hear of Ctrl-C; we do, when the block ends."""
    main = threading.current_thread() is threading.main_thread()
    if not main or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # where it starts later, it lets the signal through again
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # children inherit this
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, before)
    if heard:
        signal.raise_signal(signal.SIGINT)


def _on_ctrl_c(number: int, frame: object) -> None:
    if _process.status is not None:
        os._exit(_process.status)
    now = time.monotonic()
    if not _process.runs or (_process.since is not None and now - _process.since > PATIENCE):
        with contextlib.suppress(OSError):
            os.write(2, f"{STOPPED}\n".encode())
        os._exit(INTERRUPTED)  # without a way through the libraries that are half imported
    if _process.since is None:
        _process.since = now
        raise KeyboardInterrupt


def _on_unraisable(what: sys.UnraisableHookArgs) -> None:
    """A finalizer, or a callback from C, was where it came: nobody above hears of that."""
    if not issubclass(what.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(what)
        return
    _process.since = None
    again = threading.Timer(AGAIN, _interrupt_main_thread)
    again.daemon = True
    again.start()


def _interrupt_main_thread() -> None:
    if hasattr(signal, "pthread_kill"):  # wakes it, too, where it sleeps
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()
