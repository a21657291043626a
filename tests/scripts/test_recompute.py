"""Every figure of an evaluation, computed again from its files alone, in another way than ours.

What is read: the CSV with csv, the steps with safetensors, the JSON with json. Derivatives are
scipy's, Wilson's interval is scipy's. Nothing of redrive is used but the command that drove.
"""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from redrive.cli import main

DT = 0.1
EXACT: dict[str, Any] = {"rel": 1e-7, "abs": 1e-9}  # nine digits are in the files


@pytest.fixture(scope="module", params=["roads", "recovery"])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an evaluation of the expert and of a weak driver wrote."""
    import torch

    from redrive.agents.learned import observation_spec
    from redrive.models.checkpoint import save_policy
    from redrive.models.registry import make_policy
    from redrive.sim.world import RoadWorld

    folder = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(4)
    spec = observation_spec(RoadWorld("procedural:1"))
    policy = make_policy("lstm", spec, command_scale=(0.02, 1.0))
    save_policy(folder / "weak", policy, {"policy": "lstm"})
    words = ["evaluate", str(folder / "weak"), "expert", "--suite", request.param]
    assert main([*words, "--episodes", "12", "--out", str(folder / "results.json")]) == 0
    return folder


def read(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The JSON, and the rows of the CSV with each episode's steps."""
    results = json.loads((folder / "results.json").read_text())
    steps = {p["name"]: load_file(folder / p["steps"]) for p in results["policies"]}
    rows: list[dict[str, Any]] = []
    with (folder / results["files"]["episodes"]).open(newline="") as handle:
        for row in csv.DictReader(handle):
            of = steps[row["driver"]]
            first, last = of["first"][int(row["index"])], of["first"][int(row["index"]) + 1]
            rows.append({**row, "log": {n: c[first:last] for n, c in of.items() if n != "first"}})
    return results, rows


def derivative(values: np.ndarray) -> np.ndarray:
    if len(values) < 7:  # one parabola through all
        time = DT * np.arange(len(values))
        fitted = np.polyfit(time, values, min(2, len(values) - 1))
        return np.polyval(np.polyder(fitted), time) if len(values) > 1 else 0.0 * values
    signal = pytest.importorskip("scipy.signal")
    found: np.ndarray = signal.savgol_filter(values, 7, 2, deriv=1, delta=DT, mode="interp")
    return found


def number(text: str) -> float:
    return {"true": 1.0, "false": 0.0}[text] if text in ("true", "false") else float(text)


def test_the_table_and_the_json_say_the_same(files: Path) -> None:
    results, rows = read(files)
    episodes = [{**e, "driver": p["name"]} for p in results["policies"] for e in p["episodes"]]
    assert len(rows) == len(episodes) == 24
    for row, episode in zip(rows, episodes, strict=True):
        for name, value in episode.items():
            if name == "trace":
                continue
            shown = row[name]
            if value is None:
                assert shown == ""
            elif isinstance(value, str):
                assert shown == value
            else:
                assert number(shown) == value


