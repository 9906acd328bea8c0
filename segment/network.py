"""What all networks that label pixels have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from segment.logits import from_maps

UNET, UNET_LITE0 = "unet", "unet-lite0"
MATCHING = ("mask2former-tiny", *(f"mask2former-swin-{size}" for size in "tsbl"))
"""Networks that tell objects apart."""
NAMES = (
    UNET, UNET_LITE0, *(f"segformer-b{k}" for k in range(6)), "dpt-dinov2-s", "dpt-dinov2-b", "upernet-convnext-t",
    *MATCHING,
)  # fmt: skip
"""The names of the networks in configs. `segment.models.build` makes them."""


class Segments(NamedTuple):
    """Objects and surfaces of a picture.

    numbers: (h, w) int32, 0 for none, else the place in the lists, counted from 1. classes: of each. scores: the
    network's own, 0 to 1.
    """

    numbers: NDArray[np.int32]
    classes: tuple[int, ...]
    scores: tuple[float, ...]


class Segmenter(nn.Module):
    """A network that outputs logits for each pixel: `head(decode(encode(images)))`, at the size of the images.

    A network defines `encode`, `decode` and `head`. The head has a channel for each class; a single one is that of
    cracks. stride: images are enlarged by reflection to a multiple of it. segmenting: whether it tells objects apart.
    Then it defines `own_loss` and `segments`.
    """

    stride: int
    segmenting = False
    head: nn.Conv2d

    @property
    def classes(self) -> int:
        """Number of classes; 1 for cracks against all else."""
        return self.head.out_channels

    def encode(self, images: Tensor) -> list[Tensor]:
        """Features (n, c, h', w') of images (n, 3, h, w) , sides multiples of `stride`; the deepest last."""
        raise NotImplementedError

    def decode(self, encoded: list[Tensor]) -> Tensor:
        """Features (n, c, h', w') that the head classifies, from those of `encode`."""
        raise NotImplementedError

    def backbone(self) -> Iterable[nn.Parameter]:
        """The parameters that may start from pre-trained weights. They have a learning rate of their own."""
        return ()

    def own_loss(self, images: Tensor, labels: Tensor) -> Tensor:
        """The loss () of a network that tells objects apart. labels: (n, h, w), with objects; see `segment.logits`."""
        raise NotImplementedError

    def segments(self, images: Tensor) -> list[Segments]:
        """What such a network finds in images (n, 3, h, w)."""
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images (n, 3, h, w) float, of any size: (n, h, w) for cracks, else (n, classes, h, w)."""
        height, width = images.shape[-2:]
        padded = fitted(images, self.stride)
        logits = self.head(self.decode(self.encode(padded)))
        return from_maps(enlarged(logits, padded.shape[-2:])[..., :height, :width])


def fitted(images: Tensor, stride: int) -> Tensor:
    """Images (n, c, h, w), reflected at the right and the bottom so that their sides are multiples of `stride`."""
    height, width = images.shape[-2:]
    margins = (0, -width % stride, 0, -height % stride)
    if not any(margins):
        return images
    # A reflection is shorter than the picture.
    short = margins[1] >= width or margins[3] >= height
    return pad(images, margins, mode="replicate" if short else "reflect")


def enlarged(maps: Tensor, size: torch.Size) -> Tensor:
    """Maps (n, c, h, w) resized to `size` by bilinear interpolation."""
    return maps if maps.shape[-2:] == size else interpolate(maps, list(size), mode="bilinear", align_corners=False)
