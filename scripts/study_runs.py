"""What studies of learning share: record with a small camera, learn, drive, and say how sure it is.

Everything that is there already is not done again, so a study that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from redrive.agents.agent import Agent
from redrive.agents.demonstrations import (
    demonstration_task,
    demonstrator,
    record,
    recording_header,
)
from redrive.agents.expert import Expert
from redrive.agents.statistics import Interval, mean_interval, rate_interval
from redrive.agents.suites import HELD_OUT_ROADS, Suite
from redrive.sim.appearance import Appearance
from redrive.sim.recording import RecordedEpisode, Recording
from redrive.sim.recording_header import HEADER_FILE
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.sensors.camera import Camera
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.task import LANE_FOLLOWING
from redrive.sim.world import RoadWorld, Sensor
from redrive.study import write_json

if TYPE_CHECKING:
    from redrive.models.policy import ObservationSpec, Policy

CAMERA = Camera().scaled(0.5)  # 32 x 48 pixels: a quarter of the work of learning
SENSORS: Mapping[str, Sensor] = {"camera": CAMERA, "odometry": Odometry()}
CLEAR = Appearance()  # every road on the same clear day
DRIVEN = Suite(
    "driven", "400 m of lane following on unseen roads, on a clear day", LANE_FOLLOWING,
    appearance=CLEAR,
)  # fmt: skip
DT = 0.1
SHARES = ("success", "route_completion", "bit")  # figures that lie between 0 and 1
Report = Callable[[int, str], object]


def road_world(roads: str, regime: str, steps: int, appearance: Appearance = CLEAR) -> RoadWorld:
    """Where demonstrations of a regime are driven."""
    task = demonstration_task(regime, steps, DT)
    return RoadWorld(roads, dict(SENSORS), task, appearance=appearance)


def record_drives(
    folder: Path,
    regime: str,
    episodes: int,
    steps: int,
    *,
    roads: str = "procedural",
    seed: int = 0,
    learner: Agent | None = None,
    beta: float = 0.0,
    appearance: Appearance = CLEAR,
) -> Path:
    """Record a regime's demonstrations, or what is missing of them.

    Args:
        learner: who drives in `dagger`; the expert takes the wheel in a share `beta` of the episodes.
        seed: of the first episode.
    """
    there = len(Recording.open(folder)) if (folder / HEADER_FILE).is_file() else 0
    if there < episodes:
        world = road_world(roads, regime, steps, appearance)
        driver = demonstrator(regime, learner or Expert(), DT, beta)
        about = {"driver": "expert" if learner is None else "learner", "regime": regime}
        with RecordingWriter(folder, recording_header(world), append=there > 0) as writer:
            record(world, driver, writer, seed + np.arange(there, episodes), about)
    return folder


@dataclass(frozen=True)
class Learner:
    """How one driver learns: a policy, its settings as JSON values, and how it is fitted."""

    policy: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 600
    pictures: int = 512  # in a batch
    window: int = 16  # steps of a window
    learning_rate: float = 4e-3
    weight_decay: float = 1e-2
    validate_every: int = 50
    patience: int = 0
    hide_previous: float = 0.0
    brightness: float = 0.08
    contrast: float = 0.15

    @property
    def sees_previous(self) -> bool:
        """Whether the previous command is among what it sees."""
        encoder: Mapping[str, Any] = self.settings.get("encoder", {})
        return bool(encoder.get("previous_command", False))


def observed(learner: Learner) -> ObservationSpec:
    """What a learner sees of the worlds of `road_world`."""
    from redrive.agents.learned import observation_spec
    from redrive.models.policy import ObservationSpec

    everything = observation_spec(RoadWorld("procedural:0", dict(SENSORS)))
    unseen = () if learner.sees_previous else ("previous_command",)
    sensors = {name: spec for name, spec in everything.sensors.items() if name not in unseen}
    return ObservationSpec(sensors, everything.dt)


def episodes_of(folders: Sequence[Path], first: int | None = None) -> list[Any]:
    """All episodes of some recordings, or the first few; with the previous command as a column."""
    from redrive.models.previous import WithPreviousCommand

    episodes: list[RecordedEpisode] = []
    for folder in folders:
        episodes += list(Recording.open(folder).episodes)
    return [WithPreviousCommand(episode) for episode in episodes[:first]]


def learn(
    learner: Learner,
    episodes: Sequence[Any],
    held_out: Sequence[Any],
    run: Path,
    seed: int,
    *,
    start_from: Path | None = None,
    report: Report = lambda count, note: None,
    look: Callable[[Policy, int], object] = lambda policy, step: None,
) -> Path:
    """Fit one driver, or go on with it; the run's folder.

    Args:
        start_from: a run whose weights it begins with.
        report: told of every few steps of learning.
        look: called with the policy as it is, and the step, at every look at the held-out drives.
    """
    import torch

    from redrive.models.checkpoint import STATE, load_policy
    from redrive.models.dataset import Windows, WindowSettings
    from redrive.models.fit import FitSettings, Progress, fit
    from redrive.models.registry import find_policy, make_policy
    from redrive.models.settings import from_json

    torch.set_num_threads(1)
    spec = observed(learner)
    memory = learner.policy not in ("perceptron", "mlp") or "frames" in learner.settings
    window = WindowSettings(
        batch=max(1, learner.pictures // learner.window),
        steps=learner.window,
        burn_in=min(8, learner.window // 2) if memory else 0,
        brightness=learner.brightness,
        contrast=learner.contrast,
        hide_previous=learner.hide_previous,
    )
    train = Windows(episodes, list(spec.sensors), window, seed=seed)
    validation = Windows(held_out, list(spec.sensors), window, seed=seed)
    kind: Any = find_policy(learner.policy)
    settings: Any = from_json(kind.Settings, dict(learner.settings))
    policy: Policy = make_policy(
        learner.policy, spec, settings, command_scale=train.command_scale, seed=seed
    )
    if start_from is not None:
        before = load_policy(start_from)
        policy.load_state_dict(before.state_dict())
    done = 0

    def show(progress: Progress) -> None:
        nonlocal done
        report(progress.step - done, "")
        done = progress.step
        if progress.step % learner.validate_every == 0:
            look(policy, progress.step)

    fit(
        policy, train, validation,
        FitSettings(
            steps=learner.steps, learning_rate=learner.learning_rate,
            weight_decay=learner.weight_decay, validate_every=learner.validate_every,
            patience=learner.patience, save_every=200, seed=seed,
        ),
        run, resume=(run / STATE).is_file(), about={"seed": seed, "episodes": len(episodes)},
        on_progress=show,
    )  # fmt: skip
    return run


def drive(run: Path, episodes: int, *, suite: Suite = DRIVEN, seed: int = 0) -> dict[str, float]:
    """How a run drives on roads it has never seen: means over the same episodes for every driver."""
    from redrive.models.checkpoint import load_policy

    return means(drive_policy(load_policy(run), episodes, suite=suite, seed=seed))


def drive_policy(
    policy: Policy,
    episodes: int,
    *,
    suite: Suite = DRIVEN,
    seed: int = 0,
    world: RoadWorld | None = None,
) -> list[dict[str, Any]]:
    """The figures of each episode that a policy drives of a suite.

    Args:
        world: `driven_world(suite)`, where it is at hand.
    """
    from redrive.agents.evaluation import evaluate
    from redrive.agents.learned import LearnedDriver

    world = world or driven_world(suite)
    driven = evaluate(suite, world, LearnedDriver(policy), episodes, seed)
    return [episode.figures for episode in driven]


def driven_world(suite: Suite) -> RoadWorld:
    """Unseen roads, as the drivers of studies see them."""
    return RoadWorld(HELD_OUT_ROADS, dict(SENSORS), suite.task, appearance=suite.appearance)


def means(driven: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What the closed loop comes to, over the episodes."""
    figures = ("success", "route_completion", "lateral_mae_m")
    return {name: float(np.mean([float(one[name]) for one in driven])) for name in figures}


