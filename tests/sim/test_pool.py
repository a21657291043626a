"""Roads side by side in flat tables: each stays what it is alone."""

import numpy as np

from redrive.sim.lanes import make_table
from redrive.sim.pool import RoadPool
from redrive.sim.roads.source import RoadSource
from redrive.sim.scene import build_scene
from redrive.sim.world import RoadWorld

SOURCE = "procedural:0-12"


def test_roads_are_loaded_once_and_when_they_are_asked_for() -> None:
    pool = RoadPool(RoadSource(SOURCE))
    first = pool.load(np.array([7, 2, 7, 7]))
    assert sorted(set(first.tolist())) == [0, 1]
    assert first[0] == first[2] == first[3] != first[1]
    nodes = len(pool.lanes.nodes)
    np.testing.assert_array_equal(pool.load(np.array([2, 7])), [first[1], first[0]])
    assert len(pool.lanes.nodes) == nodes
    assert (pool.slots >= 0).sum() == 2


def test_each_road_is_in_the_pool_as_it_is_alone() -> None:
    source = RoadSource(SOURCE)
    pool = RoadPool(source)
    order = np.array([5, 0, 11, 3, 4, 8, 1])
    for number in order:  # one by one: the arrays grow several times
        pool.load(np.array([number]))
    lanes, scene = pool.lanes, pool.scene
    for number in order:
        slot = int(pool.slots[number])
        alone = make_table(source.road(int(number)))
        first, stop = lanes.road_first[slot], lanes.road_first[slot + 1]
        assert stop - first == len(alone.lanes)
        for mine, theirs in zip(lanes.lanes[first:stop], alone.lanes, strict=True):
            a, b = mine["first"], theirs["first"]
            count = mine["count"]
            assert count == theirs["count"] and mine["length"] == theirs["length"]
            assert lanes.nodes[a : a + count].tobytes() == alone.nodes[b : b + count].tobytes()
            assert mine["successor"] == theirs["successor"] == -1
        drawn = build_scene(source.road(int(number)))
        blocks = scene.blocks[scene.first_block[slot] : scene.first_block[slot + 1]]
        own = drawn.blocks[drawn.first_block[0] : drawn.first_block[1]]
        assert len(blocks) == len(own)
        shift = blocks["first"] - own["first"]
        assert (shift == shift[0]).all()


def test_the_order_of_loading_does_not_change_a_road() -> None:
    one, other = RoadPool(RoadSource(SOURCE)), RoadPool(RoadSource(SOURCE))
    one.load(np.arange(12))
    for number in range(11, -1, -1):
        other.load(np.array([number]))
    for number in range(12):
        tables = []
        for pool in (one, other):
            slot = pool.slots[number]
            lane = pool.lanes.lanes[pool.lanes.road_first[slot]]
            tables.append(pool.lanes.nodes[lane["first"] : lane["first"] + lane["count"]].tobytes())
        assert tables[0] == tables[1]


def test_the_order_of_loading_does_not_change_a_picture() -> None:
    roads, views = np.arange(6), []
    for order in (roads, roads[::-1], np.array([3, 0, 5, 1, 4, 2])):
        world = RoadWorld(SOURCE)
        for number in order:
            world.pool.load(np.array([number]))
        views.append(world.observe(world.reset(roads, roads=roads))["camera"])
    assert views[0].tobytes() == views[1].tobytes() == views[2].tobytes()
    assert views[0].std(axis=(1, 2, 3)).min() > 10.0
