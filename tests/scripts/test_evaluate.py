"""`redrive evaluate`: every driver on the same episodes, a file with all of them, and a table."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from redrive.agents import results as result_files
from redrive.cli import main
from redrive.evaluate import EvaluateOptions, run

REQUIRED = {
    "seed", "road", "success", "ended", "route_completion", "distance_m", "steps",
    "lateral_mae_m", "lateral_rmse_m", "beyond_margin_share",
}  # fmt: skip


def untrained(folder: Path, roads: list[str] | None = None) -> Path:
    """The run of a policy that has learned nothing, on these roads."""
    from redrive.agents.learned import observation_spec
    from redrive.models.checkpoint import save_policy
    from redrive.models.registry import make_policy
    from redrive.sim.world import RoadWorld

    spec = observation_spec(RoadWorld("procedural:1"))
    policy = make_policy("perceptron", spec, command_scale=(0.02, 1.0))
    save_policy(folder, policy, {"policy": "perceptron", "roads": roads or [], "seed": 3})
    return folder


def ring(path: Path) -> Path:
    """A round circuit of 120 m radius, 10 m wide."""
    angle = np.linspace(0.0, 2.0 * np.pi, 100, endpoint=False)
    points = 120.0 * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    lines = [f"{x:.5f},{y:.5f},5.0,5.0" for x, y in points]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["# x_m,y_m,w_tr_right_m,w_tr_left_m", *lines]) + "\n")
    return path


def test_the_expert_and_a_beginner_drive_the_same_episodes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beginner, out = untrained(tmp_path / "beginner"), tmp_path / "out" / "results.json"
    given = ["--suite", "recovery", "--episodes", "4", "--out", str(out)]
    assert main(["evaluate", "expert", str(beginner), *given]) == 0
    content = json.loads(out.read_text())
    assert (content["schema"], content["suite"], content["seed"]) == (2, "recovery", 0)
    by_name = {policy["name"]: policy for policy in content["policies"]}
    assert set(by_name) == {"expert", "beginner"}
    assert by_name["expert"]["run"] is None and by_name["beginner"]["run"] == str(beginner)
    assert by_name["beginner"]["facts"]["seed"] == 3
    for policy in by_name.values():
        assert len(policy["episodes"]) == 4
        assert all(set(episode) >= REQUIRED for episode in policy["episodes"])
        rate = policy["summary"]["success_rate"]
        assert 0.0 <= rate["low"] <= rate["mean"] <= rate["high"] <= 1.0
    assert by_name["expert"]["summary"]["success_rate"]["mean"] == 1.0
    pairs = zip(by_name["expert"]["episodes"], by_name["beginner"]["episodes"], strict=True)
    assert all((a["seed"], a["road"]) == (b["seed"], b["road"]) for a, b in pairs)
    shown = capsys.readouterr()
    assert "recovery, seed 0" in shown.out and "beginner" in shown.out
    assert f"redrive report {out}" in shown.err


def test_what_was_written_is_read_back_with_its_traces(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    results = run(EvaluateOptions(drivers=("expert",), episodes=5, suite="recovery", out=out))
    read = result_files.load(out)
    assert read.policy("expert").episodes == results.policy("expert").episodes
    traced = [e for e in read.policy("expert").episodes if "trace" in e]
    assert 1 <= len(traced) <= 3
    for episode in traced:
        dt, columns = result_files.load_trace(tmp_path / episode["trace"])
        assert dt == 0.1 and len(columns["lateral_offset"]) == episode["steps"]


def test_the_same_evaluation_writes_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for threads in ("1", "2"):
        out = tmp_path / threads / "results.json"
        given = ["--episodes", "6", "--suite", "recovery", "--threads", threads]
        assert main(["evaluate", "expert", *given, "--out", str(out)]) == 0
        files.append(out.read_bytes())
    assert files[0] == files[1]


def test_circuits_are_driven_from_several_starts_each(tmp_path: Path) -> None:
    for name in ("north", "south"):
        ring(tmp_path / "tracks" / f"{name}.csv")
    results = run(
        EvaluateOptions(
            drivers=("expert",),
            suite="racetracks",
            roads=str(tmp_path / "tracks"),
            episodes=2,
            out=tmp_path / "results.json",
        )
    )
    episodes = results.policy("expert").episodes
    assert sorted(e["road"] for e in episodes) == ["north", "north", "south", "south"]
    assert all(e["success"] and e["steps"] == 600 for e in episodes)


def test_an_episode_on_a_road_seen_in_training_says_so(tmp_path: Path) -> None:
    beginner = untrained(tmp_path / "beginner", roads=["procedural:7"])
    for world, seen in (("procedural:7", True), ("procedural:8", False)):
        results = run(
            EvaluateOptions(
                drivers=(str(beginner),), suite="recovery", roads=world, episodes=2,
                out=tmp_path / "results.json",
            )
        )  # fmt: skip
        episodes = results.policy("beginner").episodes
        assert [e["road_seen_in_training"] for e in episodes] == [seen, seen]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drivers": ()}, "name at least one driver"),
        ({"drivers": ("expert", "expert")}, "two drivers are called expert; name each driver once"),
        ({"drivers": ("runs/lstm", "old/lstm")}, "two drivers are called lstm"),
        ({"drivers": ("exprt",)}, "no driver 'exprt': it is neither `expert` nor the folder"),
        ({"suite": "racetracks"}, "racetracks needs roads: --roads TRACK.csv"),
        ({"roads": "tracks/none.csv"}, "there is no file or folder tracks/none.csv"),
        ({"episodes": 0}, "at least one episode"),
        ({"seed": -1}, "a seed from 0"),
        ({"threads": -1}, "threads must be at least 1 .*, got -1"),
        ({"suite": "raods"}, "unknown suite 'raods'; did you mean 'roads'"),
    ],
)
def test_wrong_values_are_told_and_nothing_is_written(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    out = tmp_path / "results.json"
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run(EvaluateOptions(**{"drivers": ("expert",), "out": out, **options}))
    assert not list(tmp_path.iterdir())


def test_a_folder_without_a_checkpoint_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    out = tmp_path / "results.json"
    assert main(["evaluate", str(tmp_path / "empty"), "--out", str(out)]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and said[0].startswith("redrive: error: ")
    assert not out.exists()


def test_a_driver_that_cannot_be_loaded_stops_it_before_anybody_drives(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    with pytest.raises(FileNotFoundError, match="no driver"):
        run(EvaluateOptions(drivers=("expert", str(tmp_path / "none")), out=out))
    assert not list(tmp_path.iterdir())
