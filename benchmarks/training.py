"""Where the time of a step of learning goes: the network, or what brings it its pictures.

    python benchmarks/training.py [--rounds 12] [--json]

A recording of the default camera (64 x 96) is made, and steps of learning are taken as `redrive train`
takes them: 512 pictures, relit. `data` is cutting and relighting the windows, `network` is forward,
backward and the optimizer. Once with the drives in memory, once read from disk in slices. Milliseconds
are the processor's, one after the other. Then the wall time of a step as `fit` takes it, which has the next
windows cut while the network learns, by turns with steps on windows that are there already. Two shares
of the network come of it: the share of a step that is not spent waiting for windows, and the stricter one of
a step without any cutting to a step with it: cutting beside it may slow the network down, too.
"""

import argparse
import json
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from redrive.cli import main as redrive
from redrive.models.dataset import Windows, WindowSettings
from redrive.models.fit import FitSettings, batches, learn, make_optimizer
from redrive.models.registry import make_policy
from redrive.train import PICTURES_A_STEP, REMEMBERS_NOTHING, TrainOptions, open_recordings

POLICIES = ("perceptron", "mlp", "rnn", "lstm", "attention", "mingru")
EPISODES, STEPS = 20, 200
TURN = 4  # steps
TIMED = ("data", "network", "alone", "waited", "wall")


def measure(folder: Path, name: str, in_memory: bool, rounds: int) -> dict[str, float]:
    """Processor milliseconds of a step of learning, best of several, and the network's share."""
    recordings, spec = open_recordings([folder])
    window = 4 if name in REMEMBERS_NOTHING else 32
    told = TrainOptions(data=(folder,), out=folder)
    settings = WindowSettings(
        batch=PICTURES_A_STEP // window, steps=window, burn_in=0,
        brightness=told.brightness, contrast=told.contrast, cache_gb=2.0 if in_memory else 0.0,
    )  # fmt: skip
    windows = Windows(list(recordings[0].episodes), list(spec.sensors), settings)
    policy = make_policy(name, spec, command_scale=windows.command_scale)
    fitting = FitSettings()
    optimizer = make_optimizer(policy, fitting)
    seconds: dict[str, list[float]] = {name: [] for name in TIMED}
    for step in range(rounds + 2):
        begun = time.process_time()
        batch = windows.batch(step)
        cut = time.process_time()
        learn(policy, optimizer, batch, fitting, step)
        seconds["data"].append(cut - begun)
        seconds["network"].append(time.process_time() - cut)
    there = [windows.batch(step) for step in range(2)]
    for turn in range(rounds):  # by turns: other programs slow both down alike
        for step in range(TURN):
            wall = time.perf_counter()
            learn(policy, optimizer, there[step % 2], fitting, step)
            seconds["alone"].append(time.perf_counter() - wall)
        first = turn * TURN
        wall = time.perf_counter()
        for step, batch in enumerate(batches(windows, first, first + TURN + 2)):  # as `fit` does
            waited = time.perf_counter() - wall
            learn(policy, optimizer, batch, fitting, step)
            if 0 < step <= TURN:  # nothing was learned while the first was cut, nor cut in the last
                seconds["waited"].append(waited)
                seconds["wall"].append(time.perf_counter() - wall)
            wall = time.perf_counter()
    found = {name: np.array(values[2:]) for name, values in seconds.items()}
    return {
        "data_ms": 1e3 * float(found["data"].min()),
        "network_ms": 1e3 * float(found["network"].min()),
        "network_share_of_cpu": float(
            np.median(found["network"] / (found["data"] + found["network"]))
        ),
        "network_share_of_wall": float(np.median(1.0 - found["waited"] / found["wall"])),
        "alone_over_wall": float(np.median(found["alone"]) / np.median(found["wall"])),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "drives"
        redrive(
            ["record", "--world", "procedural:0-20", "--episodes", str(EPISODES)]
            + ["--steps", str(STEPS), "--out", str(folder)]
        )
        for policy in POLICIES:
            for in_memory in (True, False):
                where = "memory" if in_memory else "disk"
                found[f"{policy}, {where}"] = measure(folder, policy, in_memory, options.rounds)
    if options.json:
        print(json.dumps(found, indent=1))
        return
    print(
        f"{platform.machine()}, torch {torch.__version__}, one thread, {PICTURES_A_STEP} pictures"
    )
    print(
        f"{'a step of learning':24} data ms  network ms  network's share: CPU  not waiting  alone/with"
    )
    for name, row in found.items():
        shares = [row[f"network_share_of_{kind}"] for kind in ("cpu", "wall")]
        shares.append(row["alone_over_wall"])
        print(
            f"{name:24} {row['data_ms']:7.1f} {row['network_ms']:11.1f} "
            + " ".join(f"{100.0 * share:12.0f} %" for share in shares)
        )


if __name__ == "__main__":
    main()
