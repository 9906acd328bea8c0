"""Training crops of labeled crack pictures. Picture and mask are cropped, scaled and rotated as one array.

torchvision and albumentations are not used: a crop must depend on (seed, step) only, without a global random state, and
colors are changed for a whole batch on its device.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from segment.config import AugmentConfig
from segment.datasets import CrackPictures
from training.data.loader import RawBatch

MEAN, SPREAD = 0.5, 0.25
"""Mean and scale that normalize pictures in [0, 1], the same for all channels."""


class Crops:
    """Crops of `size` pixels a side, with the mask as fourth channel; a `training.data.loader.Collate`.

    With a random generator, a crop has a random position, zoom and rotation. Without one it is the center crop.
    """

    def __init__(self, size: int, zoom: float):
        self._size, self._zoom = size, zoom

    def read(self, pictures: CrackPictures, i: int) -> NDArray[np.uint8]:
        """(h, w, 4) uint8: sRGB, and a mask that is 255 on cracks. Without labels the mask is 0."""
        picture = pictures.read(i)
        mask = np.zeros(picture.rgb.shape[:2], bool) if picture.mask is None else picture.mask
        return np.dstack([picture.rgb, np.where(mask, 255, 0).astype(np.uint8)])

    def stack(
        self, pictures: CrackPictures, found: Sequence[tuple[int, NDArray[np.uint8]]], rng: np.random.Generator | None
    ) -> RawBatch:
        """images: (n, 3, s, s) uint8. targets: (n, s, s) float32, 1 on cracks and 0 elsewhere."""
        crops = np.stack([self._crop(pixels, rng) for _, pixels in found]).transpose(0, 3, 1, 2)
        masks = (crops[:, 3] >= 128).astype(np.float32)
        places = torch.tensor([place for place, _ in found], dtype=torch.int64)
        return RawBatch(torch.from_numpy(np.ascontiguousarray(crops[:, :3])), torch.from_numpy(masks), places)

    def _crop(self, pixels: NDArray[np.uint8], rng: np.random.Generator | None) -> NDArray[np.uint8]:
        height, width = pixels.shape[:2]
        zoom, turn = (1.0, 0) if rng is None else (self._zoom ** rng.uniform(-1, 1), int(rng.integers(8)))
        side = min(round(self._size / zoom), height, width)
        room = (height - side, width - side)
        top, left = (r // 2 if rng is None else int(rng.integers(r + 1)) for r in room)
        window = pixels[top : top + side, left : left + side]
        method = cv2.INTER_AREA if side > self._size else cv2.INTER_LINEAR
        return _turned(cv2.resize(window, (self._size, self._size), interpolation=method), turn)


def _turned(values: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """One of the eight rotations and reflections of a square."""
    values = np.rot90(values, turn % 4)
    return values[:, ::-1] if turn >= 4 else values


def normalized(levels: Tensor) -> Tensor:
    """Normalize (n, 3, h, w) uint8 to float32."""
    return _centered(levels.float() / 255)


def _centered(images: Tensor) -> Tensor:
    return ((images - MEAN) / SPREAD).contiguous(memory_format=torch.channels_last)


class Plain:
    """Only normalizes pictures; a `training.batches.Augment`."""

    def __call__(self, raw: RawBatch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return normalized(raw.images), raw.targets


class Colors:
    """Random gamma, grayness, contrast and brightness for each crop; a `training.batches.Augment`."""

    def __init__(self, chosen: AugmentConfig):
        self._chosen = chosen

    def __call__(self, raw: RawBatch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        # A target view is computed at first use, while a method computes its losses under autocast.
        with torch.autocast(raw.images.device.type, enabled=False):
            return self._recolored(raw.images, generator), raw.targets

    def _recolored(self, levels: Tensor, generator: torch.Generator) -> Tensor:
        chosen = self._chosen
        draws = torch.rand(len(levels), 4, 1, 1, 1, generator=generator).to(levels.device)
        gamma, gray, contrast, brightness = draws.unbind(1)
        images = (levels.float() / 255) ** torch.exp((2 * gamma - 1) * chosen.gamma)
        images = torch.lerp(images, images.mean(1, keepdim=True), gray * chosen.gray)
        middle = images.mean((1, 2, 3), keepdim=True)
        images = (images - middle) * (1 + (2 * contrast - 1) * chosen.contrast) + middle
        images = images * (1 + (2 * brightness - 1) * chosen.brightness)
        return _centered(images.clamp(0, 1))
