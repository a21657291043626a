"""A small camera, small networks whose every weight matters, and drives that a small network can learn."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from redrive.models.encoder import EncoderSettings
from redrive.models.policy import Observation, ObservationSpec, Policy, SensorSpec
from redrive.models.registry import POLICIES, make_policy
from redrive.models.settings import from_json

HEIGHT, WIDTH = 20, 24


@dataclass(frozen=True, eq=False)
class Drive:
    """An episode in memory."""

    columns: dict[str, np.ndarray]

    @property
    def steps(self) -> int:
        return len(self.columns["expert_command"])

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        return self.columns[column][start:stop].copy()


@pytest.fixture(autouse=True)
def same_weights() -> None:
    """The same random weights whichever tests ran before."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def spec() -> ObservationSpec:
    camera = SensorSpec((HEIGHT, WIDTH, 3), "uint8", {"pitch": 0.1, "mount": (1.4, 0.0)})
    return ObservationSpec({"camera": camera, "odometry": SensorSpec((2,), "float32")}, dt=0.1)


@pytest.fixture(scope="session")
def observe() -> Callable[..., Observation]:
    """Random observations of a shape, such as observe(B, T)."""

    def draw(*shape: int, seed: int = 0) -> Observation:
        generator = torch.Generator().manual_seed(seed)
        pictures = torch.randint(0, 256, (*shape, HEIGHT, WIDTH, 3), generator=generator)
        odometry = torch.rand(*shape, 2, generator=generator) * torch.tensor([20.0, 0.5])
        return {"camera": pictures.to(torch.uint8), "odometry": odometry}

    return draw


def skip_without_its_package(name: str) -> None:
    """Skip what needs a policy whose optional package is not installed."""
    if name == "cfc":
        pytest.importorskip("ncps", reason="the policy cfc needs ncps: pip install 'redrive[cfc]'")


@pytest.fixture(scope="session")
def installed() -> Callable[[str], None]:
    """Call it with a policy's name: skips where the policy's package is not there."""
    return skip_without_its_package


@pytest.fixture(scope="session")
def small_policy(spec: ObservationSpec) -> Callable[..., Policy]:
    """A narrow policy with weights far from zero: nothing it computes is too small to be seen."""

    def make(name: str, seed: int = 0, awake: bool = True, **settings: object) -> Policy:
        skip_without_its_package(name)
        kind = POLICIES[name].Settings
        if name != "perceptron":
            settings = {
                "encoder": EncoderSettings(channels=(8, 8, 8), embedding=12),
                "hidden": 16,
                **settings,
            }
        policy = make_policy(
            name, spec, from_json(kind, settings), command_scale=(0.02, 1.5), seed=seed
        )
        if awake:
            generator = torch.Generator().manual_seed(seed)
            with torch.no_grad():
                for key, parameter in policy.named_parameters():
                    # Rectifiers whose U is far from the identity explode within these tests.
                    size = 0.02 if name == "irnn" and "hh" in key else 0.3
                    parameter.add_(size * torch.randn(parameter.shape, generator=generator))
        return policy.eval()

    return make


@pytest.fixture(scope="session")
def drives() -> Callable[..., list[Drive]]:
    """Drives along a bright line: steer towards it, and hold 10 m/s."""

    def make(count: int, steps: int = 40, seed: int = 0) -> list[Drive]:
        rng = np.random.default_rng(seed)
        made = []
        for _ in range(count):
            walk = np.cumsum(rng.normal(0.0, 0.25, steps)) + rng.uniform(-2.0, 2.0)
            place = 3.0 * np.sin(walk)  # of the line, in pixels from the centre
            columns = np.arange(WIDTH) - (WIDTH - 1) / 2
            line = np.exp(-0.5 * (columns - place[:, None]) ** 2)  # (T, W)
            camera = rng.integers(30, 60, (steps, HEIGHT, WIDTH, 3))
            camera = camera + (180.0 * line[:, None, :, None]).astype(np.int64)
            speed = rng.uniform(5.0, 15.0, steps)
            made.append(
                Drive(
                    {
                        "camera": camera.astype(np.uint8),
                        "odometry": np.stack([speed, 0.0 * speed], 1).astype(np.float32),
                        "expert_command": np.stack([-0.01 * place, 0.2 * (10.0 - speed)], 1).astype(
                            np.float32
                        ),
                    }
                )
            )
        return made

    return make
