"""Outlines of masks as polygons."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Polygon = NDArray[np.float64]
"""(n, 2): x and y in pixels; the first pixel reaches from 0 to 1."""

# A contour runs through the middles of the border's pixels. On a picture so much finer it is near the border itself.
_FINER = 3


def outlines(mask: NDArray[np.bool_]) -> list[Polygon]:
    """The outlines of the parts of a mask (H, W), the largest first. Holes are filled.

    They lie within a sixth of a pixel of the mask's border.
    """
    fine = mask.astype(np.uint8).repeat(_FINER, axis=0).repeat(_FINER, axis=1)
    found, _ = cv2.findContours(fine, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    polygons = [(contour[:, 0].astype(np.float64) + 0.5) / _FINER for contour in found if len(contour) > 2]
    return sorted(polygons, key=lambda polygon: -cv2.contourArea(polygon.astype(np.float32)))


def joined(polygons: list[Polygon]) -> Polygon:
    """One polygon of all, for formats that take a single one: bridges without area lead from part to part."""
    first = polygons[0]
    parts = [first, first[:1]]
    for polygon in polygons[1:]:
        parts += [polygon, polygon[:1], first[:1]]
    return np.concatenate(parts if len(polygons) > 1 else [first])
