"""An hour of footage as a world: what it takes of memory, and how many pictures a second it gives.

    python benchmarks/footage.py [--minutes 60] [--fps 10] [--size 192x108] [--out FOLDER]

A drive of that length is written into a folder, picture by picture (noise: what is in a picture
does not matter here), and driven in: cars are put all over it and draw what they see. Times are
the processor's, so that others who use it do not count. Memory is what the process holds of its
own (RssAnon) and what it has mapped of the file (RssFile), which the system may take back whenever
it needs the room.
"""

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from redrive.sim import files
from redrive.sim.any_world import open_world
from redrive.sim.recording_header import Feature, RecordingHeader
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.sensors.camera import Camera
from redrive.sim.task import Task

SPEED = 12.0  # [m/s]
UNITS = {"x": "m", "y": "m", "yaw": "rad", "speed": "m/s", "time": "s"}  # of the columns


def write_drive(folder: Path, frames: int, dt: float, camera: Camera) -> None:
    """A winding drive; its pictures go to the disk one by one."""
    at = dt * np.arange(frames)  # [s]
    curvature = 0.01 * np.sin(at / 7.0) + 0.004 * np.sin(at / 31.0)
    yaw = np.concatenate([[0.0], np.cumsum(SPEED * dt * curvature[:-1])])
    step = SPEED * dt * np.stack([np.cos(yaw), np.sin(yaw)])
    x, y = np.concatenate([[[0.0], [0.0]], np.cumsum(step[:, :-1], axis=1)], axis=1)
    columns: dict[str, np.ndarray | files.Spool] = {
        "x": x, "y": y, "yaw": yaw, "speed": np.full(frames, SPEED), "time": at,
    }  # fmt: skip
    features = {name: Feature("float64", (), unit) for name, unit in UNITS.items()}
    features["camera"] = Feature("uint8", camera.shape, "1", "image")
    header = RecordingHeader(
        features=features, dt=dt, source="noise", licence="none", camera=camera.to_json()
    )
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (32, *camera.shape), np.uint8)
    with RecordingWriter(folder, header) as writer:
        spool = files.Spool(folder, "uint8", camera.shape)
        for i in range(frames):
            spool.append(pictures[i % len(pictures)])
        about = {"seed": 0, "world": "noise", "driver": "none", "regime": "log"}
        writer.add(columns | {"camera": spool}, about)
        spool.close()


def memory() -> dict[str, float]:
    """What this process holds [MB], by kind (Linux)."""
    told = Path("/proc/self/status").read_text().splitlines()
    kinds = (line.split() for line in told if line.startswith(("RssAnon", "RssFile", "VmHWM")))
    return {name.rstrip(":"): round(int(kilobytes) / 1000.0) for name, kilobytes, _ in kinds}


def main() -> None:
    """Write, drive, tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--size", default="192x108", help="of the recorded pictures")
    parser.add_argument("--pictures", type=int, default=20_000, help="to draw of each kind")
    parser.add_argument("--out", type=Path, help="keep the drive here; there, it is used again")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    camera = Camera.with_field_of_view(width, height, 1.8)
    frames = round(60.0 * options.minutes * options.fps)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.out or Path(scratch) / "drive"
        if not folder.exists():
            write_drive(folder, frames, 1.0 / options.fps, camera)
        print(json.dumps(drive(folder, frames, options.pictures), indent=1))


def drive(folder: Path, frames: int, pictures: int) -> dict[str, Any]:
    """Open the drive and draw in it: everywhere at random, and along it."""
    found: dict[str, Any] = {
        "frames": frames,
        "megabytes": round(sum(p.stat().st_size for p in folder.rglob("*.safetensors")) / 1e6),
        "before": memory(),
    }
    start = time.process_time()
    task = Task(route_length=0.0, time_limit=1e6, start_lateral=1.0, start_yaw=0.1)
    world = open_world(str(folder), task=task)
    batch = 64
    state = world.reset(np.arange(batch))
    world.observe(state)
    found["open_s"] = round(time.process_time() - start, 2)
    found["opened"] = memory()
    states = [world.reset(np.arange(batch) + batch * i) for i in range(pictures // batch)]
    found["pictures_a_processor_second"] = {}
    for name, course in (("all over the drive", states), ("the same places again", states)):
        start = time.process_time()
        for state in course:
            world.observe(state)
        took = time.process_time() - start
        found["pictures_a_processor_second"][name] = round(batch * len(course) / took)
    found["drawn"] = memory()
    found["camera"] = world.sensors["camera"].shape  # type: ignore[union-attr]
    found["machine"] = f"{platform.processor() or platform.machine()}, one thread"
    return found


if __name__ == "__main__":
    main()
