"""Make the runs of `tests/golden/runs`, as redrive 0.1.0 wrote them before it had heads and routes.

    python tests/golden/make_runs.py      # at the commit whose files are to be kept

They are there so that a policy of an old run drives as it did: newer settings have defaults.
"""

from pathlib import Path

import numpy as np
import torch

from redrive.models.checkpoint import save_policy
from redrive.models.encoder import EncoderSettings
from redrive.models.policy import Observation, ObservationSpec, SensorSpec
from redrive.models.registry import POLICIES, make_policy

HERE = Path(__file__).parent / "runs"
NAMES = ("perceptron", "lstm", "attention")
SHAPE = (12, 16, 3)  # of the camera
STEPS = 6


def observations() -> Observation:
    """One drive of random pictures (1, STEPS, ...)."""
    rng = np.random.default_rng(0)
    camera = rng.integers(0, 256, (1, STEPS, *SHAPE)).astype(np.uint8)
    odometry = rng.uniform(0.0, 15.0, (1, STEPS, 2)).astype(np.float32)
    return {"camera": torch.from_numpy(camera), "odometry": torch.from_numpy(odometry)}


def main() -> None:
    """Write a run and its commands for each policy."""
    sensors = {"camera": SensorSpec(SHAPE, "uint8"), "odometry": SensorSpec((2,), "float32")}
    obs = observations()
    for name in NAMES:
        kind = POLICIES[name].Settings
        encoder = EncoderSettings(channels=(8, 8, 8), embedding=8)
        settings = kind() if name == "perceptron" else kind(encoder=encoder, hidden=8)
        spec = ObservationSpec(sensors)
        policy = make_policy(name, spec, settings, command_scale=(0.02, 1.5), seed=3)
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in policy.parameters():
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
            save_policy(HERE / name, policy)
            commands, _ = policy.eval()(obs, policy.initial_state(1))
        np.save(HERE / name / "commands.npy", commands.numpy())


if __name__ == "__main__":
    main()
