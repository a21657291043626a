"""Self-checks: they pass for suites that measure driving, and fail for those that do not."""

from dataclasses import replace

import pytest

from redrive.agents.evaluation import suite_world, yardstick, yardsticks
from redrive.agents.self_checks import Check, self_checks
from redrive.agents.suites import SUITES, Suite


def checks(suite: Suite, episodes: int = 8, roads: str | None = None) -> list[Check]:
    world = suite_world(suite, {}, roads)
    experts = yardsticks(suite, roads, episodes, 0)
    beside = [yardstick(suite, world, one) for one in experts]
    return self_checks(suite, "", experts, beside, roads, episodes, 0)


@pytest.mark.parametrize("name", ["roads", "recovery"])
def test_they_pass_for_our_suites(name: str) -> None:
    found = checks(SUITES[name])
    assert [check.passed for check in found] == [True] * 3
    assert found[2].found.startswith("through on 0.00 of")


def test_a_suite_that_the_expert_fails_is_told() -> None:
    suite = replace(SUITES["roads"], task=replace(SUITES["roads"].task, time_limit=8.0))
    expert, *_ = checks(suite)
    assert not expert.passed and expert.found == "success 0.000, score 1.000"


def test_a_suite_in_which_a_held_wheel_comes_through_is_told() -> None:
    """Nothing ends an episode here, so anybody gets somewhere."""
    task = replace(SUITES["roads"].task, off_lane="none", route_length=25.0, max_heading_error=3.1)
    *_, wheel = checks(replace(SUITES["roads"], task=task))
    assert not wheel.passed


def test_roads_without_curves_cannot_tell_and_it_is_said() -> None:
    *_, wheel = checks(SUITES["recovery"], 4, roads="procedural:16")
    assert wheel.passed or wheel.found.startswith("through")
    task = replace(SUITES["roads"].task, route_length=15.0, start_at=0.0)
    *_, wheel = checks(replace(SUITES["roads"], task=task), 4, roads="procedural:16")
    assert wheel.found == "no curves here" and wheel.passed
