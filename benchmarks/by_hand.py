"""One road driven by hand once, and what a driver learns from it; or several, each of them once.

    python benchmarks/by_hand.py [--road procedural:3] [--recording FOLDER] [--seeds 3]

A road is driven once, to its end, with arrow keys: by a scripted finger that holds keys down and
lets them go as a person does, or as --recording says, by you. Then, as commands of redrive do:

- `alone`: a driver learns what the hand did, from that drive and nothing else.
- `beside`: the drive is driven again and again from beside its path, in other light, and the labels
  lead back to the path of the hand, with its speeds.

Each is trained with several seeds and judged on 60 episodes of its own roads and 60 of roads that
it has never seen: 400 m within the lane, in light that it has not learned from. An interval is
Student's over the seeds: it is about training again, not about other roads by hand.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from redrive import evaluate, record, train
from redrive.agents.by_hand import by_hand_columns, by_hand_entries, by_hand_header
from redrive.agents.demonstrations import demonstration_task
from redrive.agents.finger import Finger
from redrive.agents.human import Human
from redrive.agents.rollout import rollout
from redrive.agents.statistics import mean_interval
from redrive.agents.suite_files import SeededSuite
from redrive.agents.suites import SUITES
from redrive.agents.true_pictures import recorded_roads
from redrive.sim.appearance import Appearance
from redrive.sim.recording import Recording
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.world import RoadWorld

FIRST_DRIVE = 1000  # seed of the first drive beside the path
JUDGED = {"its own roads": 7, "unseen roads": 0}  # seeds of the suites: no light is learned from


def drive_by_hand(road: str, folder: Path) -> None:
    """The scripted finger drives each road once to its end."""
    world = RoadWorld(
        road, task=demonstration_task("log", 3000, 0.1), appearance=Appearance(randomise=1.0)
    )
    finger = Finger(Human(world.vehicle, world.dt))
    with RecordingWriter(folder, by_hand_header(world)) as writer:
        for i in range(world.pool.source.count):
            frames = list(rollout(world, finger, world.reset(np.array([0]), roads=np.array([i]))))
            held = [True] * len(frames)
            entries = by_hand_entries(world, frames, held)
            writer.add(
                by_hand_columns(world, frames, held),
                {**entries, "driver": "human", "appearance": 1.0},
            )


def told_of_the_hand(folder: Path) -> list[dict[str, Any]]:
    """How far each road was driven."""
    return [
        {name: drive.sidecar[name] for name in ("world", "distance_m", "result")}
        | {
            "steps": drive.steps,
            "farthest_from_the_centre_m": round(
                float(np.abs(drive.read("lateral_offset")).max()), 2
            ),
        }
        for drive in Recording.open(folder).episodes
    ]


def learn(
    data: Path, out: Path, labels: str, options: argparse.Namespace
) -> list[dict[str, list[bool]]]:
    """For each seed of training, by what was judged, whether each episode succeeded."""
    found = []
    for seed in range(options.seeds):
        run = out / f"{data.name}-{seed}"
        train.run(
            train.TrainOptions(
                (data,), run, policy=options.policy, seed=seed, steps=options.steps,
                labels="person" if labels == "person" else "expert", closed_loop=False,
                resume=train.is_started(run),
            )
        )  # fmt: skip
        found.append({name: judge(run, out, name, options) for name in JUDGED})
        print(run.name, {name: sum(good) for name, good in found[-1].items()}, file=sys.stderr)
    return found


def judge(run: Path, out: Path, name: str, options: argparse.Namespace) -> list[bool]:
    """Whether each episode succeeded."""
    suite = SUITES["roads"]
    if name == "its own roads":
        suite = replace(suite, name="own-roads", world=options.road)
    exam = out / f"{suite.name}.json"
    if not exam.exists():
        SeededSuite(suite, options.episodes, JUDGED[name], None).save(exam)
    results = evaluate.run(
        evaluate.EvaluateOptions(
            (str(run),), suite=str(exam), out=run / f"{suite.name}.json", resume=True
        )
    )
    return [bool(episode["success"]) for episode in results.policies[0].episodes]


def told(seeds: list[dict[str, list[bool]]]) -> dict[str, Any]:
    """Rates of success: of each seed, and the mean with its 95 % interval over the seeds."""
    rates = {name: [float(np.mean(seed[name])) for seed in seeds] for name in JUDGED}
    return {
        name: {"seeds": [round(rate, 3) for rate in some], "mean": mean_interval(some)._asdict()}
        for name, some in rates.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--road", default="procedural:3")
    parser.add_argument("--recording", type=Path, help="a road that you drove, instead")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--policy", default="mlp")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--drives", type=int, default=128, help="beside the path, of 30 s each")
    parser.add_argument("--episodes", type=int, default=60)
    parser.add_argument("--beside-only", action="store_true", help="leave out `alone`")
    parser.add_argument(
        "--out", type=Path, help="kept there, and gone on with; without it, thrown away"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = options.out or Path(folder)
        hand, beside = options.recording or out / "alone", out / "beside"
        if options.recording is None:
            if not record.count_episodes(hand):
                drive_by_hand(options.road, hand)
        else:
            options.road = recorded_roads(str(hand))
        if record.count_episodes(beside) < options.drives:
            record.run(
                record.RecordOptions(
                    beside, world=str(hand), regime="view-synthesis", redraw=True,
                    episodes=options.drives, seed=FIRST_DRIVE, balance=1.0,
                )
            )  # fmt: skip
        report: dict[str, Any] = {"by_hand": told_of_the_hand(hand)}
        report["beside"] = told(learn(beside, out, "expert", options))
        if not options.beside_only:
            report["alone"] = told(learn(hand, out, "person", options))
        print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