def test_every_figure_follows_from_the_steps(files: Path) -> None:
    _, rows = read(files)
    experts = {row["index"]: row for row in rows if row["driver"] == "expert"}
    seen: set[str] = set()
    for row in rows:
        log, route = row["log"], float(row["route_length_m"])
        offset, error, speed = log["lateral_offset"], log["heading_error"], log["speed"]
        lon, lat = derivative(speed), speed**2 * log["curvature"]
        turn = speed * log["curvature"]
        jerk = np.hypot(derivative(lon), derivative(lat))
        out = {  # of each bound
            "lon_accel": (lon < -4.05) | (lon > 2.40),
            "lat_accel": np.abs(lat) > 4.89,
            "yaw_rate": np.abs(turn) > 0.95,
            "yaw_accel": np.abs(derivative(turn)) > 1.93,
            "lon_jerk": np.abs(derivative(lon)) > 4.13,
            "jerk": jerk > 8.37,
        }
        uncomfortable = np.any(list(out.values()), axis=0)
        away = np.abs(offset) > 0.5
        run_length = longest = 0
        for flag in away:
            run_length = run_length + 1 if flag else 0
            longest = max(longest, run_length)
        back = max(
            (a - b for t, a in enumerate([0.0, *log["progress"]])
             for b in [[0.0, *log["progress"]][min(t + 10, len(offset))]]),
            default=0.0,
        )  # fmt: skip
        over = log["margin"] < 0.0
        penalty = 1.0 - speed[over].sum() / speed.sum()
        done = min(max(log["progress"][-1] / route, 0.0), 1.0)
        experts_way = experts[row["index"]]["log"]["progress"][-1]
        ended = row["ended"]
        told = {
            "steps": len(offset),
            "distance_m": log["distance"][-1],
            "mean_speed_mps": speed.mean(),
            "route_completion": done,
            "progress_ratio": min(1.0, log["progress"][-1] / experts_way),
            "lateral_mae_m": np.abs(offset).mean(),
            "lateral_rmse_m": np.sqrt((offset**2).mean()),
            "lateral_max_m": np.abs(offset).max(),
            "heading_mae_rad": np.abs(error).mean(),
            "heading_rmse_rad": np.sqrt((error**2).mean()),
            "beyond_margin_share": over.mean(),
            "off_centre_share": (np.abs(offset) > 2.0).mean(),
            "left_lane_free_margin": over.any(),
            "left_lane_centre_2m": (np.abs(offset) > 2.0).any(),
            "keeps_lane": longest * DT < 1.999,
            "wrong_way_m": max(back, 0.0),
            "interventions": log["intervened"].sum() + (ended in ("off_lane", "wrong_way")),
            "speed_compliance": max(
                0.0, 1.0 - np.maximum(0.0, speed - float(row["speed_limit_mps"])).mean() / 2.23
            ),
            "whiteness": np.sqrt((np.diff(log["command_curvature"]) ** 2).mean()) / DT,
            "jerk_rms": np.sqrt((jerk**2).mean()),
            "jerk_max": jerk.max(),
            "comfortable": not uncomfortable.any(),
            "comfort_share": 1.0 - uncomfortable.mean(),
            **{f"{name}_beyond_share": flags.mean() for name, flags in out.items()},
            "carla_penalty": penalty,
            "carla_score": 100.0 * done * penalty,
            "pdm_in_lane": ended != "off_lane" and log["margin"].min() >= -0.3,
            "pdm_direction": 0.0 if ended == "wrong_way" else 1.0 if back < 2.0 else 0.5,
            "pdm_moving": log["progress"][-1] / experts_way > 0.2,
            "pdm_progress": min(1.0, log["progress"][-1] / experts_way),
            "pdm_comfort": not uncomfortable.any(),
            "pdm_keeping": longest * DT < 1.999,
        }
        told["pdm_speed"] = told["speed_compliance"]
        for name, value in told.items():
            found, forgivable = number(row[name]), name.startswith("pdm_")
            if forgivable and name not in ("pdm_moving", "pdm_progress", "pdm_speed"):
                # where the expert does not fulfil it either, it counts as fulfilled
                assert found == pytest.approx(float(value), **EXACT) or found == 1.0, name
            else:
                assert found == pytest.approx(float(value), **EXACT), name
            seen.add(name)
        if row["driver"] == "weak" and float(told["pdm_in_lane"]) < number(row["pdm_in_lane"]):
            assert experts[row["index"]]["log"]["margin"].min() < -0.3
        terms = {n: number(row[f"pdm_{n}"]) for n in ("progress", "speed", "comfort", "keeping")}
        weights = {"progress": 5, "speed": 4, "comfort": 2, "keeping": 2}
        score = sum(weights[n] * terms[n] for n in terms) / 13
        for n in ("in_lane", "direction", "moving"):
            score *= number(row[f"pdm_{n}"])
        assert number(row["pdm_score"]) == pytest.approx(score, **EXACT)
        seen |= {"pdm_score", "reversals_per_min"}
        assert number(row["reversals_per_min"]) * len(offset) * DT / 60.0 == pytest.approx(
            turning_points(log["command_curvature"], 0.005), abs=1e-6
        )
    given = {"driver", "index", "seed", "road", "condition", "success", "ended", "log",
             "route_length_m", "speed_limit_mps", "road_max_curvature", "start_lateral_m",
             "start_yaw_rad", "start_speed_mps", "road_seen_in_training", "decision_correct"}  # fmt: skip
    without_traffic = {"collisions", "at_fault_collisions", "min_ttc_s", "ttc_below_share",
                       "pdm_no_collision", "pdm_ttc"}  # fmt: skip
    assert set(rows[0]) == seen | given | without_traffic
    assert all(row[name] == "" for row in rows for name in without_traffic)


def turning_points(values: np.ndarray, gap: float) -> int:
    """Swings of at least `gap`, found by striking out the smallest one again and again."""
    points = [float(values[0])]
    for value in values[1:].tolist():
        if value == points[-1]:
            continue
        if len(points) > 1 and (points[-1] - points[-2]) * (value - points[-1]) > 0.0:
            points[-1] = value
        else:
            points.append(value)
    while len(points) > 1:
        swings = np.abs(np.diff(points))
        k = int(swings.argmin())
        if swings[k] >= gap:
            break
        if k in (0, len(swings) - 1):
            del points[0 if k == 0 else -1]
        else:
            del points[k : k + 2]
    return max(0, len(points) - 2)


def test_success_follows_from_how_it_ended(files: Path) -> None:
    _, rows = read(files)
    assert {row["success"] for row in rows} == {"true", "false"}
    for row in rows:
        if files.name.startswith("roads"):
            assert (row["success"] == "true") == (row["ended"] == "route_completed")
        else:
            stayed = row["ended"] in ("time_up", "end_of_road")
            kept = stayed and float(row["route_completion"]) >= 0.5
            late = np.abs(row["log"]["lateral_offset"][-20:]) < 0.5
            assert (row["success"] == "true") == (kept and bool(late.all()))


def test_the_summary_follows_from_the_table(files: Path) -> None:
    stats = pytest.importorskip("scipy.stats")
    results, rows = read(files)
    for policy in results["policies"]:
        mine = [row for row in rows if row["driver"] == policy["name"]]
        for name, told in policy["summary"].items():
            if name == "interventions_per_km":
                way = sum(float(row["distance_m"]) for row in mine) / 1000.0
                count = sum(int(row["interventions"]) for row in mine)
                assert told["mean"] == pytest.approx(count / way, **EXACT)
                assert told["high"] == pytest.approx(
                    stats.chi2.ppf(0.975, 2 * count + 2) / 2 / way, rel=1e-6
                )
                continue
            if name == "distance_per_intervention_km":
                continue
            values = [number(row[name.removesuffix("_rate")]) for row in mine]
            assert told["mean"] == pytest.approx(np.mean(values), **EXACT), name
            assert told["low"] <= told["mean"] + 1e-9 and told["mean"] <= told["high"] + 1e-9
            if name.endswith("_rate"):
                wilson = stats.binomtest(round(sum(values)), len(values)).proportion_ci(
                    method="wilson"
                )
                assert (told["low"], told["high"]) == pytest.approx(
                    (wilson.low, wilson.high), abs=1e-8
                )
