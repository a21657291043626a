"""Rows of a batch: whatever it is made of."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

from redrive.agents import rows


class Pair(NamedTuple):
    first: np.ndarray
    second: np.ndarray


@dataclass(frozen=True)
class Memory:
    pair: Pair
    more: tuple[dict[str, np.ndarray], None]


def memory(cars: int, offset: int = 0) -> Memory:
    count = np.arange(cars) + offset
    return Memory(Pair(count, np.stack([count, -count], axis=-1)), ({"x": 2 * count}, None))


def test_rows_are_taken_in_their_order() -> None:
    taken = rows.take(memory(5), np.array([3, 0]))
    assert taken.pair.first.tolist() == [3, 0]
    assert taken.pair.second.tolist() == [[3, -3], [0, 0]]
    assert taken.more[0]["x"].tolist() == [6, 0] and taken.more[1] is None


def test_rows_are_put_and_the_old_batch_stays() -> None:
    old = memory(4)
    new = rows.put(old, np.array([1, 3]), memory(2, offset=10))
    assert new.pair.first.tolist() == [0, 10, 2, 11]
    assert old.pair.first.tolist() == [0, 1, 2, 3]
    assert rows.put((), np.array([0]), ()) == ()


def test_tensors_are_rows_too() -> None:
    torch = pytest.importorskip("torch")
    with torch.inference_mode():
        old = (torch.zeros(3, 2),)
        new = rows.put(old, np.array([2]), (torch.ones(1, 2),))
    assert new[0].tolist() == [[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]]
    outside = rows.put(new, np.array([0]), (torch.ones(1, 2),))
    assert rows.take(outside, np.array([0, 1]))[0].tolist() == [[1.0, 1.0], [0.0, 0.0]]


def test_what_has_no_rows_is_told() -> None:
    with pytest.raises(TypeError, match="a int is no batch"):
        rows.take((np.zeros(3), 7), np.array([0]))
