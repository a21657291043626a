"""The study of embeddings: words that mean the same do, and learning a new one leaves the others alone."""

import json
from pathlib import Path

import numpy as np
import pytest

from redrive.cli import main
from redrive.study_embedding import DIRECTIONS, INPUTS, direction_of, draw_examples, learn_words


def test_words_of_one_direction_ask_for_the_same() -> None:
    words = np.arange(24)
    np.testing.assert_array_equal(direction_of(words[:8]), direction_of(words[8:16]))
    assert len(set(direction_of(words).tolist())) == DIRECTIONS
    labels = [
        draw_examples(np.random.default_rng(0), words[part])[2] for part in (slice(8), slice(8, 16))
    ]
    np.testing.assert_array_equal(labels[0], labels[1])
    left = draw_examples(np.random.default_rng(0), np.full(500, 7))[2]
    right = draw_examples(np.random.default_rng(0), np.full(500, 0))[2]
    assert left.mean() > 0.5 and right.mean() < -0.5


@pytest.mark.parametrize("entry", sorted(INPUTS))
def test_words_are_learned_whichever_way_they_enter(entry: str) -> None:
    little = learn_words(9, entry, 256, 5, seed=0)
    much = learn_words(9, entry, 256, 300, seed=0)
    assert much["error"] < 0.6 * little["error"]
    assert much == learn_words(9, entry, 256, 300, seed=0)
    cosine = np.array(much["cosine"])
    assert cosine.shape == (8, 8)
    np.testing.assert_allclose(np.diag(cosine), 1.0, atol=1e-3)


@pytest.mark.slow
def test_the_study_of_embeddings_runs(tmp_path: Path) -> None:
    out = tmp_path / "embedding"
    assert main(["study", "embedding", "--quick", "--out", str(out), "--processes", "1"]) == 0
    found = json.loads((out / "summary.json").read_text())
    assert set(found["cells"]["16"]) == set(INPUTS)
    assert (out / "embedding.png").stat().st_size > 10_000
