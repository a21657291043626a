"""Many cars at once against one car: the same bits."""

import numpy as np

from redrive.sim.compiled import compiled
from redrive.sim.gait import SLICE, aim, find_feet, found, go_along, make_gait
from redrive.sim.lanes import NODE, foot_between
from redrive.sim.vehicle import move, way_of


@compiled
def _arcs(x, y, yaw, speed, bend, out):  # type: ignore[no-untyped-def]
    """Rows 0-4 of `out`: x, y, sine, cosine, distance of many at once; rows 5-9 of each alone."""
    gait = make_gait()
    for k in range(SLICE):
        gait.x[k], gait.y[k], gait.yaw[k] = x[k], y[k], yaw[k]
        _, gait.distance[k] = way_of(speed[k], -2.0, 0.1, 30.0)
        gait.half[k] = 0.5 * bend[k] * gait.distance[k]
    go_along(gait, SLICE)
    for k in range(SLICE):
        out[0, k], out[1, k], out[2, k], out[3, k], out[4, k] = (
            gait.x[k], gait.y[k], gait.sin[k], gait.cos[k], gait.distance[k],
        )  # fmt: skip
        out[5, k], out[6, k], _, _, out[9, k], out[8, k], out[7, k] = move(
            x[k], y[k], yaw[k], speed[k], bend[k], -2.0, 0.1, 30.0
        )


@compiled
def _feet(nodes, x, y, u, out):  # type: ignore[no-untyped-def]
    """Rows 0-4 of `out`: found, s, lateral, cos, sin of many at once; rows 5-9 of each alone."""
    gait = make_gait()
    for k in range(SLICE):
        gait.x[k], gait.y[k], gait.s[k] = x[k], y[k], 2.0 * u[k]
        aim(gait, k, nodes[0], nodes[1], 2.0, u[k])
    find_feet(gait, SLICE)
    for k in range(SLICE):
        out[0, k], out[1, k], out[2, k], out[3, k], out[4, k] = (
            found(gait, k), gait.s[k], gait.lateral[k], gait.dx[k], gait.dy[k],
        )  # fmt: skip
        out[5, k], out[6, k], out[7, k], out[8, k], out[9, k], _ = foot_between(
            nodes[0], nodes[1], 2.0, x[k], y[k], 2.0 * u[k], u[k]
        )


def test_arcs_are_those_of_one_car() -> None:
    rng = np.random.default_rng(0)
    out = np.zeros((10, SLICE))
    speed = rng.uniform(0.0, 40.0, SLICE)
    bend = rng.uniform(-0.2, 0.2, SLICE) * (np.arange(SLICE) % 5 != 0)  # some straight on
    speed[:4] = 0.05  # stops on the way
    x, y, yaw = rng.uniform(-3.0, 3.0, (3, SLICE))
    _arcs(x, y, yaw, speed, bend, out)
    assert out[:5].tobytes() == out[5:].tobytes()


def test_feet_are_those_of_one_car_and_what_is_not_found_is_told() -> None:
    nodes = np.zeros(2, NODE)
    nodes["x"], nodes["y"] = (0.0, 1.98), (0.0, 0.2)
    nodes["cos"], nodes["sin"] = np.cos((0.0, 0.2)), np.sin((0.0, 0.2))
    rng = np.random.default_rng(1)
    out = np.zeros((10, SLICE))
    x, y = rng.uniform(-1.0, 3.0, SLICE), rng.uniform(-2.0, 2.0, SLICE)
    _feet(nodes, x, y, rng.uniform(-0.2, 1.2, SLICE), out)
    seen = out[0] == 1.0
    assert 10 < seen.sum() < SLICE
    assert out[:5, seen].tobytes() == out[5:, seen].tobytes()
    assert (out[5][seen] == 1.0).all()
    assert NODE.itemsize == 64  # a line of the cache
