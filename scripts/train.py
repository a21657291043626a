"""`redrive train`: learn a driver from recordings, by imitation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import tyro
from tyro.conf import Positional, Suppress

from redrive import terminal
from redrive.agents.statistics import mean_interval
from redrive.command import parse
from redrive.side_by_side import Job, Report, run_side_by_side, usable_cores
from redrive.sim.recording import RecordedEpisode, Recording
from redrive.sim.sensors.camera import Camera
from redrive.train_by_hand import labelled_by_hand

if TYPE_CHECKING:
    from redrive.models.fit import Progress
    from redrive.models.policy import ObservationSpec, Policy

PolicyName = Literal[
    "perceptron", "mlp", "rnn", "irnn", "gru", "lstm", "attention", "mingru", "cfc"
]
REMEMBERS_NOTHING = {"perceptron", "mlp"}  # short windows: more different pictures in a batch


@dataclass(frozen=True)
class TrainOptions:
    """Fit a policy to what the expert would do in the recorded states; the camera is its eyes.

    The same data, seed and options give the same policy, bit for bit, with one thread. A run that
    was stopped or killed goes on exactly where it was with --resume.
    Each policy has settings of its own, under --policy.: `--policy attention --help` shows attention's.
    """

    data: Positional[tuple[Path, ...]]
    """Recordings; with DAgger, all rounds together."""
    out: Path
    """The run's folder: policy, settings, log and state."""
    policy: PolicyName = "lstm"
    """What is between the camera and the wheel; they differ in memory only."""
    settings: Suppress[Any] = None
    """The policy's own settings, of the class `POLICIES[policy].Settings`; None: its defaults."""
    labels: Literal["expert", "person"] = "expert"
    """What is learned: what the expert would have done in every state; or, of recordings in which a
    person drove, what the person did, from the steps in which they did (docs/watching.md)."""
    seed: int = 0
    """Of the first weights and of the order of the data."""
    seeds: int = 1
    """So many trainings, of --seed and the numbers after it, side by side on the cores; each has a folder
    of its own in --out: seed-0, seed-1, ..."""
    start_from: Path | None = None
    """A run of the same policy whose weights it begins with, as the rounds of DAgger do."""
    steps: int = 1500
    """Steps of learning; 512 pictures in each."""
    learning_rate: float = 4e-3
    """The highest, after the warm-up; sgd needs a larger one than adamw, such as 0.3."""
    warm_up: float = 0.05
    """Share of the steps in which the learning rate rises."""
    schedule: Literal["cosine", "constant", "step"] = "cosine"
    """How it falls from there: to 0 along half a cosine; not at all; or to a tenth after half of the
    steps and to a hundredth after three quarters."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """What is made of a gradient: a step size for each weight, or one for all."""
    momentum: float = 0.9
    """Of sgd: share of the last step that goes on into the next."""
    clip: float | None = 1.0
    """Longest gradient that is followed at full length; None: all are. The log has both lengths."""
    weight_decay: float = 1e-2
    """Pull of the weights towards zero."""
    dropout: float = 0.0
    """Share of the features that are left out at random while learning; as --policy.dropout."""
    previous_command: bool = False
    """Let it see its previous command, too: an invitation to repeat it (see the study copycat)."""
    window: int | None = None
    """Steps of a window; 32 for policies with a memory, 4 for those without."""
    shortest: int | None = None
    """Shortest window: every batch has a length of its own, from here to --window. None: all are as long."""
    carry: bool = False
    """Follow whole drives, each window with the memory that the last one left (truncated backpropagation
    through time), instead of windows drawn at random that begin with none."""
    batch: int | None = None
    """Windows in a batch; so many that they are 512 pictures."""
    patience: int = 0
    """Stop after so many looks at the held-out drives without a better one; 0: never."""
    validate_every: int = 150
    """Steps between two such looks."""
    brightness: float = 0.08
    """Largest random change of a window's brightness, as a share of white."""
    contrast: float = 0.15
    """Largest random change of its contrast, as a share."""
    threads: int = 1
    """Threads of torch; with more than one, runs differ in the last bits."""
    closed_loop: bool = True
    """At the end, drive a few seconds on unseen roads of the recording's kind: does it keep the lane, come
    back to it, and move off again? policy.json has what came of it. It takes a second or two."""
    resume: bool = False
    """Go on with the run in --out, with the same options."""
    tensorboard: bool = False
    """Write TensorBoard's files, too (pip install redrive[tensorboard])."""


