"""How whole pictures are predicted: at one size or at several, and large ones in overlapping windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import interpolate

from segment.logits import as_maps, from_maps
from segment.network import enlarged
from segment.windows import averaged

Network = Callable[[Tensor], Tensor]
"""Maps images (n, 3, h, w) to logits (n, …, h, w)."""
Scales = Annotated[tuple[Annotated[float, Field(ge=0.1, le=4)], ...], Field(min_length=1)]
"""Sizes at which pictures are seen, 1 for their own."""


class Inference(NamedTuple):
    """How pictures are predicted.

    window: at each size, pictures with a longer side are predicted in overlapping windows of this side, pixels, whose
    logits are averaged. scales: the sizes at which a picture is seen, 1 for its own; the logits are averaged.
    """

    window: int = 1024
    scales: tuple[float, ...] = (1.0,)

    def logits(self, network: Network, images: Tensor) -> Tensor:
        """Logits (n, …, h, w) of images (n, 3, h, w)."""
        return at_scales(lambda seen: averaged(network, seen, self.window), images, self.scales)


def at_scales(network: Network, images: Tensor, scales: Sequence[float]) -> Tensor:
    """Mean logits (n, …, h, w) of images (n, 3, h, w) that the network sees at several sizes."""
    found = []
    for scale in scales:
        logits = as_maps(network(_resized(images, scale)))
        found.append(enlarged(logits, images.shape[-2:]))
    return from_maps(torch.stack(found).mean(0))


def _resized(images: Tensor, scale: float) -> Tensor:
    """Images (n, 3, h, w) at another size, in whole pixels."""
    if scale == 1:
        return images
    # The size is given, not the factor. Else 70 of 101 pixels would show 100 of them, and logits would be shifted.
    size = [max(1, round(scale * side)) for side in images.shape[-2:]]
    return interpolate(images, size, mode="bilinear", antialias=scale < 1)
