"""An evaluated episode again: the same bytes, whatever was asked of the driver."""

import json
from pathlib import Path

import pytest

from redrive.cli import main
from redrive.watch_replay import compare, replayed
from redrive.watch_session import Session, tick


@pytest.fixture(scope="module")
def learner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a policy that has learned nothing, and so leaves its lane soon."""
    import torch

    from redrive.agents.learned import observation_spec
    from redrive.models.checkpoint import save_policy
    from redrive.models.registry import make_policy
    from redrive.sim.world import RoadWorld

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("runs") / "beginner"
    spec = observation_spec(RoadWorld("procedural:1"))
    save_policy(folder, make_policy("gru", spec, command_scale=(0.02, 1.0)))
    return folder


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, learner: Path) -> Path:
    """Two drivers on one episode under each condition of the suite noise."""
    path = tmp_path_factory.mktemp("results") / "results.json"
    words = ["evaluate", str(learner), "expert", "--suite", "noise", "--episodes", "1"]
    assert main([*words, "--out", str(path)]) == 0
    return path


def to_the_end(session: Session) -> Session:
    while not session.over:
        session = tick(session, 0.5)
    return session


def number_of(path: Path, condition: str) -> int:
    episodes = json.loads(path.read_text())["policies"][0]["episodes"]
    return int(next(e["index"] for e in episodes if e["condition"] == condition))


@pytest.mark.parametrize("condition", ["clean", "noise 0.2", "blur", "occlusion"])
def test_a_replay_is_the_evaluation_bit_for_bit(results: Path, condition: str) -> None:
    session = replayed(results, number_of(results, condition))
    assert condition in session.notice
    session = to_the_end(session)
    told = compare(session, results)
    assert len(told) == 2
    assert all("equal to the evaluation's, bit for bit" in line for line in told)


def test_a_replay_that_differs_is_said_to(results: Path, tmp_path: Path) -> None:
    session = to_the_end(replayed(results, 0, ["beginner"]))
    content = json.loads(results.read_text())
    content["policies"][0]["steps"], content["policies"][1]["steps"] = (
        str(results.parent / content["policies"][k]["steps"]) for k in (1, 0)
    )
    other = tmp_path / "other.json"
    other.write_text(json.dumps(content))
    (line,) = compare(session, other)
    assert "another version, or another machine" in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--episode", "99"], "has episodes 0 to 7, not 99"),
        (["gru"], "unknown driver 'gru'"),
    ],
)
def test_what_is_not_in_the_results_is_told(
    results: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    headless = ["--headless", "--screenshot", "a.png"]
    assert main(["watch", *words, "--replay", str(results), *headless]) == 2
    error = capsys.readouterr().err
    assert message in error and len(error.splitlines()) == 1


def test_a_run_that_is_gone_is_told(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = json.loads(results.read_text())
    content["policies"][0]["run"] = "runs/gone"
    moved = tmp_path / "moved.json"
    moved.write_text(json.dumps(content))
    words = ["watch", "--replay", str(moved), "--headless", "--screenshot", str(tmp_path / "a.png")]
    assert main(words) == 2
    assert "was the run runs/gone, which is not there any more" in capsys.readouterr().err
    assert main([*words, "--steps", "3", "expert"]) == 0
