"""The policies by name."""

from collections.abc import Sequence
from typing import Any

import torch

from .attention import AttentionPolicy
from .cfc import CfcPolicy
from .gru import GruPolicy
from .irnn import IrnnPolicy
from .lstm import LstmPolicy
from .mingru import MinGruPolicy
from .mlp import MlpPolicy
from .perceptron import PerceptronPolicy
from .policy import ObservationSpec, Policy
from .rnn import RnnPolicy
from .settings import suggest

POLICIES: dict[str, type[Policy]] = {
    "perceptron": PerceptronPolicy,
    "mlp": MlpPolicy,
    "rnn": RnnPolicy,
    "irnn": IrnnPolicy,
    "gru": GruPolicy,
    "lstm": LstmPolicy,
    "attention": AttentionPolicy,
    "mingru": MinGruPolicy,
    "cfc": CfcPolicy,
}


def find_policy(name: str) -> type[Policy]:
    """The class called `name`; a wrong word is answered with the near ones."""
    if name not in POLICIES:
        raise ValueError(f"unknown policy {name}; {suggest(name, POLICIES)}")
    return POLICIES[name]


def name_of(policy: Policy) -> str:
    """The name that `policy` has in `POLICIES`."""
    for name, kind in POLICIES.items():
        if type(policy) is kind:
            return name
    raise ValueError(f"{type(policy).__name__} is not in POLICIES, so no file could name it")


def make_policy(
    name: str,
    spec: ObservationSpec,
    settings: Any = None,
    *,
    command_scale: Sequence[float] | None = None,
    seed: int = 0,
) -> Policy:
    """A policy that has learned nothing yet; the same seed gives the same weights.

    Args:
        settings: an instance of `POLICIES[name].Settings`; None: its defaults.
        command_scale: a typical curvature [1/m] and acceleration [m/s²], see
            `Windows.command_scale`; None: 1 and 1.
    """
    kind = find_policy(name)
    settings = kind.Settings() if settings is None else settings
    if type(settings) is not kind.Settings:
        raise ValueError(
            f"the settings of {name} are {kind.Settings.__name__}, got {type(settings).__name__}"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        policy = kind(spec, settings)
    if command_scale is not None:
        policy.set_command_scale(command_scale)
    return policy
