"""`redrive list`: everything that can be named, with what it is."""

import pytest

from redrive.agents.demonstrations import REGIMES
from redrive.agents.suites import SUITES
from redrive.cli import main
from redrive.models.registry import POLICIES
from redrive.sim.memory_tasks import TASKS
from redrive.sim.world import DEFAULT_SENSORS
from redrive.study import STUDIES


def test_everything_that_can_be_named_is_listed_with_a_purpose(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    purposes = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("  ")}
    for names in (
        TASKS,
        REGIMES,
        SUITES,
        DEFAULT_SENSORS,
        POLICIES,
        STUDIES,
        ("procedural", "expert"),
    ):
        for name in names:
            assert len(purposes[name]) >= 2, name
    titles = [line for line in lines if not line.startswith("  ")]
    assert "worlds" in titles and "policies" in titles


def test_names_and_purposes_do_not_run_together(capsys: pytest.CaptureFixture[str]) -> None:
    main(["list"])
    for line in capsys.readouterr().out.splitlines():
        assert not line.startswith("  ") or " " in line.strip()
        assert len(line) <= 110


def test_a_word_too_many_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "policies"]) == 2
    assert "policies" in capsys.readouterr().err
