"""Levels of pictures, 0 to 255 or 0 to 1, and the normalized values that networks see."""

from __future__ import annotations

import torch
from torch import Tensor

MEAN, SPREAD = 0.5, 0.25
"""Mean and scale that normalize pictures in [0, 1], the same for all channels."""


def normalized(pixels: Tensor) -> Tensor:
    """Normalize (n, 3, h, w) uint8 to float32."""
    return centered(pixels.float() / 255)


def centered(images: Tensor) -> Tensor:
    """Normalize images (n, 3, h, w) in [0, 1]."""
    return ((images - MEAN) / SPREAD).contiguous(memory_format=torch.channels_last)


def levels(images: Tensor) -> Tensor:
    """The inverse of `centered`."""
    return images * SPREAD + MEAN
