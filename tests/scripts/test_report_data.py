"""What the page holds as data is what was driven, and fits."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from redrive.agents import results as results_file
from redrive.agents.results import PolicyResult, Results
from redrive.report_course import by_merit, find_course, telling
from redrive.report_data import as_script, chapter_data, chosen_courses, packed, unpacked
from redrive.report_study import Study

from .test_report import driver, episode


def study_of(folder: Path, policies: list[PolicyResult]) -> Study:
    signs = {policy.name: place for place, policy in enumerate(policies)}
    return Study(folder / "results.json", Results("roads", 0, 0.1, policies), signs)


def traced(folder: Path, name: str, failures: int) -> PolicyResult:
    """A driver with steps of every episode, as long as its seed says."""
    episodes = []
    for seed in range(12):
        offsets = 0.1 * np.sin(np.arange(20 + seed))
        file = f"{name}-{seed}.json"
        results_file.save_trace(folder / file, 0.1, {"lateral_offset": offsets})
        episodes.append(episode(seed, seed >= failures, 0.1 + 0.01 * seed, trace=file))
    return PolicyResult(name, f"runs/{name}", episodes)


@given(st.lists(st.floats(-500.0, 500.0), min_size=1, max_size=50))
def test_packed_numbers_come_back_to_half_a_step(values: list[float]) -> None:
    numbers = packed(np.array(values), 0.01)
    assert all(isinstance(number, int) for number in numbers)
    assert np.abs(unpacked(numbers, 0.01) - values).max() <= 0.005 + 1e-9


def test_rounding_does_not_add_up() -> None:
    drifting = 0.0049 * np.arange(1, 10_000)  # every difference is below half a step
    assert unpacked(packed(drifting, 0.01), 0.01)[-1] == pytest.approx(drifting[-1], abs=0.005)


def test_data_cannot_end_its_element_early() -> None:
    bad = {"road": "</script><script>alert(1)</script>\u2028"}
    element = str(as_script(bad, "data"))
    inside = element.removeprefix('<script type="application/json" id="data">')
    inside = inside.removesuffix("</script>")
    assert "<" not in inside and "\u2028" not in inside
    assert json.loads(inside) == bad


def test_every_episode_is_there_with_all_that_was_measured(tmp_path: Path) -> None:
    study = study_of(tmp_path, [driver("mlp", 9, 0.3, collisions=None), driver("lstm", 1, 0.1)])
    data = chapter_data(study)
    names = [column["name"] for column in data["columns"]]
    assert names[:5] == ["driver", "road", "seed", "ended", "success"]
    assert "collisions" not in names  # measured in no episode
    rows = [dict(zip(names, row, strict=True)) for row in data["episodes"]]
    assert len(rows) == 48 and [row["driver"] for row in rows[:24]] == ["lstm"] * 24
    for row, told in zip(rows, study.ranked[0].episodes, strict=False):
        assert {name: row[name] for name in names if name in told} == {
            name: told[name] for name in names if name in told
        }
    assert data["courses"] == {} and data["first"] == 0


def test_where_room_is_short_the_telling_episodes_stay(tmp_path: Path) -> None:
    study = study_of(tmp_path, [traced(tmp_path, "lstm", 2), traced(tmp_path, "mlp", 5)])
    everything = chosen_courses(study, 10**6)
    assert len(everything) == 24
    some = chosen_courses(study, 1500)
    assert 0 < len(some) < 24
    assert chosen_courses(study, 10) == {}
    size = len(json.dumps(chapter_data(study, 1500)["courses"]))
    assert size < 2 * 1500


def test_the_best_comes_first_and_the_worst_last(tmp_path: Path) -> None:
    policy = traced(tmp_path, "lstm", 2)
    order = by_merit(policy.episodes)
    assert [e["seed"] for e in order] == [*range(2, 12), 0, 1]
    told = telling(study_of(tmp_path, [policy]), policy)
    assert [(name, e["seed"]) for name, e, _ in told] == [("best", 2), ("median", 8), ("worst", 1)]
    assert [len(course) for _, _, course in told] == [22, 28, 21]


def test_steps_that_were_left_behind_are_none(tmp_path: Path) -> None:
    policy = traced(tmp_path, "lstm", 2)
    (tmp_path / "lstm-3.json").unlink()
    study = study_of(tmp_path, [policy])
    assert find_course(study, policy, policy.episodes[3]) is None
    assert len(chosen_courses(study, 10**6)) == 11
