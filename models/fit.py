"""Fitting: how a policy learns from windows of demonstrations. This is the whole loop.

Everything random in step k is drawn from (seed, k), and everything else that step k + 1 needs is in
one state file that is replaced as a whole. So a run that was killed, at any moment, and resumed ends
with the same bytes as one that was not; with one thread, that is: `torch.set_num_threads(1)`.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch.optim import SGD, AdamW, Optimizer

from .checkpoint import (
    DESCRIPTION,
    STATE,
    WEIGHTS,
    describe_policy,
    describe_training,
    load_weights,
    model_tensors,
    save_policy,
)
from .copycat import diagnose
from .dataset import Batch, Windows
from .files import read_tensors, write_tensors
from .log import RunLog
from .loss import LossSettings, average
from .policy import ACCEL, CURVATURE, Policy, State
from .settings import to_json


@dataclass(frozen=True)
class FitSettings:
    """How a policy is fitted."""

    steps: int = 1500
    """Steps of learning, one batch of windows each."""
    learning_rate: float = 4e-3
    """The highest one, after the warm-up."""
    schedule: Literal["cosine", "constant", "step"] = "cosine"
    """How it goes on from there. cosine: falls to zero along half a cosine. step: to a tenth after
    half of the steps, to a hundredth after three quarters. constant: not at all."""
    optimizer: Literal["adamw", "sgd"] = "adamw"
    """What is made of a gradient. adamw: every weight has its own step size, from the gradients it
    had. sgd: one step size for all, which has to be larger by far."""
    momentum: float = 0.9
    """Of sgd: share of the last step that goes on into the next; 0: none."""
    warm_up: float = 0.05
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = 1e-2
    """Pull of the weights towards zero; biases and norms are left alone."""
    clip: float | None = 1.0
    """Longest gradient that is followed at full length; None: all are, whatever comes."""
    validate_every: int = 100
    """Steps between two looks at the held-out drives; the best policy is kept."""
    patience: int = 0
    """Stop after this many looks without a better one; 0: never."""
    save_every: int = 100
    """Steps between two saved states: what is lost at most when the process is killed."""
    log_every: int = 10
    """Steps between two lines of the log."""
    seed: int = 0
    """Of what is random in fitting, which is dropout."""
    tensorboard: bool = False
    """Write TensorBoard's files, too."""
    loss: LossSettings = field(default_factory=LossSettings)

    def __post_init__(self) -> None:
        for name in ("steps", "validate_every", "save_every", "log_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("learning_rate", "clip"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                raise ValueError(f"{name} must be positive, got {value}")
        if not 0.0 <= self.momentum < 1.0:
            raise ValueError(f"momentum must be from 0 to below 1, got {self.momentum}")
        if not 0.0 <= self.warm_up < 1.0:
            raise ValueError(f"warm_up must be a share from 0 to below 1, got {self.warm_up}")
        if self.weight_decay < 0.0 or self.patience < 0:
            raise ValueError("weight_decay and patience must not be negative")


@dataclass
class FitState:
    """Where a fit stands, besides the weights."""

    step: int = 0  # steps taken
    best_loss: float = math.inf  # on the held-out drives
    best_step: int = 0
    looks_since_best: int = 0
    stopped: bool = False  # early


@dataclass(frozen=True)
class Progress:
    """What `on_progress` is told, every `log_every` steps and at every look."""

    step: int
    steps: int
    loss: float  # of the last batch
    validation_loss: float | None  # of the last look
    learning_rate: float


@dataclass(frozen=True)
class Errors:
    """How wrong a policy is on held-out drives."""

    loss: float
    curvature_rmse: float  # [1/m]
    accel_rmse: float  # [m/s²]


def fit(
    policy: Policy,
    windows: Windows,
    validation: Windows,
    settings: FitSettings,
    run: str | Path,
    *,
    resume: bool = False,
    about: Mapping[str, Any] | None = None,
    on_progress: Callable[[Progress], object] = lambda progress: None,
) -> FitState:
    """Fit a policy to windows of demonstrations, in place: it comes back as the best one.

    Args:
        validation: held-out drives; the policy with the lowest loss on them is kept.
        run: the folder for the policy, the log and the state.
        resume: go on with what lies in `run`, given the same policy, windows and settings.
        about: more to say in `policy.json` about the training, as JSON values.

    Raises:
        FileExistsError: `run` is taken and `resume` is false.
        ValueError: what is resumed was fitted with other windows or settings.
        FloatingPointError: the loss is no longer a number.
    """
    folder = Path(run)
    prepare_run(folder, resume)
    training = {
        **(about or {}),
        "parameters": sum(parameter.numel() for parameter in policy.parameters()),
        "fit": to_json(settings),
        "windows": to_json(windows.settings),
        "windows_fingerprint": windows.fingerprint,
    }
    description = describe_policy(policy, training)
    optimizer = make_optimizer(policy, settings)
    state = load_state(folder, policy, optimizer, description)
    memory = load_memory(folder, policy.command_scale.device)
    device = next(policy.parameters()).device
    look: Errors | None = None

    with RunLog(folder, state.step, settings.tensorboard) as log:
        if state.step == 0:  # from now on there is something to resume
            save_state(folder, policy, optimizer, state, description, memory)
        clock = time.monotonic()
        end = state.step if state.stopped else settings.steps
        for cut in batches(windows, state.step, end):
            batch = cut.to(device)
            fresh = not (windows.settings.carry and memory)
            before = policy.initial_state(len(batch.command)) if fresh else memory
            loss, norm, after = learn_on(policy, optimizer, batch, before, settings, state.step)
            memory = after if windows.settings.carry else ()
            rate = learning_rate(settings, state.step)
            state.step += 1
            last = state.step == settings.steps
            due = last or state.step % settings.validate_every == 0

            if last or state.step % settings.log_every == 0:
                log.write(
                    state.step,
                    loss=loss,
                    learning_rate=rate,
                    gradient_norm=norm,
                    gradient_norm_clipped=min(norm, settings.clip or math.inf),
                    seconds=round(time.monotonic() - clock, 3),  # since the start or resumption
                )
            if due:
                look = evaluate(policy, validation, settings.loss)
                if not math.isfinite(look.loss):
                    raise FloatingPointError(
                        f"the loss on the held-out drives is {look.loss} at step {state.step}: are "
                        "all observations finite (`redrive validate`)?"
                    )
                state.looks_since_best += 1
                if look.loss < state.best_loss:
                    state.best_loss, state.best_step = look.loss, state.step
                    state.looks_since_best = 0
                    best = {"best_step": state.step, "validation": asdict(look)}
                    save_policy(folder, policy, {**training, **best})
                state.stopped = 0 < settings.patience <= state.looks_since_best
                log.write(
                    state.step,
                    validation_loss=look.loss,
                    validation_curvature_rmse=look.curvature_rmse,
                    validation_accel_rmse=look.accel_rmse,
                    best=state.best_step == state.step,
                )
            if due or state.step % settings.log_every == 0:
                validation_loss = look.loss if look is not None else None
                on_progress(Progress(state.step, settings.steps, loss, validation_loss, rate))
            if last or state.stopped or state.step % settings.save_every == 0:
                save_state(folder, policy, optimizer, state, description, memory)
            if state.stopped:
                break

    load_weights(policy, read_tensors(folder / WEIGHTS)[0], folder / WEIGHTS)
    policy.eval()
    describe_training(folder, copycat=diagnose(policy, validation))
    return state


def batches(windows: Windows, first: int, stop: int) -> Iterator[Batch]:
    """The batches of the steps from `first` to before `stop`, in order.

    The next one is cut, and read from disk where it lies there, while the last one is learned from:
    a batch depends on its step alone, so it does not matter when it is cut.
    """
    if first >= stop:
        return
    with ThreadPoolExecutor(1, thread_name_prefix="redrive-windows") as worker:
        coming = worker.submit(windows.batch, first)
        for following in range(first + 1, stop + 1):
            batch = coming.result()
            if following < stop:
                coming = worker.submit(windows.batch, following)
            yield batch


def learn(
    policy: Policy, optimizer: Optimizer, batch: Batch, settings: FitSettings, step: int
) -> tuple[float, float]:
    """One step of learning: the loss before it, and the norm of the gradient before clipping."""
    memory = policy.initial_state(len(batch.command))
    return learn_on(policy, optimizer, batch, memory, settings, step)[:2]


def learn_on(
    policy: Policy,
    optimizer: Optimizer,
    batch: Batch,
    memory: State,
    settings: FitSettings,
    step: int,
) -> tuple[float, float, State]:
    """`learn` for drivers who remember something already.

    Returns:
        Loss, norm, and what they remember after the batch. Gradients end there: it is detached.
    """
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(settings, step)
    policy.train()
    with torch.random.fork_rng(devices=[]):  # dropout of this step, whatever was drawn before
        torch.manual_seed(int(np.random.SeedSequence([settings.seed, step]).generate_state(1)[0]))
        prediction, memory = policy.predict(batch.obs, memory, batch.is_first)
    loss = average(policy.error(prediction, batch.command, settings.loss), batch.weight)
    optimizer.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(policy.parameters(), settings.clip or math.inf)
    if not (loss.isfinite() and norm.isfinite()):  # before the weights are touched
        raise FloatingPointError(
            f"the loss is {loss.item()} and the gradient {norm.item()} in step {step + 1}: are all "
            "observations finite (`redrive validate`)? If so, lower the learning rate"
        )
    optimizer.step()
    return loss.item(), norm.item(), tuple(part.detach() for part in memory)


def learning_rate(settings: FitSettings, step: int) -> float:
    """Up in a straight line, then by the schedule; a function of the step, so nothing to save."""
    warm_up = settings.warm_up * settings.steps
    if step < warm_up:
        return settings.learning_rate * (step + 1) / (warm_up + 1)
    if settings.schedule == "constant":
        return settings.learning_rate
    if settings.schedule == "step":
        drops = (step >= 0.5 * settings.steps) + (step >= 0.75 * settings.steps)
        return settings.learning_rate * 0.1**drops
    done = (step - warm_up) / (settings.steps - warm_up)
    return settings.learning_rate * 0.5 * (1.0 + math.cos(math.pi * done))


def make_optimizer(policy: Policy, settings: FitSettings) -> Optimizer:
    """The optimizer; weights (two axes and more) decay, biases and norms do not."""
    parameters = list(policy.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if settings.optimizer == "sgd":
        return SGD(groups, lr=settings.learning_rate, momentum=settings.momentum, fused=True)
    return AdamW(groups, lr=settings.learning_rate, fused=True)


@torch.no_grad()
def evaluate(policy: Policy, windows: Windows, settings: LossSettings) -> Errors:
    """How wrong `policy` is, every step of the windows counted once."""
    policy.eval()
    device = policy.command_scale.device
    count, loss = 0.0, 0.0
    squares = torch.zeros(2, dtype=torch.float64)
    for batch in windows.once():
        batch = batch.to(device)
        state = policy.initial_state(len(batch.command))
        prediction, _ = policy.predict(batch.obs, state, batch.is_first)
        steps = batch.weight.sum().item()
        error = policy.error(prediction, batch.command, settings)
        loss += steps * average(error, batch.weight).item()
        wrong = policy.command(prediction) - batch.command
        wrong = torch.where(batch.weight[..., None] > 0.0, wrong, 0.0)
        squares += wrong.double().square().sum(dim=(0, 1)).cpu()
        count += steps
    rmse = (squares / count).sqrt()
    return Errors(loss / count, rmse[CURVATURE].item(), rmse[ACCEL].item())


def prepare_run(folder: Path, resume: bool) -> None:
    """Make the run folder, or say why it cannot be used."""
    if not resume and ((folder / STATE).is_file() or (folder / DESCRIPTION).is_file()):
        raise FileExistsError(
            f"{folder} holds a run already; name another folder, or resume this one"
        )
    if resume and (folder / DESCRIPTION).is_file() and not (folder / STATE).is_file():
        raise FileNotFoundError(
            f"{folder} holds a policy but no {STATE} to resume from; name another folder"
        )
    (folder / STATE).parent.mkdir(parents=True, exist_ok=True)


def save_state(
    folder: Path,
    policy: Policy,
    optimizer: Optimizer,
    state: FitState,
    description: Mapping[str, Any],
    memory: State = (),
) -> None:
    """Save all that the next step depends on, in one file: half a state cannot exist."""
    tensors = {f"model.{name}": value for name, value in policy.state_dict().items()}
    for name, parameter in policy.named_parameters():
        for key, value in optimizer.state[parameter].items():
            if value is not None:  # as SGD without momentum has it
                tensors[f"optimizer.{key}.{name}"] = value
    tensors |= {f"memory.{number}": part for number, part in enumerate(memory)}
    write_tensors(folder / STATE, tensors, {"state": asdict(state), "fit": description})


def load_memory(folder: Path, device: torch.device) -> State:
    """What the drivers of the run in `folder` remember, where a memory is carried on; else ()."""
    if not (folder / STATE).is_file():
        return ()
    tensors, _ = read_tensors(folder / STATE)
    count = sum(name.startswith("memory.") for name in tensors)
    return tuple(tensors[f"memory.{number}"].to(device) for number in range(count))


def load_state(
    folder: Path, policy: Policy, optimizer: Optimizer, description: Mapping[str, Any]
) -> FitState:
    """Where the run in `folder` stands, with weights and optimizer to match; the start if it is new."""
    path = folder / STATE
    if not path.is_file():
        return FitState()
    tensors, facts = read_tensors(path)
    for name, wanted in facts["fit"].items():
        if description[name] != wanted:
            raise ValueError(
                f"{folder} was begun with {difference(name, wanted, description[name])}; "
                "resume with the same, or fit into another folder"
            )
    load_weights(policy, model_tensors(tensors), path)
    for name, parameter in policy.named_parameters():
        for key in ("step", "exp_avg", "exp_avg_sq", "momentum_buffer"):  # AdamW's, SGD's
            if f"optimizer.{key}.{name}" in tensors:
                value = tensors[f"optimizer.{key}.{name}"]
                optimizer.state[parameter][key] = value.clone().to(parameter.device)
    return FitState(**facts["state"])


def difference(name: str, wanted: Any, given: Any) -> str:
    """The first thing in which two JSON values differ, by its full name."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        for key in [*wanted, *given]:
            if wanted.get(key) != given.get(key):
                return difference(f"{name}.{key}", wanted.get(key), given.get(key))
    return f"{name} {wanted}, not {given}"
