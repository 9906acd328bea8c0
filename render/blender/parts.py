"""Parts of objects in the picture: numbers on the faces of the meshes, which the materials write to an AOV.

Many parts of an object look alike. They share one material, because each material costs time in each render. So the
index of the material cannot tell parts apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ATTRIBUTE = "part"
"""The attribute of the faces, and the AOV."""

# A prime above all numbers of parts.
_PRIME = 65521
# The numbers are whole, and the sums are exact up to the rounding of their mean.
_EXACT = 0.1


def codes(parts: NDArray[np.integer]) -> NDArray[np.float32]:
    """(n, 3) what the faces carry of their parts' numbers (n,), which count from 1.

    An AOV adds up all samples of a pixel. Most often only the first passes its center, but another may come as near.
    The last number counts the samples. The first two show whether they saw the same part: the mean of different numbers
    may be the number of a third part, but then the mean of the squares, modulo a prime, is not the square of that.
    """
    numbers = parts.astype(np.int64)
    return np.stack([numbers, numbers**2 % _PRIME, np.ones_like(numbers)], axis=1).astype(np.float32)


def decoded(sums: NDArray[np.float32]) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """(H, W) parts by the AOV (H, W, 3), and whether they are sure: samples saw that part, and no other."""
    mean = sums[..., :2] / np.where(sums[..., 2:] > 0, sums[..., 2:], 1).astype(np.float64)
    number = np.round(mean[..., 0]).astype(np.int64)
    off = np.abs(mean - np.stack([number, number**2 % _PRIME], axis=-1)).max(axis=-1)
    return number.astype(np.uint16), (sums[..., 2] > 0) & (off < _EXACT)
