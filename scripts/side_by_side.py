"""Work in several processes at a time, with one progress bar.

Small networks gain nothing from two threads, but two of them train side by side on two cores.
What is done one after the other stays in this process: another would first import torch again.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import queue
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.managers import SyncManager
from typing import Any, NamedTuple

from redrive import interrupt, terminal

ORPHAN_CHECK = 1.0  # how often a process looks whether its parent is still there [s]


class Job(NamedTuple):
    """`work(report, *arguments)`, maybe in another process; `report(count, note)` says how far it is."""

    name: str
    size: int  # how many `report`s count as done
    work: Callable[..., Any]  # a function of a module
    arguments: tuple[Any, ...]


Report = Callable[[int, str], object]


def usable_cores() -> int:
    """Cores that this process may use."""
    with contextlib.suppress(AttributeError):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_side_by_side(label: str, jobs: Sequence[Job], processes: int) -> list[Any]:
    """What every job returned, in order; the first error of one stops the others.

    Ctrl-C stops all of them; what they had saved stays. One at a time needs no other process.
    """
    if min(processes, len(jobs)) <= 1:
        return _run_here(label, jobs)
    context = multiprocessing.get_context("spawn")
    total = sum(job.size for job in jobs)
    beside = SyncManager(ctx=context)
    with interrupt.kept_from_children():
        beside.start(_begin, (os.getpid(),))
    with beside as manager, terminal.progress(label, total) as tick:
        said = manager.Queue()
        pool = ProcessPoolExecutor(
            processes, mp_context=context, initializer=_begin, initargs=(os.getpid(),)
        )
        try:
            with interrupt.kept_from_children():
                running = [
                    pool.submit(_work, said, job.name, job.work, *job.arguments) for job in jobs
                ]
            while not _finished(running):
                with contextlib.suppress(queue.Empty):
                    count, note = said.get(timeout=0.2)
                    tick(count, note=note)
            while not said.empty():
                tick(*said.get())
            return [job.result() for job in running]
        except BaseException:
            for process in list(pool._processes.values()):  # no public way before 3.14
                process.terminate()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _run_here(label: str, jobs: Sequence[Job]) -> list[Any]:
    """One job after the other, each with copies, as another process would have got them."""
    with terminal.progress(label, sum(job.size for job in jobs)) as tick:

        def done(job: Job) -> Any:
            def report(count: int, note: str = "") -> None:
                tick(count, note=f"{job.name} {note}".strip())

            work, arguments = _as_sent((job.work, job.arguments))
            return _as_sent(work(report, *arguments))

        return [done(job) for job in jobs]


def _as_sent(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def _finished(running: Sequence[Future[Any]]) -> bool:
    """Whether all are done; raises what the first one that failed raised."""
    for job in running:
        if job.done():
            job.result()
    return all(job.done() for job in running)


def _begin(parent: int) -> None:
    """Ctrl-C reaches every process of a terminal; the parent decides what it means.

    Where the parent is killed it cannot say anything: then the process ends itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHAN_CHECK)
    os._exit(1)


def _work(said: Any, name: str, work: Callable[..., Any], *arguments: Any) -> Any:
    def report(count: int, note: str = "") -> None:
        said.put((count, f"{name} {note}".strip()))

    return work(report, *arguments)
