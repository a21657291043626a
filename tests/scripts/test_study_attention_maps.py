"""What is looked at: by frame, through layers, and without the frames that are looked at most."""

import json
from pathlib import Path

import numpy as np
import pytest

from redrive import study_attention_maps
from redrive.cli import main
from redrive.sim.vehicle import Command
from redrive.study_attention_maps import (
    Maps,
    Missing,
    Plan,
    by_frame,
    rank_correlation,
    similarity_to_sign,
    through_layers,
    top,
)


def test_weights_by_age_become_weights_by_frame() -> None:
    weights = np.zeros((1, 1, 2, 5, 3))
    weights[0, 0, 0, 3] = [0.5, 0.2, 0.3]  # of step 3: itself, step 2, step 1
    weights[0, 0, 1, 3] = [0.0, 0.0, 1.0]
    found = by_frame(weights, np.array([3]))
    np.testing.assert_allclose(found[0, 0, 0], [0.0, 0.3, 0.2, 0.5, 0.0])
    np.testing.assert_allclose(found[0, 0, 1], [0.0, 1.0, 0.0, 0.0, 0.0])


def test_what_reaches_the_decision_adds_up_and_goes_through_what_lies_between() -> None:
    steps, window = 4, 4
    weights = np.zeros((1, 2, 1, steps, window))
    weights[..., 0] = 1.0  # everybody looks at themselves ...
    weights[0, 0, 0, 2] = [0.0, 0.0, 1.0, 0.0]  # ... but in layer 1, step 2 looks at step 0
    weights[0, 1, 0, 3] = [0.0, 1.0, 0.0, 0.0]  # and in layer 2, step 3 looks at step 2
    found = through_layers(weights, np.array([3]))[0]
    np.testing.assert_allclose(found, [0.25, 0.0, 0.25, 0.5])
    assert through_layers(np.full((2, 3, 2, 4, 4), 0.25)[:, :, :, 3:], np.array([0, 0])).shape == (
        2,
        1,
    )


def test_the_largest_of_each_row_are_chosen() -> None:
    chosen = top(np.array([[0.1, 0.9, 0.5], [3.0, 1.0, 2.0]]), 2)
    assert chosen.tolist() == [[False, True, True], [True, False, True]]


def test_ranks_that_agree_correlate() -> None:
    values = np.random.default_rng(0).random((3, 20))
    where = np.ones((3, 20), bool)
    assert rank_correlation(values, values**3, where) == pytest.approx(1.0)
    assert rank_correlation(values, -values, where) == pytest.approx(-1.0)


def test_a_key_that_gets_four_times_the_weight_is_more_similar_by_the_logarithm_of_four() -> None:
    weights = np.zeros((1, 1, 2, 5))
    weights[0, 0, 0, :4] = 0.25
    weights[0, 0, 1, :4] = [0.4, 0.4, 0.1, 0.1]
    nothing = np.zeros((1, 5))
    maps = Maps(np.array([3]), weights, nothing, nothing, nothing, nothing, np.array([True]))
    found = similarity_to_sign(maps, np.array([[True, True, False, False, False]]))
    assert found["mass_on_sign_best_head"] == pytest.approx(0.8)
    assert found["similarity_sign_over_others"] == pytest.approx(np.log(4.0))
    assert found["similarity_sign_over_others_share"] == 1.0


class Looker:
    """A driver who says what it sees."""

    def begin(self, batch_size: int) -> int:
        return 0

    def act(self, view, memory):  # type: ignore[no-untyped-def]
        seen = view["camera"][:, 0, 0, 0].astype(float)
        return Command(seen, seen), memory + 1


def test_a_frame_that_is_taken_away_is_replaced_and_the_others_are_seen() -> None:
    taken = np.array([[True, False], [False, False]])
    driver = Missing(Looker(), taken, np.full((2, 4, 4, 3), 7, np.uint8))
    frame = np.full((2, 4, 4, 3), 99, np.uint8)
    memory = driver.begin(2)
    for step, expected in ((0, [7.0, 99.0]), (1, [99.0, 99.0]), (5, [99.0, 99.0])):
        view = {"camera": frame, "state_id": np.array([step, step])}
        command, memory = driver.act(view, memory)
        assert command.curvature.tolist() == expected


def test_the_study_runs_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = Plan(4, 1, drives=12, eyes=(6, 16), eyes_drives=12, steps=6, episodes=4)
    monkeypatch.setattr(study_attention_maps, "QUICK", tiny)
    out = tmp_path / "maps"
    assert main(["study", "attention-maps", "--quick", "--out", str(out)]) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert {"none", "sign", "looked at most, 3", "random, 3"} <= set(summary["success"])
    assert 0.0 < summary["mass_on_sign_all_layers"] < 1.0
    for name in ("table.csv", "maps.png", "frames.png", "index.html"):
        assert (out / name).stat().st_size > 0
