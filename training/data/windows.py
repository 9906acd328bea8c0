"""Batches of labeled pictures, cropped to squares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from scenes.errors import InputError
from training.data.loader import RawBatch
from training.data.pictures import ImageDataset


class Windows:
    """Resizes the short side to `resized` pixels and cuts a square window of that side; a `loader.Collate`.

    size: side in pixels of the crop that training later takes from the window. resized: by default size * 256 / 224. In
    random order the window lies anywhere along the long side, so that crops cover the picture evenly. Otherwise it
    lies in the middle.
    """

    def __init__(self, size: int, resized: int | None = None):
        self.side = round(size * 256 / 224) if resized is None else resized
        if self.side < size:
            raise InputError(f"field resized: {self.side} pixels are fewer than the size, {size}")
        self.slack = self.side - size

    def read(self, pictures: ImageDataset, i: int) -> NDArray[np.uint8]:
        return pictures.read(i, self.side)

    def stack(
        self, pictures: ImageDataset, found: Sequence[tuple[int, NDArray[np.uint8]]], rng: np.random.Generator | None
    ) -> RawBatch:
        side = self.side
        along = None if rng is None else rng.random(len(found))
        images = np.empty((len(found), 3, side, side), np.uint8)
        for k, (_, picture) in enumerate(found):
            at = None if along is None else along[k]
            images[k] = window(picture, side, self.slack, at).transpose(2, 0, 1)
        places = np.array([place for place, _ in found], np.int64)
        return RawBatch(torch.from_numpy(images), torch.from_numpy(pictures.labels[places]), torch.from_numpy(places))


def window(picture: NDArray[np.uint8], side: int, slack: int = 0, at: float | None = None) -> NDArray[np.uint8]:
    """Cut a square (side, side, 3) out of a picture whose short side has `side` pixels.

    at: position along the long side in [0, 1); None for the middle. slack: the later crop is this many pixels smaller
    than the square. `at` is uniform for the position of that crop. The square is placed around it, inside the picture.
    """
    height, width = picture.shape[:2]
    spare = max(height, width) - side
    start = round(spare / 2) if at is None else min(max(int(at * (spare + slack + 1)) - slack // 2, 0), spare)
    return picture[:, start : start + side] if width > height else picture[start : start + side]
