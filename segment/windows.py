"""Predictions for large pictures from overlapping windows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_AT_ONCE = 1 << 16
"""Pixels of the windows that the network sees at once, so that small windows do not cost a call each."""


def starts(length: int, side: int) -> list[int]:
    """Where windows of `side` pixels begin, so that each next one overlaps half of the one before it, to the end."""
    if length <= side:
        return [0]
    step = max(1, side // 2)
    return [*range(0, length - side, step), length - side]


def averaged(network: Callable[[Tensor], Tensor], images: Tensor, side: int) -> Tensor:
    """Logits (n, …, h, w) of images (n, 3, h, w): the mean over all windows of `side` pixels that cover a pixel.

    Windows overlap by half. A picture that is not larger than a window is one window. Several small windows are one
    batch of the network.
    """
    number, (height, width) = len(images), images.shape[-2:]
    if max(height, width) <= side:
        return network(images)
    total: Tensor | None = None
    count = images.new_zeros(height, width)
    places = [
        (slice(top, top + side), slice(left, left + side))
        for top in starts(height, side)
        for left in starts(width, side)
    ]
    several = max(1, _AT_ONCE // (number * min(height, side) * min(width, side)))
    for first in range(0, len(places), several):
        some = places[first : first + several]
        found = network(torch.cat([images[..., rows, columns] for rows, columns in some]))
        total = images.new_zeros(number, *found.shape[1:-2], height, width) if total is None else total
        for (rows, columns), logits in zip(some, found.split(number), strict=True):
            total[..., rows, columns] += logits
            count[rows, columns] += 1
    assert total is not None
    return total / count
