"""Models as a camera sees them: their triangles in the picture, their silhouette, and what is first on a ray."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy
from numpy.typing import NDArray

from scenes.assets.coarse import Coarse
from scenes.mesh import Model, Part
from scenes.record.camera import Camera
from scenes.record.scene import Item

Triangles = NDArray[np.float64]
"""(m, 3, 3): for each corner its x and y in pixels, pixel centers at +0.5, and its depth in meters."""

# Number of candidate pixels per batch; limits memory to some ten megabytes.
_BATCH = 300_000
# Where a lens bends the side of a triangle by more than this many pixels, the triangle is divided. So often at most.
_BEND = 0.05
_DIVISIONS = 7
# Places along each edge of an outline.
_ALONG = 16


def seen_triangles(camera: Camera, item: Item, model: Model | Coarse) -> Triangles:
    """The triangles of an item in the picture. What is nearer than the camera's near plane is cut off."""
    parts: Sequence[Part | Coarse] = model.parts if isinstance(model, Model) else (model,)
    matrix, k = camera.world_to_camera() @ item.matrix(), camera.intrinsics()
    ideal = camera.distortion is None
    # Coordinates in rows, and views of them as triangles: numpy works several times faster along contiguous memory.
    points = [matrix[:3, :3] @ part.vertices.T.astype(np.float64) + matrix[:3, 3:] for part in parts]
    whole = all(part[2].min(initial=np.inf) >= camera.near for part in points)
    if whole and ideal:
        # There are half as many points as triangles, so they are projected before they are put together.
        for part in points:
            part[:2] = part[:2] / part[2] * k[[0, 1], [0, 1]][:, None] + k[:2, 2:]
    # `take` with whole numbers of the machine's own size is twice as fast as an index in brackets.
    corners = [point.take(part.faces.T.astype(np.intp), axis=1) for point, part in zip(points, parts, strict=True)]
    triangles = np.concatenate(corners, axis=2).transpose(2, 1, 0)
    if whole and ideal:
        return triangles
    if not whole:
        triangles = clipped(triangles, camera.near)
    triangles[..., :2] /= triangles[..., 2:]
    if ideal:
        triangles[..., :2] = triangles[..., :2] * k[[0, 1], [0, 1]] + k[:2, 2]
        return triangles
    return _bent(camera, triangles)


