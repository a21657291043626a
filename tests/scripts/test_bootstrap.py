import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from redrive import bootstrap
from redrive.bootstrap import Meter, PipReader, SetupError


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkout: Path) -> Path:
    """A checkout with nothing set up, for the script to work on."""
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((checkout / name).read_bytes())
    for name in ("sim", "agents", "models", "scripts"):
        (tmp_path / name).mkdir()
    venv = tmp_path / ".venv"
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", venv)
    monkeypatch.setattr(bootstrap, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(bootstrap, "STAMP", venv / "redrive-stamp")
    monkeypatch.setattr(bootstrap, "BUILD", tmp_path / "build")
    monkeypatch.setattr(bootstrap, "LOG", tmp_path / "build" / "set-up.log")
    (tmp_path / "build").mkdir()
    return tmp_path


def test_an_unknown_job_is_answered_with_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main(["tset"]) == 2
    assert "no job 'tset'; did you mean 'test'?" in capsys.readouterr().err


def test_the_help_names_every_job(capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main([]) == 0
    shown = capsys.readouterr().out
    for job in bootstrap.JOBS:
        assert f"bootstrap.py {job}" in shown


def test_an_environment_that_is_in_use_is_rebuilt_from_outside(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[list[str]] = []

    def call(command: list[str]) -> int:
        called.append(command)
        return 7

    monkeypatch.setattr(sys, "prefix", str(elsewhere / ".venv"))
    monkeypatch.setattr(sys, "_base_executable", "/outside/python")
    monkeypatch.setattr(bootstrap.subprocess, "call", call)
    assert bootstrap.main(["test", "-k", "camera"]) == 7
    ((python, script, *rest),) = called
    assert (python, rest) == ("/outside/python", ["test", "-k", "camera"])
    assert Path(script) == Path(bootstrap.__file__).resolve()


def test_make_has_every_job(checkout: Path) -> None:
    targets = (checkout / "Makefile").read_text(encoding="utf-8")
    for job in bootstrap.JOBS:
        assert f" {job}" in targets.split(".PHONY:")[1].splitlines()[0]


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 10, 13), (3, 14, 0)])
def test_another_python_is_refused_in_one_line(
    version: tuple[int, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    assert bootstrap.main(["demo"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(
        "redrive: error: redrive needs Python 3.11, 3.12 or 3.13, and this is 3."
    )
    assert "scripts/bootstrap.py demo" in said
    assert len(said.splitlines()) == 1


def test_the_stamp_follows_what_is_installed_and_nothing_else(elsewhere: Path) -> None:
    before = bootstrap.wanted_stamp()
    project = elsewhere / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    project.write_text(text.replace("line-length = 100", "line-length = 99"), encoding="utf-8")
    assert bootstrap.wanted_stamp() == before
    project.write_text(text.replace('"tyro>=0.9"', '"tyro>=1.0"'), encoding="utf-8")
    assert bootstrap.wanted_stamp() != before


def test_a_pin_changes_the_stamp(elsewhere: Path) -> None:
    before = bootstrap.wanted_stamp()
    pins = elsewhere / "constraints.txt"
    pins.write_text(pins.read_text(encoding="utf-8") + "another==1.0\n", encoding="utf-8")
    assert bootstrap.wanted_stamp() != before


def test_an_interrupted_set_up_is_not_taken_for_a_finished_one(elsewhere: Path) -> None:
    bootstrap.PYTHON.parent.mkdir(parents=True)
    bootstrap.PYTHON.touch()
    bootstrap.STAMP.write_text("unfinished")
    assert not bootstrap.is_current()
    bootstrap.STAMP.write_text(bootstrap.wanted_stamp())
    assert bootstrap.is_current()


def test_an_environment_of_somebody_else_is_left_alone(elsewhere: Path) -> None:
    mine = elsewhere / ".venv" / "mine"
    mine.parent.mkdir()
    mine.write_text("precious")
    with pytest.raises(SetupError, match="this script did not make it"):
        bootstrap.make_environment()
    assert mine.read_text() == "precious"


def test_a_set_up_that_was_killed_as_it_began_starts_over(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed() -> list[str]:
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "bare_pip", killed)
    bootstrap.VENV.mkdir()  # killed between the folder and the mark in it
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            bootstrap.make_environment()
        assert [path.name for path in bootstrap.VENV.iterdir()] == [bootstrap.STAMP.name]
        (bootstrap.VENV / "bin").mkdir()  # half made


@pytest.mark.skipif(os.name != "posix", reason="locks of POSIX")
def test_the_next_set_up_waits_for_what_a_killed_one_has_started(elsewhere: Path) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(Path(bootstrap.__file__).parent)!r})
import bootstrap, os, pathlib
bootstrap.BUILD = pathlib.Path({str(bootstrap.BUILD)!r})
bootstrap.LOG = bootstrap.BUILD / "log"
with bootstrap.only_one():
    command = [sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(3)"]
    bootstrap.run_step(bootstrap.Meter("x"), command, lambda line: os._exit(9))"""
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    assert killed.returncode == 9
    begun = time.monotonic()
    with bootstrap.only_one():
        assert time.monotonic() - begun > 1.0


def test_ctrl_c_while_the_set_up_script_is_read_shows_no_traceback() -> None:
    program = f"""
import runpy, signal, sys
def look(event, arguments):
    if event == "import" and arguments[0] == "urllib.request":
        signal.raise_signal(signal.SIGINT)
sys.addaudithook(look)
sys.argv = ["bootstrap.py", "setup"]
runpy.run_path({bootstrap.__file__!r}, run_name="__main__")"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"")


def test_a_small_disk_is_told_before_anything_is_made(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        bootstrap.shutil, "disk_usage", lambda path: SimpleNamespace(free=100_000_000)
    )
    with pytest.raises(SetupError, match=r"needs 2\.5 GB of disk .* 0\.1 GB are free"):
        bootstrap.make_environment()
    assert not bootstrap.VENV.exists()


def test_a_failed_step_shows_what_was_said(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = "print('no such index'); raise SystemExit(1)"
    with pytest.raises(SetupError, match=r"set-up\.log"):
        bootstrap.run_pip(Meter("installing"), [sys.executable, "-c", program])
    assert "no such index" in capsys.readouterr().err
    assert "no such index" in bootstrap.LOG.read_text(encoding="utf-8")


def test_ctrl_c_ends_what_was_started(elsewhere: Path) -> None:
    def stop(line: str) -> None:
        raise KeyboardInterrupt

    started = time.monotonic()
    child = "import time; time.sleep(600)"
    endless = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    program = f"print('started', flush=True); {endless}"
    with pytest.raises(KeyboardInterrupt):  # comes only when all that hold the pipe are gone
        bootstrap.run_step(Meter("installing"), [sys.executable, "-c", program], stop)
    assert time.monotonic() - started < 60


def test_the_bar_follows_pip(elsewhere: Path) -> None:
    reader = PipReader(meter := Meter("installing"), expected=2)
    reader.line("Collecting numpy>=2.0 (from redrive==0.1.0)")
    assert (meter.done, meter.total, meter.what) == (1, 4, "numpy>=2.0")
    reader.line("Downloading https://files.example/numpy-2.4.6.whl (16.9 MB)")
    reader.line("Progress 8000000 of 16900000")
    assert meter.what == "numpy-2.4.6.whl (16.9 MB): 8 of 17 MB"
    reader.line("Installing collected packages: numpy, torch")
    (bootstrap.VENV / "lib/site-packages/numpy-2.4.6.dist-info").mkdir(parents=True)
    reader.tick()
    assert meter.done == 3


def test_another_set_up_is_waited_for(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fcntl", reason="Windows has no such lock")
    lock = "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX)\n"
    hold = lock + "print('held', flush=True); sys.stdin.read()"
    path = elsewhere / "build" / "set-up.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    holder.stdout.readline()

    with pytest.MonkeyPatch.context() as patch:
        # Our line about waiting is what lets the other one go.
        patch.setattr("builtins.print", lambda *args, **kwargs: holder.communicate())
        with bootstrap.only_one():
            assert holder.returncode == 0


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A Linux machine without an NVIDIA GPU whose pip is as it came, and an index that answers."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    monkeypatch.setattr(bootstrap.Path, "exists", lambda path: False)
    monkeypatch.setattr(bootstrap.urllib.request, "urlopen", lambda *args, **kw: io.BytesIO())
    configured(monkeypatch, "")
    yield monkeypatch


def configured(patch: pytest.MonkeyPatch, settings: str) -> None:
    patch.setattr(bootstrap.subprocess, "run", lambda *args, **kw: SimpleNamespace(stdout=settings))


def test_without_a_gpu_the_smaller_torch_is_taken(no_gpu: pytest.MonkeyPatch) -> None:
    assert bootstrap.cpu_index() == bootstrap.CPU_INDEX


def test_with_a_gpu_nothing_is_added(no_gpu: pytest.MonkeyPatch) -> None:
    no_gpu.setattr(bootstrap.shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    assert bootstrap.cpu_index() is None


@pytest.mark.parametrize("setting", ["global.index-url='x'", ":env:.find-links='/wheels'"])
def test_a_pip_that_was_told_where_to_look_is_not_told_more(
    setting: str, no_gpu: pytest.MonkeyPatch
) -> None:
    configured(no_gpu, setting)
    assert bootstrap.cpu_index() is None


def test_an_index_that_does_not_answer_is_left_out(no_gpu: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kw: object) -> None:
        raise OSError("no route")

    no_gpu.setattr(bootstrap.urllib.request, "urlopen", refuse)
    assert bootstrap.cpu_index() is None


def test_type_checkers_see_the_folders_under_their_import_names(elsewhere: Path) -> None:
    (elsewhere / "scripts" / "cli.py").touch()
    bootstrap.link_types()
    view = elsewhere / "build" / "types" / "redrive"
    assert (view / "sim").resolve() == elsewhere / "sim"
    assert (view / "cli.py").resolve() == elsewhere / "scripts" / "cli.py"
    (elsewhere / "scripts" / "cli.py").rename(elsewhere / "scripts" / "shell.py")
    bootstrap.link_types()
    assert {path.name for path in view.iterdir()} == {"sim", "agents", "models", "shell.py"}
