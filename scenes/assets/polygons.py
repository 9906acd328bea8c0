"""Polygons of any number of corners, as triangles that cover what the polygon covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.mesh import Floats, Ints


def triangles(points: Floats, corners: Ints, counts: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut polygons into triangles. Convex ones are fanned, others cut by their ears.

    points: (n, 3). corners: (k,) indices into `points`, polygon after polygon. counts: (p,) corners of each polygon.
    Returns (m, 3) positions in `corners`, and (m,) the polygon of each triangle, in the order of the polygons.
    Polygons with fewer than three corners have no triangles.
    """
    counts = np.asarray(counts, dtype=np.int64)
    starts = np.cumsum(counts) - counts
    cut, owner = [np.empty((0, 3), dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for count in np.unique(counts[counts >= 3]):
        which = np.flatnonzero(counts == count)
        # One huge polygon, or many small ones: a block of rows is small either way.
        for rows in np.array_split(which, max(1, len(which) * int(count) // 2_000_000)):
            at = starts[rows, None] + np.arange(count)
            round_ = _concave(points[corners[at]]) if count > 3 else np.zeros(len(rows), dtype=bool)
            step = np.arange(1, count - 1)
            fan = np.stack([np.zeros_like(step), step, step + 1], axis=1)
            cut.append(at[~round_][:, fan].reshape(-1, 3))
            owner.append(np.repeat(rows[~round_], count - 2))
            for row, places in zip(rows[round_], at[round_], strict=True):
                made = places[_ears(points[corners[places]])]
                cut.append(made)
                owner.append(np.full(len(made), row))
    polygon = np.concatenate(owner)
    order = np.argsort(polygon, kind="stable")
    return np.concatenate(cut)[order], polygon[order]


def _normals(loops: Floats) -> NDArray[np.float64]:
    """(p, 3) Newell normals of polygons (p, k, 3)."""
    loops = loops - loops.mean(axis=1, keepdims=True)
    return np.asarray(np.cross(loops, np.roll(loops, -1, axis=1)).sum(axis=1))


def _concave(loops: Floats) -> NDArray[np.bool_]:
    """(p,) whether a polygon turns the other way somewhere."""
    sides = np.roll(loops, -1, axis=1) - loops
    turns = np.einsum("pkj,pj->pk", np.cross(np.roll(sides, 1, axis=1), sides), _normals(loops))
    return np.asarray((turns < -1e-9 * np.abs(turns).max(axis=1, keepdims=True)).any(axis=1))


def _ears(loop: Floats) -> NDArray[np.int64]:
    """(m, 3) triangles of one polygon (k, 3), cut in its plane."""
    from mapbox_earcut import triangulate_float64

    (normal,) = _normals(loop[None])
    drop = int(np.abs(normal).argmax())
    flat = np.ascontiguousarray(np.delete(loop, drop, axis=1), dtype=np.float64)
    made = np.asarray(triangulate_float64(flat, np.array([len(loop)], dtype=np.uint32)), dtype=np.int64).reshape(-1, 3)
    # The library turns all triangles one way; ours turn as the polygon does.
    crosses = np.cross(loop[made[:, 1]] - loop[made[:, 0]], loop[made[:, 2]] - loop[made[:, 0]])
    wrong = crosses @ normal < 0
    made[wrong] = made[wrong][:, ::-1]
    crosses[wrong] *= -1
    # The sum is the same for all triangles that end where the polygon does. The shadow of a folded one in a plane may
    # cross itself; then a piece is missing.
    if np.linalg.norm(crosses.sum(axis=0) - normal) <= 1e-6 * np.linalg.norm(normal):
        return made
    step = np.arange(1, len(loop) - 1)
    return np.stack([np.zeros_like(step), step, step + 1], axis=1)
