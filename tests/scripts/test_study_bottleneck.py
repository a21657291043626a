"""The study of the bottleneck: the bits that are shown are those that are asked for."""

import json
from pathlib import Path

import numpy as np
import pytest

from redrive.cli import main
from redrive.study_bottleneck import BLANK, remember_bits, summarise


def test_bits_are_shown_one_by_one_and_asked_for_at_the_end() -> None:
    seen, bits = remember_bits(5).draw(np.random.default_rng(0), 40)
    assert seen.shape == (40, 5 + BLANK + 1, 3)
    np.testing.assert_array_equal(seen[:, :5, 0] > 0.0, bits == 1.0)
    assert not seen[:, 5:, :2].any()
    assert seen[:, -1, 2].all() and not seen[:, :-1, 2].any()


def test_what_a_width_keeps_is_the_most_bits_that_are_nearly_all_right() -> None:
    rows = [
        {"core": "lstm", "bits": bits, "hidden": 4, "bit": right, "bit_low": right, "bit_high": 1.0}
        for bits, right in ((1, 1.0), (2, 0.995), (4, 0.8))
    ]
    assert summarise(rows)["bits_kept"] == {"lstm": {"4": 2}}


@pytest.mark.slow
def test_the_study_of_the_bottleneck_runs(tmp_path: Path) -> None:
    out = tmp_path / "bottleneck"
    assert main(["study", "bottleneck", "--quick", "--out", str(out), "--processes", "1"]) == 0
    found = json.loads((out / "summary.json").read_text())
    assert set(found["right_bits"]["lstm"]) == {"1", "4"}
    assert (out / "bottleneck.png").stat().st_size > 5_000
