import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from redrive.agents import results, statistics
from redrive.agents.results import PolicyResult, Results, Video


def episode(seed: int, success: bool = True, lateral: float = 0.2, **more: Any) -> dict[str, Any]:
    return {
        "seed": seed,
        "road": f"procedural:{seed}",
        "success": success,
        "ended": "finished" if success else "off_lane",
        "route_completion": 1.0 if success else 0.5,
        "distance_m": 300.0 / 7.0,
        "steps": 300,
        "lateral_mae_m": lateral,
        "lateral_rmse_m": lateral * 1.2,
        "beyond_margin_share": 0.0,
    } | more


def driver(name: str, failures: int, lateral: float, episodes: int = 30) -> PolicyResult:
    rng = np.random.default_rng(len(name))
    return PolicyResult(
        name=name,
        run=None if name == "expert" else f"runs/{name}",
        episodes=[
            episode(seed, seed >= failures, lateral + 0.05 * float(rng.random()))
            for seed in range(episodes)
        ],
        open_loop={"curvature_mae": 1e-3},
        facts={"parameters": 12345},
        videos=(Video(f"{name}.webm", "a drive"),),
    )


def example() -> Results:
    return Results(
        suite="roads",
        seed=7,
        dt=0.1,
        policies=[driver("expert", 0, 0.05), driver("lstm", 1, 0.1), driver("mlp", 12, 0.4)],
        settings={"episodes": 30, "roads": "procedural:4000-4030"},
    )


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results.save(example(), path)
    loaded = results.load(path)
    assert (loaded.suite, loaded.seed, loaded.dt) == ("roads", 7, 0.1)
    assert loaded.settings == example().settings
    assert [policy.name for policy in loaded.policies] == ["expert", "lstm", "mlp"]
    for ours, theirs in zip(loaded.policies, example().policies, strict=True):
        assert vars(ours) == vars(theirs)
        assert ours.summary == theirs.summary
    assert loaded.policy("mlp").run == "runs/mlp"
    with pytest.raises(KeyError, match="no driver 'gru' in these results, there are expert, lstm"):
        loaded.policy("gru")


def test_the_file_is_as_others_read_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results.json"
    results.save(example(), path)
    content = json.loads(path.read_text())
    assert content["schema"] == 2
    assert content["suite"] == "roads"
    entry = content["policies"][1]
    assert entry["name"] == "lstm"
    assert entry["episodes"][0]["distance_m"] == 42.8571429
    assert entry["summary"]["success_rate"].keys() == {"mean", "low", "high"}
    assert entry["videos"] == [{"file": "lstm.webm", "caption": "a drive"}]
    assert content["policies"][0]["run"] is None


def test_equal_results_are_equal_bytes(tmp_path: Path) -> None:
    results.save(example(), tmp_path / "a.json")
    results.save(example(), tmp_path / "b.json")
    results.save(results.load(tmp_path / "a.json"), tmp_path / "c.json")
    contents = {path.read_bytes() for path in tmp_path.iterdir()}
    assert len(contents) == 1


def test_the_summary_has_rates_and_means() -> None:
    summary = driver("mlp", 12, 0.4).summary
    assert summary["success_rate"] == statistics.rate_interval(18, 30)
    assert summary["route_completion"].mean == pytest.approx(0.8)
    assert summary["lateral_mae_m"].low < summary["lateral_mae_m"].mean < 0.45
    assert not summary.keys() & {"seed", "road", "ended", "success"}


def test_the_summary_takes_what_every_episode_measured() -> None:
    episodes = [
        episode(0, whiteness=0.1, collided=False),
        episode(1, whiteness=0.3, collided=True, only_here=1.0),
        episode(2, whiteness=0.2, collided=False, trace="lstm-2.json"),
    ]
    summary = results.summarise(episodes)
    assert summary["whiteness"].mean == pytest.approx(0.2)
    assert summary["collided_rate"] == statistics.rate_interval(1, 3)
    assert not summary.keys() & {"only_here", "trace"}


