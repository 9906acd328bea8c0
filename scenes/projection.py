"""Models as a camera sees them: their triangles in the picture, their silhouette, and what is first on a ray."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from scenes.mesh import Geometry, Model
from scenes.record.camera import Camera
from scenes.record.scene import Item

# Number of candidate rows or pixels per batch; limits memory to some ten megabytes.
_BATCH = 300_000
# Boxes of triangles from this many columns on are narrowed, row by row.
_NARROW = 4
# Where a lens bends the side of a triangle by more than this many pixels, the triangle is divided. So often at most.
_BEND = 0.05
_DIVISIONS = 7
# Cells along each axis in which triangles around points are looked for.
_FINE = 1024
# Places along each edge of an outline.
_ALONG = 16


@dataclass(frozen=True)
class Triangles:
    """Triangles in the picture.

    points: (3, n) x and y in pixels, pixel centers at +0.5, and depth in meters. faces: (3, m), in each column the
    numbers of a triangle's corners. Numpy works several times faster along contiguous memory.
    """

    points: NDArray[np.float64]
    faces: NDArray[np.intp]

    @staticmethod
    def of(corners: NDArray[np.float64]) -> Triangles:
        """Triangles by their corners, (m, 3, 3): x, y and depth of each."""
        numbers = np.arange(3 * len(corners)).reshape(-1, 3)
        return Triangles(np.ascontiguousarray(corners.reshape(-1, 3).T), np.ascontiguousarray(numbers.T))

    def corners(self, which: NDArray[np.intp]) -> NDArray[np.float64]:
        """(3, 3, k) x, y and depth, of each corner, of some triangles in a row."""
        return self.points.take(self.faces.take(which, axis=1), axis=1)


def seen_triangles(camera: Camera, item: Item, model: Model | Geometry) -> Triangles:
    """The triangles of an item in the picture. What is nearer than the camera's near plane is cut off."""
    there = model.geometry if isinstance(model, Model) else model
    matrix, k = camera.world_to_camera() @ item.matrix(), camera.intrinsics()
    points = matrix[:3, :3] @ there.vertices.T.astype(np.float64) + matrix[:3, 3:]
    # `take` with whole numbers of the machine's own size is twice as fast as an index in brackets.
    faces = np.ascontiguousarray(there.faces.T, dtype=np.intp)
    whole, ideal = points[2].min(initial=np.inf) >= camera.near, camera.distortion is None
    if whole and ideal:
        points[:2] = points[:2] / points[2] * k[[0, 1], [0, 1]][:, None] + k[:2, 2:]
        return Triangles(points, faces)
    triangles = points.T[faces.T]
    if not whole:
        triangles = clipped(triangles, camera.near)
    triangles[..., :2] /= triangles[..., 2:]
    if ideal:
        triangles[..., :2] = triangles[..., :2] * k[[0, 1], [0, 1]] + k[:2, 2]
        return Triangles.of(triangles)
    return Triangles.of(_bent(camera, triangles))


def _bent(camera: Camera, triangles: NDArray[np.float64]) -> NDArray[np.float64]:
    """The triangles in the picture of a lens that bends lines, (m, 3, 3): those whose sides it bends much are divided.

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
    # Most triangles have no pixel center between their sides, so rows are asked only where columns are met.
    keep, left, right = _met_cells(triangles.faces, *_cells(triangles.points[0], width))
    rows, top, bottom = _met_cells(triangles.faces.take(keep, axis=1), *_cells(triangles.points[1], height))
    left, right, corners = left[rows], right[rows], triangles.corners(keep[rows])
    for some in _batches(bottom - top + 1):
        which, y = _counted(top[some], bottom[some])
        which += some.start
        first, last = _spans(corners, which, y + 0.5, left[which], right[which])
        for few in _batches(last - first + 1):
            row, x = _counted(first[few], last[few])
            row += few.start
            hit, away = _met(corners, which[row], x + 0.5, y[row] + 0.5)
            np.minimum.at(depth, y[row[hit]] * width + x[hit], away)
    return depth.reshape(height, width)


def _batches(counts: NDArray[np.integer]) -> Iterator[slice]:
    """Which of some things to take at once, so that their counts are _BATCH together at most, or it is a single one."""
    begins = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    start = 0
    while start < len(counts):
        stop = max(int(np.searchsorted(begins, begins[start] + _BATCH, side="right")) - 1, start + 1)
        yield slice(start, stop)
        start = stop


def _counted(first: NDArray[np.integer], last: NDArray[np.integer]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """All whole numbers from the first to the last of each thing, and the numbers of the things that they belong to."""
    counts = last - first + 1
    which = np.repeat(np.arange(len(first)), counts)
    return which, np.arange(len(which)) + (first - (np.cumsum(counts, dtype=np.int64) - counts))[which]


def _spans(
    corners: NDArray[np.float64],
    which: NDArray[np.intp],
    y: NDArray[np.float64],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The first and the last column in which a triangle can hold the pixel center of a row.

    which: (n,) the triangle. y: (n,) the middle of the row. left, right: (n,) columns of the triangle's box, in which a
    long and slanted triangle holds few.
    """
    wide = np.flatnonzero(right - left >= _NARROW)
    x, away = corners[0].take(which[wide], axis=1), corners[1].take(which[wide], axis=1) - y[wide]
    low, high = np.full(len(wide), np.inf), np.full(len(wide), -np.inf)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        # Where the side meets the middle of the row. The ends of a level side are those of the others, too.
        rise = away[a] - away[b]
        at = x[a] + (x[b] - x[a]) * np.divide(away[a], rise, out=np.zeros(len(wide)), where=rise != 0).clip(0, 1)
        met = (np.minimum(away[a], away[b]) <= 0) & (np.maximum(away[a], away[b]) >= 0)
        low, high = np.where(met, np.minimum(low, at), low), np.where(met, np.maximum(high, at), high)
    # Far more than rounding is off.
    slack = 1e-3 + 1e-9 * np.abs(x).max(axis=0)
    first, last = left.copy(), right.copy()
    first[wide] = np.maximum(first[wide], np.ceil(low - slack - 0.5).clip(-1, 2**30))
    last[wide] = np.minimum(last[wide], np.floor(high + slack - 0.5).clip(-1, 2**30))
    return first, np.maximum(last, first - 1)


