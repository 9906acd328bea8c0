"""A description of a picture without a network: where which colors are, and which way edges run.

It needs no download, and it knows nothing of classes. It tells what pictures look like as a whole; to compare what a
network sees, give the page a run.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

FEATURES = np.dtype("<f2")
"""The type in which features are kept."""

NOT_DESCRIBED = np.full(372, np.nan, np.float32)
"""What stands for the features of a picture that cannot be read."""

NAME = "colors and edges (no network)"

_SIDE = 32
_COLORS = 4
_EDGES = cv2.HOGDescriptor((_SIDE, _SIDE), (16, 16), (8, 8), (8, 8), 9)


def describe(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The features (372,) float32 of a picture (h, w, 3) uint8 sRGB.

    Histograms of oriented gradients (Dalal and Triggs, CVPR 2005) on 32 x 32 pixels, 9 blocks of 36 values; and the
    mean color of 4 x 4 fields in CIELAB. Both halves weigh about the same.
    """
    small = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    edges = np.asarray(_EDGES.compute(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)), np.float32).ravel()
    fields = cv2.resize(small, (_COLORS, _COLORS), interpolation=cv2.INTER_AREA)
    colors = cv2.cvtColor(fields.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).ravel() / 100
    return np.concatenate([edges / 3, colors])
