"""Lines whose curvature is linear between nodes: clothoids, arcs and straights joined without a jerk."""

from dataclasses import dataclass

import numpy as np

# Gauss-Legendre on one interval of about 1 m: the heading is a quadratic there, so the error
# is of the order of rounding for any curvature a car can follow.
_ABSCISSAE, _WEIGHTS = np.polynomial.legendre.leggauss(4)
_ABSCISSAE, _WEIGHTS = 0.5 * (_ABSCISSAE + 1.0), 0.5 * _WEIGHTS  # on [0, 1]


@dataclass(frozen=True, eq=False)
class ClothoidLine:
    """An open line with a node at every `spacing` metres of arc length, curvature linear between."""

    x: np.ndarray  # (N,) [m]
    y: np.ndarray  # (N,) [m]
    heading: np.ndarray  # (N,) unwrapped [rad]
    curvature: np.ndarray  # (N,) [1/m]
    spacing: float  # [m]


def from_curvature(curvature: np.ndarray, spacing: float, heading: float = 0.0) -> ClothoidLine:
    """The line with these (N,) curvatures at its nodes, from (0, 0) in direction `heading`."""
    mean = 0.5 * (curvature[:-1] + curvature[1:])
    headings = np.concatenate([[heading], heading + np.cumsum(mean * spacing)])
    rate = np.diff(curvature) / spacing
    step_x, step_y = _advance(headings[:-1], curvature[:-1], rate, np.full(len(rate), spacing))
    x, y = np.zeros(len(curvature)), np.zeros(len(curvature))
    np.cumsum(step_x, out=x[1:])
    np.cumsum(step_y, out=y[1:])
    return ClothoidLine(x, y, headings, curvature, spacing)


def offset(line: ClothoidLine, distance: float, spacing: float = 1.0) -> ClothoidLine:
    """The line `distance` to the left of `line`, with nodes at equal steps of its own arc length.

    The steps are as near to `spacing` as its length allows. The line must not fold: distance
    times curvature stays below 1. Curvature is exact at the nodes; between them the parallel
    of a clothoid is only nearly a clothoid, which no reader of the nodes can see.
    """
    if (distance * line.curvature).max() >= 1.0:
        raise ValueError(
            f"a line {distance:.3g} m to the left folds over where the curvature reaches "
            f"{1.0 / distance:.3g} 1/m; stay on the outer side of the centre of the bend"
        )
    if distance == 0.0 and spacing == line.spacing:
        return line
    along = line.spacing * np.arange(len(line.x))
    # The parallel is (1 - distance * curvature) as long as the line, at every point.
    own = along - distance * (line.heading - line.heading[0])
    steps = max(1, round(own[-1] / spacing))
    wanted = np.linspace(0.0, own[-1], steps + 1)
    node = np.clip(np.searchsorted(own, wanted, side="right") - 1, 0, len(along) - 2)
    start = line.curvature[node]
    rate = (line.curvature[node + 1] - start) / line.spacing
    missing = wanted - own[node]
    beyond = missing / (1.0 - distance * start)
    for _ in range(3):  # Newton; the first guess is already good to millimetres
        residual = beyond - distance * (start + 0.5 * rate * beyond) * beyond - missing
        beyond = beyond - residual / (1.0 - distance * (start + rate * beyond))
    heading = line.heading[node] + (start + 0.5 * rate * beyond) * beyond
    curvature = start + rate * beyond
    step_x, step_y = _advance(line.heading[node], start, rate, beyond)
    return ClothoidLine(
        x=line.x[node] + step_x - distance * np.sin(heading),
        y=line.y[node] + step_y + distance * np.cos(heading),
        heading=heading,
        curvature=curvature / (1.0 - distance * curvature),
        spacing=float(own[-1] / steps),
    )


def _advance(
    heading: np.ndarray, curvature: np.ndarray, rate: np.ndarray, distance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How far a clothoid leads in x and y after `distance`; all (N,)."""
    along = _ABSCISSAE[:, None] * distance
    angle = heading + (curvature + 0.5 * rate * along) * along
    return distance * (_WEIGHTS @ np.cos(angle)), distance * (_WEIGHTS @ np.sin(angle))
