"""The detail that is left of a picture of which a part was enlarged."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]


def enlarged(linear: Light, zoom: float) -> Light:
    """(H, W, 3) light with no finer detail than a picture has that is enlarged `zoom` times; as it is up to 1.

    It is averaged over pixels `zoom` times as large, and these are enlarged by cubic interpolation. Nothing moves, so
    labels that are drawn at the full size stay right.
    """
    height, width = linear.shape[:2]
    size = max(round(width / zoom), 1), max(round(height / zoom), 1)
    if size[0] >= width:
        return linear
    small = cv2.resize(np.ascontiguousarray(linear), size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.maximum(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), 0))
