"""Studies run from the command line, on tiny settings, and say what came out."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import redrive.study_real_footage as real_footage
import redrive.study_view_synthesis as headline
from redrive.agents.demonstrations import demonstration_task, record, recording_header
from redrive.agents.expert import Expert
from redrive.cli import main
from redrive.sim.recording_writer import RecordingWriter
from redrive.sim.world import RoadWorld
from redrive.study import STUDIES, StudyOptions, run
from redrive.study_regimes import learn_and_judge


def test_the_synthesis_study_writes_table_plots_page_and_summary(tmp_path: Path) -> None:
    out = tmp_path / "synthesis"
    assert main(["study", "synthesis", "--quick", "--out", str(out)]) == 0
    found = json.loads((out / "summary.json").read_text())
    cells = {(row["lateral_m"], row["yaw_deg"]): row for row in found["audit"]}
    assert len(cells) == 9 * 7
    assert cells[(0.0, 0.0)]["psnr_db"] > 33.0
    assert cells[(1.0, 6.0)]["psnr_db"] > 30.0
    assert cells[(2.0, 10.0)]["valid"] < cells[(0.0, 0.0)]["valid"] == 1.0
    assert found["within_1m_6deg"]["psnr_db_least"] > 30.0
    lines = (out / "table.csv").read_text().splitlines()
    assert lines[0] == "lateral_m,yaw_deg,psnr_db,ssim,valid"
    assert len(lines) == 1 + 9 * 7
    page = (out / "index.html").read_text()
    for name in ("audit.png", "views.png"):
        assert name in page
        assert (out / name).stat().st_size > 10_000


def test_the_view_synthesis_study_compares_regimes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = headline.Size(
        roads=3, seconds=4, steps=2, training_seeds=2,
        recovery_episodes=5, any_road_episodes=1, following_episodes=1,
    )  # fmt: skip
    monkeypatch.setattr(headline, "QUICK", tiny)
    monkeypatch.setattr(headline, "POLICIES", ("mlp",))
    out = tmp_path / "vs"
    assert main(["study", "view-synthesis", "--quick", "--processes", "1", "--out", str(out)]) == 0
    found = json.loads((out / "summary.json").read_text())
    for figure in ("recovery", "lane_following", "open_loop"):
        assert set(found[figure]) == {"log", "side-shift", "view-synthesis", "exact"}
        assert {"mean", "low", "high"} <= set(found[figure]["log"])
    assert found["recovery"]["exact"]["runs"] == 2
    assert "mlp" in found["per_policy"]
    cells = found["recovery_by_offset"]["cells"]["log"]
    # Two runs of five episodes: the first five cells of the grid, twice each.
    assert [cell["episodes"] for cell in cells] == [2] * 5
    table = (out / "offsets.csv").read_text().splitlines()
    assert table[0].startswith("regime,policy,lateral_m,yaw_deg,outwards_deg,episodes,successes")
    assert len(table) == 1 + 2 * 4 * 5  # over all policies and of one, four regimes, five cells
    assert "offsets.png" in (out / "index.html").read_text()
    assert (out / "offsets.png").stat().st_size > 10_000
    assert "recovery_by_offset" not in (out / "table.csv").read_text()

    # What is there is reused; a run that was judged on something else is only judged anew.
    trained = out / "runs" / "log-mlp-0" / "policy.safetensors"
    before, judged = trained.read_bytes(), []

    def row_of(judging: dict[str, int]) -> dict[str, Any]:
        def judge(folder: Path) -> dict[str, Any]:
            judged.append(folder)
            return {"recovery": 0.125}

        return learn_and_judge(lambda *_: None, out, "log", "mlp", 0, 2, judging, judge)

    first = json.loads((out / "runs" / "log-mlp-0.json").read_text())
    assert row_of(first["judging"]) == first["row"] and not judged
    assert row_of({"seed": 99})["recovery"] == 0.125
    assert judged == [trained.parent] and trained.read_bytes() == before
    assert row_of({"seed": 99})["recovery"] == 0.125 and len(judged) == 1


def test_a_recording_is_for_the_synthesis_study_only(tmp_path: Path) -> None:
    options = StudyOptions("view-synthesis", tmp_path, recording=tmp_path)
    with pytest.raises(ValueError, match="--recording is for the studies synthesis"):
        run(options)


def test_an_unknown_study_is_answered_with_the_near_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "sinthesis", "--out", str(tmp_path / "no")]) == 2
    assert not (tmp_path / "no").exists()
    assert "did you mean synthesis?" in capsys.readouterr().err


def test_every_study_is_a_module_with_a_study() -> None:
    for module, question in STUDIES.values():
        assert callable(importlib.import_module(f"redrive.{module}").study)
        assert question.endswith("?")


def test_the_real_footage_study_learns_from_the_first_frames_and_judges_in_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = RoadWorld("procedural:3", task=demonstration_task("log", 240, 0.1))
    with RecordingWriter(tmp_path / "drive", recording_header(world)) as writer:
        about = {"driver": "expert", "regime": "log"}
        record(world, Expert(), writer, np.arange(1), about)
    tiny = real_footage.Size(passes=2, steps=2, training_seeds=1, episodes=3)
    monkeypatch.setattr(real_footage, "QUICK", tiny)
    monkeypatch.setattr(real_footage, "POLICIES", ("mlp",))
    out = tmp_path / "real"
    argv = ["study", "real-footage", "--quick", "--recording", str(tmp_path / "drive"), "--out"]
    assert main([*argv, str(out)]) == 0
    found = json.loads((out / "summary.json").read_text())
    assert found["learned_from"].endswith("drive:0-180")
    assert found["judged_in"].endswith("drive:180-240")
    assert found["expert"]["success"] == 1.0
    for figure in ("recovery", "lateral_mae_m", "final_offset_m"):
        assert set(found[figure]) == {"log", "view-synthesis"}
    assert main(["study", "real-footage", "--out", str(out)]) == 2
