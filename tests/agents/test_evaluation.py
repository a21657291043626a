"""Closed-loop evaluation: who should succeed does, who should fail does, whatever the batch."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from redrive.agents import evaluation
from redrive.agents.agent import Agent, View
from redrive.agents.evaluation import DrivenEpisode, evaluate, suite_world
from redrive.agents.expert import Expert
from redrive.agents.results import PolicyResult
from redrive.agents.suites import SUITES, Suite
from redrive.sim.sensors.camera import Camera
from redrive.sim.sensors.odometry import Odometry
from redrive.sim.vehicle import Command

BLIND = {"odometry": Odometry()}  # none of these drivers looks at pictures


class Held:
    """Holds one command."""

    def __init__(self, curvature: float, accel: float) -> None:
        self.command = curvature, accel

    def begin(self, batch_size: int) -> tuple[()]:
        return ()

    def act(self, view: View, memory: tuple[()]) -> tuple[Command, tuple[()]]:
        ones = np.ones(len(view["state_id"]))
        return Command(self.command[0] * ones, self.command[1] * ones), memory


class Crooked:
    """The expert with a bend of its own for each car, so that some fail."""

    def begin(self, batch_size: int) -> tuple[()]:
        return ()

    def act(self, view: View, memory: tuple[()]) -> tuple[Command, tuple[()]]:
        command, _ = Expert().act(view, ())
        bend = 0.04 * (view["chance"] % 7 == 0) * np.sin(0.02 * view["lane"].arc_length)
        return command._replace(curvature=command.curvature + bend), memory


class Doubtful:
    """The expert, but between two places of the road it holds the wheel straight."""

    def begin(self, batch_size: int) -> tuple[()]:
        return ()

    def act(self, view: View, memory: tuple[()]) -> tuple[Command, tuple[()]]:
        command, _ = Expert().act(view, ())
        astray = view["lane"].arc_length % 300.0 < 60.0
        return command._replace(curvature=np.where(astray, 0.03, command.curvature)), memory


def drive(
    suite: Suite, driver: Agent, episodes: int, seed: int = 0, **world: Any
) -> list[DrivenEpisode]:
    made = suite_world(suite, **{"sensors": BLIND, **world})
    return evaluate(suite, made, driver, episodes, seed)


def column(driven: list[DrivenEpisode], name: str) -> list[Any]:
    return [episode.figures[name] for episode in driven]


def test_the_expert_succeeds_on_every_unseen_road() -> None:
    driven = drive(SUITES["roads"], Expert(), 60)
    assert all(column(driven, "success"))
    assert set(column(driven, "ended")) == {"route_completed"}
    assert min(column(driven, "route_completion")) == 1.0
    assert max(column(driven, "lateral_rmse_m")) < 0.25
    assert max(column(driven, "beyond_margin_share")) == 0.0
    assert len(set(column(driven, "road"))) > 50


def test_the_expert_finds_back_from_the_whole_grid() -> None:
    driven = drive(SUITES["recovery"], Expert(), 30)
    assert all(column(driven, "success"))
    starts = set(
        zip(
            np.round(column(driven, "start_lateral_m"), 6),
            np.round(np.rad2deg(column(driven, "start_yaw_rad")), 4),
            strict=True,
        )
    )
    assert len(starts) == 30
    assert max(start[0] for start in starts) == 1.5 and min(start[1] for start in starts) == -10.0


@pytest.mark.parametrize("suite", ["roads", "recovery"])
def test_a_driver_who_stands_still_never_succeeds(suite: str) -> None:
    driven = drive(SUITES[suite], Held(0.0, -6.0), 12)
    assert not any(column(driven, "success"))
    assert max(column(driven, "route_completion")) < 0.4
    assert np.median(column(driven, "route_completion")) < 0.15
    assert set(column(driven, "ended")) <= {"time_up", "off_lane"}


@pytest.mark.parametrize("curvature", [0.0, 0.02])
def test_a_wheel_that_is_held_fails_where_the_road_bends(curvature: float) -> None:
    driven = drive(SUITES["roads"], Held(curvature, 0.0), 20)
    assert sum(column(driven, "success")) <= 1
    assert column(driven, "ended").count("off_lane") >= 18
    assert max(column(driven, "lateral_max_m")) > 1.0


def test_a_driver_that_gives_nan_is_an_error() -> None:
    with pytest.raises(ValueError, match="the driver gave NaN or infinity"):
        drive(SUITES["roads"], Held(float("nan"), 0.0), 2)


SHORT_ROADS = replace(SUITES["roads"], task=replace(SUITES["roads"].task, route_length=150.0))


@pytest.mark.parametrize("suite", [SHORT_ROADS, SUITES["recovery"]], ids=["roads", "recovery"])
def test_results_do_not_depend_on_batches_and_threads(
    monkeypatch: pytest.MonkeyPatch, suite: Suite
) -> None:
    usual = drive(suite, Crooked(), 20)
    assert 0 < sum(column(usual, "success")) < 20
    for batch, threads in ((1, 1), (7, 1), (64, 3)):
        monkeypatch.setattr(evaluation, "BATCH", batch)
        other = drive(suite, Crooked(), 20, threads=threads)
        assert [e.figures for e in other] == [e.figures for e in usual]
        for one, same in zip(usual, other, strict=True):
            for name in one.trace:
                assert one.trace[name].tobytes() == same.trace[name].tobytes()


def test_drivers_are_compared_on_the_same_starts_and_seeds_differ() -> None:
    one, other = drive(SUITES["roads"], Expert(), 6), drive(SUITES["roads"], Held(0.0, 0.0), 6)
    for name in ("seed", "road", "start_lateral_m", "start_yaw_rad"):
        assert column(one, name) == column(other, name)
    third = drive(SUITES["roads"], Expert(), 6, seed=1)
    assert column(third, "road") != column(one, "road")


def test_more_episodes_are_the_same_and_further_ones() -> None:
    few, many = (drive(SUITES["roads"], Expert(), count) for count in (3, 5))
    assert [e.figures for e in many[:3]] == [e.figures for e in few]


def test_every_road_is_driven_equally_often_when_the_suite_goes_by_roads() -> None:
    suite = replace(SUITES["racetracks"], task=replace(SUITES["racetracks"].task, time_limit=3.0))
    driven = drive(suite, Expert(), 3, roads="procedural:20-24")
    names = column(driven, "road")
    assert {name: names.count(name) for name in names} == {
        f"procedural:{seed}": 3 for seed in range(20, 24)
    }
    assert all(column(driven, "success"))
    assert len({(e.figures["seed"], e.figures["road"]) for e in driven}) == 12
    starts = [round(float(e.trace["x"][0]), 3) for e in driven if e.figures["road"] == names[0]]
    assert len(set(starts)) == 3


def test_figures_are_those_of_the_trace() -> None:
    for episode in drive(SUITES["recovery"], Crooked(), 5):
        figures, trace = episode.figures, episode.trace
        assert figures["steps"] == len(trace["x"]) == len(trace["command_curvature"])
        offset = trace["lateral_offset"]
        assert figures["lateral_mae_m"] == pytest.approx(np.abs(offset).mean())
        assert figures["lateral_rmse_m"] == pytest.approx(np.sqrt((offset**2).mean()))
        assert figures["beyond_margin_share"] == pytest.approx((trace["margin"] < 0.0).mean())
        assert figures["left_lane_free_margin"] == bool((trace["margin"] < 0.0).any())
        assert figures["left_lane_centre_2m"] == bool((np.abs(offset) > 2.0).any())
        way = float((trace["speed"] * 0.1).sum())
        assert figures["distance_m"] == pytest.approx(way, rel=0.05)
        kept = figures["ended"] == "time_up" and figures["route_completion"] >= 0.5
        assert figures["success"] == (kept and bool((np.abs(offset[-20:]) < 0.5).all()))


def test_figures_make_a_result_that_can_be_saved() -> None:
    driven = drive(SUITES["roads"], Crooked(), 4)
    result = PolicyResult("crooked", None, [episode.figures for episode in driven])
    assert 0.0 <= result.summary["success_rate"].mean <= 1.0


def test_each_end_is_told_once() -> None:
    told: list[int] = []
    suite = SUITES["recovery"]
    evaluate(suite, suite_world(suite, BLIND), Crooked(), 9, 0, on_step=told.append)
    assert sum(told) == 9 and min(told) > 0


def test_a_suites_world_has_the_sensors_of_the_driver() -> None:
    camera = Camera.with_field_of_view(48, 32, 1.2)
    assert suite_world(SUITES["roads"], {"camera": camera}).sensors == {"camera": camera}
    assert set(suite_world(SUITES["roads"]).sensors) == {"camera", "odometry"}
    assert suite_world(SUITES["roads"], roads="procedural:5").world == "procedural:5"
    assert suite_world(SUITES["recovery"]).task == SUITES["recovery"].task


def test_who_leaves_the_lane_is_put_back_and_it_is_counted() -> None:
    task = replace(SUITES["roads"].task, route_length=0.0, time_limit=40.0, start_at=6.0)
    strict = replace(SUITES["roads"], task=task)
    helped = replace(strict, interventions=True)
    alone, more = drive(strict, Doubtful(), 4), drive(helped, Doubtful(), 4)
    for one, other in zip(alone, more, strict=True):
        first = int(other.trace["intervened"].argmax())
        assert one.figures["ended"] == "off_lane" and one.figures["interventions"] == 1
        assert one.figures["steps"] == first + 1  # up to there they are the same
        for name in ("x", "margin", "command_curvature"):
            assert other.trace[name][: first + 1].tobytes() == one.trace[name].tobytes()
        assert other.trace["margin"][first] < 0.0
        assert abs(other.trace["lateral_offset"][first + 1]) < 0.5  # it went on from the centre
        assert other.figures["ended"] in ("time_up", "end_of_road")
        assert other.figures["interventions"] == int(other.trace["intervened"].sum()) >= 2
        assert not other.figures["success"]
    assert all(column(drive(helped, Expert(), 4), "success"))


def test_interventions_do_not_depend_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    task = replace(SUITES["roads"].task, route_length=0.0, time_limit=20.0)
    suite = replace(SUITES["roads"], task=task, interventions=True)
    usual = drive(suite, Doubtful(), 6)
    monkeypatch.setattr(evaluation, "BATCH", 2)
    other = drive(suite, Doubtful(), 6)
    assert [e.figures for e in other] == [e.figures for e in usual]


def test_episodes_that_were_driven_are_skipped_and_each_is_told_as_it_ends() -> None:
    suite = SUITES["recovery"]
    world = suite_world(suite, BLIND)
    kept: list[DrivenEpisode] = []
    whole = evaluate(suite, world, Crooked(), 9, 0, keep=kept.append)
    assert sorted(one.index for one in kept) == list(range(9))
    rest = evaluate(suite, world, Crooked(), 9, 0, skip={0, 3, 8})
    assert [one.index for one in rest] == [1, 2, 4, 5, 6, 7]
    for one in rest:
        assert one.figures == whole[one.index].figures
    assert evaluate(suite, world, Crooked(), 9, 0, skip=range(9)) == []


def test_figures_beside_the_expert_need_the_expert() -> None:
    suite = SUITES["roads"]
    world = suite_world(suite, BLIND)
    (alone,) = evaluate(suite, world, Crooked(), 1, 0)
    assert alone.figures["progress_ratio"] is None and alone.figures["pdm_score"] is None
    (expert,) = evaluation.yardsticks(suite, None, 1, 0)
    assert expert.figures["progress_ratio"] == 1.0 and expert.figures["pdm_score"] > 0.95
    beside = [evaluation.yardstick(suite, world, expert)]
    (told,) = evaluate(suite, world, Crooked(), 1, 0, beside=beside)
    ratio = told.trace["progress"][-1] / expert.trace["progress"][-1]
    assert told.figures["progress_ratio"] == pytest.approx(min(1.0, ratio))


def test_a_suite_with_conditions_is_driven_one_by_one() -> None:
    suite = SUITES["latency"]
    with pytest.raises(ValueError, match="latency has conditions; evaluate each of its variants"):
        evaluate(suite, suite_world(suite, BLIND), Expert(), 2, 0)


def test_the_clock_tells_where_the_time_went() -> None:
    clock = evaluation.Clock()
    suite = SUITES["recovery"]
    driven = evaluate(suite, suite_world(suite, BLIND), Expert(), 3, 0, clock=clock)
    assert clock.car_steps == sum(column(driven, "steps"))
    assert min(clock.seconds.values()) > 0.0


def test_weather_that_a_recording_cannot_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive" / "dataset.json").write_text("{}")
    fog = SUITES["noise"].variants()["fog"]
    with pytest.raises(
        ValueError, match="asks for noise, fog or night, but .*drive is a recording"
    ):
        suite_world(fog, roads=str(tmp_path / "drive"))
