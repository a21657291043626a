"""The study of order: the signs are where they should be, and who cannot know is at chance."""

import json
from pathlib import Path

import numpy as np
import pytest

from redrive.cli import main
from redrive.study_order import two_signs


def test_the_bit_says_which_sign_came_first() -> None:
    seen, bits = two_signs(12, shuffled=False).draw(np.random.default_rng(0), 500)
    first = seen[..., 0].argmax(axis=1) < seen[..., 1].argmax(axis=1)
    np.testing.assert_array_equal(first, bits[:, 0] == 1.0)
    assert 0.4 < bits.mean() < 0.6
    assert np.abs(seen[:, -1]).max() < 0.6  # the last frame asks, and shows nothing


def test_shuffled_frames_are_the_same_frames_and_say_nothing() -> None:
    seen, bits = two_signs(12, shuffled=True).draw(np.random.default_rng(0), 4000)
    assert ((seen[..., :2] > 0.6).sum(axis=(1, 2)) == 2).all()
    first = seen[..., 0].argmax(axis=1) < seen[..., 1].argmax(axis=1)
    assert abs(np.corrcoef(first, bits[:, 0])[0, 1]) < 0.05


@pytest.mark.slow
def test_the_study_of_order_runs(tmp_path: Path) -> None:
    out = tmp_path / "order"
    assert main(["study", "order", "--quick", "--out", str(out), "--processes", "1"]) == 0
    found = json.loads((out / "summary.json").read_text())
    assert found["chance"] == 0.5
    for driver in found["success"].values():
        assert set(driver) == {"in order", "shuffled"}
        assert 0.35 < driver["shuffled"]["mean"] < 0.65
    assert (out / "order.png").stat().st_size > 5_000
