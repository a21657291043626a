"""Sine, cosine and angle of a direction for the compiled core: short, without calls, the same bits.

The C library's functions cost more than the rest of a car's step, and differ in their last bits
from machine to machine. These use additions, products and one quotient only.

Source: the polynomials of FreeBSD's msun (k_sin.c, k_cos.c, Sun Microsystems 1993) and of Cephes
(atan.c, Moshier 1989).
"""

import numpy as np

from .compiled import compiled, inlined

LARGE = 1e4  # [rad]; larger angles, infinity and NaN are left to the C library

_QUARTERS = 2.0 / np.pi
_PI_A = 1.57079632673412561417e00  # pi / 2 in three parts of 33 bits: products with whole
_PI_B = 6.07710050630396597660e-11  # numbers below 2**20 are exact
_PI_C = 2.02226624879595063154e-21
_EIGHTH = 0.66  # beyond this tangent an angle is measured from pi / 4


@inlined
def small_sin_cos(angle):  # type: ignore[no-untyped-def]
    """`sin_cos` of an angle that is known to be below LARGE; without calls, so for many at once."""
    turns = np.rint(angle * _QUARTERS)
    r = ((angle - turns * _PI_A) - turns * _PI_B) - turns * _PI_C
    z = r * r
    sin = r + r * z * (
        -1.66666666666666324348e-01
        + z
        * (
            8.33333333332248946124e-03
            + z
            * (
                -1.98412698298579493134e-04
                + z
                * (
                    2.75573137070700676789e-06
                    + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)
                )
            )
        )
    )
    half = 0.5 * z
    one = 1.0 - half
    cos = one + (
        ((1.0 - one) - half)
        + z
        * z
        * (
            4.16666666666666019037e-02
            + z
            * (
                -1.38888888888741095749e-03
                + z
                * (
                    2.48015872894767294178e-05
                    + z
                    * (
                        -2.75573143513906633035e-07
                        + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)
                    )
                )
            )
        )
    )
    quarter = np.int64(turns)
    if quarter & 1:
        sin, cos = cos, -sin
    if quarter & 2:
        sin, cos = -sin, -cos
    return sin, cos


@inlined
def sin_cos(angle):  # type: ignore[no-untyped-def]
    """Sine and cosine of an angle [rad], within two units of their last place.

    Zero gives exactly 0 and 1; those of -a are -sin and cos of a, exactly.
    """
    if not abs(angle) < LARGE:
        return np.sin(angle), np.cos(angle)
    return small_sin_cos(angle)


@inlined
def sure_angle_of(sin, cos):  # type: ignore[no-untyped-def]
    """`angle_of` what is known to be a direction; without calls, so for many at once."""
    along, side = abs(cos), abs(sin)
    small, large = min(along, side), max(along, side)
    steep = small > _EIGHTH * large
    base = 0.25 * np.pi if steep else 0.0
    t = (small - large if steep else small) / (small + large if steep else large)
    z = t * t
    over = (
        (
            (-8.750608600031904122785e-01 * z - 1.615753718733365076637e01) * z
            - 7.500855792314704667340e01
        )
        * z
        - 1.228866684490136173410e02
    ) * z - 6.485021904942025371773e01
    under = (
        (
            ((z + 2.485846490142306297962e01) * z + 1.650270098316988542046e02) * z
            + 4.328810604912902668951e02
        )
        * z
        + 4.853903996359136964868e02
    ) * z + 1.945506571482613964425e02
    angle = base + (t + t * z * (over / under))
    if side > along:
        angle = 0.5 * np.pi - angle
    if cos < 0.0:
        angle = np.pi - angle
    return np.copysign(angle, sin)


@inlined
def angle_of(sin, cos):  # type: ignore[no-untyped-def]
    """Angle [rad] in [-pi, pi] of the direction (cos, sin), of any length; as np.arctan2(sin, cos).

    Within two units of its last place.
    """
    if not 0.0 < abs(cos) + abs(sin) < np.inf:  # no direction at all, NaN, infinity
        return np.arctan2(sin, cos)
    return sure_angle_of(sin, cos)


@compiled
def sines_cosines(angle, sin, cos):  # type: ignore[no-untyped-def]
    """Fill `sin` and `cos` (B,) with those of `angle` (B,) [rad]."""
    for i in range(angle.size):
        sin[i], cos[i] = sin_cos(angle[i])


@compiled
def angles_of(sin, cos, angle):  # type: ignore[no-untyped-def]
    """Fill `angle` (B,) [rad] with those of the directions (`cos`, `sin`)."""
    for i in range(angle.size):
        angle[i] = angle_of(sin[i], cos[i])
