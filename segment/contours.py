"""Matched contours: how well the middle lines of predicted cracks meet those of true ones, each pixel at most once.

This is the evaluation of the Berkeley segmentation benchmark (Martin et al., PAMI 2004) as FPHBN uses it for cracks
(Yang et al., Feature pyramid and hierarchical boosting network, T-ITS 2020): predictions are thinned at each threshold,
and a pixel of a line is matched with a pixel of the other line within 0.0075 of the picture's diagonal. Unlike within a
tolerance, a thick or a double line gains nothing. The benchmark looks for the matching of least cost, in which a pixel
without a partner costs far more than any distance. So it has the most pairs, and only their number counts here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from scenes.cracks.thinning import thinned
from segment.metrics import THRESHOLDS, harmonic
from segment.statistics.lines import Mask

REACH = 0.0075
"""Largest distance of a matched pair, as a share of the picture's diagonal."""


@dataclass(frozen=True)
class Contours:
    """Pixels of lines of n pictures at t thresholds, (n, t) int64: predicted, true, and pairs of both."""

    predicted: NDArray[np.int64]
    real: NDArray[np.int64]
    matched: NDArray[np.int64]

    @staticmethod
    def none() -> Contours:
        """Those of no picture."""
        nothing = np.zeros((0, len(THRESHOLDS)), np.int64)
        return Contours(nothing, nothing, nothing)

    def __add__(self, other: Contours) -> Contours:
        parts = (self.predicted, other.predicted), (self.real, other.real), (self.matched, other.matched)
        return Contours(*(np.concatenate(pair) for pair in parts))

    def f1(self) -> NDArray[np.float64]:
        """(t,) harmonic mean of precision and recall of all pictures together."""
        return _f1(self.predicted.sum(0), self.real.sum(0), self.matched.sum(0))

    def ods(self) -> float:
        """The best `f1` of one threshold for all pictures (optimal dataset scale)."""
        return float(self.f1().max())

    def ois(self) -> float | None:
        """Mean of the best F1 of each picture that has a crack (optimal image scale); None if none has."""
        cracked = self.real[:, 0] > 0
        each = _f1(self.predicted[cracked], self.real[cracked], self.matched[cracked])
        return float(each.max(1).mean()) if len(each) else None


def contours(probability: NDArray[np.float32], mask: Mask, reach: float = REACH) -> Contours:
    """Match the lines of a map of probabilities (h, w) at each threshold with those of a mask (h, w)."""
    middle = thinned(mask)
    distance = reach * float(np.hypot(mask.shape[0], mask.shape[1]))
    rows: list[tuple[int, int]] = []
    before: Mask | None = None
    for threshold in THRESHOLDS.astype(np.float32):
        there = probability >= threshold
        if before is None or not np.array_equal(there, before):
            lines = thinned(there)
            rows.append((int(lines.sum()), matched(lines, middle, distance)))
        else:
            rows.append(rows[-1])
        before = there
    predicted, pairs = np.array(rows, np.int64).T[:, None]
    return Contours(predicted, np.full_like(predicted, np.count_nonzero(middle)), pairs)


def matched(one: Mask, other: Mask, distance: float) -> int:
    """The largest number of pairs of pixels of two masks (h, w) within a distance, pixels, each in one pair at most."""
    counts = int(np.count_nonzero(one)), int(np.count_nonzero(other))
    if not all(counts):
        return 0
    reach = int(distance)
    numbers = np.pad(np.full(other.shape, -1), reach, constant_values=-1)
    numbers[np.nonzero(np.pad(other, reach))] = np.arange(counts[1])
    places = np.argwhere(one) + reach
    sources, partners = [], []
    for down, right in np.argwhere(np.ones((2 * reach + 1,) * 2)) - reach:
        if np.hypot(down, right) <= distance:
            met = numbers[places[:, 0] + down, places[:, 1] + right]
            sources.append(np.flatnonzero(met >= 0))
            partners.append(met[met >= 0])
    pairs = np.concatenate(sources), np.concatenate(partners)
    graph = csr_array((np.ones(len(pairs[0]), bool), pairs), shape=counts)
    return int(np.count_nonzero(maximum_bipartite_matching(graph, perm_type="column") >= 0))


def _f1(predicted: NDArray[np.int64], real: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    precision, recall = (
        np.divide(pairs, whole, out=np.zeros(pairs.shape), where=whole > 0) for whole in (predicted, real)
    )
    return harmonic(precision, recall)
