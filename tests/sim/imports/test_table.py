from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from redrive.sim.imports.table import read_table
from redrive.sim.imports.track import track_of


def test_columns_wear_their_units(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "# by hand\nt_s,x_m,y_m,yaw_deg,speed_kmh,mood\n0,0,0,90,36,1\n1,0,10,90,36,2\n"
    )
    table = read_table(path)
    np.testing.assert_allclose(table["yaw"], 0.5 * np.pi)
    np.testing.assert_allclose(table["speed"], 10.0)
    assert set(table) == {"t", "x", "y", "yaw", "speed"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0,0,0,0,1\n1,1,0,0,1\n2,2,0,0,1\n", "has no header"),
        ("time,position,angle\n0,0,0\n1,1,0\n", "missing column x, y, yaw"),
        ("t,speed\n0,0\n1,1\n", "missing column yaw_rate"),
        ("t,x,y,yaw\n0,0,0,0\n1,nan,0,0\n", "line 3: x is not a finite number"),
        ("t,x,y,yaw\n0,0,0,0\n1,1,0,left\n", "line 3: .*'left'; cells are numbers"),
        ("t,x,y,yaw\n0,0,0,0\n1,1,0\n", "line 3: 3 cells, the header has 4"),
        ("t,x,y,yaw\n0,0,0,0\n1,1,0,0\n0.5,2,0,0\n", "time does not grow after row 1"),
        ("t,t_s,x,y,yaw\n0,0,0,0,0\n1,1,1,0,0\n", "has t twice"),
        ("t,x,y,yaw\n0,0,0,0\n", "1 rows below its header"),
        ("", "0 rows below its header"),
    ],
)
def test_a_wrong_table_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        read_table(path)


def test_a_yaw_rate_of_the_other_sign_is_refused(made_up: ModuleType) -> None:
    time, x, y, yaw = made_up.circle(rows=100)
    yaw += 0.05 * np.sin(3.0 * time)
    table = {"t": time, "x": x, "y": y, "yaw": yaw, "yaw_rate": -0.2 - 0.15 * np.cos(3.0 * time)}
    with pytest.raises(ValueError, match="yaw and yaw_rate turn opposite ways"):
        track_of(table, "a.csv")
    table["yaw_rate"] *= -1.0
    track_of(table, "a.csv")


def test_between_rows_the_path_goes_on_but_not_across_a_gap(made_up: ModuleType) -> None:
    time, x, y, yaw = made_up.circle(rows=40)
    time[20:] += 1.0
    track, notes = track_of({"t": time, "x": x, "y": y, "yaw": yaw}, "a.csv")
    assert [note.name for note in notes] == ["time-gap"]
    at = np.arange(0.05, 4.8, 0.1)
    inside, resampled = track.resampled(at)
    assert not inside[(at > 1.9) & (at < 3.0)].any()
    assert inside[(at < 1.9) | (at > 3.0)].all()
    assert np.flatnonzero(resampled.starts).tolist() == [np.count_nonzero(at < 1.9)]
    np.testing.assert_allclose(resampled.x[0], 0.5, atol=0.01)
