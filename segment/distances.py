"""Distances to the border of a region, for losses."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def signed_distances(masks: Tensor) -> Tensor:
    """(n, h, w) float32: the distance from each pixel of masks (n, h, w) bool to the nearest one of the other side.

    It is in pixels, less half a pixel, and negative inside. Without another side it is 1 outside and -1 inside.
    """
    return torch.from_numpy(np.stack([_signed_distance(mask) for mask in masks.cpu().numpy()]))


def _signed_distance(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    if mask.all() or not mask.any():
        return np.where(mask, -1, 1).astype(np.float32)
    outside, inside = (
        cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for side in (~mask, mask)
    )
    return np.where(mask, 0.5 - inside, outside - 0.5).astype(np.float32)
