"""The study of copycats, on tiny settings: every regime and driver, and how errors and success rank."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from redrive import study_copycat
from redrive.cli import main

TINY = replace(study_copycat.QUICK, episodes=4, steps=12, learning=4, driven=1)


@pytest.mark.slow
def test_every_regime_and_driver_is_learned_and_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_copycat, "QUICK", TINY)
    out = tmp_path / "copycat"
    assert main(["study", "copycat", "--quick", "--out", str(out), "--processes", "1"]) == 0
    found = json.loads((out / "summary.json").read_text())
    assert set(found["cells"]) == {"log", "noise-injection", "dagger"}
    for cells in found["cells"].values():
        assert set(cells) == set(TINY.drivers)
        for cell in cells.values():
            assert (
                cell["open_loop"]["low"] <= cell["open_loop"]["mean"] <= cell["open_loop"]["high"]
            )
    assert set(found["rank_correlation"]) == {"log", "noise-injection", "dagger", "all"}
    assert len((out / "runs.csv").read_text().splitlines()) == 1 + 3 * 2 * 2
    drives = sorted((out / "runs").glob("dagger-one-frame-0/drives-*"))
    assert len(drives) == study_copycat.ROUNDS
    assert "copycat.png" in (out / "index.html").read_text()
    before = (out / "table.csv").read_bytes()
    assert (
        main(["study", "copycat", "--quick", "--out", str(out), "--processes", "1"]) == 0
    )  # all is there already
    assert (out / "table.csv").read_bytes() == before


def test_a_driver_that_is_more_wrong_and_drives_further_speaks_for_the_lesson() -> None:
    rows = [
        {"regime": "log", "open_loop": error, "route_completion": driven}
        for error, driven in ((0.02, 0.1), (0.3, 0.5), (0.4, 0.9))
    ]
    assert study_copycat.summarise(rows, [])["rank_correlation"]["log"] == pytest.approx(1.0)
