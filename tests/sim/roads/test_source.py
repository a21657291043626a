"""World strings: what they name, and the answer to those that name nothing."""

from pathlib import Path

import numpy as np
import pytest

from redrive.sim.roads.source import FAMILY, RoadSource


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two circuits and something else."""
    angles = 2.0 * np.pi * np.arange(60) / 60
    for name, radius in (("Small", 40.0), ("Large", 60.0)):
        rows = [f"{radius * np.cos(a):.4f},{radius * np.sin(a):.4f},4,4" for a in angles]
        (tmp_path / f"{name}.csv").write_text("\n".join(rows))
    (tmp_path / "README.md").write_text("two circuits")
    return tmp_path


def test_procedural_is_a_family() -> None:
    source = RoadSource("procedural")
    assert (source.text, source.count) == ("procedural", FAMILY)
    assert source.name(3) == source.road(3).name == "procedural:3"


def test_a_seed_is_one_road() -> None:
    source = RoadSource("procedural:42")
    assert (source.count, source.name(0), source.road(0).name) == (1, *["procedural:42"] * 2)


def test_a_range_leaves_its_end_out() -> None:
    source = RoadSource("procedural:10-13")
    assert [source.name(i) for i in range(source.count)] == [
        f"procedural:{i}" for i in (10, 11, 12)
    ]
    assert source.road(2).name == "procedural:12"


def test_a_list_names_its_seeds_in_their_order() -> None:
    source = RoadSource("procedural:7,10-12,3")
    assert [source.name(i) for i in range(source.count)] == [
        f"procedural:{i}" for i in (7, 10, 11, 3)
    ]
    with pytest.raises(ValueError, match="'' is no seed"):
        RoadSource("procedural:7,")


def test_a_huge_family_costs_nothing_until_a_road_is_asked_for() -> None:
    assert RoadSource("procedural:0-1000000000000").name(10**11) == f"procedural:{10**11}"


def test_a_file_is_one_road_and_a_folder_those_in_it(folder: Path) -> None:
    assert RoadSource(str(folder / "Small.csv")).road(0).name == "Small"
    source = RoadSource(str(folder))
    assert [source.name(i) for i in range(source.count)] == ["Large", "Small"]
    assert source.road(0).length > source.road(1).length


def test_a_road_is_made_once() -> None:
    source = RoadSource("procedural:0-5")
    assert source.road(1) is source.road(1)


@pytest.mark.parametrize("i", [-1, 3])
def test_a_road_that_is_not_there(i: int) -> None:
    with pytest.raises(IndexError, match=f"'procedural:0-3' has roads 0 to 2, not {i}"):
        RoadSource("procedural:0-3").road(i)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("procedual", r"unknown world 'procedual'; did you mean 'procedural'\?"),
        ("Procedural:7", r"did you mean 'procedural:7'\?"),
        ("procedural:", "'' is no seed; write a whole number from 0"),
        ("procedural:-1", "'-1' is no seed"),
        ("procedural:1.5", "'1.5' is no seed"),
        ("procedural:x", "as in 'procedural:7', or two, as in 'procedural:0-100'"),
        ("procedural:9-3", "has no road.*write 'procedural:3-10'"),
        ("procedural:4-4", "has no road.*write 'procedural:4-5'"),
        ("motorway", "unknown world 'motorway'; a world is `procedural`"),
        ("", "unknown world ''; a world is"),
    ],
)
def test_a_word_that_is_no_world_is_answered_with_one_that_is(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RoadSource(text)


def test_a_missing_file_is_answered_with_the_near_ones(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"Smal\.csv; did you mean .*Small\.csv\?"):
        RoadSource(str(folder / "Smal.csv"))
    with pytest.raises(FileNotFoundError, match="there is no folder .* either"):
        RoadSource(str(folder / "nowhere" / "Small.csv"))
    with pytest.raises(FileNotFoundError, match=r"no file or folder .*qqq\.csv; a world is"):
        RoadSource(str(folder / "qqq.csv"))


def test_a_file_of_another_kind_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"README\.md is a \.md, roads are read from \.csv"):
        RoadSource(str(folder / "README.md"))


def test_a_folder_without_roads_points_to_those_below_it(folder: Path) -> None:
    above = folder / "above"
    above.mkdir()
    with pytest.raises(ValueError, match="no road in the folder .*above .*a world is"):
        RoadSource(str(above))
    (above / "tracks").mkdir()
    (folder / "Small.csv").rename(above / "tracks" / "Small.csv")
    with pytest.raises(ValueError, match=r"did you mean .*tracks\?"):
        RoadSource(str(above))
