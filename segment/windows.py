"""Predictions for large pictures from overlapping windows."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def starts(length: int, side: int) -> list[int]:
    """Where windows of `side` pixels begin, so that each next one overlaps half of the one before it, to the end."""
    if length <= side:
        return [0]
    step = max(1, side // 2)
    return [*range(0, length - side, step), length - side]


def averaged(network: Callable[[Tensor], Tensor], images: Tensor, side: int) -> Tensor:
    """Logits (n, …, h, w) of images (n, 3, h, w): the mean over all windows of `side` pixels that cover a pixel.

    Windows overlap by half. A picture that is not larger than a window is one window.
    """
    height, width = images.shape[-2:]
    if max(height, width) <= side:
        return network(images)
    total: Tensor | None = None
    count = images.new_zeros(height, width)
    for top in starts(height, side):
        for left in starts(width, side):
            rows, columns = slice(top, top + side), slice(left, left + side)
            found = network(images[..., rows, columns])
            total = images.new_zeros(*found.shape[:-2], height, width) if total is None else total
            total[..., rows, columns] += found
            count[rows, columns] += 1
    assert total is not None
    return total / count
