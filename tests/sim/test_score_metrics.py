"""Scores: their terms, their weights, and what is forgiven."""

from typing import Any

import pytest

from redrive.sim import score_metrics as score

GOOD: dict[str, Any] = {
    "at_fault_collisions": 0,
    "least_margin": 0.2,
    "left_lane": False,
    "wrong_way": 0.0,
    "turned_around": False,
    "progress_ratio": 1.0,
    "ttc_kept": True,
    "speed_compliance": 1.0,
    "comfortable": True,
    "keeps_lane": True,
}


def pdm(**changes: Any) -> float:
    return score.pdm_score(score.pdm_terms(**(GOOD | changes)))


def test_a_faultless_drive_scores_1() -> None:
    assert pdm() == 1.0
    assert pdm(at_fault_collisions=None, ttc_kept=None) == 1.0


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"at_fault_collisions": 1}, 0.0),
        ({"least_margin": -0.29}, 1.0),
        ({"least_margin": -0.31}, 0.0),
        ({"left_lane": True}, 0.0),
        ({"wrong_way": 1.9}, 1.0),
        ({"wrong_way": 2.0}, 0.5),
        ({"wrong_way": 6.1}, 0.0),
        ({"turned_around": True}, 0.0),
        ({"progress_ratio": 0.2}, 0.0),
        ({"progress_ratio": 0.5}, 15.5 / 18.0),
        ({"ttc_kept": False}, 13.0 / 18.0),
        ({"speed_compliance": 0.25}, 15.0 / 18.0),
        ({"comfortable": False}, 16.0 / 18.0),
        ({"keeps_lane": False}, 16.0 / 18.0),
        ({"comfortable": False, "ttc_kept": None}, 11.0 / 13.0),
    ],
)
def test_each_term_has_its_weight_and_threshold(change: dict[str, Any], expected: float) -> None:
    assert pdm(**change) == pytest.approx(expected)


def test_what_the_expert_does_not_fulfil_is_forgiven() -> None:
    ours = score.pdm_terms(**(GOOD | {"comfortable": False, "least_margin": -1.0}))
    same = score.forgiven(ours, ours)
    assert score.pdm_score(ours) == 0.0 and score.pdm_score(same) == 1.0
    assert score.forgiven(ours, score.pdm_terms(**GOOD)) == ours
    slow = score.pdm_terms(**(GOOD | {"progress_ratio": 0.1, "speed_compliance": 0.0}))
    assert score.forgiven(slow, slow) == slow  # these are not excused
    alone = score.pdm_terms(**(GOOD | {"ttc_kept": None}))
    assert score.forgiven(alone, alone)["ttc"] is None


def test_the_carla_score_is_the_leaderboards() -> None:
    assert score.carla_score(1.0, score.carla_penalty(None, 0.0)) == 100.0
    assert score.carla_score(0.5, score.carla_penalty(2, 0.1)) == pytest.approx(50 * 0.36 * 0.9)
