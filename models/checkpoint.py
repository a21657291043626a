"""Run folders: a trained policy as `policy.safetensors` (weights) and `policy.json` (all the rest)."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from .files import read_json, read_tensors, write_json, write_tensors
from .policy import ObservationSpec, Policy
from .registry import find_policy, make_policy, name_of
from .settings import from_json, to_json

SCHEMA = 1
WEIGHTS = "policy.safetensors"  # the best so far
DESCRIPTION = "policy.json"
STATE = "state/fit.safetensors"  # the last, with all that resuming needs


def describe_policy(policy: Policy, training: Mapping[str, Any]) -> dict[str, Any]:
    """What `policy.json` says: enough to build the policy again, and where it came from."""
    return {
        "schema": SCHEMA,
        "policy": name_of(policy),
        "settings": to_json(policy.settings),
        "observation": policy.spec.to_json(),
        "command_scale": policy.command_scale.tolist(),
        "redrive": version("redrive"),
        "training": dict(training),
    }


def save_policy(run: str | Path, policy: Policy, training: Mapping[str, Any] | None = None) -> None:
    """Save a policy in a run folder, in place of the one that was there.

    Args:
        training: how it was trained, as JSON values; for people and reports.
    """
    folder = Path(run)
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / WEIGHTS, policy.state_dict())
    write_json(folder / DESCRIPTION, describe_policy(policy, training or {}))


def describe_training(run: str | Path, **entries: Any) -> None:
    """Say more about the training in a run folder's `policy.json`, as JSON values."""
    described = read_policy_json(run)
    described["training"] |= entries
    write_json(Path(run) / DESCRIPTION, described)


def load_policy(run: str | Path, which: Literal["best", "last"] = "best") -> Policy:
    """The policy of a run folder, ready to drive.

    Args:
        which: the one with the lowest loss on held-out drives, or the one training ended with.

    Raises:
        FileNotFoundError: no such folder, or nothing trained in it.
        ValueError: a file is damaged, or the two do not belong together.
    """
    described = read_policy_json(run)
    folder = Path(run)
    try:
        kind = find_policy(described["policy"])
        settings: Any = from_json(kind.Settings, described["settings"])
        spec = ObservationSpec.from_json(described["observation"])
        scale = list(described["command_scale"])
        policy = make_policy(described["policy"], spec, settings, command_scale=scale)
    except KeyError as error:
        raise ValueError(
            f"{folder / DESCRIPTION} has no entry {error}; restore it from a copy or train again"
        ) from error
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{folder / DESCRIPTION}: {error}") from error
    path = folder / (WEIGHTS if which == "best" else STATE)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; restore it from a copy or train again")
    tensors, _ = read_tensors(path)
    if which == "last":
        tensors = model_tensors(tensors)
    load_weights(policy, tensors, path)
    if policy.command_scale.tolist() != scale:
        raise ValueError(
            f"{path} and {folder / DESCRIPTION} do not belong together: their command_scale are "
            f"{policy.command_scale.tolist()} and {scale}; restore both from the same run"
        )
    return policy.eval()


def read_policy_json(run: str | Path) -> dict[str, Any]:
    """What a run folder says about its policy.

    Raises:
        FileNotFoundError: no such folder, or nothing trained in it.
        ValueError: wrong JSON, or of a redrive that is newer than this one.
    """
    folder = Path(run)
    path = folder / DESCRIPTION
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no run folder {folder}; `redrive train` makes one")
    if not path.is_file():
        started = (folder / STATE).is_file()
        raise FileNotFoundError(
            f"{folder} holds no trained policy: it has no {DESCRIPTION}; "
            + ("finish it with `redrive train --resume`" if started else "name a run folder")
        )
    described = read_json(path)
    if described.get("schema") != SCHEMA:
        raise ValueError(
            f"{path} has schema {described.get('schema')!r}, this redrive reads schema {SCHEMA}; "
            f"it was written by redrive {described.get('redrive', '(unknown)')}"
        )
    return described


def model_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights among the tensors of a state file."""
    return {
        name.removeprefix("model."): value
        for name, value in tensors.items()
        if name.startswith("model.")
    }


def load_weights(policy: Policy, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Put the tensors of `path` into a policy; a missing, extra or mis-shaped one is a ValueError."""
    own = policy.state_dict()
    for name in sorted(own.keys() | tensors.keys()):
        wanted = tuple(own[name].shape) if name in own else "nothing"
        given = tuple(tensors[name].shape) if name in tensors else "nothing"
        if wanted != given:
            raise ValueError(
                f"{path} does not fit the policy that {DESCRIPTION} describes: "
                f"{name} should be {wanted}, is {given}; restore both from the same run"
            )
    policy.load_state_dict(dict(tensors))


def require_same_sensors(saved: ObservationSpec, world: ObservationSpec, run: str | Path) -> None:
    """Refuse a world that looks different from the one a policy was trained in.

    Sensors that the policy does not know of may be there: it never sees them.

    Raises:
        ValueError: says every difference.
    """
    differences = []
    for name, wanted in saved.sensors.items():
        if name not in world.sensors:
            differences.append(f"expects the sensor {name}, this world has none")
            continue
        given = world.sensors[name]
        if (wanted.shape, wanted.dtype) != (given.shape, given.dtype):
            dtypes = wanted.dtype != given.dtype
            differences.append(
                f"expects {name} {wanted.dtype + ' ' if dtypes else ''}{wanted.shape}, "
                f"this world gives {given.dtype + ' ' if dtypes else ''}{given.shape}"
            )
            continue
        for key in sorted(wanted.settings.keys() | given.settings.keys()):
            ours, theirs = wanted.settings.get(key), given.settings.get(key)
            if ours != theirs:
                differences.append(f"expects {name}.{key} {ours}, this world has {theirs}")
    if saved.dt != world.dt:
        differences.append(f"expects dt {saved.dt:g} s, this world has {world.dt:g} s")
    if differences:
        raise ValueError(
            f"checkpoint {run} {'; '.join(differences)}; "
            f"use the settings in {Path(run) / DESCRIPTION}"
        )
