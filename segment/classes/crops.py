"""Training crops of pictures whose pixels are labeled with classes."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segment.crops import Crops
from segment.datasets import LabeledPictures
from segment.logits import IGNORED


class ClassCrops(Crops):
    """Crops of `size` pixels a side, with the number of the class as fourth channel; see `Crops`.

    crack: share of the crops that are placed around a pixel of a class drawn among those of the picture, all alike.
    """

    def read(self, pictures: LabeledPictures, i: int) -> NDArray[np.uint8]:
        """(h, w, 4) uint8: sRGB, and the number of the class. Without labels it is IGNORED."""
        picture = pictures.read(i)
        nothing = np.full(picture.rgb.shape[:2], IGNORED, np.uint8)
        return np.dstack([picture.rgb, nothing if picture.ids is None else picture.ids])

    def _targets(self, labels: NDArray[np.uint8]) -> Tensor:
        """(n, s, s) int64, the number of the class, or IGNORED."""
        return torch.from_numpy(labels[:, 0].astype(np.int64))

    def _scaled(self, window: NDArray[np.uint8], method: int) -> NDArray[np.uint8]:
        colors, numbers = np.ascontiguousarray(window[..., :3]), np.ascontiguousarray(window[..., 3])
        size = (self._size, self._size)
        # Between two numbers there is none.
        nearest = cv2.resize(numbers, size, interpolation=cv2.INTER_NEAREST_EXACT)
        return np.dstack([cv2.resize(colors, size, interpolation=method), nearest])

    def _wanted(self, labels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.intp]:
        there = np.flatnonzero(np.bincount(labels.ravel(), minlength=256)[:IGNORED])
        return np.flatnonzero(labels == there[rng.integers(len(there))]) if len(there) else there
