"""How long 2,000 episodes of 60 s take for one learned driver, and what the time goes into.

    python benchmarks/evaluation.py RUN [--episodes 2000] [--threads 2]

The episodes are on 20 closed circuits that are made here from a seed. A car that leaves its lane is
put back, so every episode has its 600 steps whoever drives. All of `redrive evaluate` is run: the
expert for comparison, the self-checks, every step and every episode saved.
"""

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from redrive.agents.suite_files import SeededSuite
from redrive.agents.suites import SUITES
from redrive.evaluate import EvaluateOptions, run

CIRCUITS, RADIUS = 20, 260.0  # [m]


def circuit(seed: int) -> np.ndarray:
    """(N, 4) x, y and the width to either side [m]: a circle with waves around it."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0.0, 2.0 * np.pi, 500, endpoint=False)
    radius = np.full_like(angle, RADIUS)
    for waves in range(2, 7):
        size = RADIUS * 0.35 / waves**2 * rng.uniform(0.3, 1.0)
        radius += size * np.cos(waves * angle + rng.uniform(0.0, 2.0 * np.pi))
    sides = np.full_like(angle, 1.9)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), sides, sides], axis=-1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="the folder of a trained driver")
    parser.add_argument("--episodes", type=int, default=2000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        roads, out = Path(folder) / "circuits", Path(folder) / "results.json"
        roads.mkdir()
        for seed in range(CIRCUITS):
            lines = [",".join(f"{value:.4f}" for value in row) for row in circuit(seed)]
            text = "\n".join(["# x_m,y_m,w_tr_right_m,w_tr_left_m", *lines]) + "\n"
            (roads / f"{seed:02d}.csv").write_text(text)
        suite = replace(SUITES["racetracks"], name="benchmark", interventions=True)
        exam = SeededSuite(suite, max(1, options.episodes // CIRCUITS), 0, str(roads))
        exam.save(Path(folder) / "suite.json")
        began, cpu_began = time.perf_counter(), time.process_time()
        results = run(
            EvaluateOptions(
                (options.run,), suite=str(Path(folder) / "suite.json"), out=out,
                threads=options.threads,
            )
        )  # fmt: skip
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu_began
        timing = json.loads((Path(folder) / results.files["timing"]).read_text())
        saved = sum(
            path.stat().st_size for path in Path(folder).rglob("results*") if path.is_file()
        )
        saved += sum(path.stat().st_size for path in Path(folder).glob("results-*/*"))
    policy = results.policies[0]
    (told,) = timing["drivers"].values()
    count = len(policy.episodes)
    print(json.dumps(
        {
            "episodes": count,
            "steps": told["car_steps"],
            "wall_s": round(wall, 1),
            "cpu_s": round(cpu, 1),  # of both cores together; others on the machine do not lengthen it
            "driving_wall_s": told["wall_s"],
            "episodes_per_s": round(count / wall, 2),
            "times_real_time": round(0.1 * told["car_steps"] / wall, 1),
            "seconds": told["seconds"],
            "network_share": told["shares"]["driver"],
            "the_rest_over_the_network": round(1.0 / told["shares"]["driver"] - 1.0, 3),
            "saved_mb": round(saved / 1e6, 1),
            "success": policy.summary["success_rate"].mean,
            "interventions_per_km": policy.summary["interventions_per_km"].mean,
            "machine": timing["machine"],
            "threads": timing["threads"],
        },
        indent=1,
    ))  # fmt: skip


if __name__ == "__main__":
    main()
