"""Outlines of masks as polygons."""

from __future__ import annotations

import cv2
import numpy as np
import scipy
from numpy.typing import NDArray

Polygon = NDArray[np.float64]
"""(n, 2): x and y in pixels; the first pixel reaches from 0 to 1."""

# A contour runs through the middles of the border's pixels. On a picture so much finer it is near the border itself.
_FINER = 3


def outlines(mask: NDArray[np.bool_]) -> list[Polygon]:
    """The outlines of the parts of a mask (H, W), the largest first. Bridges without area lead to the holes of a part.

    They lie inside the mask, within a sixth of a pixel of its border.
    """
    fine = mask.astype(np.uint8).repeat(_FINER, axis=0).repeat(_FINER, axis=1)
    found, nesting = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parts: dict[int, list[Polygon]] = {}
    for place, contour in enumerate(found):
        parent = int(nesting[0, place, 3])
        parts.setdefault(place if parent < 0 else parent, []).append((contour[:, 0] + 0.5) / _FINER)
    return sorted(map(joined, parts.values()), key=lambda polygon: -cv2.contourArea(polygon.astype(np.float32)))


def joined(polygons: list[Polygon]) -> Polygon:
    """One polygon (n, 2) of all, for formats that take a single one: bridges without area lead from one to the next.

    The bridges are as short as they can be, because some readers (Ultralytics) draw each as a line of a pixel.
    """
    owner = np.repeat(np.arange(len(polygons)), [len(polygon) for polygon in polygons])
    points = np.concatenate(polygons)
    first = np.cumsum([0] + [len(polygon) for polygon in polygons])
    trees = [scipy.spatial.cKDTree(polygon) for polygon in polygons]
    # Prim's algorithm: the polygon that is nearest to those that are joined comes next.
    away, partner = np.full(len(points), np.inf), np.zeros(len(points), int)
    away[0] = 0
    bridges: list[tuple[int, int]] = []
    waiting = np.ones(len(points), bool)
    for _ in polygons:
        nearest = int(np.where(waiting, away, np.inf).argmin())
        new = owner[nearest]
        bridges.append((int(partner[nearest]), nearest))
        waiting &= owner != new
        gap, place = trees[new].query(points[waiting])
        better = gap < away[waiting]
        chosen = np.flatnonzero(waiting)[better]
        away[chosen], partner[chosen] = gap[better], first[new] + place[better]
    # From the last to the first: a polygon is complete when all that hang on it are.
    hanging: dict[int, list[Polygon]] = {}
    ring = points[:0]
    for start, end in reversed(bridges):
        low, high = first[owner[end]], first[owner[end] + 1]
        ring = np.concatenate(
            [
                piece
                for point in [*range(end, high), *range(low, end)]
                for piece in (points[point : point + 1], *hanging.pop(point, ()))
            ]
        )
        if len(polygons) > 1:
            hanging.setdefault(start, []).append(
                np.concatenate([ring, points[end : end + 1], points[start : start + 1]])
            )
    return ring
