"""Convex hulls and the poses in which they come to rest."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import NDArray

from scenes.mesh import unit
from scenes.record.scene import Quaternion

Array = NDArray[np.float64]

GRID = 5e-4
POSES = 6


def hull_points(points: Array) -> Array:
    """(k, 3) float64 points whose support falls short of that of `points` (n, 3), a unit model, by 1e-3 at most.

    One vertex of the hull is kept for each cell of a grid, so none that is left out lies farther than the
    cell's diagonal from one that is kept; the extremes along the axes are always kept.
    """
    points = np.asarray(points, dtype=np.float64)
    hull = _solid(points)
    corners = points if hull is None else points[hull.vertices]
    extremes = np.concatenate([corners.argmin(axis=0), corners.argmax(axis=0)])
    corners = np.concatenate([corners[extremes], corners])
    _, first = np.unique(np.floor(corners / GRID).astype(np.int64), axis=0, return_index=True)
    kept = np.unique(np.concatenate([np.arange(6), first]))
    return np.unique(corners[kept], axis=0)


def stable_poses(points: Array) -> tuple[tuple[Quaternion, float], ...]:
    """The likeliest resting poses of a solid filling the hull of `points`, as (quaternion w, x, y, z; probability).

    A dropped body lands on a face of its hull with the share of the sphere that the face covers as seen from the
    center of mass, and topples over edges until that center is above the face it lies on (Goldberg et al. 1999,
    "Part pose statistics"). Each rotation is the smallest turn that puts its face down.
    """
    hull = _solid(points)
    if hull is None:
        normal = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][2]
        return (_turn(normal), 0.5), (_turn(-normal), 0.5)
    normals = hull.equations[:, :3]
    center = _center_of_mass(hull)
    landed = _topple(hull, center)
    share = np.bincount(landed, weights=_solid_angles(hull, center), minlength=len(normals)) / (4 * np.pi)
    sides, side = np.unique(np.round(normals, 3), axis=0, return_inverse=True)
    total = np.bincount(side.reshape(-1), weights=share, minlength=len(sides))
    downs = unit(np.stack([np.bincount(side.reshape(-1), normals[:, k] * share, len(sides)) for k in range(3)], axis=1))
    best = [k for k in np.argsort(-total, kind="stable")[:POSES] if total[k] > 0]
    return tuple((_turn(downs[k]), float(total[k] / total[best].sum())) for k in best)


def convex_hull(points: Array) -> scipy.spatial.ConvexHull | None:
    """The convex hull of points (n, 3); None if they lie in a plane."""
    try:
        return scipy.spatial.ConvexHull(points)
    except scipy.spatial.QhullError:
        return None


def _solid(points: Array) -> scipy.spatial.ConvexHull | None:
    """The convex hull; None if the points are too flat to be a solid."""
    hull = convex_hull(points) if len(points) >= 4 else None
    return None if hull is None or hull.volume < 1e-9 else hull


def _center_of_mass(hull: scipy.spatial.ConvexHull) -> Array:
    inside = hull.points[hull.vertices].mean(axis=0)
    triangles = hull.points[hull.simplices]
    volumes = np.abs(np.linalg.det(triangles - inside))
    return np.asarray(((triangles.sum(axis=1) + inside) / 4 * volumes[:, None]).sum(axis=0) / volumes.sum())


def _topple(hull: scipy.spatial.ConvexHull, center: Array) -> NDArray[np.intp]:
    """(m,) for each face: the face on which the body comes to rest after it lands on this one."""
    normals = hull.equations[:, :3]
    triangles = hull.points[hull.simplices]
    beyond = np.empty((len(normals), 3))
    for k in range(3):
        # Neighbor k is across the edge opposite to corner k.
        a, b, opposite = triangles[:, (k + 1) % 3], triangles[:, (k + 2) % 3], triangles[:, k]
        outward = unit(np.cross(b - a, normals))
        outward *= np.where(np.einsum("ij,ij->i", outward, opposite - a) > 0, -1.0, 1.0)[:, None]
        beyond[:, k] = np.einsum("ij,ij->i", outward, center - a)
    over = beyond.argmax(axis=1)
    rows = np.arange(len(normals))
    following = np.where(beyond[rows, over] > 1e-9, hull.neighbors[rows, over], rows)
    for _ in range(len(rows).bit_length()):
        following = following[following]
    return np.asarray(following)


def _solid_angles(hull: scipy.spatial.ConvexHull, center: Array) -> Array:
    """(m,) solid angle of each face seen from the center (van Oosterom and Strackee 1983)."""
    a, b, c = np.moveaxis(unit(hull.points[hull.simplices] - center), 1, 0)
    volume = np.abs(np.einsum("ij,ij->i", a, np.cross(b, c)))
    below = 1 + np.einsum("ij,ij->i", a, b) + np.einsum("ij,ij->i", b, c) + np.einsum("ij,ij->i", c, a)
    return np.asarray(2 * np.arctan2(volume, below))


def _turn(down: Array) -> Quaternion:
    """The smallest rotation (w, x, y, z) that takes the direction `down` to -z."""
    w = 1.0 - down[2]
    quaternion = np.array([w, -down[1], down[0], 0.0]) if w > 1e-9 else np.array([0.0, 1.0, 0.0, 0.0])
    quaternion /= np.linalg.norm(quaternion)
    return (float(quaternion[0]), float(quaternion[1]), float(quaternion[2]), float(quaternion[3]))