def first_depth(triangles: Triangles, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) depth of the nearest triangle at each of the points (k, 2) of the picture; inf where there is none.

    The points lie anywhere, not only at the centers of pixels, so nothing depends on the size of the picture.
    """
    first = np.full(len(points), np.inf)
    if not len(points):
        return first
    some = np.arange(triangles.faces.shape[1])
    for axis in (0, 1):
        some = some[_around(triangles.points[axis], triangles.faces.take(some, axis=1), points[:, axis])]
    corners = triangles.corners(some)
    low, high = corners[:2].min(axis=1)[:, None], corners[:2].max(axis=1)[:, None]
    at = points.T[..., None]
    place, which = np.nonzero(((low <= at) & (at <= high)).all(axis=0))
    hit, away = _met(corners, which, *points[place].T)
    np.minimum.at(first, place[hit], away)
    return first


def _cells(values: NDArray[np.float64], count: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The first pixel center at or after each coordinate, and the last one at or before it, of `count` in a row."""
    first, last = np.ceil(values - 0.5).clip(0, count), np.floor(values - 0.5).clip(-1, count - 1)
    return first.astype(np.int32), last.astype(np.int32)


def _met_cells(
    faces: NDArray[np.intp], first: NDArray[np.int32], last: NDArray[np.int32]
) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.int32]]:
    """Which triangles have cells between their corners along an axis, and the first and the last cell of those."""
    low, high = _over_corners(np.minimum, first, faces), _over_corners(np.maximum, last, faces)
    met = np.flatnonzero(low <= high)
    return met, low[met], high[met]


def _around(values: NDArray[np.float64], faces: NDArray[np.intp], at: NDArray[np.float64]) -> NDArray[np.intp]:
    """The triangles that may hold one of the coordinates `at` between their corners: all that do, and some more."""
    # All are counted in fine cells from the first one of `at` to the last. One look-up then tells of all of them, how
    # many are in cells before that of a corner, and how many are not behind it.
    begin, scale = at.min(), _FINE / max(float(np.ptp(at)), 1e-6)
    mine, theirs = ((1 + (some - begin) * scale).clip(0, _FINE + 2).astype(np.intp) for some in (values, at))
    before = np.concatenate([[0], np.bincount(theirs, minlength=_FINE + 3).cumsum()]).astype(np.int32)
    low, high = before.take(mine), before.take(mine + 1)
    return np.flatnonzero(_over_corners(np.minimum, low, faces) < _over_corners(np.maximum, high, faces))


def _over_corners(smaller: np.ufunc, values: NDArray[np.int32], faces: NDArray[np.intp]) -> NDArray[np.int32]:
    """The smallest or the largest value of each triangle's corners."""
    a, b, c = (values.take(corner) for corner in faces)
    return np.asarray(smaller(smaller(a, b), c))


def _met(
    corners: NDArray[np.float64], which: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which of n points lie in their triangles, and the depth there of those that do.

    which: (n,) the number of each point's triangle. x, y: (n,) the places of the points in the picture.
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
