"""Training crops of labelled crack pictures: which, where and how changed is decided by (seed, step) alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scenes.errors import InputError
from segment.sets import Picture

MEAN, SPREAD = 0.5, 0.25
"""Pictures in [0, 1] are normalized by these, in all channels alike."""


@dataclass(frozen=True)
class Augmentation:
    """zoom: a crop is enlarged by up to this factor, or shrunk as much. The rest are the widths of uniform draws:
    brightness and contrast factors of up to 1 +- that, colour mixed with grey, and gamma of up to e to the +- that."""

    zoom: float = 1.4
    brightness: float = 0.25
    contrast: float = 0.3
    grey: float = 0.8
    gamma: float = 0.3


class Crops:
    """Batches of `batch` crops of `size` pixels a side. Raises InputError for a picture without a mask."""

    def __init__(
        self, pictures: Sequence[Picture], size: int, batch: int, seed: int, augmentation: Augmentation | None = None
    ):
        for picture in pictures:
            if picture.mask is None:
                raise InputError(f"picture {picture.name}: has no mask to train on")
        self._pictures, self._size, self._batch, self._seed = pictures, size, batch, seed
        self._augmentation = augmentation or Augmentation()

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """Images (b, 3, s, s) float32, normalized, and masks (b, s, s) float32 of 0 and 1."""
        rng = np.random.Generator(np.random.Philox(key=(self._seed, step)))
        which = rng.integers(len(self._pictures), size=self._batch)
        pairs = [self._crop(self._pictures[i], rng) for i in which]
        images = np.stack([image for image, _ in pairs]).transpose(0, 3, 1, 2)
        masks = np.stack([mask for _, mask in pairs])
        return torch.from_numpy(images).contiguous(memory_format=torch.channels_last), torch.from_numpy(masks)

    def _crop(self, picture: Picture, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        assert picture.mask is not None
        chosen, size = self._augmentation, self._size
        zoom = chosen.zoom ** rng.uniform(-1, 1)
        turn = rng.integers(8)
        height, width = picture.mask.shape
        side = min(round(size / zoom), height, width)
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        window = np.s_[top : top + side, left : left + side]
        method = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
        image = cv2.resize(picture.rgb[window], (size, size), interpolation=method)
        mask = cv2.resize(picture.mask[window].astype(np.float32), (size, size), interpolation=method) >= 0.5
        return _turned(_recoloured(image, chosen, rng), turn), _turned(mask.astype(np.float32), turn)


def normalized(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(h, w, 3) float32 of (h, w, 3) uint8."""
    return (rgb.astype(np.float32) / 255 - MEAN) / SPREAD


def _recoloured(rgb: NDArray[np.uint8], chosen: Augmentation, rng: np.random.Generator) -> NDArray[np.float32]:
    image = rgb.astype(np.float32) / 255
    image **= np.exp(rng.uniform(-1, 1) * chosen.gamma)
    grey = image.mean(axis=2, keepdims=True)
    image += (grey - image) * rng.uniform(0, chosen.grey)
    image = (image - grey.mean()) * (1 + rng.uniform(-1, 1) * chosen.contrast) + grey.mean()
    image *= 1 + rng.uniform(-1, 1) * chosen.brightness
    return (image.clip(0, 1) - np.float32(MEAN)) / np.float32(SPREAD)


def _turned(values: NDArray[np.float32], turn: int) -> NDArray[np.float32]:
    """One of the eight ways a square lies on itself."""
    values = np.rot90(values, turn % 4)
    return np.ascontiguousarray(values[:, ::-1] if turn >= 4 else values)
