"""The arithmetic of a step for many cars at once: the arc they drive, and their feet on their lanes.

It is what `vehicle.move` and `lanes.foot_between` do, in loops without branches that the compiler turns
into vector instructions: the same operations in the same order, so the same bits, in a third of the time.
One car alone waits for each operation to end. What is rare is left to those functions.
"""

from typing import NamedTuple

import numpy as np

from .compiled import inlined
from .lanes import CLOSE, cubic, towards_foot
from .trig import small_sin_cos
from .vehicle import along_arc

SLICE = 64  # cars that are computed together: their rows fit into the fastest cache
ROUNDS = 5  # of Newton's method in step; two or three are usual
_GOING, _FOUND, _ELSEWHERE = 1.0, 2.0, 0.0


class Gait(NamedTuple):
    """Rows of numbers of up to SLICE cars, float64."""

    yaw: np.ndarray
    distance: np.ndarray  # to be driven along the arc [m]
    half: np.ndarray  # of the angle that is turned [rad]
    half_sin: np.ndarray
    half_cos: np.ndarray
    sin: np.ndarray  # of the yaw
    cos: np.ndarray
    x: np.ndarray  # of the rear axle [m]
    y: np.ndarray
    s: np.ndarray  # arc length [m]
    u: np.ndarray  # share of the way between the two nodes
    scale: np.ndarray  # one over their distance [1/m]
    ax: np.ndarray  # the centre line between them is a cubic, see `lanes.cubic`
    bx: np.ndarray
    cx: np.ndarray
    x0: np.ndarray
    ay: np.ndarray
    by: np.ndarray
    cy: np.ndarray
    y0: np.ndarray
    away_x: np.ndarray  # from the foot to the car [m]
    away_y: np.ndarray
    dx: np.ndarray  # direction of the lane
    dy: np.ndarray
    lateral: np.ndarray  # [m]
    state: np.ndarray  # of the search


@inlined
def make_gait():  # type: ignore[no-untyped-def]
    """Room for SLICE cars."""
    r = np.empty((26, SLICE))
    return Gait(
        r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13],
        r[14], r[15], r[16], r[17], r[18], r[19], r[20], r[21], r[22], r[23], r[24], r[25],
    )  # fmt: skip


@inlined
def go_along(gait, count):  # type: ignore[no-untyped-def]
    """Move x, y, yaw of cars along their arcs, and set sine and cosine of the yaw.

    The yaw is left as the sum, not yet between -pi and pi.
    """
    for k in range(count):
        gait.half_sin[k], gait.half_cos[k] = small_sin_cos(gait.half[k])
    for k in range(count):
        gait.sin[k], gait.cos[k] = small_sin_cos(gait.yaw[k])
    for k in range(count):
        half = gait.half[k]
        gone_x, gone_y, gait.sin[k], gait.cos[k] = along_arc(
            gait.distance[k], half, gait.half_sin[k], gait.half_cos[k], gait.sin[k], gait.cos[k]
        )
        gait.x[k] += gone_x
        gait.y[k] += gone_y
        gait.yaw[k] += 2.0 * half


@inlined
def aim(gait, k, a, b, spacing, u):  # type: ignore[no-untyped-def]
    """Begin the search for a car's foot between two `NODE`s; see `lanes.foot_between`."""
    _, _, ax, bx, cx, x, ay, by, cy, y = cubic(a, b, spacing, u)
    gait.ax[k], gait.bx[k], gait.cx[k], gait.x0[k] = ax, bx, cx, x
    gait.ay[k], gait.by[k], gait.cy[k], gait.y0[k] = ay, by, cy, y
    gait.u[k], gait.scale[k] = u, 1.0 / spacing
    gait.state[k] = _GOING if 0.0 <= u <= 1.0 else _ELSEWHERE


@inlined
def _search_once(gait, count):  # type: ignore[no-untyped-def]
    """One step of Newton's method for all cars whose search goes on."""
    for k in range(count):
        u, scale, state = gait.u[k], gait.scale[k], gait.state[k]
        going = state == _GOING
        change, away_x, away_y, dx, dy, ddx, ddy = towards_foot(
            gait.ax[k], gait.bx[k], gait.cx[k], gait.x0[k], gait.ay[k], gait.by[k], gait.cy[k],
            gait.y0[k], scale, gait.x[k], gait.y[k], u,
        )  # fmt: skip
        u_then = u + change * scale
        state_then = _ELSEWHERE if u_then < 0.0 else _GOING
        state_then = _ELSEWHERE if u_then > 1.0 else state_then
        state_then = _FOUND if abs(change) < CLOSE else state_then
        s, old_x, old_y, old_dx, old_dy = (
            gait.s[k], gait.away_x[k], gait.away_y[k], gait.dx[k], gait.dy[k],
        )  # fmt: skip
        s_then = s + change
        gait.s[k] = s_then if going else s
        gait.u[k] = u_then if going else u
        gait.state[k] = state_then if going else state
        # Of use once it is found: what is left is the square of this.
        away_x -= change * dx
        away_y -= change * dy
        dx += change * ddx
        dy += change * ddy
        gait.away_x[k] = away_x if going else old_x
        gait.away_y[k] = away_y if going else old_y
        gait.dx[k] = dx if going else old_dx
        gait.dy[k] = dy if going else old_dy


@inlined
def find_feet(gait, count):  # type: ignore[no-untyped-def]
    """Search for the feet of cars on their pieces of lane; `found` says whose was found.

    Sets s, lateral and dx, dy: as `lanes.foot_between` gives them.
    """
    for _ in range(ROUNDS):
        _search_once(gait, count)
        going = 0
        for k in range(count):
            going += 1 if gait.state[k] == _GOING else 0
        if going == 0:
            break
    for k in range(count):
        dx, dy = gait.dx[k], gait.dy[k]
        scale = 1.0 / np.sqrt(dx * dx + dy * dy)
        dx *= scale
        dy *= scale
        gait.dx[k], gait.dy[k] = dx, dy
        gait.lateral[k] = gait.away_y[k] * dx - gait.away_x[k] * dy


@inlined
def found(gait, k):  # type: ignore[no-untyped-def]
    """Whether a car's foot was found where it was searched for."""
    return gait.state[k] == _FOUND
