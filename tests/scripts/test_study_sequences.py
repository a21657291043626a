"""Lessons for cores: what is asked can be known from what was seen, and from nothing else."""

import math

import pytest
import torch
from torch import nn

from redrive import study_sequences as lessons


def drawn(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_sign_is_shown_once_and_asked_for_at_the_fork() -> None:
    lesson = lessons.recall(200, 20, drawn())
    steps = lessons.SHOWN + 20 + lessons.DECIDING
    assert lesson.features.shape == (200, steps, lessons.FEATURES)
    sign = lesson.features[:, :, lessons.SIGN]
    assert sign[:, lessons.SHOWN :].abs().max() == 0.0
    assert torch.equal(lesson.label[:, -1], sign[:, 0])
    assert lesson.label[:, : -lessons.DECIDING].abs().max() == 0.0
    assert 0.4 < float((sign[:, 0] > 0.0).float().mean()) < 0.6
    assert lesson.counts.sum(dim=1).eq(lessons.DECIDING).all()


def test_nothing_that_is_seen_at_the_fork_tells_the_side() -> None:
    """The best linear guess from the present frame alone is no better than chance."""
    seen, asked = (lessons.recall(4000, 5, drawn(seed)) for seed in (0, 1))
    # Without the sign's column, which is 0 at the fork (tested above).
    now, side = seen.features[:, -1, lessons.FORK :], seen.label[:, -1]
    weights = torch.linalg.lstsq(now, side[:, None]).solution
    right = torch.sign(asked.features[:, -1, lessons.FORK :] @ weights)[:, 0] == asked.label[:, -1]
    assert float(right.float().mean()) == pytest.approx(0.5, abs=0.03)


def test_the_latest_sign_is_never_older_than_the_longest_gap() -> None:
    longest = 9
    lesson = lessons.latest_sign(50, 300, longest, drawn())
    sign = lesson.features[:, :, lessons.SIGN]
    for car in range(50):
        last, shown_at = 0.0, -1
        for t in range(300):
            if sign[car, t] != 0.0:
                last, shown_at = float(sign[car, t]), t
            assert lesson.label[car, t] == last
            assert t - shown_at < longest
            assert not (lesson.counts[car, t] and sign[car, t] != 0.0)


def test_a_core_that_remembers_learns_and_one_that_does_not_guesses() -> None:
    def right(policy: str) -> float:
        torch.manual_seed(0)
        core = lessons.make_core(lessons.CoreChoice(policy), 16)
        return lessons.teach(
            core, lambda count, draw: lessons.recall(count, 4, draw), steps=150, seed=0
        ).right

    assert right("lstm") > 0.98
    assert right("mlp") < 0.65


def test_learning_that_runs_away_is_told() -> None:
    torch.manual_seed(0)
    core = lessons.make_core(lessons.CoreChoice("irnn"), 16)
    with torch.no_grad():
        for name, weight in core.named_parameters():
            if "hh" in name:
                weight.mul_(100.0)
    learned = lessons.teach(
        core, lambda count, draw: lessons.recall(count, 60, draw), steps=20, seed=0, clip=None
    )
    assert learned.diverged


def test_the_gradient_by_lag_is_that_of_the_recurrence() -> None:
    """Rectifiers with a gain g and no noise: k steps back it is g to the k."""
    core = lessons.make_core(lessons.CoreChoice("irnn"), 4)
    with torch.no_grad():
        for name, weight in core.named_parameters():
            if "weight_ih" in name:
                weight.fill_(0.01)
            elif "weight_hh" in name:
                weight.mul_(0.5)
            else:
                weight.fill_(1.0)  # nothing is ever cut off
    head = nn.Linear(4, 1)
    lengths = lessons.gradient_by_lag(core, head, lessons.recall(3, 10, drawn()), 12)
    for k in range(12):
        assert lengths[k] / lengths[0] == pytest.approx(0.5**k)
    assert len(lengths) == 12
    assert not math.isclose(lengths[0], 0.0)
