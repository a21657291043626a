"""Arguments that kernels take over once."""

import gc
import sys

import numpy as np

from redrive.sim.compiled import compiled
from redrive.sim.held import Held, held
from redrive.sim.lanes import LANE, NODE, LaneTable


@compiled
def _sum(pair, to):  # type: ignore[no-untyped-def]
    table, bytes_of = held(pair)
    to[0] = table.nodes[3].x + table.lanes[0].length + table.road_first.sum() + bytes_of[1, 2]
    bytes_of[0, 0] = 7


def make(start: float) -> tuple[LaneTable, np.ndarray]:
    """Tuples of the package only: numba keeps their names beside what it has compiled."""
    table = LaneTable(np.zeros(9, NODE), np.zeros(2, LANE), np.arange(4))
    table.nodes["x"], table.lanes["length"] = start, 100.0
    return table, np.arange(6, dtype=np.uint8).reshape(2, 3)


def test_a_kernel_sees_what_is_held_and_writes_to_it() -> None:
    value, to = make(0.5), np.zeros(1)
    _sum(Held(value), to)
    assert to[0] == 0.5 + 100.0 + 6 + 5
    assert value[1][0, 0] == 7


def test_what_is_held_stays_while_it_is_held_and_no_longer() -> None:
    kept, to = [Held(make(float(k))) for k in range(20)], np.zeros(1)
    gc.collect()
    for k, one in enumerate(kept):
        _sum(one, to)
        assert to[0] == 111.0 + k
    value = make(0.0)
    before = sys.getrefcount(value[1])
    holding = Held(value)
    _sum(holding, to)
    del holding
    gc.collect()
    after = sys.getrefcount(value[1])  # not in the assertion: pytest holds on to its parts
    assert after == before
