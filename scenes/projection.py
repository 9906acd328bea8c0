"""Models as a camera sees them: their triangles in the picture, their silhouette, and what is first on a ray."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.mesh import Model
from scenes.record.scene import Camera, Item

Triangles = NDArray[np.float64]
"""(m, 3, 3): for each corner its x and y in pixels, pixel centers at +0.5, and its depth in meters."""

# Number of candidate pixels per batch; limits memory to some tens of megabytes.
_BATCH = 1_000_000


def seen_triangles(camera: Camera, item: Item, model: Model) -> Triangles:
    """The triangles of an item in the picture. What is nearer than the camera's near plane is cut off."""
    matrix = camera.world_to_camera() @ item.matrix()
    corners = [
        (part.vertices.astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3])[part.faces] for part in model.parts
    ]
    triangles = clipped(np.concatenate(corners), camera.near)
    k = camera.intrinsics()
    triangles[..., :2] = triangles[..., :2] / triangles[..., 2:] * k[0, 0] + k[:2, 2]
    return triangles


def clipped(triangles: NDArray[np.float64], near: float) -> NDArray[np.float64]:
    """The parts of triangles (m, 3, 3) whose third coordinate is at least `near`, as triangles."""
    front = triangles[..., 2] >= near
    count = front.sum(axis=1)
    crossing = np.flatnonzero((count == 1) | (count == 2))
    # The corner that is alone on its side comes first. The plane cuts both of its edges.
    lone = (front[crossing] == (count[crossing] == 1)[:, None]).argmax(axis=1)
    turned = triangles[crossing[:, None], (lone[:, None] + [0, 1, 2]) % 3]
    apex, others = turned[:, :1], turned[:, 1:]
    cuts = apex + (others - apex) * ((near - apex[..., 2:]) / (others[..., 2:] - apex[..., 2:]))
    cuts[..., 2] = near
    tip, rest = count[crossing] == 1, count[crossing] == 2
    one, two, first, second = others[rest, 0], others[rest, 1], cuts[rest, 0], cuts[rest, 1]
    return np.concatenate(
        [
            triangles[count == 3],
            np.concatenate([apex[tip], cuts[tip]], axis=1),
            np.stack([one, two, first], axis=1),
            np.stack([two, second, first], axis=1),
        ]
    )


def silhouette(triangles: Triangles, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) bool mask of the pixel centers that lie inside a triangle. size: (width, height)."""
    return np.isfinite(depth_map(triangles, size))


def depth_map(triangles: Triangles, size: tuple[int, int]) -> NDArray[np.float64]:
    """(H, W) depth of the nearest triangle at each pixel center; inf where there is none. size: (width, height)."""
    width, height = size
    low, high = _boxes(triangles)
    low = np.ceil(low - 0.5).clip(0, [width, height]).astype(np.int64)
    high = np.floor(high - 0.5).clip(-1, [width - 1, height - 1]).astype(np.int64)
    spans = np.maximum(high - low + 1, 0)
    counts = spans[:, 0] * spans[:, 1]
    depth = np.full((height, width), np.inf)
    keep = counts > 0
    triangles, low, spans, counts = triangles[keep], low[keep], spans[keep], counts[keep]
    ends = np.cumsum(counts)
    start = 0
    while start < len(counts):
        stop = max(int(np.searchsorted(ends, (ends[start - 1] if start else 0) + _BATCH)), start + 1)
        _fill(depth, triangles[start:stop], low[start:stop], spans[start:stop], counts[start:stop])
        start = stop
    return depth


def _fill(depth: NDArray[np.float64], triangles: Triangles, low: NDArray, spans: NDArray, counts: NDArray) -> None:
    which = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    x = low[which, 0] + within % spans[which, 0]
    y = low[which, 1] + within // spans[which, 0]
    hit, away = _met(triangles[which], np.stack([x, y], axis=1) + 0.5)
    np.minimum.at(depth, (y[hit], x[hit]), away)


def first_depth(triangles: Triangles, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) depth of the nearest triangle at each of the points (k, 2) of the picture; inf where there is none.

    The points lie anywhere, not only at the centers of pixels, so nothing depends on the size of the picture.
    """
    low, high = _boxes(triangles)
    first = np.full(len(points), np.inf)
    for k, point in enumerate(points):
        near = triangles[((low <= point) & (point <= high)).all(axis=1)]
        first[k] = _met(near, np.broadcast_to(point, (len(near), 2)))[1].min(initial=np.inf)
    return first


def _boxes(triangles: Triangles) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The smallest and the largest x and y of each triangle, (m, 2) each."""
    # For three corners this is several times faster than a reduction along the axis.
    a, b, c = (triangles[:, k, :2] for k in range(3))
    return np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)


def _met(triangles: Triangles, points: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """(n,) whether each point (n, 2) of the picture lies in its triangle, and the depth there of those that do.

    An edge belongs to its triangle. A triangle seen edge-on has the depth of its nearest corner.
    """
    a, b, c = (triangles[:, k, :2] - points for k in range(3))
    # The side on which the point lies of the edge opposite to each corner, as twice an area: the corner's weight.
    one, two, three = _twice_area(b, c), _twice_area(c, a), _twice_area(a, b)
    hit = ((one >= 0) & (two >= 0) & (three >= 0)) | ((one <= 0) & (two <= 0) & (three <= 0))
    weights, corners = np.stack([one[hit], two[hit], three[hit]], axis=1), triangles[hit, :, 2]
    area = weights.sum(axis=1)
    # The inverse of the depth is linear in the picture.
    away = np.divide(area, (weights / corners).sum(axis=1), out=corners.min(axis=1), where=area != 0)
    return hit, away


def _twice_area(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) twice the signed areas of the triangles of 0, p and q (n, 2)."""
    return p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]
