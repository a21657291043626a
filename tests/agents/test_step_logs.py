"""Steps beside the results: what was saved is read back, by redrive and by others."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from redrive.agents.step_logs import load_steps, save_steps

LENGTHS = (3, 1, 5)


def episodes() -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    return [{name: rng.normal(size=length) for name in ("x", "speed")} for length in LENGTHS]


def test_each_episode_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "results-steps" / "lstm.safetensors"
    save_steps(path, episodes())
    for number, steps in enumerate(episodes()):
        read = load_steps(path, number)
        assert read.keys() == steps.keys()
        for name, column in steps.items():
            assert read[name].tobytes() == column.tobytes()


def test_others_read_it_as_safetensors(tmp_path: Path) -> None:
    save_steps(tmp_path / "a.safetensors", episodes())
    read = load_file(tmp_path / "a.safetensors")
    assert read["first"].tolist() == [0, 3, 4, 9]
    np.testing.assert_array_equal(read["x"][4:9], episodes()[2]["x"])


def test_equal_steps_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_steps(tmp_path / name, episodes())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_does_not_fit_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    cut = [*episodes(), {"x": np.zeros(3), "speed": np.zeros(2)}]
    with pytest.raises(ValueError, match=r"episode 3 has .* lengths \[2, 3\]"):
        save_steps(tmp_path / "a", cut)
    assert not list(tmp_path.iterdir())


def test_a_missing_or_cut_file_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with pytest.raises(FileNotFoundError, match="no steps at"):
        load_steps(path, 0)
    save_steps(path, episodes())
    with pytest.raises(ValueError, match="has episodes 0 to 2, not 3"):
        load_steps(path, 3)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ValueError, match="is truncated"):
        load_steps(path, 0)
