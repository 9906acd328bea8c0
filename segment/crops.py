"""Training crops of labeled pictures. Picture and labels are cropped, scaled and rotated as one array.

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
from torch.nn.functional import conv2d, pad

from segment.config import ColorConfig
from segment.datasets import LabeledPictures
from segment.levels import centered, normalized
from training.data.loader import RawBatch


class Crops:
    """Crops of `size` pixels a side, with the mask as fourth channel; a `training.data.loader.Collate`.

    With a random generator, a crop has a random position, zoom and turn. Without one it is the center crop. crack:
    share of the crops that are placed around a random crack pixel, in pictures that have one. upright: whether the turn
    is a reflection, left to right, or none; otherwise it is any of the eight turns of a square.
    """

    def __init__(self, size: int, zoom: float, crack: float = 0.0, upright: bool = False):
        self._size, self._zoom, self._crack = size, zoom, crack
        self._turns = (0, 4) if upright else tuple(range(8))

    def read(self, pictures: LabeledPictures, i: int) -> NDArray[np.uint8]:
        """(h, w, 4) uint8: sRGB, and a mask that is 255 on cracks. Without labels the mask is 0."""
        picture = pictures.read(i)
        mask = np.zeros(picture.rgb.shape[:2], bool) if picture.mask is None else picture.mask
        return np.dstack([picture.rgb, np.where(mask, 255, 0).astype(np.uint8)])

    def stack(
        self, pictures: LabeledPictures, found: Sequence[tuple[int, NDArray[np.uint8]]], rng: np.random.Generator | None
    ) -> RawBatch:
        """images: (n, 3, s, s) uint8. targets: (n, s, s) float32, 1 on cracks and 0 elsewhere."""
        crops = np.stack([self._crop(pixels, rng) for _, pixels in found]).transpose(0, 3, 1, 2)
        places = torch.tensor([place for place, _ in found], dtype=torch.int64)
        return RawBatch(torch.from_numpy(np.ascontiguousarray(crops[:, :3])), self._targets(crops[:, 3:]), places)

    def _targets(self, labels: NDArray[np.uint8]) -> Tensor:
        """Targets of the channels after the colors (n, c, s, s)."""
        return torch.from_numpy((labels[:, 0] >= 128).astype(np.float32))

    def _crop(self, pixels: NDArray[np.uint8], rng: np.random.Generator | None) -> NDArray[np.uint8]:
        height, width = pixels.shape[:2]
        zoom, turn = 1.0, 0
        if rng is not None:
            zoom, turn = self._zoom ** rng.uniform(-1, 1), self._turns[rng.integers(len(self._turns))]
        side = min(round(self._size / zoom), height, width)
        top, left = self._corner(pixels[..., 3], side, rng)
        window = pixels[top : top + side, left : left + side]
        method = cv2.INTER_AREA if side > self._size else cv2.INTER_LINEAR
        return _turned(self._scaled(window, method), turn)

    def _scaled(self, window: NDArray[np.uint8], method: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(window, (self._size, self._size), interpolation=method))

    def _wanted(self, labels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.intp]:
        """The numbers of the pixels of labels (h, w), one of which a crop should show."""
        return np.flatnonzero(labels)

    def _corner(self, labels: NDArray[np.uint8], side: int, rng: np.random.Generator | None) -> tuple[int, int]:
        """The top and left of a crop."""
        room = [length - side for length in labels.shape]
        if rng is None:
            return room[0] // 2, room[1] // 2
        if self._crack and rng.uniform() < self._crack and len(wanted := self._wanted(labels, rng)):
            places = np.unravel_index(wanted[rng.integers(len(wanted))], labels.shape)
            # All windows that hold the place are as likely.
            lows = [max(0, int(place) - side + 1) for place in places]
            highs = [min(int(place), r) for place, r in zip(places, room, strict=True)]
            top, left = (int(rng.integers(low, high + 1)) for low, high in zip(lows, highs, strict=True))
            return top, left
        top, left = (int(rng.integers(r + 1)) for r in room)
        return top, left


def _turned(values: NDArray[np.uint8], turn: int) -> NDArray[np.uint8]:
    """One of the eight rotations and reflections of a square."""
    values = np.rot90(values, turn % 4)
    return values[:, ::-1] if turn >= 4 else values


class Plain:
    """Only normalizes pictures; a `training.batches.Augment`."""

    def __call__(self, raw: RawBatch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return normalized(raw.images), raw.targets


class Colors:
    """Random gamma, grayness, contrast, brightness and blur for each crop; a `training.batches.Augment`."""

    def __init__(self, chosen: ColorConfig):
        self._chosen = chosen

    def __call__(self, raw: RawBatch, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        # A target view is computed at first use, while a method computes its losses under autocast.
        with torch.autocast(raw.images.device.type, enabled=False):
            return self._recolored(raw.images, generator), raw.targets

    def _recolored(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        chosen = self._chosen
        draws = torch.rand(len(pixels), 4, 1, 1, 1, generator=generator).to(pixels.device)
        gamma, gray, contrast, brightness = draws.unbind(1)
        images = (pixels.float() / 255) ** torch.exp((2 * gamma - 1) * chosen.gamma)
        images = torch.lerp(images, images.mean(1, keepdim=True), gray * chosen.gray)
        middle = images.mean((1, 2, 3), keepdim=True)
        images = (images - middle) * (1 + (2 * contrast - 1) * chosen.contrast) + middle
        images = images * (1 + (2 * brightness - 1) * chosen.brightness)
        if chosen.blur:
            sigmas = torch.rand(len(pixels), 1, generator=generator).to(pixels.device) * chosen.blur
            images = blurred(images, sigmas)
        return centered(images.clamp(0, 1))


def blurred(images: Tensor, sigmas: Tensor) -> Tensor:
    """Images (n, 3, h, w), each blurred by a Gaussian of its own sigma (n, 1), pixels."""
    reach = max(1, int(torch.ceil(3 * sigmas.max())))
    places = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    kernels = torch.exp(-0.5 * (places / sigmas.clamp(min=1e-3)) ** 2)
    kernels = (kernels / kernels.sum(1, keepdim=True)).repeat_interleave(3, 0)
    groups = len(kernels)
    flat = pad(images.reshape(1, groups, *images.shape[-2:]), (reach,) * 4, mode="replicate")
    flat = conv2d(conv2d(flat, kernels[:, None, None], groups=groups), kernels[:, None, :, None], groups=groups)
    return flat.view(images.shape)
