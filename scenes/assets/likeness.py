"""Whether a mesh still has the size, the area and the outlines of the mesh that it was made from."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from scenes.mesh import Floats, Ints, face_crosses, unit

# (vertices, faces)
Mesh = tuple[Floats, Ints]

# Collapses smooth noise away, so a rough surface loses area; it never gains much.
MAX_SIZE_CHANGE, MIN_AREA, MAX_AREA = 0.03, 0.6, 1.1
# An outline is drawn with so many points in so many cells across. It may differ by a cell on each side.
_POINTS, _CELLS, _MAX_OUTSIDE = 200_000, 64, 0.02
_VIEWS = unit(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [1, -1, 1], [-1, 1, 1]], dtype=np.float64))


def difference(before: Mesh, after: Mesh) -> str:
    """What differs more than a fair simplification explains, in words; nothing if the shape is what it was."""
    low, high = _box(before)
    size = float(np.linalg.norm(high - low))
    moved = float(max(np.abs(np.array(_box(after)) - (low, high)).max() / size, 0.0))
    if not moved <= MAX_SIZE_CHANGE:
        return f"its size changes by {moved:.1%}"
    areas = [float(np.linalg.norm(face_crosses(*mesh), axis=1).sum()) for mesh in (before, after)]
    if not MIN_AREA * areas[0] <= areas[1] <= MAX_AREA * areas[0]:
        return f"its area becomes {areas[1] / areas[0]:.1%} of what it was"
    clouds = [(_scattered(*mesh) - low) / size for mesh in (before, after)]
    for view in _VIEWS:
        was, now = (_outline(cloud, view) for cloud in clouds)
        outside = max(
            (now & ~scipy.ndimage.binary_dilation(was)).sum() / now.sum(),
            (was & ~scipy.ndimage.binary_dilation(now)).sum() / was.sum(),
        )
        if outside > _MAX_OUTSIDE:
            return f"{outside:.1%} of its outline changes"
    return ""


def _box(mesh: Mesh) -> tuple[Floats, Floats]:
    used = mesh[0][np.unique(mesh[1])]
    return used.min(axis=0), used.max(axis=0)


def _scattered(vertices: Floats, faces: Ints) -> NDArray[np.float64]:
    """Points spread evenly over the surface, and its vertices, which a thin spike has too."""
    areas = np.linalg.norm(face_crosses(vertices, faces), axis=1)
    steps = np.cumsum(areas)
    random = np.random.default_rng(0)
    # In order, so that each search and each look-up is near the one before it.
    face = np.searchsorted(steps, np.sort(random.uniform(0, steps[-1], _POINTS))).clip(max=len(faces) - 1)
    a, b, c = (vertices[faces[face, k]] for k in range(3))
    u, v = np.sqrt(random.uniform(size=(_POINTS, 1))), random.uniform(size=(_POINTS, 1))
    return np.concatenate([a * (1 - u) + b * (u * (1 - v)) + c * (u * v), vertices[np.unique(faces)]])


def _outline(cloud: NDArray[np.float64], view: Floats) -> NDArray[np.bool_]:
    """(n, n) the cells that are covered, seen along `view`. cloud: points of a model of size 1."""
    across = unit(np.cross(view, (0.0, 0.0, 1.0) if abs(view[2]) < 0.9 else (1.0, 0.0, 0.0)))
    # The box's diagonal is 1, so with its low corner at the origin no point lies farther than 1 from there.
    row, column = (((cloud @ axis + 1.1) * _CELLS).astype(np.int32) for axis in (across, np.cross(view, across)))
    side = int(2.2 * _CELLS) + 1
    covered = np.zeros(side**2, dtype=bool)
    # One index is written twice as fast as two.
    covered[row * side + column] = True
    return covered.reshape(side, side)