PICTURES_A_STEP = 512


def run(
    options: TrainOptions, on_progress: Callable[[Progress], object] = lambda progress: None
) -> dict[str, Any]:
    """Train; what `policy.json` says of it."""
    import torch

    from redrive.agents import short_drive
    from redrive.models.checkpoint import describe_training, read_policy_json
    from redrive.models.dataset import Windows, WindowSettings
    from redrive.models.fit import FitSettings, fit
    from redrive.models.registry import make_policy

    torch.set_num_threads(options.threads)
    recordings, spec = open_recordings(options.data)
    train, held_out = split_episodes(recordings)
    if options.labels == "person":
        train, held_out = labelled_by_hand(train, held_out)
    roads = sorted({str(episode.sidecar["world"]) for episode in (*train, *held_out)})
    driven = train[0].sidecar
    if options.previous_command:
        spec, train, held_out = with_previous_command(spec, train, held_out)
    window = options.window or (4 if options.policy in REMEMBERS_NOTHING else 32)
    settings = WindowSettings(
        batch=options.batch or max(1, PICTURES_A_STEP // window),
        steps=window,
        shortest=options.shortest,
        carry=options.carry,
        burn_in=0 if options.policy in REMEMBERS_NOTHING else min(8, window // 2),
        brightness=options.brightness,
        contrast=options.contrast,
    )
    sensors = list(spec.sensors)
    windows = Windows(train, sensors, settings, seed=options.seed)
    validation = Windows(held_out, sensors, settings, seed=options.seed)
    chosen = policy_settings(options)
    if "odometry" not in spec.sensors:
        chosen = without_speedometer(chosen)
    policy = make_policy(
        options.policy,
        spec,
        chosen,
        command_scale=windows.command_scale,
        seed=options.seed,
    )
    if options.start_from is not None:
        take_weights(policy, options.start_from)
    fit(
        policy,
        windows,
        validation,
        FitSettings(
            steps=options.steps,
            learning_rate=options.learning_rate,
            warm_up=options.warm_up,
            schedule=options.schedule,
            optimizer=options.optimizer,
            momentum=options.momentum,
            clip=options.clip,
            weight_decay=options.weight_decay,
            patience=options.patience,
            validate_every=options.validate_every,
            seed=options.seed,
            tensorboard=options.tensorboard,
        ),
        options.out,
        resume=options.resume,
        about={
            "data": [recording.identity for recording in recordings],
            "folders": [str(folder) for folder in options.data],
            "roads": roads,
            "episodes": len(train),
            "held_out_episodes": len(held_out),
            "seed": options.seed,
            **({"start_from": str(options.start_from)} if options.start_from else {}),
        },
        on_progress=on_progress,
    )
    if options.closed_loop:
        found = short_drive.short_drive(policy, driven)
        describe_training(options.out, closed_loop=short_drive.to_json(found))
    return read_policy_json(options.out)


def take_weights(policy: Policy, run_folder: Path) -> None:
    """Begin with what the policy of a run has learned, and with its idea of a typical command."""
    from redrive.models.checkpoint import load_policy

    learned = load_policy(run_folder)
    if type(learned) is not type(policy) or learned.settings != policy.settings:
        raise ValueError(
            f"{run_folder} holds another policy or other settings: {learned.settings}, not "
            f"{policy.settings}; train with the same, or leave out --start-from"
        )
    if learned.spec != policy.spec:
        raise ValueError(f"{run_folder} was trained with other sensors; leave out --start-from")
    policy.load_state_dict(learned.state_dict())


def run_seeds(options: TrainOptions) -> list[dict[str, Any]]:
    """Train with several seeds side by side; what each `policy.json` says."""
    plain = TrainOptions(
        **{field.name: getattr(options, field.name) for field in dataclasses.fields(TrainOptions)}
    )
    jobs = []
    for seed in range(options.seed, options.seed + options.seeds):
        out = options.out / f"seed-{seed}"
        one = replace(plain, seed=seed, seeds=1, out=out, resume=plain.resume and is_started(out))
        jobs.append(Job(f"seed {seed}", options.steps, _run_one, (one,)))
    found: list[dict[str, Any]] = run_side_by_side(
        f"training {options.policy}", jobs, usable_cores()
    )
    return found


def _run_one(report: Report, options: TrainOptions) -> dict[str, Any]:
    """One of several trainings, in a process of its own."""
    done = 0

    def show(progress: Progress) -> None:
        nonlocal done
        report(progress.step - done, f"loss {progress.loss:.4f}")
        done = progress.step

    return run(options, show)


def policy_settings(options: TrainOptions) -> Any:
    """The policy's settings, with what the options say beside them."""
    from redrive.models.registry import find_policy

    settings = options.settings
    settings = find_policy(options.policy).Settings() if settings is None else settings
    if options.dropout:
        if not hasattr(settings, "dropout"):
            raise ValueError(f"{options.policy} has no features to drop; set dropout to 0")
        settings = replace(settings, dropout=options.dropout)
    if options.previous_command:
        if not hasattr(settings, "encoder"):
            raise ValueError(f"the {options.policy} sees no previous command; take another policy")
        settings = replace(settings, encoder=replace(settings.encoder, previous_command=True))
    return settings


def without_speedometer(settings: Any) -> Any:
    """The same settings for a policy that is not given its speed, as in the task unseen-speed."""
    if hasattr(settings, "encoder"):
        return replace(settings, encoder=replace(settings.encoder, speed=False, yaw_rate=False))
    return replace(settings, speed=False, yaw_rate=False)


def options_for(argv: Sequence[str]) -> type[TrainOptions]:
    """The options with the settings of the policy that `argv` names, as --policy.SETTING."""
    from redrive.models.registry import POLICIES

    name = "lstm"
    for word, following in zip(argv, [*argv[1:], ""], strict=True):
        if word == "--policy":
            name = following
        elif word.startswith("--policy="):
            name = word.removeprefix("--policy=")
    if name not in POLICIES:  # the parser will say so
        return TrainOptions
    kind = POLICIES[name].Settings
    own: Any = dataclasses.field(default=kind())
    made = dataclasses.make_dataclass(
        "TrainOptions",
        [("settings", Annotated[kind, tyro.conf.arg(name="policy")], own)],
        bases=(TrainOptions,),
        frozen=True,
    )
    made.__doc__ = TrainOptions.__doc__
    return made


def open_recordings(folders: Sequence[Path]) -> tuple[list[Recording], ObservationSpec]:
    """Recordings that can be learned from together, and what a policy would see of them."""
    from redrive.models.policy import ObservationSpec, SensorSpec

    if not folders:
        raise ValueError("name at least one recording; `redrive record` makes them")
    recordings = [Recording.open(folder) for folder in folders]
    first = recordings[0].header
    for recording in recordings:
        header = recording.header
        if header.camera is None or "expert_command" not in header.features:
            raise ValueError(
                f"{recording.folder} cannot be learned from: it has no "
                f"{'pictures' if header.camera is None else 'expert_command'}"
            )
        if (header.camera, header.dt) != (first.camera, first.dt):
            raise ValueError(
                f"{recording.folder} and {recordings[0].folder} were recorded with another camera "
                "or another dt; learn from recordings of one camera and one dt"
            )
        if header.route != first.route:
            raise ValueError(
                f"{recording.folder} and {recordings[0].folder} tell different routes, "
                f"{header.route or 'none'} and {first.route or 'none'}; learn from recordings that were "
                "all made with --route, on forks of as many branches, or all without"
            )
        if len(recording) == 0:
            raise ValueError(f"{recording.folder} holds no episode; record some first")
    assert first.camera is not None
    camera = Camera.from_json(dict(first.camera))
    sensors = {"camera": SensorSpec(camera.shape, "uint8", camera.to_json())}
    if first.route is not None:
        sensors["route"] = SensorSpec((), "int64", dict(first.route))
    if all("odometry" in recording.header.features for recording in recordings):
        sensors["odometry"] = SensorSpec((2,), "float32")
    return recordings, ObservationSpec(sensors, first.dt)


def with_previous_command(
    spec: ObservationSpec, *sides: Sequence[Any]
) -> tuple[ObservationSpec, list[Any], list[Any]]:
    """What a policy sees of recordings, and their episodes, with the command of the step before."""
    from redrive.models.policy import ObservationSpec, SensorSpec
    from redrive.models.previous import PREVIOUS_COMMAND, WithPreviousCommand

    seen = {**spec.sensors, PREVIOUS_COMMAND: SensorSpec((2,), "float32")}
    train, held_out = ([WithPreviousCommand(episode) for episode in side] for side in sides)
    return ObservationSpec(seen, spec.dt), train, held_out


LEARNED_UNTIL, HELD_OUT_FROM = 0.8, 0.85  # of a single drive


@dataclass(frozen=True)
class Stretch:
    """A part of a recorded drive; used like an episode."""

    episode: RecordedEpisode
    start: int
    stop: int

    @property
    def steps(self) -> int:
        """How many it has."""
        return self.stop - self.start

    @property
    def sidecar(self) -> Mapping[str, Any]:
        """What is known of the whole drive."""
        return self.episode.sidecar

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        """Rows of a column, counted from the stretch's beginning."""
        return self.episode.read(column, self.start + start, self.start + min(stop, self.steps))


def split_episodes(
    recordings: Sequence[Recording],
) -> tuple[list[Any], list[Any]]:
    """Episodes to learn from and episodes held out; a road is never on both sides.

    A recording of one drive has no second road: then its end is held out.
    """
    train: list[Any] = []
    held_out: list[Any] = []
    for recording in recordings:
        learned, kept = recording.split()
        train += [recording.episodes[i] for i in learned]
        held_out += [recording.episodes[i] for i in kept]
    if not held_out:  # one drive: its end is held out, a while after what is learned from
        held_out = [Stretch(e, round(HELD_OUT_FROM * e.steps), e.steps) for e in train]
        train = [Stretch(e, 0, round(LEARNED_UNTIL * e.steps)) for e in train]
        if not all(stretch.steps for stretch in (*train, *held_out)):
            raise ValueError(
                "the only drive is too short to hold a part of it out; record more, "
                "on more roads, as with --world procedural"
            )
    return train, held_out


def is_started(folder: Path) -> bool:
    """Whether there is a run to resume in a folder."""
    from redrive.models.checkpoint import STATE

    return (folder / STATE).is_file()


def main(argv: Sequence[str]) -> int:
    """The command."""
    options = parse(options_for(argv), argv, "train")
    if options.seeds < 1:
        raise ValueError(f"--seeds is a number from 1, got {options.seeds}")
    if options.seeds > 1:
        described = run_seeds(options)
        losses = [one["training"]["validation"]["loss"] for one in described]
        mean, low, high = mean_interval(losses)
        terminal.say(
            f"{options.out}: {options.policy}, {options.seeds} seeds; held-out loss {mean:.4f} "
            f"({low:.4f} to {high:.4f}, 95 %)"
        )
        runs = " ".join(str(options.out / f"seed-{options.seed + i}") for i in range(options.seeds))
        terminal.say(f"next: {terminal.typed(f'evaluate {runs} --suite roads')}")
        return 0
    done = 0

    def show(progress: Progress) -> None:
        nonlocal done
        held_out = progress.validation_loss
        note = f"loss {progress.loss:.4f}"
        note += "" if held_out is None else f", held out {held_out:.4f}"
        tick(progress.step - done, note=note)
        done = progress.step

    with terminal.progress(f"training {options.policy}", total=options.steps) as tick:
        told = run(options, show)
    training = told["training"]
    found = training["validation"]
    terminal.say(
        f"{options.out}: {options.policy}, {training['parameters']:,} weights, best after "
        f"{training['best_step']} steps; held out: curvature {found['curvature_rmse']:.4f} 1/m, "
        f"acceleration {found['accel_rmse']:.2f} m/s² (RMSE)"
    )
    parrot = training["copycat"]
    terminal.say(
        f"copycat: squared error {parrot['copycat_ratio']:.2f} of that of repeating the last command, "
        f"{parrot['change_ratio']:.1f} times the error where it changes most; all in "
        f"{terminal.typed(f'info {options.out}')}"
    )
    if drive := training.get("closed_loop"):
        from redrive.agents.short_drive import ShortDrive

        terminal.say(ShortDrive(**drive).said())
    terminal.say(f"next: {terminal.typed(f'evaluate {options.out} expert --suite roads')}")
    return 0
