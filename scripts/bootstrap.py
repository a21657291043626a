"""Set redrive up in .venv where that is missing or out of date, then run one job in it.

    python3 scripts/bootstrap.py demo      learn five drivers from scratch and report on them
    python3 scripts/bootstrap.py test      run the tests; further words go to pytest
    python3 scripts/bootstrap.py check     ruff and mypy
    python3 scripts/bootstrap.py setup     only set up

Needs Python 3.11, 3.12 or 3.13 and a network that reaches a package index: only the standard
library is used. `make demo`, `make test`, `make check` and `make setup` are the same.
"""

from __future__ import annotations  # an older Python must get as far as our message

import os
import signal

BEFORE = signal.getsignal(signal.SIGINT)
if __name__ == "__main__" and BEFORE is signal.default_int_handler:
    # Ctrl-C while the rest is imported: nothing has begun, and nobody wants to see a traceback.
    signal.signal(signal.SIGINT, lambda number, frame: os._exit(130))

import contextlib
import difflib
import hashlib
import json
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "redrive-stamp"
BUILD = ROOT / "build"
LOG = BUILD / "set-up.log"
OLDEST, NEWEST = (3, 11), (3, 13)
NEEDED_BYTES = 2_500_000_000  # the environment takes 2 GB
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# Half of what is installed, and next to nothing of it is imported: its bytecode can wait until it is.
SELDOM = (
    "fontTools|future|mypy|mypyc|networkx|pip|pygments|scipy|setuptools|stable_baselines3|tensorboard|"
    r"torchgen|torch[\\/](_inductor|testing)"
)
JOBS: dict[str, list[list[str]]] = {
    "setup": [],
    "demo": [["-m", "redrive", "demo"]],
    # A process for each core, which takes over a part of what another still has to do.
    "test": [["-m", "pytest", "-n", "logical", "--maxprocesses", "4", "--dist", "worksteal"]],
    "check": [["-m", "ruff", "check"], ["-m", "ruff", "format", "--check"], ["-m", "mypy"]],
}


_held: list[int] = []  # the lock of this checkout, while we have it


class SetupError(Exception):
    """The set-up cannot go on; the message is for the person who started it."""


# --- what is shown while something works ---------------------------------------------------------


class Meter:
    """One step of the set-up: a bar that fills on a terminal, a line every ten seconds elsewhere."""

    WIDTH = 24

    def __init__(self, title: str) -> None:
        self.title, self.what = title, ""
        self.done, self.total = 0, 0
        self.live = sys.stdout.isatty()
        self.started = self.shown = time.monotonic()
        self._write(f"{title} ...")

    def show(self) -> None:
        now = time.monotonic()
        if now - self.shown < (0.2 if self.live else 10.0):
            return
        self.shown = now
        self._write(f"{self._bar()}{now - self.started:4.0f} s  {self.title} {self.what}")

    def close(self) -> None:
        self._write(f"{self.title}: {time.monotonic() - self.started:.0f} s")
        if self.live:
            print(flush=True)

    def _bar(self) -> str:
        if not self.total:
            return ""
        share = min(1.0, self.done / self.total)
        filled = round(share * self.WIDTH)
        return f"[{'#' * filled}{'-' * (self.WIDTH - filled)}] {share:4.0%} "

    def _write(self, text: str) -> None:
        if self.live:
            columns = shutil.get_terminal_size().columns - 1
            print("\r" + f"  {text}"[:columns].ljust(columns), end="", flush=True)
        else:
            print(f"  {text}", flush=True)


def run_step(
    meter: Meter,
    command: Sequence[str],
    on_line: Callable[[str], None] = lambda line: None,
    on_tick: Callable[[], None] = lambda: None,
) -> int:
    """Run a command with its output in the log, and show that it lives; its exit status."""
    drop = {
        "PYTHONHOME",
        "PYTHONPATH",
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_USER",
        "PIP_REQUIRE_HASHES",
    }
    environment = {name: value for name, value in os.environ.items() if name not in drop}
    environment["PYTHONUNBUFFERED"] = "1"
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read(stream: Iterable[str]) -> None:
        for line in stream:
            lines.put(line)
        lines.put(None)

    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=os.name == "posix",  # so that what it starts can be ended with it
        # Where we are killed ourselves, the next set-up waits until it has ended, too.
        pass_fds=_held,
    )
    with LOG.open("a", encoding="utf-8") as log, process:
        log.write(f"+ {' '.join(command)}\n")
        assert process.stdout is not None
        reader = threading.Thread(target=read, args=(process.stdout,), daemon=True)
        reader.start()
        try:
            while True:
                try:
                    line = lines.get(timeout=0.2)
                except queue.Empty:
                    on_tick()
                else:
                    if line is None:
                        break
                    if not line.startswith(("Progress ", "Compiling ", "Listing ")):
                        log.write(line)
                    on_line(line.strip())
                meter.show()
        except BaseException:
            end(process)
            raise
        finally:
            reader.join()
    meter.close()
    return process.returncode


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process that leads a session, and all in it."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


