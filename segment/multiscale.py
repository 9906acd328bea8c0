"""A network on two resolutions: context at half resolution and details at full resolution, fused by attention."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from segment.logits import as_maps, from_maps
from segment.network import Segmenter, enlarged, fitted
from segment.windows import averaged

Window = tuple[slice, slice]
"""Rows and columns."""


class MultiScale(Segmenter):
    """Logits a * detail + (1 - a) * context, with the attention a = sigmoid(attention(context)) for each class.

    Hoyer et al., HRDA, ECCV 2022, eqs. 5 to 8. Attention and logits share the decoder; the paper gives the attention a
    decoder of its own. side: of the windows of details in prediction, pixels, as they were in training; 0 before.
    """

    side: Tensor

    def __init__(self, network: Segmenter):
        super().__init__()
        self.network = network
        self.head = network.head
        channels = network.head.in_channels
        self.attention = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, self.classes, 1)
        )
        self.register_buffer("side", torch.zeros((), dtype=torch.int64))
        self.grid = max(8, network.stride)
        self.stride = 2 * self.grid

    def encode(self, images: Tensor) -> list[Tensor]:
        return self.network.encode(images)

    def decode(self, encoded: list[Tensor]) -> Tensor:
        return self.network.decode(encoded)

    def backbone(self) -> Iterable[nn.Parameter]:
        return self.network.backbone()

    def crops(self, images: Tensor, window: Window) -> tuple[Tensor, Tensor]:
        """Fused logits (n, …, h, w), and logits of the details in the window (n, …, h', w').

        images: (n, 3, h, w), sides multiples of `stride`. The attention counts as 0 outside of the window, because
        there are no details.
        """
        rows, columns = window
        self.side.fill_(rows.stop - rows.start)
        detail = self.network(images[..., rows, columns])
        inserted = images.new_zeros(*detail.shape[:-2], *images.shape[-2:])
        inserted[..., rows, columns] = detail
        inside = images.new_zeros(1, 1, *images.shape[-2:])
        inside[..., rows, columns] = 1
        return self._fused(images, inserted, inside), detail

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, …, h, w) of images (n, 3, h, w) of any size. The details come from overlapping windows."""
        height, width = images.shape[-2:]
        padded = fitted(images, self.stride)
        side = int(self.side) or max(padded.shape[-2:]) // 2
        return self._fused(padded, averaged(self.network, padded, side))[..., :height, :width]

    def _fused(self, images: Tensor, detail: Tensor, inside: Tensor | None = None) -> Tensor:
        """Logits (n, …, h, w) from images (n, 3, h, w) and the logits of their details (n, …, h, w).

        inside: (1, 1, h, w), 1 where there are details; None for everywhere.
        """
        size = images.shape[-2:]
        half = interpolate(images, scale_factor=0.5, mode="bilinear", align_corners=False)
        features = self.network.decode(self.network.encode(half))
        attention = self.attention(features).sigmoid()
        if inside is not None:
            attention = attention * interpolate(inside, attention.shape[-2:], mode="nearest")
        context = enlarged((1 - attention) * self.head(features), size)
        return from_maps(enlarged(attention, size) * as_maps(detail) + context)


def random_window(height: int, width: int, grid: int) -> Window:
    """A random window of half the height and half the width, on a grid of pixels, from torch's global generator."""
    starts = [int(torch.randint((side // 2) // grid + 1, ())) * grid for side in (height, width)]
    top, left = starts
    return slice(top, top + height // 2), slice(left, left + width // 2)
