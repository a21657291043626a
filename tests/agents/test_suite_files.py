"""A suite in a file: the same episodes for others, or a clear word that they are not."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from redrive.agents.suite_files import SeededSuite, load_suite
from redrive.agents.suites import SUITES

EXAM = SeededSuite(SUITES["noise"], 20, 3)


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    EXAM.save(tmp_path / "a" / "noise.json")
    assert load_suite(tmp_path / "a" / "noise.json") == EXAM
    EXAM.save(tmp_path / "b.json")
    assert (tmp_path / "b.json").read_bytes() == (tmp_path / "a" / "noise.json").read_bytes()


def test_the_id_says_which_episodes_they_are_and_not_how_many() -> None:
    assert replace(EXAM, episodes=200).id == EXAM.id
    others = [
        replace(EXAM, seed=4),
        replace(EXAM, suite=SUITES["roads"]),
        replace(EXAM, roads="procedural:7"),
        replace(EXAM, suite=replace(EXAM.suite, version=99)),
    ]
    assert len({EXAM.id, *(other.id for other in others)}) == 5


def test_other_road_files_are_noticed(tmp_path: Path) -> None:
    track = tmp_path / "track.csv"
    track.write_text("# x_m,y_m,w_tr_right_m,w_tr_left_m\n0,0,5,5\n")
    exam = SeededSuite(SUITES["racetracks"], 2, 0, str(track))
    exam.save(tmp_path / "suite.json")
    assert load_suite(tmp_path / "suite.json") == exam
    track.write_text("# x_m,y_m,w_tr_right_m,w_tr_left_m\n0,1,5,5\n")
    with pytest.raises(ValueError, match="its roads are not the same files"):
        load_suite(tmp_path / "suite.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 7}, "schema is 7, this redrive reads 1"),
        ({"episodes": "many"}, "entry episodes must be a whole number, got 'many'"),
        ({"seed": True}, "entry seed must be a whole number"),
        ({"roads": 3}, "entry roads must be text or null, got 3"),
        ({"suite": []}, "entry suite must be an object"),
        ({"seed": 5}, "was written for other episodes than it gives here"),
    ],
)
def test_a_changed_or_wrong_file_is_one_clear_error(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "suite.json"
    EXAM.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=message):
        load_suite(path)


def test_a_missing_or_cut_file_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "suite.json"
    with pytest.raises(FileNotFoundError, match="there is no suite file"):
        load_suite(path)
    EXAM.save(path)
    path.write_text(path.read_text()[:200])
    with pytest.raises(ValueError, match="is not valid JSON"):
        load_suite(path)
    path.write_text("{}")
    with pytest.raises(ValueError, match="not a suite file"):
        load_suite(path)
