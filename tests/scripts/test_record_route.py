"""`redrive record --route`: who is told where to turn learns it, drives by it, and is watched by it."""

from pathlib import Path

import numpy as np
import pytest

from redrive.agents import results
from redrive.agents.drivers import told_route
from redrive.cli import main
from redrive.models.checkpoint import load_policy
from redrive.sim.recording import Recording, validate

WORLD = "fork:delay=4,branches=3,seeds=0-30"
FORKS = ["--world", WORLD, "--task", "recall", "--steps", "70"]
FEW = ["--steps", "2", "--window", "4", "--batch", "2", "--validate-every", "2"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A recording with routes, and a driver who has learned from it."""
    folder = tmp_path_factory.mktemp("told")
    data, run = folder / "data", folder / "run"
    assert main(["record", "--route", "--episodes", "12", "--out", str(data), *FORKS]) == 0
    assert main(["train", str(data), "--policy", "mlp", "--out", str(run), *FEW]) == 0
    return data, run


def test_the_route_of_every_step_is_kept(told: tuple[Path, Path]) -> None:
    recording = Recording.open(told[0])
    assert recording.header.route == {"choices": 3} and not validate(told[0])
    routes = [episode.read("route") for episode in recording.episodes]
    assert all(route.dtype == np.int64 and len(set(route)) == 1 for route in routes)
    assert {int(route[0]) for route in routes} == {0, 1, 2}
    # The branch that was told is the one that the expert takes: left is left.
    ends = [episode.read("y")[-1] for episode in recording.episodes]
    for route, y in zip(routes, ends, strict=True):
        assert np.sign(np.round(y)) == 1 - int(route[0])


def test_who_learned_with_a_route_is_told_it_on_the_road(
    told: tuple[Path, Path], tmp_path: Path
) -> None:
    _, run = told
    assert load_policy(run).spec.sensors["route"].settings == {"choices": 3}
    assert told_route("expert", str(run)) == 3 and told_route("expert") is None
    out = tmp_path / "results.json"
    words = ["--suite", "roads", "--episodes", "2", "--threads", "1", "--out", str(out)]
    forks = ["--roads", "fork:delay=4,branches=3,seeds=900-930"]
    assert main(["evaluate", str(run), "expert", *words, *forks]) == 0
    assert len(results.load(out).policies[0].episodes) == 2
    seen = ["--headless", "--steps", "3", "--screenshot", str(tmp_path / "seen.png")]
    assert main(["watch", str(run), "--world", WORLD, *seen]) == 0
    assert main(["watch", "--replay", str(out), "--episode", "1", *seen]) == 0


def test_more_branches_than_it_knows_are_refused(
    told: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = tmp_path / "two", tmp_path / "run"
    two = ["--world", "fork:delay=4,branches=2,seeds=0-30", "--episodes", "12", "--steps", "12"]
    assert main(["record", "--route", "--out", str(data), *two]) == 0
    assert main(["train", str(data), "--policy", "perceptron", "--out", str(run), *FEW]) == 0
    out = ["--suite", "roads", "--episodes", "2", "--out", str(tmp_path / "r.json")]
    capsys.readouterr()
    assert main(["evaluate", str(run), *out, "--roads", WORLD]) == 2
    assert "forks of 3 branches, the route command tells 2 apart" in capsys.readouterr().err
    assert main(["train", str(data), str(told[0]), "--out", str(tmp_path / "x"), *FEW]) == 2
    assert "tell different routes" in capsys.readouterr().err


def test_a_learner_who_is_told_its_route_records_it(
    told: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "dagger"
    words = ["--regime", "dagger", "--agent", str(told[1]), "--episodes", "1", "--out", str(out)]
    assert main(["record", *words, *FORKS]) == 0
    assert Recording.open(out).header.route == {"choices": 3}


def test_roads_that_do_not_fork_have_no_route_to_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["record", "--route", "--out", str(tmp_path / "x"), "--episodes", "1"]) == 2
    assert "no road of procedural forks" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
