"""Episodes that are kept as they end: all of them, bit for bit, but for one that was cut."""

from pathlib import Path

import numpy as np
import pytest

from redrive.agents.episode_store import EpisodeStore
from redrive.agents.evaluation import DrivenEpisode

IDENTITY = {"suite_id": "abc", "seed": 0, "drivers": {"lstm": "123"}}


def episode(index: int, steps: int) -> DrivenEpisode:
    rng = np.random.default_rng(index)
    figures = {
        "seed": index,
        "road": "süd",
        "lateral_mae_m": float(rng.normal()),
        "min_ttc_s": None,
    }
    return DrivenEpisode(index, figures, {name: rng.normal(size=steps) for name in ("x", "y")})


def test_episodes_are_kept_in_the_order_in_which_they_ended(tmp_path: Path) -> None:
    store = EpisodeStore(tmp_path / "a", IDENTITY, resume=False)
    kept = [episode(3, 5), episode(0, 2), episode(1, 9)]
    for one in kept:
        store.keep("lstm", one)
    again = EpisodeStore(tmp_path / "a", IDENTITY, resume=True)
    for one, same in zip(again.load("lstm"), kept, strict=True):
        assert (one.index, one.figures) == (same.index, same.figures)
        for name, column in same.trace.items():
            assert one.trace[name].tobytes() == column.tobytes()
    assert again.load("mlp") == []
    again.remove()
    assert not (tmp_path / "a").exists()


def test_wherever_the_end_was_cut_the_whole_episodes_are_left_and_it_goes_on(
    tmp_path: Path,
) -> None:
    store = EpisodeStore(tmp_path / "a", IDENTITY, resume=False)
    for index in range(3):
        store.keep("lstm", episode(index, 4))
    path = next((tmp_path / "a").glob("lstm*"))
    whole = path.read_bytes()
    size = len(whole) // 3
    for cut in (len(whole) - 1, len(whole) - size + 3, 2 * size + 20, 2 * size, 5, 0):
        path.write_bytes(whole[:cut])
        found = store.load("lstm")
        assert [one.index for one in found] == list(range(min(2, cut // size)))
        for index in range(len(found), 3):
            store.keep("lstm", episode(index, 4))
        assert path.read_bytes() == whole


def test_a_changed_byte_is_not_believed(tmp_path: Path) -> None:
    store = EpisodeStore(tmp_path / "a", IDENTITY, resume=False)
    for index in range(2):
        store.keep("lstm", episode(index, 4))
    path = next((tmp_path / "a").glob("lstm*"))
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))
    assert [one.index for one in store.load("lstm")] == [0]


def test_what_is_there_is_neither_overwritten_nor_mixed_with_something_else(tmp_path: Path) -> None:
    EpisodeStore(tmp_path / "a", IDENTITY, resume=False)
    with pytest.raises(ValueError, match="was not finished; go on with it by --resume"):
        EpisodeStore(tmp_path / "a", IDENTITY, resume=False)
    with pytest.raises(ValueError, match="holds another evaluation: seed was 0, is 1"):
        EpisodeStore(tmp_path / "a", IDENTITY | {"seed": 1}, resume=True)
    with pytest.raises(ValueError, match="drivers was .*'123'.*is .*'124'"):
        EpisodeStore(tmp_path / "a", IDENTITY | {"drivers": {"lstm": "124"}}, resume=True)
    EpisodeStore(tmp_path / "new", IDENTITY, resume=True)  # nothing there: begin


def test_nothing_is_left_behind_where_nothing_was_driven(tmp_path: Path) -> None:
    store = EpisodeStore(tmp_path / "a", IDENTITY, resume=False)
    store.remove_if_empty()
    assert not store.folder.exists()
