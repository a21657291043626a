"""Circuits: the 25 of the TUM database load and can be driven; a spoilt file says where and why."""

from pathlib import Path

import numpy as np
import pytest

from redrive.sim.road import Material, Road
from redrive.sim.roads.racetrack import load_racetrack

CIRCUITS = [
    "Austin",
    "BrandsHatch",
    "Budapest",
    "Catalunya",
    "Hockenheim",
    "IMS",
    "Melbourne",
    "MexicoCity",
    "Montreal",
    "Monza",
    "MoscowRaceway",
    "Norisring",
    "Nuerburgring",
    "Oschersleben",
    "Sakhir",
    "SaoPaulo",
    "Sepang",
    "Shanghai",
    "Silverstone",
    "Sochi",
    "Spa",
    "Spielberg",
    "Suzuka",
    "YasMarina",
    "Zandvoort",
]


def oval(count: int = 100, radius: float = 80.0) -> list[str]:
    """The lines of a good file: a circle, counter-clockwise, 4 m to the right and 5 m to the left."""
    angles = 2.0 * np.pi * np.arange(count) / count
    rows = [f"{radius * np.cos(a):.6f},{radius * np.sin(a):.6f},4.000,5.000" for a in angles]
    return ["# x_m,y_m,w_tr_right_m,w_tr_left_m", *rows]


def load(folder: Path, lines: list[str], ending: str = "\n") -> Road:
    path = folder / "oval.csv"
    path.write_bytes((ending.join(lines) + ending).encode())
    return load_racetrack(path)


def test_a_circle_comes_out_as_a_circle(tmp_path: Path) -> None:
    road = load(tmp_path, oval())
    (lane,) = road.lanes
    assert (road.name, road.closed, lane.closed) == ("oval", True, True)
    assert lane.length == pytest.approx(2.0 * np.pi * 80.0, rel=1e-3)
    assert lane.spacing == pytest.approx(1.0, abs=0.005)
    np.testing.assert_allclose(np.hypot(lane.x, lane.y), 80.0, atol=0.05)
    np.testing.assert_allclose(lane.curvature, 1.0 / 80.0, rtol=0.01)
    np.testing.assert_allclose(lane.right, 4.0)
    np.testing.assert_allclose(lane.left, 5.0)
    assert (lane.x[0], lane.y[0]) == pytest.approx((80.0, 0.0), abs=0.05)


def test_the_edges_of_the_asphalt_lie_on_their_sides(tmp_path: Path) -> None:
    (asphalt,) = [r for r in load(tmp_path, oval()).ribbons if r.material == Material.ASPHALT]
    assert np.hypot(*asphalt.left.T).max() < 75.1  # inside, as the circle is driven to the left
    assert np.hypot(*asphalt.right.T).min() > 83.9


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_endings_blank_lines_and_comments_do_not_matter(tmp_path: Path, ending: str) -> None:
    lines = ["\ufeff" + oval()[0], "", *oval()[1:50], "# half way", *oval()[50:], "", ""]
    np.testing.assert_array_equal(
        load(tmp_path, lines, ending).lanes[0].x, load(tmp_path, oval()).lanes[0].x
    )


def test_a_track_wider_than_its_bends_stops_short_of_their_centres(tmp_path: Path) -> None:
    lines = [line.replace("5.000", "40.000") for line in oval(radius=20.0)]
    (lane,) = load(tmp_path, lines).lanes
    assert lane.left.max() < 0.96 / lane.curvature.max() < 20.0
    np.testing.assert_allclose(lane.right, 4.0)


def test_a_jump_in_the_width_is_rounded_but_stays_positive(tmp_path: Path) -> None:
    lines = oval()
    lines[40] = lines[40].replace("5.000", "60.000")
    lines[41] = lines[41].replace("5.000", "0.100")
    (lane,) = load(tmp_path, lines).lanes
    assert lane.left.min() >= 0.1


