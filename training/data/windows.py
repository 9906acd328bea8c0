"""Batches of labeled pictures, cropped to squares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from scenes.errors import InputError
from training.data.loader import RawBatch
from training.data.pictures import ImageDataset

Fit = Literal["crop", "pad", "squash"]
"""How a picture that is not square becomes a square."""


class Windows:
    """Makes squares of `resized` pixels a side; a `loader.Collate`.

    size: side in pixels of the crop that training later takes from the square. resized: by default size * 256 / 224.
    fit: "crop" resizes the short side and cuts a square window. In random order the window lies anywhere along the long
    side, so that crops cover the picture evenly. Otherwise it lies in the middle. "pad" and "squash": see `fitted`.
    """

    def __init__(self, size: int, resized: int | None = None, fit: Fit = "crop"):
        self.fit: Fit = fit
        self.side = round(size * 256 / 224) if resized is None else resized
        if self.side < size:
            raise InputError(f"field resized: {self.side} pixels are fewer than the size, {size}")
        self.slack = self.side - size

    def read(self, pictures: ImageDataset, i: int) -> NDArray[np.uint8]:
        return fitted(pictures.read(i, self.side), self.side, self.fit)

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


def fitted(picture: NDArray[np.uint8], side: int, fit: Fit) -> NDArray[np.uint8]:
    """A picture (h, w, 3) whose short side has `side` pixels, made square; to "crop", it stays as it is.

    "pad" resizes the long side to `side` pixels and repeats the border pixels along the other one: the whole picture is
    there, in its own shape. "squash" resizes both sides, so the whole picture is there, out of shape.
    """
    height, width = picture.shape[:2]
    if fit == "crop" or height == width:
        return picture
    shrunk = (round(side * width / max(height, width)), round(side * height / max(height, width)))
    size = (side, side) if fit == "squash" else (max(shrunk[0], 1), max(shrunk[1], 1))
    small = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
    room = np.subtract(side, small.shape[:2])
    return np.pad(small, [*((spare // 2, spare - spare // 2) for spare in room.tolist()), (0, 0)], mode="edge")


def window(picture: NDArray[np.uint8], side: int, slack: int = 0, at: float | None = None) -> NDArray[np.uint8]:
    """Cut a square (side, side, 3) out of a picture whose short side has `side` pixels.

    at: position along the long side in [0, 1); None for the middle. slack: the later crop is this many pixels smaller
    than the square. `at` is uniform for the position of that crop. The square is placed around it, inside the picture.
    """
    height, width = picture.shape[:2]
    spare = max(height, width) - side
    start = round(spare / 2) if at is None else min(max(int(at * (spare + slack + 1)) - slack // 2, 0), spare)
    return picture[:, start : start + side] if width > height else picture[start : start + side]