def training_of(run: Path) -> dict[str, Any]:
    """What a run says of its training: held-out errors, copycat diagnostics, steps."""
    from redrive.models.checkpoint import read_policy_json

    training: dict[str, Any] = read_policy_json(run)["training"]
    return training


def fresh(run: Path) -> Path:
    """A run's folder, emptied: for runs that are watched, and so cannot be resumed half-way."""
    shutil.rmtree(run, ignore_errors=True)
    return run


def once(path: Path, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `work` finds, kept in a JSON file: it is done once."""
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    found = work()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, found)
    return found


def over_seeds(
    rows: Sequence[Mapping[str, Any]], by: Sequence[str], figures: Sequence[str]
) -> list[dict[str, Any]]:
    """One row for each combination of the columns `by`: mean and 95 % interval over the others.

    Student's interval over training seeds: right for few of them.
    """
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in by), []).append(row)
    table = []
    for key, members in groups.items():
        line: dict[str, Any] = dict(zip(by, key, strict=True)) | {"runs": len(members)}
        for figure in figures:
            found = mean_interval([float(row[figure]) for row in members])
            low, high = found.low, found.high
            if figure in SHARES:
                low, high = max(low, 0.0), min(high, 1.0)
            line |= {figure: found.mean, f"{figure}_low": low, f"{figure}_high": high}
        table.append(line)
    return table


def success_interval(rates: Sequence[float], episodes: Sequence[int]) -> Interval:
    """The mean of one success rate for each training seed, with the wider of two 95 % intervals.

    Student's over the seeds, and Wilson's over all episodes: the first is nothing where all seeds
    are alike, the second knows nothing of seeds.

    Args:
        episodes: of each seed.
    """
    right = round(sum(rate * count for rate, count in zip(rates, episodes, strict=True)))
    pooled = rate_interval(right, sum(episodes))
    mean = sum(rates) / len(rates)
    if len(rates) < 2:
        return Interval(mean, pooled.low, pooled.high)
    seeds = mean_interval(rates)
    return Interval(
        mean, max(0.0, min(pooled.low, seeds.low)), min(1.0, max(pooled.high, seeds.high))
    )


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's: of the ranks, ties sharing theirs; 0 where one is constant, or both are empty."""
    if not len(first):
        return 0.0
    ranks = []
    for values in (np.asarray(first), np.asarray(second)):
        order = np.sort(values)
        left, right = (np.searchsorted(order, values, side) for side in ("left", "right"))
        ranks.append(0.5 * (left + right))
    if min(float(np.std(rank)) for rank in ranks) == 0.0:
        return 0.0
    return float(np.corrcoef(ranks)[0, 1])


def shortened(learner: Learner, share: float) -> Learner:
    """The same learner with a share of the steps."""
    return replace(learner, steps=max(1, round(share * learner.steps)))
