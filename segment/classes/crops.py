"""Training crops of pictures whose pixels are labeled with classes."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segment.crops import Crops
from segment.datasets import LabeledPictures
from segment.ignored import IGNORED
from segment.logits import with_objects


class ClassCrops(Crops):
    """Crops of `size` pixels a side, with the number of the class as fourth channel; see `Crops`.

    objects: whether the fifth and sixth channel hold the number of the object, its low byte and its high byte. crack:
    share of the crops that are placed around a pixel of a class drawn among those of the picture, all alike.
    """

    def __init__(self, size: int, zoom: float, crack: float = 0.0, upright: bool = True, objects: bool = False):
        super().__init__(size, zoom, crack, upright)
        self._objects = objects

    def read(self, pictures: LabeledPictures, i: int) -> NDArray[np.uint8]:
        """(h, w, 4 or 6) uint8: sRGB, and the labels. Without labels the class is IGNORED, and there is no object."""
        picture = pictures.read(i)
        nothing = np.full(picture.rgb.shape[:2], IGNORED, np.uint8)
        channels = [picture.rgb, nothing if picture.ids is None else picture.ids]
        if self._objects:
            numbers = np.zeros_like(nothing, np.uint16) if picture.instances is None else picture.instances
            channels += [half.astype(np.uint8) for half in (numbers & 255, numbers >> 8)]
        return np.dstack(channels)

    def _targets(self, labels: NDArray[np.uint8]) -> Tensor:
        """(n, s, s) int64, see `segment.logits`."""
        ids, *halves = (torch.from_numpy(channel.astype(np.int64)) for channel in labels.swapaxes(0, 1))
        return with_objects(ids, halves[0] + 256 * halves[1]) if halves else ids

    def _scaled(self, window: NDArray[np.uint8], method: int) -> NDArray[np.uint8]:
        colors, numbers = np.ascontiguousarray(window[..., :3]), np.ascontiguousarray(window[..., 3:])
        size = (self._size, self._size)
        # Between two numbers there is none.
        nearest = cv2.resize(numbers, size, interpolation=cv2.INTER_NEAREST_EXACT)
        return np.dstack([cv2.resize(colors, size, interpolation=method), nearest])

    def _wanted(self, labels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.intp]:
        there = np.flatnonzero(np.bincount(labels.ravel(), minlength=256)[:IGNORED])
        return np.flatnonzero(labels == there[rng.integers(len(there))]) if len(there) else there
