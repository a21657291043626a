"""Learning in two stages: first to see, then to remember.

Nearly all of the work of learning is in the pictures: a window of 256 frames costs the encoder a
hundred times what it costs a core. So the encoder is learned on short windows, where a memory is
easy to learn, with any policy and `fit`. Then it is left as it is, every frame is encoded once, and
a core and its head learn from long windows of what came out. The result is one ordinary policy,
which sees pictures and drives like any other.

Source:
    Torne et al., Learning long-context diffusion policies via past-token prediction, 2025,
    section 4: the head learns on cached embeddings of a frozen encoder.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .dataset import EpisodeSource, Windows, WindowSettings
from .encoder import Encoder
from .fit import FitSettings, FitState, Progress, fit
from .policy import Policy
from .sequence import ENCODED, SequencePolicy

FRAMES = 512  # that are encoded at a time


@dataclass(frozen=True, eq=False)
class EncodedEpisode:
    """An episode whose frames have been looked at: one more column, `encoded`."""

    episode: EpisodeSource
    features: np.ndarray  # (T, F) float32

    @property
    def steps(self) -> int:
        """How many there are."""
        return self.episode.steps

    def read(self, column: str, start: int, stop: int) -> np.ndarray:
        """Rows of a column, time first."""
        if column == ENCODED:
            return self.features[start:stop]
        return self.episode.read(column, start, stop)


def encode_episodes(policy: Policy, episodes: Sequence[EpisodeSource]) -> list[EncodedEpisode]:
    """Look at every frame once, with the encoder of `policy`.

    Args:
        episodes: drives with the columns that `policy` sees.

    Raises:
        TypeError: the policy has no encoder.
    """
    seeing = _with_encoder(policy)
    return [EncodedEpisode(episode, _encode(seeing, episode)) for episode in episodes]


def _with_encoder(policy: Policy) -> SequencePolicy:
    if not isinstance(policy, SequencePolicy):
        raise TypeError(
            f"a {type(policy).__name__} has no encoder; take a policy such as mlp or lstm"
        )
    return policy


@torch.inference_mode()
def _encode(policy: SequencePolicy, episode: EpisodeSource) -> np.ndarray:
    features = np.empty((episode.steps, policy.encoder.size), np.float32)
    policy.eval()
    for start in range(0, episode.steps, FRAMES):
        rows = slice(start, min(start + FRAMES, episode.steps))
        obs = {
            name: torch.from_numpy(np.ascontiguousarray(episode.read(name, rows.start, rows.stop)))
            for name in policy.spec.sensors
        }
        features[rows] = policy.encoder(obs).numpy()
    return features


def take_encoder(policy: Policy, teacher: Policy) -> SequencePolicy:
    """Let `policy` see with the eyes of `teacher`: the weights of its encoder are copied.

    Returns:
        The policy, known to have an encoder.

    Raises:
        TypeError: one of the two has no encoder.
        ValueError: the teacher's has other settings or is for other sensors.
    """
    policy, teacher = _with_encoder(policy), _with_encoder(teacher)
    if policy.spec != teacher.spec:
        raise ValueError(
            "the encoder was learned with other sensors or another dt: "
            f"{teacher.spec.to_json()}, not {policy.spec.to_json()}"
        )
    if policy.settings.encoder != teacher.settings.encoder:
        raise ValueError(
            f"the encoder to take has the settings {teacher.settings.encoder}, "
            f"not {policy.settings.encoder}; make the policy with the same"
        )
    policy.encoder.load_state_dict(teacher.encoder.state_dict())
    return policy


def fit_memory(
    policy: Policy,
    teacher: Policy,
    episodes: Sequence[EpisodeSource],
    held_out: Sequence[EpisodeSource],
    window: WindowSettings,
    settings: FitSettings,
    run: str | Path,
    *,
    seed: int = 0,
    resume: bool = False,
    about: Mapping[str, Any] | None = None,
    on_progress: Callable[[Progress], object] = lambda progress: None,
) -> FitState:
    """Fit core and head of `policy` to long windows, with the eyes of `teacher`, which stay as they are.

    The run folder is one like any other: `load_policy` gives a policy that drives from pictures.

    Args:
        episodes, held_out: drives with the columns that `policy` sees, or `EncodedEpisode`s of
            this very encoder: several policies can learn from the same ones.
        window: how they are cut; there are no pictures to relight or to mirror any more.
        seed: of the order of the windows.

    Raises:
        TypeError, ValueError: the encoder does not fit (`take_encoder`), or `window` wants other
            pictures.
        Besides, everything that `fit` raises.
    """
    if window != replace(window, brightness=0.0, contrast=0.0, mirror=0.0):
        raise ValueError(
            "frames that were encoded before cannot be relit or mirrored: "
            "set brightness, contrast and mirror to 0"
        )
    policy = take_encoder(policy, teacher)
    parts = (_encoded(policy, episodes), _encoded(policy, held_out))
    train, validation = (Windows(part, (ENCODED,), window, seed=seed) for part in parts)
    policy.encoder.requires_grad_(False)
    try:
        return fit(
            policy,
            train,
            validation,
            settings,
            run,
            resume=resume,
            about={**(about or {}), "encoder": fingerprint(policy.encoder)},
            on_progress=on_progress,
        )
    finally:
        policy.encoder.requires_grad_(True)


def _encoded(policy: Policy, episodes: Sequence[EpisodeSource]) -> Sequence[EpisodeSource]:
    """`episodes`, encoded unless they are."""
    if all(isinstance(episode, EncodedEpisode) for episode in episodes):
        return episodes
    return encode_episodes(policy, episodes)


def fingerprint(encoder: Encoder) -> str:
    """Names an encoder: equal for equal weights."""
    digest = hashlib.sha256()
    weights: Mapping[str, Tensor] = encoder.state_dict()
    for name, value in sorted(weights.items()):
        digest.update(name.encode() + value.detach().cpu().numpy().tobytes())
    return digest.hexdigest()