def spoilt(row: int, text: str) -> list[str]:
    lines = oval()
    lines[row] = text
    return lines


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (spoilt(5, "1.0,2.0,4.0"), r"line 6 has 3 columns: '1\.0,2\.0,4\.0'; expected 4"),
        (spoilt(5, "1.0;2.0;4.0;5.0"), "line 6 has 1 column: .*separated by commas"),
        (spoilt(5, "1,2,4,5,6"), "line 6 has 5 columns"),
        (spoilt(0, "x_m,y_m,w_right,w_left"), "line 1: x_m is 'x_m', expected a number"),
        (spoilt(7, "1.0,abc,4.0,5.0"), "line 8: y_m is 'abc', expected a number in metres"),
        (spoilt(7, "1.0,,4.0,5.0"), "line 8: y_m is '', expected a number"),
        (spoilt(7, "nan,2.0,4.0,5.0"), "line 8: x_m is nan, expected a finite number"),
        (spoilt(7, "1.0,2.0,inf,5.0"), "line 8: w_tr_right_m is inf, expected a finite"),
        (spoilt(9, "1.0,2.0,-4.0,5.0"), "line 10: w_tr_right_m is -4, expected a positive"),
        (spoilt(9, "1.0,2.0,4.0,0"), "line 10: w_tr_left_m is 0, expected a positive"),
        (spoilt(9, "1.0,2.0,4.0,5000"), "line 10: w_tr_left_m is 5000 m, .*other units"),
        (oval()[:8], "has 7 points; a circuit needs at least 10"),
        ([], "has 0 points"),
        (["# nothing"], "has 0 points"),
        (
            oval() + [oval()[1]],
            r"line 102 repeats the first point \(line 2\).*delete the last line",
        ),
        (oval()[:20] + oval()[19:], "line 21 repeats the point of line 20; delete one of them"),
        (spoilt(30, "500.0,500.0,4.0,5.0"), "line 31 is .* m from line 30, while points are 5"),
        (oval()[:60], r"last point \(line 60\) is .* from the first .*must come back"),
        (oval(radius=0.01), "the lap is 0.06282 m long, .*in metres"),
        (oval(radius=80e3), r"the lap is 5.* m long, expected between 100 m and 100 km"),
        (
            oval()[:40] + oval()[46:39:-1] + oval()[47:],
            "the track turns there with a radius of .*in the order in which they are driven",
        ),
    ],
)
def test_a_malformed_file_is_one_clear_error(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        load(tmp_path, lines)
    assert str(tmp_path / "oval.csv") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_files_are_refused_by_their_nature(tmp_path: Path) -> None:
    picture = tmp_path / "picture.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff\xfe")
    with pytest.raises(ValueError, match="is not text"):
        load_racetrack(picture)
    with pytest.raises(ValueError, match=r"is not a \.csv file"):
        load_racetrack(tmp_path / "road.xodr")
    with pytest.raises(FileNotFoundError):
        load_racetrack(tmp_path / "missing.csv")


@pytest.mark.parametrize("name", CIRCUITS)
def test_every_tum_circuit_stays_on_its_points_and_can_be_driven(
    shared_data: Path, name: str
) -> None:
    path = shared_data / "tum_racetracks" / "tracks" / f"{name}.csv"
    points = np.loadtxt(path, delimiter=",", comments="#")[:, :2]
    road = load_racetrack(path)
    (lane,) = road.lanes
    assert road.name == name
    place = np.column_stack([lane.x, lane.y])
    # To the segment that begins or ends at the nearest node.
    nearest = ((points[:, None] - place[None, :]) ** 2).sum(axis=2).argmin(axis=1)
    offset = points - place[nearest]
    heading = lane.heading[nearest]
    lateral = np.cos(heading) * offset[:, 1] - np.sin(heading) * offset[:, 0]
    assert np.abs(lateral).max() < 0.3
    assert np.sqrt(np.mean(lateral**2)) < 0.03
    curvature = np.abs(lane.curvature)
    assert curvature.max() < (0.165 if name == "Shanghai" else 0.135)
    assert np.abs(np.diff(lane.curvature, append=lane.curvature[0])).max() < 0.017
    assert (lane.left * lane.curvature).max() < 0.96
    assert (-lane.right * lane.curvature).max() < 0.96
    assert min(lane.left.min(), lane.right.min()) > 3.0
    raw_length = np.hypot(*(np.roll(points, -1, axis=0) - points).T).sum()
    assert lane.length == pytest.approx(raw_length, rel=1e-3)
    turns = (lane.heading[-1] - lane.heading[0] + lane.curvature[-1]) / (2.0 * np.pi)
    assert abs(turns) == pytest.approx(0.0 if name == "Suzuka" else 1.0, abs=0.01)


def test_the_curvature_of_a_circuit_leads_round_it(shared_data: Path) -> None:
    (lane,) = load_racetrack(shared_data / "tum_racetracks" / "tracks" / "Norisring.csv").lanes
    middle = lane.heading + 0.5 * lane.spacing * (
        0.75 * lane.curvature + 0.25 * np.roll(lane.curvature, -1)
    )
    assert np.hypot(np.cos(middle).sum(), np.sin(middle).sum()) * lane.spacing < 0.5
