"""Rasterizes meshes without a renderer: where they lie in a picture, and how near."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Number of candidate pixels per batch; limits memory to some tens of megabytes.
_BATCH = 1_000_000


def silhouette(
    points: NDArray[np.floating], depth: NDArray[np.floating], faces: NDArray[np.integer], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """(H, W) bool mask of the pixel centers that lie inside a triangle. The parameters are those of `nearness`."""
    return nearness(points, depth, faces, size) > 0


def nearness(
    points: NDArray[np.floating], depth: NDArray[np.floating], faces: NDArray[np.integer], size: tuple[int, int]
) -> NDArray[np.float64]:
    """(H, W) one over the planar depth of the nearest triangle at each pixel center; 0 where there is none.

    points: (n, 2) projected vertices in pixels, centers at +0.5. depth: (n,) planar depth; triangles with a vertex
    behind the camera are left out. faces: (m, 3). size: (width, height).
    """
    width, height = size
    if (depth <= 1e-6).any():
        faces = faces[(depth[faces] > 1e-6).all(axis=1)]
    # Numpy takes several times as long to reduce along an axis of three.
    a, b, c = (points[faces[:, k]] for k in range(3))
    low = np.ceil(np.minimum(np.minimum(a, b), c) - 0.5).clip(0, [width, height]).astype(np.int64)
    high = np.floor(np.maximum(np.maximum(a, b), c) - 0.5).clip(-1, [width - 1, height - 1]).astype(np.int64)
    spans = np.maximum(high - low + 1, 0)
    counts = spans[:, 0] * spans[:, 1]
    near = np.zeros((height, width))
    keep = counts > 0
    corners, nears = points[faces[keep]], 1 / depth[faces[keep]]
    low, spans, counts = low[keep], spans[keep], counts[keep]
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        stop = max(int(np.searchsorted(ends, (ends[start - 1] if start else 0) + _BATCH)), start + 1)
        batch = slice(start, stop)
        _fill(near, corners[batch], nears[batch], low[batch], spans[batch], counts[batch])
        start = stop
    return near


def _fill(near: NDArray, corners: NDArray, nears: NDArray, low: NDArray, spans: NDArray, counts: NDArray) -> None:
    which = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    x = low[which, 0] + within % spans[which, 0]
    y = low[which, 1] + within // spans[which, 0]
    px, py = x + 0.5, y + 0.5
    a, b, c = (corners[which, k] for k in range(3))
    # Each is the doubled area that the pixel's center spans with one side: the weight of the opposite corner.
    sides = ((b, c), (c, a), (a, b))
    weights = np.stack([(q[:, 0] - p[:, 0]) * (py - p[:, 1]) - (q[:, 1] - p[:, 1]) * (px - p[:, 0]) for p, q in sides])
    inside = (weights >= 0).all(axis=0) | (weights <= 0).all(axis=0)
    weights, which = weights[:, inside], which[inside]
    total = weights.sum(axis=0)
    # A triangle seen on edge has no area. All its corners count the same.
    flat = total == 0
    weights[:, flat], total[flat] = 1, 3
    # One over the depth is linear in the picture, the depth is not.
    np.maximum.at(near, (y[inside], x[inside]), (weights * nears[which].T).sum(axis=0) / total)
