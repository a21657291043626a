"""Ctrl-C at any moment: one line, exit status 130, no traceback, nobody left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
LINE = "stopped; what was finished is saved\n"


def start(folder: Path, program: str, *words: str) -> "subprocess.Popen[str]":
    """The program under the name of the console command."""
    script = folder / "redrive"
    script.write_text(f"import signal, sys, time\n{program}\n")
    return subprocess.Popen(
        [sys.executable, str(script), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def outcome(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize(
    "module", ["gymnasium", "numpy", "redrive.command", "numba", "cv2", "torch"]
)
def test_while_python_imports(tmp_path: Path, module: str) -> None:
    program = f"""
def look(event, arguments):
    if event == "import" and arguments[0] == {module!r}:
        signal.raise_signal(signal.SIGINT)
sys.addaudithook(look)
from redrive.cli import main
import torch
sys.exit(main())"""
    assert outcome(start(tmp_path, program, "list")) == (130, "", LINE)


RUNNING = """
import atexit
from redrive.command import run_command
from redrive import interrupt
def ctrl_c():
    signal.raise_signal(signal.SIGINT)
class Last:
    def __del__(self):
        ctrl_c()
def main(argv):
    interrupt.begin()
    {body}
    return 0
sys.exit(run_command(main, []))"""


@pytest.mark.parametrize(
    ("body", "out"),
    [
        pytest.param("ctrl_c()", "", id="anywhere"),
        pytest.param("Last(); time.sleep(30)", "", id="in a finalizer"),
        pytest.param(
            """try:
        ctrl_c()
    except KeyboardInterrupt as stop:
        raise SystemError('a library in C has made this of it') from stop""",
            "",
            id="turned into another error",
        ),
        pytest.param(
            """try:
        ctrl_c()
    finally:
        ctrl_c()
        print('tidied up')""",
            "tidied up\n",
            id="again, while it tidies up",
        ),
        pytest.param("atexit.register(ctrl_c); ctrl_c()", "", id="again, at Python's end"),
    ],
)
def test_while_the_command_runs(tmp_path: Path, body: str, out: str) -> None:
    assert outcome(start(tmp_path, RUNNING.format(body=body))) == (130, out, LINE)


def test_after_the_command_it_changes_nothing(tmp_path: Path) -> None:
    body = "atexit.register(ctrl_c); print('done')"
    assert outcome(start(tmp_path, RUNNING.format(body=body))) == (0, "done\n", "")


def test_who_imports_redrive_keeps_their_own_way_with_ctrl_c() -> None:
    program = "import redrive, signal; print(signal.getsignal(2) is signal.default_int_handler)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout == "True\n"


def test_where_it_is_to_be_ignored_it_is() -> None:
    program = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.exit(subprocess.call([sys.executable, "-m", "redrive", "--version"]))"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("delay", [0.0, 0.3, 1.0])
def test_processes_side_by_side_hear_nothing_of_it(tmp_path: Path, delay: float) -> None:
    (tmp_path / "jobs.py").write_text(
        "import time, gymnasium\ndef sleep(report):\n    time.sleep(600)\n"
    )
    program = """
from redrive.side_by_side import Job, run_side_by_side
def main(argv):
    import jobs
    interrupt.begin()
    print('begins', flush=True)
    run_side_by_side('sleeping', [Job(str(i), 1, jobs.sleep, ()) for i in range(2)], 2)
    return 0
if __name__ == '__main__':
    from redrive import interrupt
    from redrive.command import run_command
    sys.exit(run_command(main, []))"""
    process = start(tmp_path, program)
    assert process.stdout is not None and process.stdout.readline() == "begins\n"
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    status, _, said = outcome(process)  # comes only when all that hold the pipes are gone
    assert (status, said) == (130, LINE), said


@pytest.mark.parametrize(("name", "kept"), [("redrive", True), ("notebook", False)])
def test_only_the_end_of_a_process_leaves_its_garbage(
    tmp_path: Path, name: str, kept: bool
) -> None:
    program = tmp_path / name
    program.write_text(
        "import gc\nfrom redrive import cli\ncli.main(['validate', 'nowhere'])\n"
        "print('\\n', gc.get_freeze_count() > 0)"
    )
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == str(kept)
