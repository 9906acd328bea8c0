"""Convex pieces of models: what a physics engine lets touch each other. A chair is legs, a seat and a back to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy
from numpy.typing import NDArray

from scenes.assets.hull import convex_hull
from scenes.mesh import Geometry

Array = NDArray[np.float64]

PIECES = 16
"""Most pieces of a model."""

# A piece whose hull bridges no wider a gap stays whole. All lengths here are in diagonals of the model.
_GAP = 0.06
# Edges are split until none is longer, so that there are points of a large face on both sides of a cut.
_EDGE = 0.05
# Pieces are at least twice as thick, because bodies need a volume.
_THIN = 0.002
# Volumes that differ by a smaller share count as equal.
_TIE = 0.05
# Gaps and volumes are measured on points of a grid of this many cells along the diagonal.
_CELLS = 40


def convex_pieces(geometry: Geometry) -> tuple[Array, ...]:
    """Corners (k, 3) float64 of convex solids that cover a unit model's surface and bridge no wide gap in it.

    The piece whose hull bridges the widest gap is cut in the middle, across the axis where the hulls of both sides are
    smallest together. This goes on until no wide gap is left or there are `PIECES` pieces. A convex model stays whole.
    """
    import trimesh

    vertices = geometry.vertices.astype(np.float64)
    points, _ = trimesh.remesh.subdivide_to_size(vertices, geometry.faces, _EDGE, max_iter=16)
    cells = np.round(points * _CELLS).astype(np.int64) @ (1, 1 << 10, 1 << 20)
    pieces = [_Piece(points, points[np.unique(cells, return_index=True)[1]])]
    while len(pieces) < PIECES:
        widest = max(range(len(pieces)), key=lambda k: pieces[k].gap)
        if pieces[widest].gap <= _GAP:
            break
        pieces[widest : widest + 1] = pieces[widest].halves()
    return tuple(piece.corners() for piece in pieces)


@dataclass(frozen=True, eq=False)
class _Piece:
    """A part of a surface. points: (n, 3). few: (m, 3) of them, one for each cell of the grid, to measure by."""

    points: Array
    few: Array

    @property
    def volume(self) -> float:
        return 0.0 if self._hull is None else float(self._hull.volume)

    @property
    def gap(self) -> float:
        """How far the middle of a face of the hull is from the surface, where that is farthest; 0 if flat."""
        return self._bridge[0]

    def halves(self) -> tuple[_Piece, _Piece]:
        """Both sides of the best cut. They overlap by the length of an edge, so no slit is left between them."""
        middle = (self.few.min(axis=0) + self.few.max(axis=0)) / 2
        cuts = [(self._beyond(axis, middle[axis], -1), self._beyond(axis, middle[axis], 1)) for axis in range(3)]
        # One cut of a tube leaves as much volume as another. Then that along the way into the tube leads on.
        across = 1 + _TIE * np.abs(self._bridge[1])
        return min(zip(cuts, across, strict=True), key=lambda cut: (cut[0][0].volume + cut[0][1].volume) * cut[1])[0]

    @cached_property
    def _bridge(self) -> tuple[float, Array]:
        """The widest gap, and the normal (3,) of the face of the hull over it."""
        if self._hull is None:
            return 0.0, np.zeros(3)
        middles = self.few[self._hull.simplices].mean(axis=1)
        gaps = scipy.spatial.cKDTree(self.few).query(middles)[0]
        face = int(gaps.argmax())
        return float(gaps[face]), self._hull.equations[face, :3]

    def corners(self) -> Array:
        """(k, 3) corners of a convex hull with some volume."""
        shifted = self.points - self.points.mean(axis=0)
        widths = np.ptp(shifted @ np.linalg.svd(shifted, full_matrices=False)[2].T, axis=0)
        points = self.points
        if len(widths) < 3 or widths.min() < 2 * _THIN:
            points = np.concatenate([points + step for step in _THIN * np.concatenate([np.eye(3), -np.eye(3)])])
        return np.asarray(points[scipy.spatial.ConvexHull(points).vertices])

    def _beyond(self, axis: int, place: float, sign: int) -> _Piece:
        points, few = (some[sign * (some[:, axis] - place) >= -_EDGE / 2] for some in (self.points, self.few))
        return _Piece(points, few)

    @cached_property
    def _hull(self) -> scipy.spatial.ConvexHull | None:
        """Of the few points; None if they are flat."""
        return convex_hull(self.few)
