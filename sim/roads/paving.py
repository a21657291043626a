"""Strips along a line: what paves and paints a road."""

import numpy as np

from ..road import Material, Ribbon

FOLD = 0.98  # of the radius of a bend: a strip on its inner side reaches no further
KERB_RADIUS = 60.0  # a bend at least this tight has a kerb [m]
KERB_WIDTH = 0.9  # [m]
KERB_DASH = 1.5  # of its white pieces, and the accent ones between them [m]
KERB_RUN = 12  # nodes that a kerb begins before its bend, and ends after it


class Paver:
    """Lays ribbons along one line of nodes, measured to the left of it [m]."""

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        heading: np.ndarray,
        curvature: np.ndarray,
        closed: bool,
    ) -> None:
        """All (N,), about 1 m apart; the offsets given to the methods are (N,) or one number."""
        self.curvature = curvature
        self.closed = closed
        self._points = np.column_stack([x, y])
        self._normals = np.column_stack([-np.sin(heading), np.cos(heading)])

    def strip(
        self,
        left: np.ndarray | float,
        right: np.ndarray | float,
        material: Material,
        dash: float = 0.0,
        gap: float = 0.0,
    ) -> Ribbon:
        """What lies between two offsets; `left` is the greater of the two."""
        return Ribbon(self._edge(left), self._edge(right), material, self.closed, dash, gap)

    def line(
        self,
        offset: np.ndarray | float,
        width: float,
        material: Material,
        dash: float = 0.0,
        gap: float = 0.0,
    ) -> Ribbon:
        """A painted line around an offset."""
        return self.strip(offset + 0.5 * width, offset - 0.5 * width, material, dash, gap)

    def kerbs(self, left: np.ndarray | float, right: np.ndarray | float) -> list[Ribbon]:
        """Accent and white by turns, outside the bounds `left` and `right`, inside tight bends."""
        ribbons = []
        sides = (
            (left + KERB_WIDTH, left, self.curvature),
            (right, right - KERB_WIDTH, -self.curvature),
        )
        for outer, inner, inside in sides:
            edges = self._edge(outer), self._edge(inner)
            for nodes in _runs(inside > 1.0 / KERB_RADIUS, KERB_RUN, self.closed):
                piece = edges[0][nodes], edges[1][nodes]
                ribbons.append(Ribbon(*piece, Material.ACCENT, closed=False))
                ribbons.append(
                    Ribbon(*piece, Material.WHITE, closed=False, dash=KERB_DASH, gap=KERB_DASH)
                )
        return ribbons

    def _edge(self, offset: np.ndarray | float) -> np.ndarray:
        """(N, 2) the points at an offset, or as far as they go without folding over."""
        reach = FOLD / np.maximum(np.abs(self.curvature), 1e-9)
        inside = np.sign(self.curvature) * offset
        offset = np.where(inside > reach, np.sign(offset) * reach, offset)
        return self._points + self._normals * offset[:, None]


def _runs(wanted: np.ndarray, margin: int, closed: bool) -> list[np.ndarray]:
    """Indices of every unbroken run of `wanted` nodes, `margin` nodes longer at both ends."""
    count = len(wanted)
    if not wanted.any():
        return []
    # Begin where nothing is wanted, so that no run is cut in two by the start of a circuit.
    first = int(np.argmin(wanted)) if closed else 0
    places = np.flatnonzero(np.roll(wanted, -first)) + first
    runs = []
    for run in np.split(places, np.flatnonzero(np.diff(places) > 2 * margin) + 1):
        nodes = np.arange(run[0] - margin, run[-1] + margin + 1)
        nodes = nodes % count if closed else nodes[(nodes >= 0) & (nodes < count)]
        runs.append(nodes)
    return runs