def _bent(camera: Camera, triangles: NDArray[np.float64]) -> Triangles:
    """The triangles in the picture of a lens that bends lines: those whose sides it bends visibly are divided.

    triangles: (m, 3, 3), x and y of an ideal lens in normalized coordinates, and depth.
    """

    def shown(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return camera.pixels(points.reshape(-1, 2)).reshape(points.shape)

    done = []
    for _ in range(_DIVISIONS):
        corners, middles = triangles[..., :2], (triangles[..., :2] + triangles[:, [1, 2, 0], :2]) / 2
        flat = shown(corners)
        off = np.abs(shown(middles) - (flat + flat[:, [1, 2, 0]]) / 2).max(axis=(1, 2))
        straight = off <= _BEND
        done.append(np.concatenate([flat, triangles[..., 2:]], axis=2)[straight])
        if straight.all():
            break
        rest, middles = triangles[~straight], middles[~straight]
        # The inverse of the depth is linear in the picture of an ideal lens.
        depth = 2 / (1 / rest[..., 2:] + 1 / rest[:, [1, 2, 0], 2:])
        between = np.concatenate([middles, depth], axis=2)
        corner = [np.stack([rest[:, k], between[:, k], between[:, k - 1]], axis=1) for k in range(3)]
        triangles = np.concatenate([*corner, between])
    else:
        done.append(np.concatenate([shown(triangles[..., :2]), triangles[..., 2:]], axis=2))
    return np.concatenate(done)


def outline(camera: Camera, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (k, 3) all along the outline of a convex body, in place of its corners (n, 3), in the world.

    A lens that bends lines can show the middle of an edge farther out than its ends. Corners behind the camera have no
    outline, and stay as they are.
    """
    matrix = camera.world_to_camera()
    local = points @ matrix[:3, :3].T + matrix[:3, 3]
    if local[:, 2].min() < camera.near:
        return points
    corners = points[scipy.spatial.ConvexHull(local[:, :2] / local[:, 2:], qhull_options="QJ").vertices]
    share = np.linspace(0, 1, _ALONG, endpoint=False)[:, None, None]
    return np.concatenate((1 - share) * corners + share * np.roll(corners, -1, axis=0))


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
    depth = np.full(height * width, np.inf)
    corners = _corners(triangles)
    low, high = _boxes(corners)
    # The first and the last column and row of pixel centers in each box. Division is much faster with 32 bits.
    left, top = (np.ceil(low[k] - 0.5).clip(0, size[k]).astype(np.int32) for k in (0, 1))
    right, bottom = (np.floor(high[k] - 0.5).clip(-1, size[k] - 1).astype(np.int32) for k in (0, 1))
    keep = np.flatnonzero((left <= right) & (top <= bottom))
    corners, left, top = corners.take(keep, axis=2), left[keep], top[keep]
    wide = right[keep] - left + 1
    # The candidates are counted through all boxes. Each batch of them is that of whole triangles.
    begins = np.concatenate([[0], np.cumsum(wide.astype(np.int64) * (bottom[keep] - top + 1))])
    start = 0
    while start < len(keep):
        stop = max(int(np.searchsorted(begins, begins[start] + _BATCH)) - 1, start + 1)
        counts, firsts = np.diff(begins[start : stop + 1]), (begins[start:stop] - begins[start]).astype(np.int32)
        which = np.repeat(np.arange(start, stop), counts)
        place = np.arange(begins[stop] - begins[start], dtype=np.int32) - np.repeat(firsts, counts)
        row = place // wide[which]
        x, y = left[which] + (place - row * wide[which]), top[which] + row
        hit, away = _met(corners, which, x + 0.5, y + 0.5)
        np.minimum.at(depth, y[hit].astype(np.int64) * width + x[hit], away)
        start = stop
    return depth.reshape(height, width)


def first_depth(triangles: Triangles, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) depth of the nearest triangle at each of the points (k, 2) of the picture; inf where there is none.

    The points lie anywhere, not only at the centers of pixels, so nothing depends on the size of the picture.
    """
    corners = _corners(triangles)
    low, high = _boxes(corners)
    first = np.full(len(points), np.inf)
    for k, (x, y) in enumerate(points):
        # Few boxes reach across the column of a point, so only those are asked for its row.
        near = np.flatnonzero((low[0] <= x) & (x <= high[0]))
        near = near[(low[1].take(near) <= y) & (y <= high[1].take(near))]
        first[k] = _met(corners, near, x, y)[1].min(initial=np.inf)
    return first


def _corners(triangles: Triangles) -> NDArray[np.float64]:
    """(3, 3, m) the same numbers: x, y and depth, of each corner, of all triangles in a row.

    Numpy works several times faster along contiguous memory. `seen_triangles` makes views of such an array.
    """
    return np.ascontiguousarray(triangles.transpose(2, 1, 0))


def _boxes(corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The smallest and the largest x and y of each triangle, (2, m) each."""
    a, b, c = corners[:2, 0], corners[:2, 1], corners[:2, 2]
    return np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)


def _met(
    corners: NDArray[np.float64], which: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which of n points lie in their triangles, and the depth there of those that do.

    which: (n,) the number of each point's triangle. x, y: (n,) the places of the points in the picture, or one of all.
    An edge belongs to its triangle. A triangle seen edge-on has the depth of its nearest corner.
    """
    ax, bx, cx = (corners[0, k].take(which) - x for k in range(3))
    ay, by, cy = (corners[1, k].take(which) - y for k in range(3))
    # The side on which the point lies of the edge opposite to each corner, as twice an area: the corner's weight. Most
    # points fail two of them, so the third is calculated for the others only.
    one, two = bx * cy - by * cx, cx * ay - cy * ax
    some = np.flatnonzero(((one >= 0) & (two >= 0)) | ((one <= 0) & (two <= 0)))
    weights = np.stack([one[some], two[some], ax[some] * by[some] - ay[some] * bx[some]])
    inside = np.flatnonzero((weights.min(axis=0) >= 0) | (weights.max(axis=0) <= 0))
    hit, weights = some[inside], weights[:, inside]
    depths = corners[2].take(which[hit], axis=1)
    area = weights.sum(axis=0)
    # The inverse of the depth is linear in the picture.
    away = np.divide(area, (weights / depths).sum(axis=0), out=depths.min(axis=0), where=area != 0)
    return hit, away
