"""Figures of many classes that need no labels: which checkpoint to take, judged on pictures of the target."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.float32]

LOOKED_AT = 48
"""So many pictures of the target are looked at."""


class Judged(NamedTuple):
    """expected: mean IoU that the network's own probabilities promise. stable: soft mean IoU of its predictions on the
    pictures and on their changed copies. single: the class of all pixels, if there is but one; such a network has
    collapsed."""

    expected: float
    stable: float
    single: int | None


def judged(pairs: Iterable[tuple[Maps, Maps]]) -> Judged:
    """Judge probabilities (k, h, w) on pictures, each with those on a changed copy of the picture.

    The expected IoU of a class is the sum of its probability over the pixels where it is the likeliest, divided by
    their number plus the sum over the others, as `segment.unlabeled.judged` does for cracks. `stable` is the sum of
    min(p, q) over that of max(p, q) of both predictions. Both are means over the classes that are the likeliest
    somewhere.
    """
    taken = right = mass = low = high = np.zeros(0)
    for first, second in pairs:
        if not len(mass):
            taken, right, mass, low, high = np.zeros((5, len(first)))
        flat = first.reshape(len(first), -1).astype(np.float64)
        best = flat.argmax(0)
        taken += np.bincount(best, minlength=len(flat))
        right += np.bincount(best, weights=flat.max(0), minlength=len(flat))
        mass += flat.sum(1)
        low += np.minimum(first, second).sum((1, 2))
        high += np.maximum(first, second).sum((1, 2))
    there = taken > 0
    if not there.any():
        return Judged(0.0, 0.0, None)
    expected = right[there] / (taken + mass - right)[there]
    single = int(taken.argmax()) if np.count_nonzero(there) == 1 else None
    return Judged(float(expected.mean()), float((low[there] / high[there]).mean()), single)
