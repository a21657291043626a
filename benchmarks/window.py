"""How smoothly the window of `redrive watch` goes: with a network driving, all layers and saliency on.

    python benchmarks/window.py [RUN] [--seconds 60] [--size 1280 720]

RUN is the folder of a trained driver; without it an lstm is trained for a minute, which draws and
computes as much as a good one. It opens a window on a screen of its own (Xvfb, drawn in software)
where there is one, else on this one. The target: under 2 % of the pictures later than 33 ms after
the one before, at 60 a second.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

WORLD, SEED = "procedural:1000003", 2
TARGET = 2.0  # [%]


@contextlib.contextmanager
def screen(size: tuple[int, int]) -> Iterator[str]:
    """Puts an X server of its own into the environment; says which screen it is."""
    if shutil.which("Xvfb") is None:
        yield os.environ.get("DISPLAY", "this one")
        return
    told, number = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(number), "-screen", "0", f"{size[0]}x{size[1]}x24",
         "-nolisten", "tcp"],
        pass_fds=[number], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(number)
    with os.fdopen(told) as pipe:
        os.environ["DISPLAY"] = f":{pipe.readline().strip()}"
    os.environ["SDL_VIDEODRIVER"] = "x11"
    try:
        yield "Xvfb"
    finally:
        server.terminate()
        server.wait(10)


def quick_lstm(folder: Path) -> Path:
    """A driver that was trained for a minute."""
    from redrive import record, train

    record.run(
        record.RecordOptions(folder / "drives", world="procedural:7-18", episodes=12, steps=100)
    )
    train.run(train.TrainOptions((folder / "drives",), folder / "run", steps=150))
    return folder / "run"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", help="the folder of a trained driver")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--size", type=int, nargs=2, default=(1280, 720))
    options = parser.parse_args()
    size = (options.size[0], options.size[1])
    with tempfile.TemporaryDirectory() as folder, screen(size) as shown:
        run = options.run or str(quick_lstm(Path(folder)))
        print(json.dumps(measure(run, options.seconds, size) | {"screen": shown}, indent=1))


def measure(run: str, seconds: float, size: tuple[int, int]) -> dict[str, object]:
    """The pace of a window that is watched for so long."""
    import pygame

    from redrive.watch import WatchOptions
    from redrive.watch_begin import watched
    from redrive.watch_outputs import Outputs
    from redrive.watch_record import Recorder
    from redrive.watch_window import LATE, keep_open, open_window

    options = WatchOptions((run,), world=WORLD, seed=SEED, saliency=True, size=size)
    open_window(size, "redrive: benchmark")
    session = watched(options)
    enough = threading.Timer(seconds, pygame.event.post, [pygame.event.Event(pygame.QUIT)])
    enough.start()
    _, pace = keep_open(session, Outputs(Recorder(Path("never-written"), 1.0)))
    pygame.display.quit()
    gaps, work = (1000.0 * np.array(times[1:]) for times in (pace.gaps, pace.work))
    late = 100.0 * float((gaps > 1000.0 * LATE).mean())
    return {
        "size": list(size),
        "seconds": round(float(gaps.sum()) / 1000.0, 1),
        "pictures": len(gaps),
        "pictures_per_s": round(1000.0 * len(gaps) / float(gaps.sum()), 1),
        "late_percent": round(late, 2),  # over 33 ms
        "target_met": late < TARGET,
        "gap_ms": _spread(gaps),
        "work_ms": _spread(work),
        "machine": platform.processor() or platform.machine(),
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def _spread(values: np.ndarray) -> dict[str, float]:
    shares = {"median": 50.0, "p95": 95.0, "p99": 99.0, "most": 100.0}
    return {name: round(float(np.percentile(values, q)), 1) for name, q in shares.items()}


if __name__ == "__main__":
    main()
