"""Rasterizes a single mesh, to compute visibility without a second render."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Number of candidate pixels per batch; limits memory to some tens of megabytes.
_BATCH = 1_000_000


def silhouette(
    points: NDArray[np.floating], depth: NDArray[np.floating], faces: NDArray[np.integer], size: tuple[int, int]
) -> NDArray[np.bool_]:
    """(H, W) bool mask of the pixel centers that lie inside a triangle.

    points: (n, 2) projected vertices in pixels, centers at +0.5. depth: (n,) planar depth; triangles with a vertex
    behind the camera are left out. faces: (m, 3). size: (width, height).
    """
    width, height = size
    corners = points[faces]
    corners = corners[(depth[faces] > 1e-6).all(axis=1)]
    low = np.ceil(corners.min(axis=1) - 0.5).clip(0, [width, height]).astype(np.int64)
    high = np.floor(corners.max(axis=1) - 0.5).clip(-1, [width - 1, height - 1]).astype(np.int64)
    spans = np.maximum(high - low + 1, 0)
    counts = spans[:, 0] * spans[:, 1]
    hit = np.zeros((height, width), dtype=bool)
    keep = counts > 0
    corners, low, spans, counts = corners[keep], low[keep], spans[keep], counts[keep]
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        stop = max(int(np.searchsorted(ends, (ends[start - 1] if start else 0) + _BATCH)), start + 1)
        _fill(hit, corners[start:stop], low[start:stop], spans[start:stop], counts[start:stop])
        start = stop
    return hit


def _fill(hit: NDArray[np.bool_], corners: NDArray, low: NDArray, spans: NDArray, counts: NDArray) -> None:
    which = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    x = low[which, 0] + within % spans[which, 0]
    y = low[which, 1] + within // spans[which, 0]
    px, py = x + 0.5, y + 0.5
    a, b, c = (corners[which, k] for k in range(3))
    sides = [
        (q[:, 0] - p[:, 0]) * (py - p[:, 1]) - (q[:, 1] - p[:, 1]) * (px - p[:, 0]) for p, q in ((a, b), (b, c), (c, a))
    ]
    inside = ((sides[0] >= 0) & (sides[1] >= 0) & (sides[2] >= 0)) | (
        (sides[0] <= 0) & (sides[1] <= 0) & (sides[2] <= 0)
    )
    hit[y[inside], x[inside]] = True
