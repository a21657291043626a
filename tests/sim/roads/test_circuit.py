"""Tests of circuits from a seed."""

import numpy as np
import pytest

from redrive.sim.roads.circuit import Circuit
from redrive.sim.roads.source import RoadSource


@pytest.mark.parametrize("seed", range(20))
def test_a_circuit_goes_around_once_and_crosses_itself_nowhere(seed: int) -> None:
    (lane,) = Circuit(seed).make().lanes
    assert lane.closed
    turned = np.unwrap(np.append(lane.heading, lane.heading[0]))
    assert abs(turned[-1] - turned[0]) == pytest.approx(2.0 * np.pi)
    around = np.unwrap(np.arctan2(lane.y, lane.x))  # seen from the middle it only goes one way
    assert (np.diff(around) > 0.0).all() or (np.diff(around) < 0.0).all()


@pytest.mark.parametrize("seed", range(20))
def test_no_bend_is_too_tight_to_be_driven(seed: int) -> None:
    (lane,) = Circuit(seed).make().lanes
    assert np.abs(lane.curvature).max() < 1.0 / 50.0


def test_circuits_turn_both_ways() -> None:
    first = [Circuit(seed).make().lanes[0].heading for seed in range(8)]
    ways = {bool(heading[-1] > heading[0]) for heading in first}
    assert ways == {True, False}


def test_a_world_string_names_circuits_and_a_seed_is_one_circuit() -> None:
    source = RoadSource("circuit:seeds=5-8")
    assert source.count == 3
    assert [source.name(i) for i in range(3)] == [f"circuit:seed={seed}" for seed in (5, 6, 7)]
    again = RoadSource("circuit:seed=6").road(0)
    assert again.name == source.road(1).name
    np.testing.assert_array_equal(again.lanes[0].x, source.road(1).lanes[0].x)
    assert not np.array_equal(source.road(0).lanes[0].x[:50], source.road(1).lanes[0].x[:50])


def test_a_circuit_has_no_other_settings() -> None:
    with pytest.raises(ValueError, match="'delay=3' is no setting of circuit"):
        RoadSource("circuit:delay=3")
