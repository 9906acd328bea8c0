"""Masked pictures, for masked image consistency."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import interpolate


def mask(images: Tensor, kept: Tensor) -> Tensor:
    """Set images (n, c, h, w) to 0, the mean color, where the grid `kept` (n, 1, rows, columns) bool is False."""
    return images * interpolate(kept.to(images.dtype), images.shape[-2:])
