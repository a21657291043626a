"""Work in several processes: results in order, errors that say what was wrong, nobody left behind."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from redrive.side_by_side import Job, Report, run_side_by_side

JOBS = """
import time
def double(report, value):
    report(1, "half"); report(1, "")
    return 2 * value
def fail(report):
    raise ValueError("this one is broken")
def sleep(report, mark):
    open(mark, "w").write(str(__import__("os").getpid()))
    time.sleep(600)
"""


def program(folder: Path, body: str) -> list[str]:
    (folder / "jobs.py").write_text(JOBS)
    script = folder / "program.py"
    script.write_text(
        "import jobs\nfrom redrive.side_by_side import Job, run_side_by_side\n"
        f"if __name__ == '__main__':\n    {body}\n"
    )
    return [sys.executable, str(script)]


def test_results_come_in_the_order_of_the_jobs(tmp_path: Path) -> None:
    body = (
        "print(run_side_by_side('doubling', "
        "[Job(str(i), 2, jobs.double, (i,)) for i in range(4)], 2))"
    )
    done = subprocess.run(program(tmp_path, body), capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[0, 2, 4, 6]", done.stderr
    assert "8 of 8" in done.stderr


def test_the_error_of_one_is_the_error_of_all(tmp_path: Path) -> None:
    body = "run_side_by_side('failing', [Job('bad', 1, jobs.fail, ())], 2)"
    done = subprocess.run(program(tmp_path, body), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "this one is broken" in done.stderr


def note(report: Report, told: list[int], more: int) -> list[int]:
    report(1, "half")
    report(1, "")
    told.append(more)
    return told


def test_one_at_a_time_is_done_here_with_copies_as_a_process_gets_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = [1]
    found = run_side_by_side("noting", [Job(str(i), 2, note, (told, i)) for i in (2, 3)], 1)
    assert (found, told) == ([[1, 2], [1, 3]], [1])
    assert run_side_by_side("noting", [Job("alone", 2, note, (told, 4))], 8) == [[1, 4]]
    assert capsys.readouterr().err.splitlines()[-1].startswith("noting: 2 of 2")


def test_what_no_other_process_could_be_given_is_refused_in_this_one_too() -> None:
    with pytest.raises((AttributeError, pickle.PicklingError)):
        run_side_by_side("noting", [Job("here", 1, lambda report: None, ())], 1)


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="looks into /proc")
def test_nobody_is_left_behind_when_the_parent_is_killed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    job = f"Job('s', 1, jobs.sleep, ({str(mark)!r},))"
    body = f"run_side_by_side('sleeping', [{job}, {job}], 2)"
    parent = subprocess.Popen(
        program(tmp_path, body), stderr=subprocess.DEVNULL, start_new_session=True
    )
    _wait_for(lambda: mark.read_text() if mark.exists() else "")
    assert len(_session(parent.pid)) > 2  # the worker, and the one that carries what it says
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _wait_for(lambda: "gone" if not _session(parent.pid) else "")


def _wait_for(look) -> str:  # type: ignore[no-untyped-def]
    until = time.monotonic() + 30.0
    while time.monotonic() < until:
        if found := look():
            return str(found)
        time.sleep(0.1)
    raise AssertionError("it did not happen within 30 s")


def _session(leader: int) -> list[int]:
    """The processes that a program has started, itself among them."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            state, _, _, session = stat.read_text().rpartition(")")[2].split()[:4]
            if int(session) == leader and state != "Z":
                found.append(int(stat.parent.name))
    return found
