"""Figures that need no labels: which threshold and which checkpoint to take, judged on pictures of the target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segment.metrics import THRESHOLDS

Map = NDArray[np.float32]

# A network that finds cracks in fewer pictures, or takes more of all pixels for crack, has collapsed.
_FEW, _MOST = 0.02, 0.9


@dataclass(frozen=True)
class Unlabeled:
    """What a network predicts on n pictures without labels.

    expected: (t,) IoU that its own probabilities promise at each threshold. stable: soft IoU of its predictions on the
    pictures and on their changed copies. collapse: how its predictions have collapsed, in words; empty if not.
    """

    expected: NDArray[np.float64]
    stable: float
    collapse: str

    @property
    def threshold(self) -> float:
        """The threshold with the highest expected IoU; the lowest one if there are several."""
        return float(THRESHOLDS[int(self.expected.argmax())])


def judged(pairs: Iterable[tuple[Map, Map]]) -> Unlabeled:
    """Judge probabilities of crack (h, w) on pictures, each with those on a changed copy of the picture.

    The expected IoU takes each probability p as the truth: at a threshold t it is the sum of p over the predicted
    pixels, divided by their number plus the sum of p over the others. Choosing t by it is the plug-in rule for
    F-measures (Lipton et al., Optimal thresholding of classifiers to maximize F1 measure, 2014). It trusts the network:
    one that is sure and wrong promises much. `stable` is the sum of min(p, q) over that of max(p, q) of both
    predictions.
    """
    taken, mass = np.zeros(len(THRESHOLDS)), np.zeros(len(THRESHOLDS))
    total = pixels = pictures = cracked = low = high = 0.0
    for first, second in pairs:
        values = np.sort(first, axis=None).astype(np.float64)
        places = np.searchsorted(values, THRESHOLDS)
        sums = np.append(np.cumsum(values[::-1])[::-1], 0.0)
        taken += len(values) - places
        mass += sums[places]
        total, pixels, pictures = total + sums[0], pixels + len(values), pictures + 1
        cracked += float(values[-1] >= 0.5)
        low += float(np.minimum(first, second).sum())
        high += float(np.maximum(first, second).sum())
    half = int(np.abs(THRESHOLDS - 0.5).argmin())
    collapse = ""
    if cracked < _FEW * pictures:
        collapse = f"no crack in {pictures - cracked:.0f} of {pictures:.0f} pictures of the target"
    elif taken[half] > _MOST * pixels:
        collapse = f"{taken[half] / pixels:.0%} of the pixels of the target are crack"
    expected = np.divide(mass, taken + total - mass, out=np.zeros_like(mass), where=taken + total - mass > 0)
    return Unlabeled(expected, low / high if high else 0.0, collapse)
