"""The table beside the results: one row an episode, with the same numbers."""

from pathlib import Path

import pytest

from redrive.agents.episode_table import load_table, save_table

EPISODES = [
    {"seed": 0, "road": "north", "success": True, "min_ttc_s": None, "lateral_mae_m": 0.1},
    {"seed": 1, "road": 'a "quoted", road', "success": False, "min_ttc_s": 1.25, "trace": "x.json"},
]


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "results-episodes.csv"
    save_table(path, {"expert": EPISODES, "lstm": EPISODES[:1]})
    rows = load_table(path)
    assert [row["driver"] for row in rows] == ["expert", "expert", "lstm"]
    assert rows[0] == {"driver": "expert", **EPISODES[0]}
    assert rows[1]["road"] == EPISODES[1]["road"] and rows[1]["lateral_mae_m"] is None
    assert "trace" not in rows[1]


def test_the_head_names_every_figure_once(tmp_path: Path) -> None:
    save_table(tmp_path / "a.csv", {"expert": EPISODES})
    head = (tmp_path / "a.csv").read_text().splitlines()[0]
    assert head == "driver,seed,road,success,min_ttc_s,lateral_mae_m"


def test_a_cut_table_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    save_table(path, {"expert": EPISODES})
    path.write_text(path.read_text()[:-8])
    with pytest.raises(ValueError, match="line 3: 4 cells, the head has 6"):
        load_table(path)