def test_drivers_are_compared_in_pairs() -> None:
    told = results.compare(driver("lstm", 1, 0.1), driver("mlp", 12, 0.4))
    assert told.episodes == 30
    assert told.success_rate.mean == pytest.approx(11 / 30)
    assert told.success_rate.low > 0.0
    assert told.p_value == pytest.approx(2.0 / 2**11)
    assert told.measures["lateral_mae_m"].high < -0.2


def test_only_common_episodes_are_compared() -> None:
    short, long = driver("lstm", 1, 0.1, episodes=10), driver("mlp", 2, 0.1, episodes=30)
    assert results.compare(short, long).episodes == 10
    other = PolicyResult("x", None, [episode(900)])
    with pytest.raises(ValueError, match="lstm and x drove no episode in common"):
        results.compare(short, other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lateral_mae_m": math.nan}, "lateral_mae_m is nan; find"),
        ({"whiteness": math.inf}, "whiteness is inf"),
        ({"success": 1}, "success must be bool, got 1"),
        ({"steps": 1.5}, "steps must be int, got 1.5"),
        ({"seed": True}, "seed must be int, got True"),
        ({"road": None}, "road must be str"),
    ],
)
def test_a_wrong_episode_is_one_clear_error(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"driver lstm, episode 1: entry {message}"):
        PolicyResult("lstm", None, [episode(0), episode(1) | change])


def test_results_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="driver lstm has no episodes"):
        PolicyResult("lstm", None, [])
    with pytest.raises(ValueError, match="two episodes with one seed and road"):
        PolicyResult("lstm", None, [episode(0), episode(0)])
    with pytest.raises(ValueError, match="two drivers have the same name"):
        Results("roads", 0, 0.1, [driver("lstm", 0, 0.1), driver("lstm", 1, 0.1)])


def corrupt(content: dict[str, Any], *keys: str | int, value: Any) -> str:
    inner: Any = content
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    return json.dumps(content)


def test_a_damaged_file_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    with pytest.raises(FileNotFoundError, match="no results at .*`redrive evaluate` writes them"):
        results.load(path)
    results.save(example(), path)
    whole = path.read_text()
    content = json.loads(whole)
    without = {name: value for name, value in content.items() if name != "suite"}
    for text, message in [
        (whole[: len(whole) // 2], "results.json is not valid JSON"),
        ("", "not valid JSON"),
        ("[]", "not a results file"),
        (json.dumps(without), "entry suite is missing"),
        (json.dumps(content | {"schema": 1}), "schema is 1, this redrive reads 2 .*written by redrive"),
        (corrupt(json.loads(whole), "policies", 0, "episodes", 3, "steps", value="many"), "episode 3: entry steps"),
        (corrupt(json.loads(whole), "policies", 0, "name", value=None), "name must be str"),
        (corrupt(json.loads(whole), "policies", 0, value=3), "expected an object"),
        (whole.replace("0.5,", "NaN,", 1), "NaN is not a number that JSON knows"),
    ]:  # fmt: skip
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            results.load(path)


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    results.save(example(), path)
    before = path.read_bytes()
    bad = Results("roads", 0, 0.1, example().policies, settings={"share": math.nan})
    with pytest.raises(ValueError, match="results.json was not written"):
        results.save(bad, path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.json"]


def test_traces_are_kept_beside_the_results(tmp_path: Path) -> None:
    path = tmp_path / "traces" / "lstm-3.json"
    offset = np.linspace(0.0, 1.0, 7)
    results.save_trace(path, 0.1, {"lateral_offset": offset, "speed": offset + 1.0})
    dt, columns = results.load_trace(path)
    assert dt == 0.1
    assert columns["lateral_offset"] == pytest.approx(offset.tolist(), abs=1e-5)
    path.write_text('{"dt": 0.1, "columns": {"lateral_offset": [1], "speed": []}}')
    with pytest.raises(ValueError, match="columns of equal length"):
        results.load_trace(path)
