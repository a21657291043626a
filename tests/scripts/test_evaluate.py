"""`redrive evaluate`: every driver on the same episodes, a file with all of them, and a table."""

import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from redrive.agents import results as result_files
from redrive.agents.episode_store import EpisodeStore
from redrive.agents.evaluation import DrivenEpisode, evaluate, suite_world, yardsticks
from redrive.agents.expert import Expert
from redrive.agents.suite_files import SeededSuite
from redrive.agents.suites import SUITES
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
        ({"suite": "trace"}, "trace needs a recorded drive to be driven in: --roads REC"),
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


def test_a_broken_road_leaves_no_evaluation_behind_that_seems_to_be_under_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    road, out = tmp_path / "track.csv", tmp_path / "out" / "results.json"
    road.write_text("# x_m,y_m,w_tr_right_m,w_tr_left_m\n0,0,4,4\n5,nan,4,4\n5,5,4,4\n")
    words = ["evaluate", "expert", "--suite", "racetracks", "--roads", str(road), "--out", str(out)]
    for _ in range(2):  # the second time is told the same
        assert main(words) == 2
        assert "line 3: y_m is nan" in capsys.readouterr().err
    assert not list(out.parent.iterdir())


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


def contents(folder: Path) -> dict[str, bytes]:
    """Everything that an evaluation wrote but its timing."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith("-timing.json")
    }


def test_what_was_interrupted_goes_on_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beginner = untrained(tmp_path / "beginner")
    given = EvaluateOptions(
        drivers=(str(beginner), "expert"),
        suite="recovery",
        episodes=30,
        out=tmp_path / "a" / "results.json",
    )
    run(given)
    whole = EpisodeStore.keep
    kept: list[int] = []

    def stop(store: EpisodeStore, driver: str, episode: DrivenEpisode) -> None:
        whole(store, driver, episode)
        kept.append(episode.index)
        if len(kept) in (7, 12):
            raise KeyboardInterrupt

    monkeypatch.setattr(EpisodeStore, "keep", stop)
    again = replace(given, out=tmp_path / "b" / "results.json")
    with pytest.raises(KeyboardInterrupt):
        run(again)
    with pytest.raises(ValueError, match="go on with it by --resume, or delete it"):
        run(again)
    with pytest.raises(ValueError, match="holds another evaluation: .*seed was 0, is 1"):
        run(replace(again, resume=True, seed=1))
    with pytest.raises(KeyboardInterrupt):
        run(replace(again, resume=True))
    run(replace(again, resume=True))
    assert sorted(kept) == list(range(30))  # nothing was driven twice
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert len(contents(tmp_path / "b")) >= 5


@pytest.mark.slow
def test_a_killed_evaluation_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    beginner = untrained(tmp_path / "beginner")
    words = ["evaluate", str(beginner), "--suite", "recovery", "--episodes", "60"]
    assert main([*words, "--out", str(tmp_path / "a" / "results.json")]) == 0
    out = ["--out", str(tmp_path / "b" / "results.json")]
    child = subprocess.Popen(
        [sys.executable, "-m", "redrive", *words, *out], stderr=subprocess.PIPE
    )
    store = tmp_path / "b" / "results-unfinished" / "beginner.episodes"
    try:
        for _ in range(6000):
            if (store.is_file() and store.stat().st_size > 0) or child.poll() is not None:
                break
            time.sleep(0.01)
    finally:
        child.kill()
        child.communicate()
    assert 0 < store.stat().st_size and not (tmp_path / "b" / "results.json").exists()
    assert main([*words, *out, "--resume"]) == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_suite_file_is_driven_again_to_the_same_bytes(tmp_path: Path) -> None:
    given = EvaluateOptions(drivers=("expert",), suite="latency", episodes=3, seed=4)
    shared = tmp_path / "latency.json"
    run(replace(given, out=tmp_path / "a" / "results.json", write_suite=shared))
    run(EvaluateOptions(("expert",), suite=str(shared), out=tmp_path / "b" / "results.json"))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_every_condition_is_driven_with_the_same_episodes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beginner, out = untrained(tmp_path / "beginner"), tmp_path / "results.json"
    assert (
        main(["evaluate", str(beginner), "--suite", "noise", "--episodes", "2", "--out", str(out)])
        == 0
    )
    policy = result_files.load(out).policy("beginner")
    assert list(policy.conditions) == [c.name for c in SUITES["noise"].conditions]
    keys = {
        c: [e["seed"] for e in policy.episodes if e["condition"] == c] for c in policy.conditions
    }
    assert all(seeds == [0, 1] for seeds in keys.values())
    assert [e["index"] for e in policy.episodes] == list(range(16))
    assert "occlusion" in capsys.readouterr().out


def test_figures_of_the_expert_are_the_same_with_and_without_pictures(tmp_path: Path) -> None:
    suite = SUITES["roads"]
    blind = yardsticks(suite, None, 3, 0)
    seeing = evaluate(suite, suite_world(suite), Expert(), 3, 0)
    for one, other in zip(blind, seeing, strict=True):
        for name, column in one.trace.items():
            assert column.tobytes() == other.trace[name].tobytes()


def test_a_suite_that_even_the_expert_fails_shows_no_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    impossible = replace(SUITES["roads"], task=replace(SUITES["roads"].task, time_limit=5.0))
    SeededSuite(impossible, 4, 0).save(tmp_path / "impossible.json")
    out = tmp_path / "results.json"
    words = ["evaluate", "expert", "--suite", str(tmp_path / "impossible.json"), "--out", str(out)]
    assert main(words) == 2
    shown = capsys.readouterr()
    assert "self-check failed: the expert drives well: success 0.000" in shown.err
    assert "route completion" not in shown.out
    assert [c["passed"] for c in result_files.load(out).checks] == [False, True, True]


def test_the_worst_episode_is_filmed(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    results = run(
        EvaluateOptions(
            (str(untrained(tmp_path / "beginner")),), suite="recovery", episodes=3, out=out,
            video="worst",
        )
    )  # fmt: skip
    (film,) = results.policies[0].videos
    assert (tmp_path / film.file).stat().st_size > 1000
    assert film.caption.startswith("episode ")


def test_timing_lies_apart(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    run(EvaluateOptions((str(untrained(tmp_path / "beginner")),), episodes=3, out=out))
    timing = json.loads((tmp_path / "results-timing.json").read_text())
    told = timing["drivers"]["beginner"]
    assert set(told["seconds"]) == {"observe", "driver", "move", "bookkeeping"}
    assert sum(told["shares"].values()) == pytest.approx(1.0, abs=1e-3)
    assert 0.0 < told["latency_ms"]["median"] <= told["latency_ms"]["p95"]
    assert timing["machine"]["cores"] >= 1
