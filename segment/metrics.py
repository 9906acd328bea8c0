"""How well a map of probabilities finds cracks: exact pixels, and pixels within a tolerance.

Both count over all pictures of a set (micro), at each threshold. Background is no class here: a mean over it and the
cracks hides failure. By hand and not by torchmetrics: that has no tolerance, and no best threshold of each
picture (OIS).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

THRESHOLDS = np.linspace(0.02, 0.98, 49)


@dataclass(frozen=True)
class Scores:
    """Counts over pictures, by threshold.

    thresholds: (t,) float. predicted, hit: (n, t) int64, pixels taken for crack, and those of them that are within
    tolerance of one. real, found: (n, t) int64, pixels of cracks, and those within tolerance of what was taken for one.
    both: (n, t) int64, pixels that are crack and taken for one.
    """

    thresholds: NDArray[np.float64]
    predicted: NDArray[np.int64]
    hit: NDArray[np.int64]
    real: NDArray[np.int64]
    found: NDArray[np.int64]
    both: NDArray[np.int64]

    def iou(self) -> NDArray[np.float64]:
        """(t,): pixels in both over pixels in either, over all pictures."""
        both = self.both.sum(axis=0)
        return _share(both, self.predicted.sum(axis=0) + self.real.sum(axis=0) - both)

    def f1(self) -> NDArray[np.float64]:
        """(t,): harmonic mean of the precision and recall of exact pixels."""
        return _share(2 * self.both.sum(axis=0), self.predicted.sum(axis=0) + self.real.sum(axis=0))

    def tolerant_f1(self) -> NDArray[np.float64]:
        """(t,): harmonic mean of precision and recall within the tolerance."""
        return _harmonic(
            _share(self.hit.sum(axis=0), self.predicted.sum(axis=0)),
            _share(self.found.sum(axis=0), self.real.sum(axis=0)),
        )

    def ois(self) -> float:
        """Mean over pictures with a crack of the best tolerant F1 of each (optimal image scale)."""
        cracked = self.real[:, 0] > 0
        each = _harmonic(
            _share(self.hit[cracked], self.predicted[cracked]), _share(self.found[cracked], self.real[cracked])
        )
        return float(each.max(axis=1).mean()) if len(each) else float("nan")


def score(pairs: Iterable[tuple[NDArray[np.float32], NDArray[np.bool_]]], tolerance: float = 2.0) -> Scores:
    """Scores of (probability (h, w), mask (h, w)) pairs. tolerance: pixels, of the distance between centers."""
    rows = [_counts(probability, mask, tolerance) for probability, mask in pairs]
    table = np.array(rows, np.int64).reshape(len(rows), 5, len(THRESHOLDS))
    return Scores(THRESHOLDS, *table.transpose(1, 0, 2))


def _counts(probability: NDArray[np.float32], mask: NDArray[np.bool_], tolerance: float) -> list[NDArray[np.int64]]:
    disk = _disk(tolerance)
    near = cv2.dilate(mask.astype(np.uint8), disk) > 0
    # A crack's pixel is found at all thresholds up to the highest probability within reach.
    highest = cv2.dilate(np.asarray(probability, np.float32), disk)
    real = np.full(len(THRESHOLDS), np.count_nonzero(mask))
    return [_taken(probability), _taken(probability[near]), real, _taken(highest[mask]), _taken(probability[mask])]


def _taken(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """(t,): how many of the values reach each threshold."""
    return values.size - np.searchsorted(np.sort(values, axis=None), THRESHOLDS.astype(np.float32))


def _disk(radius: float) -> NDArray[np.uint8]:
    """Set where a pixel is within `radius` of the middle one."""
    reach = np.arange(-int(radius), int(radius) + 1)
    return (reach[:, None] ** 2 + reach**2 <= radius**2).astype(np.uint8)


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)


def _harmonic(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(2 * a * b, a + b, out=np.zeros(a.shape), where=a + b > 0)
