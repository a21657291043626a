"""A smooth closed curve through noisy points."""

from dataclasses import dataclass
from math import comb, factorial

import numpy as np

DEGREE = 5  # four continuous derivatives: curvature and its rate are smooth
KNOT_SPACING = 5.0  # [m]
OVERLAP = 64  # knots by which the open fit runs on over its own start


@dataclass(frozen=True, eq=False)
class PeriodicSpline:
    """A quintic B-spline with equal knots, in any number of columns; the first two are x and y."""

    coefficients: np.ndarray  # (K, C)
    period: float  # of its parameter, which is about arc length [m]

    @classmethod
    def fit(cls, points: np.ndarray, columns: np.ndarray, wavelength: float) -> "PeriodicSpline":
        """Least squares with a penalty on the third derivative.

        A wave of `wavelength` [m] along the curve keeps half its height, longer ones nearly all
        of it, shorter ones nearly none.

        Args:
            points: (N, 2), whose distances place the rows along the curve [m].
            columns: (N, C), what is fitted.
        """
        steps = np.hypot(*(np.roll(points, -1, axis=0) - points).T)
        period = float(steps.sum())
        parameters = np.concatenate([[0.0], np.cumsum(steps[:-1])])
        count = max(2 * DEGREE, round(period / KNOT_SPACING))
        knot = period / count
        weight = len(points) / period * (wavelength / (2.0 * np.pi)) ** 6
        # The curve is fitted as an open one that runs on over its start by `OVERLAP` knots. The
        # influence of the ends fades by half with every knot or two, so the middle is periodic.
        turns = int(np.ceil(OVERLAP / count))
        shifts = period * np.arange(-turns, turns + 1)
        where = (shifts[:, None] + parameters).ravel() / knot + OVERLAP
        rows = np.tile(columns, (len(shifts), 1))
        span = np.floor(where).astype(int)
        kept = (span >= 0) & (span < count + 2 * OVERLAP)
        where, span, rows = where[kept], span[kept], rows[kept]
        size = count + 2 * OVERLAP + DEGREE
        band = np.zeros((size + DEGREE, DEGREE + 1))
        right = np.zeros((size, columns.shape[1]))
        basis = _basis(where - span, 0)
        rough = _gram(3) * weight / knot**5
        spans = np.arange(count + 2 * OVERLAP)
        for i in range(DEGREE + 1):
            np.add.at(right, span + i, basis[:, i, None] * rows)
            for j in range(i, DEGREE + 1):
                np.add.at(band[:, j - i], span + i, basis[:, i] * basis[:, j])
                band[spans + i, j - i] += rough[i, j]
        coefficients = _solve_banded(band, right)
        return cls(coefficients[OVERLAP : OVERLAP + count], period)

    def at(self, parameters: np.ndarray, derivative: int = 0) -> np.ndarray:
        """(N, C) the columns, or a derivative of them by the parameter."""
        count = len(self.coefficients)
        where = parameters * (count / self.period)
        span = np.floor(where).astype(int)
        weights = _basis(where - span, derivative) * (count / self.period) ** derivative
        nodes = (span[:, None] + np.arange(DEGREE + 1)) % count
        return np.einsum("ni,nic->nc", weights, self.coefficients[nodes])

    def curvature(self, parameters: np.ndarray) -> np.ndarray:
        """(N,) [1/m], positive turns left; not finite where the curve stops and turns on the spot."""
        first, second = self.at(parameters, 1), self.at(parameters, 2)
        cross = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            return cross / np.hypot(first[:, 0], first[:, 1]) ** 3

    def equal_steps(self, spacing: float) -> tuple[np.ndarray, float]:
        """(M,) parameters of points at equal arc length once round, and how far apart [m].

        The steps are as near to `spacing` as the length of the curve allows.
        """
        grid = np.linspace(0.0, self.period, 4 * len(self.coefficients) + 1)
        along = np.concatenate([[0.0], np.cumsum(self._arc_length(grid[:-1], grid[1:]))])
        count = max(3, round(along[-1] / spacing))
        wanted = along[-1] / count * np.arange(count)
        start = np.searchsorted(along, wanted, side="right") - 1
        found = np.interp(wanted, along, grid)
        for _ in range(3):  # Newton; the first guess is already good to millimetres
            missing = wanted - along[start] - self._arc_length(grid[start], found)
            found = found + missing / np.hypot(*self.at(found, 1)[:, :2].T)
        return found, float(along[-1] / count)

    def _arc_length(self, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
        abscissae, weights = np.polynomial.legendre.leggauss(5)
        inside = start + 0.5 * (abscissae[:, None] + 1.0) * (stop - start)
        slope = self.at(inside.ravel(), 1)
        speed = np.hypot(slope[:, 0], slope[:, 1]).reshape(inside.shape)
        return 0.5 * (stop - start) * (weights @ speed)


def _pieces() -> np.ndarray:
    """(DEGREE + 1, DEGREE + 1): row i, the polynomial (ascending) of coefficient i on its span."""
    pieces = np.zeros((DEGREE + 1, DEGREE + 1))
    for span in range(DEGREE + 1):
        for i in range(span + 1):
            for power in range(DEGREE + 1):
                pieces[span, power] += (
                    (-1) ** i
                    * comb(DEGREE + 1, i)
                    * comb(DEGREE, power)
                    * (span - i) ** (DEGREE - power)
                    / factorial(DEGREE)
                )
    return pieces[::-1]


_PIECES = _pieces()


def _basis(within: np.ndarray, derivative: int) -> np.ndarray:
    """(N, DEGREE + 1) weights of the coefficients at a place within a span, 0 to 1."""
    polynomials = _PIECES
    for _ in range(derivative):
        polynomials = polynomials[:, 1:] * np.arange(1, polynomials.shape[1])
    return np.vander(within, polynomials.shape[1], increasing=True) @ polynomials.T


def _gram(derivative: int) -> np.ndarray:
    """Integrals over one span of the products of the basis functions' derivatives."""
    abscissae, weights = np.polynomial.legendre.leggauss(DEGREE + 1)
    basis = _basis(0.5 * (abscissae + 1.0), derivative)
    return basis.T @ (0.5 * weights[:, None] * basis)


def _solve_banded(band: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Cholesky for a symmetric matrix whose diagonals from the main one up are columns of `band`.

    Args:
        band: (N + DEGREE, DEGREE + 1), the last DEGREE rows 0; is overwritten.
        right: (N, C); is overwritten with the solution and returned.
    """
    for row in range(len(right)):
        pivot = band[row, 0]
        factors = band[row, 1:] / pivot
        for j in range(DEGREE):
            band[row + 1 + j, : DEGREE - j] -= factors[j] * band[row, 1 + j :]
        below = right[row + 1 : row + 1 + DEGREE]
        below -= factors[: len(below), None] * right[row]
        right[row] /= pivot
        band[row, 1:] = factors
    for row in range(len(right) - 2, -1, -1):
        above = right[row + 1 : row + 1 + DEGREE]
        right[row] -= band[row, 1 : 1 + len(above)] @ above
    return right