class PipReader:
    """Fills a meter from what `pip install` prints."""

    def __init__(self, meter: Meter, expected: int) -> None:
        self.meter, self.installing, self.before = meter, False, 0
        meter.total = 2 * expected  # each package is found, then unpacked

    def line(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "Collecting":
            self.meter.done = min(self.meter.done + 1, self.meter.total // 2)
            self.meter.what = rest.split(" (from")[0]
        elif word == "Downloading":
            self.meter.what = rest.rsplit("/", 1)[-1]
        elif word == "Progress":
            done, _, total = rest.partition(" of ")
            name = self.meter.what.split(": ")[0]
            if done.isdigit() and total.isdigit():
                self.meter.what = f"{name}: {int(done) / 1e6:.0f} of {int(total) / 1e6:.0f} MB"
        elif line.startswith("Installing collected packages:"):
            self.installing, self.before = True, installed()
            self.meter.done = self.meter.total // 2
            self.meter.what = "(unpacking)"

    def tick(self) -> None:
        if self.installing:
            self.meter.done = self.meter.total // 2 + installed() - self.before


def installed() -> int:
    return sum(1 for _ in VENV.rglob("site-packages/*.dist-info"))


# --- the set-up ----------------------------------------------------------------------------------


def wanted_stamp() -> str:
    """A digest of all that the environment depends on."""
    import tomllib  # not there in the Pythons that are turned away

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [project["project"], project["build-system"], project["tool"]["setuptools"], pins()]
    text = json.dumps([sys.version, str(ROOT), parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def is_current() -> bool:
    return PYTHON.exists() and STAMP.is_file() and STAMP.read_text() == wanted_stamp()


def pins() -> dict[str, str]:
    """Name to version, from constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {name.lower(): version for name, version in pairs}


def make_environment() -> None:
    """Build .venv from nothing; the stamp is written last, so an interrupted one starts over."""
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES:
        raise SetupError(
            f"the set-up needs {NEEDED_BYTES / 1e9:.1f} GB of disk in {ROOT}, "
            f"{free / 1e9:.1f} GB are free; make room and run this again"
        )
    if VENV.exists() and any(VENV.iterdir()) and not STAMP.exists():
        raise SetupError(
            f"{VENV} is there already, and this script did not make it; "
            "move it away or delete it, and run this again"
        )
    print(f"setting redrive up in {VENV} (once; about 2 GB, some minutes)", flush=True)
    LOG.write_text("", encoding="utf-8")
    VENV.mkdir(exist_ok=True)
    STAMP.write_text("unfinished")  # from now on it is ours, wherever this ends
    for path in VENV.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        elif path != STAMP:
            path.unlink()

    versions = pins()
    tools = [f"{name}=={versions[name]}" for name in ("pip", "setuptools")]
    install = ["install", "--no-input", "--disable-pip-version-check", "--no-compile"]
    pip = bare_pip()
    run_pip(Meter("bringing pip up to date"), [*pip, *install, *tools])

    index = cpu_index()
    if index:
        print(f"  no NVIDIA GPU here: taking PyTorch's smaller CPU build from {index}", flush=True)
    meter = Meter("installing")
    reader = PipReader(meter, len(versions))
    command = [str(PYTHON), "-m", "pip", *install, "--progress-bar", "raw"]
    command += ["--extra-index-url", index] if index else []
    command += ["--no-build-isolation", "-c", "constraints.txt", "-e", ".[dev]"]
    run_pip(meter, command, reader.line, reader.tick)
    compile_all()
    compile_kernels()
    STAMP.write_text(wanted_stamp())


def bare_pip() -> list[str]:
    """Make .venv; the pip that can install into it."""
    make = [sys.executable, "-m", "venv", str(VENV)]
    if run_step(Meter("making the environment"), make) == 0:
        return [str(PYTHON), "-m", "pip"]
    # Debian, Ubuntu: without python3-venv there is no ensurepip, but often a pip.
    run_step(Meter("making the environment without ensurepip"), [*make, "--without-pip"])
    pip = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
        raise SetupError(
            f"{sys.executable} has no ensurepip, and no pip of 22.3 or newer; install one of them "
            "(Debian, Ubuntu: sudo apt install python3-venv) and run this again"
        )
    return pip


def run_pip(
    meter: Meter,
    command: Sequence[str],
    on_line: Callable[[str], None] = lambda line: None,
    on_tick: Callable[[], None] = lambda: None,
) -> None:
    if run_step(meter, command, on_line, on_tick):
        said = LOG.read_text(encoding="utf-8").splitlines()
        print("\n".join(f"    {line}" for line in said[-20:]), file=sys.stderr)
        raise SetupError(f"the set-up failed; what pip said is above, and in {LOG}")


def cpu_index() -> str | None:
    """Where PyTorch's CPU wheels are, if they should be preferred; else None.

    On Linux the default wheel brings several GB of CUDA along. Nothing is added where a GPU is
    seen, where pip has been told where to look, or where the index does not answer.
    """
    if not sys.platform.startswith("linux") or shutil.which("nvidia-smi"):
        return None
    if Path("/proc/driver/nvidia").exists():
        return None
    asked = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    if any(word in asked.stdout for word in ("index-url", "find-links", "no-index")):
        return None
    try:
        with urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=5):
            return CPU_INDEX
    except OSError:
        return None


def compile_all() -> None:
    """Bytecode for what was installed and is used, with every core: pip would do it with one."""
    site = next(VENV.rglob("site-packages"))
    # Some packages carry files for other Pythons: those fail, and nobody imports them.
    left_out = rf"[\\/]tests[\\/]|site-packages[\\/]({SELDOM})[\\/]"
    meter = Meter("compiling to bytecode")
    meter.total = sum(not re.search(left_out, str(path)) for path in site.rglob("*.py"))

    def count(line: str) -> None:
        meter.done += line.startswith("Compiling")

    command = [str(PYTHON), "-m", "compileall", "-j", "0", "-x", left_out, str(site)]
    run_step(meter, command, count)


def compile_kernels() -> None:
    """Machine code for the simulator, which every job would otherwise begin with."""
    meter = Meter("compiling the simulator")

    def count(line: str) -> None:
        if line.startswith("compiling: "):
            meter.what = line.removeprefix("compiling: ")

    # What cannot be compiled says so when it is wanted; here it would only hide what was installed.
    run_step(meter, [str(PYTHON), "-m", "redrive.kernels"], count)


def link_types() -> None:
    """Lay build/types/redrive, a view of the folders under their import names.

    mypy and pyright follow no import hooks, and an editable install of mapped folders is one.
    """
    view = BUILD / "types" / "redrive"
    folders = [ROOT / name for name in ("sim", "agents", "models")]
    files = [path for path in (ROOT / "scripts").iterdir() if path.suffix in {".py", ".typed"}]
    wanted = {path.name: os.path.relpath(path, view) for path in folders + files}
    view.mkdir(parents=True, exist_ok=True)
    for link in view.iterdir():
        if wanted.pop(link.name, None) is None:
            link.unlink()
    for name, target in wanted.items():
        try:
            (view / name).symlink_to(target)
        except OSError:  # Windows without the right to make links: only type checking goes without
            return


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Wait while another set-up works on this checkout."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "set-up.lock").open("w") as file:
        try:
            import fcntl
        except ImportError:  # Windows
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("another set-up is at work on this checkout; waiting for it", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        _held.append(file.fileno())
        try:
            yield
        finally:
            _held.clear()


def check_python(job: str) -> None:
    have = sys.version_info[:2]
    if OLDEST <= have <= NEWEST:
        return
    found = [name for name in ("python3.12", "python3.11", "python3.13") if shutil.which(name)]
    name = found[0] if found else "python3.12"
    hint = "Try: " if found else "Install one and try: "
    raise SetupError(
        f"redrive needs Python 3.11, 3.12 or 3.13, and this is {have[0]}.{have[1]}. "
        f"{hint}{name} scripts/bootstrap.py {job}   (or: make {job} PYTHON={name})"
    )


def outside_python() -> str | None:
    """The Python that .venv was made from, when this is the one inside; it is about to be deleted."""
    if Path(sys.prefix).resolve() != VENV.resolve():
        return None
    return str(getattr(sys, "_base_executable", sys.executable))


# --- the job -------------------------------------------------------------------------------------


@contextlib.contextmanager
def ctrl_c_is_for_the_child() -> Iterator[None]:
    """Ctrl-C reaches whom we started as well: let it end cleanly, and wait for it."""
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run_job(commands: Sequence[Sequence[str]], further: Sequence[str]) -> int:
    """Run each command to its end; the worst exit status."""
    worst = 0
    with ctrl_c_is_for_the_child():
        for command in commands:
            status = subprocess.call([str(PYTHON), *command, *further], cwd=ROOT)
            worst = max(worst, abs(status))
    return worst


def main(argv: Sequence[str]) -> int:
    """Set up and run a job, or say in a line why not; the exit status."""
    if not argv or argv[0] in {"-h", "--help"}:
        print(__doc__.strip())
        return 0
    if argv[0] not in JOBS:
        near = difflib.get_close_matches(argv[0], JOBS, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        print(
            f"redrive: error: no job {argv[0]!r}; {hint}There are {', '.join(JOBS)}",
            file=sys.stderr,
        )
        return 2
    gone = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in gone}
    try:
        signal.signal(signal.SIGINT, BEFORE)
        for number in gone:
            if before[number] is signal.SIG_DFL:  # not under nohup
                signal.signal(number, signal.default_int_handler)  # takes pip along
        check_python(argv[0])
        outside = outside_python()
        if outside and not is_current():
            with ctrl_c_is_for_the_child():
                return subprocess.call([outside, str(Path(__file__).resolve()), *argv])
        with only_one():
            if not is_current():
                make_environment()
            link_types()
    except SetupError as error:
        print(f"redrive: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if BEFORE is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # we are ending already
        print("\nstopped; the next run starts the set-up again", file=sys.stderr)
        return 130
    finally:
        for number in gone:
            signal.signal(number, before[number])
    return run_job(JOBS[argv[0]], argv[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
