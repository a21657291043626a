"""Sequence tasks: what can be known is learned, what cannot be known is not, and a seed is a seed."""

import numpy as np
import pytest

from redrive.study_bits import Task, Trial, learn_task


def echo(delay: int, secret: bool) -> Task:
    """One bit, shown `delay` steps before the end; or, as a secret, never."""

    def draw(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
        bits = rng.integers(0, 2, (size, 1)).astype(float)
        seen = np.zeros((size, delay + 1, 1))
        if not secret:
            seen[:, 0, 0] = 2.0 * bits[:, 0] - 1.0
        return seen, bits

    return Task(draw, inputs=1, bits=1)


TRIAL = Trial("lstm", {"hidden": 8}, steps=80, learning_rate=2e-2)


def test_what_was_shown_is_remembered_and_what_was_not_is_guessed() -> None:
    known, unknown = learn_task(TRIAL, echo(3, secret=False)), learn_task(TRIAL, echo(3, True))
    assert known["bit"] == known["whole"] == 1.0
    assert known["loss"] < 0.1
    assert 0.44 < unknown["bit"] < 0.56
    assert unknown["loss"] == pytest.approx(np.log(2.0), abs=0.02)


def test_without_memory_it_is_guessed_too() -> None:
    found = learn_task(Trial("mlp", {"hidden": 8}, steps=60), echo(3, secret=False))
    assert 0.44 < found["bit"] < 0.56


def test_the_same_seed_learns_the_same() -> None:
    first, again = learn_task(TRIAL, echo(2, False)), learn_task(TRIAL, echo(2, False))
    assert first == again
    assert learn_task(Trial("lstm", {"hidden": 8}, seed=1, steps=80), echo(2, False)) != first
