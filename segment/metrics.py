"""How well probability maps find cracks: pixel by pixel, and within a tolerance.

All pixels of a set are counted together at each threshold (micro average). Background does not count as a class,
because a mean over cracks and background hides failure. torchmetrics is not used: it has neither a tolerance nor the
best threshold of each picture (OIS).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError

THRESHOLDS = np.linspace(0.02, 0.98, 49)


@dataclass(frozen=True)
class Scores:
    """Pixel counts of n pictures at t thresholds.

    Attributes
    ----------
    thresholds : array (t,) float64
        A pixel is predicted as crack if its probability is at least the threshold.
    predicted : array (n, t) int64
        Predicted crack pixels.
    hit : array (n, t) int64
        Predicted crack pixels within the tolerance of a true crack pixel.
    real : array (n, t) int64
        True crack pixels.
    found : array (n, t) int64
        True crack pixels within the tolerance of a predicted crack pixel.
    both : array (n, t) int64
        Pixels that are crack and predicted as crack.
    pixels : array (n, t) int64
        All pixels.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import score
    >>> mask = np.eye(8, dtype=bool)
    >>> found = score([(mask.astype(np.float32), mask)])
    >>> found.iou().max(), found.ois()
    (1.0, 1.0)
    """

    thresholds: NDArray[np.float64]
    predicted: NDArray[np.int64]
    hit: NDArray[np.int64]
    real: NDArray[np.int64]
    found: NDArray[np.int64]
    both: NDArray[np.int64]
    pixels: NDArray[np.int64]

    def iou(self) -> NDArray[np.float64]:
        """(t,) intersection over union of the crack pixels of all pictures."""
        both = self.both.sum(axis=0)
        return _share(both, self.predicted.sum(axis=0) + self.real.sum(axis=0) - both)

    def f1(self) -> NDArray[np.float64]:
        """(t,) harmonic mean of precision and recall, pixel by pixel."""
        return _share(2 * self.both.sum(axis=0), self.predicted.sum(axis=0) + self.real.sum(axis=0))

    def precision(self) -> NDArray[np.float64]:
        """(t,) share of the predicted pixels that are crack; 1 where none is predicted."""
        predicted = self.predicted.sum(axis=0)
        return np.where(predicted > 0, _share(self.both.sum(axis=0), predicted), 1.0)

    def recall(self) -> NDArray[np.float64]:
        """(t,) share of the crack pixels that are predicted."""
        return _share(self.both.sum(axis=0), self.real.sum(axis=0))

    def average_precision(self) -> float:
        """Area under the curve of precision over recall: sum of (R_k - R_(k+1)) P_k over the thresholds k.

        Recall that no threshold reaches counts with the precision 0.
        """
        return float((-np.diff(self.recall(), append=0.0) * self.precision()).sum())

    def aiu(self) -> float:
        """Mean IoU of the crack pixels of all pictures together over all thresholds."""
        return float(self.iou().mean())

    def picture_aiu(self) -> float:
        """Mean over the pictures with a crack of their mean IoU over all thresholds (AIU of Yang et al., FPHBN, T-ITS
        2020, with our thresholds); nan if none has."""
        each = self.picture_iou()
        return float(each.mean()) if len(each) else float("nan")

    def mean_iou(self) -> NDArray[np.float64]:
        """(t,) mean of the IoU of cracks and that of the background (mIoU of two classes).

        The background alone makes it about 0.5, so it hides failure. It is here to compare with published figures.
        """
        both, predicted, real = (part.sum(axis=0) for part in (self.both, self.predicted, self.real))
        union = predicted + real - both
        pixels = self.pixels.sum(axis=0)
        return (_share(both, union) + _share(pixels - union, pixels - both)) / 2

    def picture_iou(self) -> NDArray[np.float64]:
        """(m, t) IoU of each of the m pictures that have a crack."""
        cracked = self.real[:, 0] > 0
        both = self.both[cracked]
        return _share(both, self.predicted[cracked] + self.real[cracked] - both)

    def false_share(self) -> NDArray[np.float64]:
        """(t,) share of predicted pixels in the pictures without a crack; nan if there are none."""
        clear = self.real[:, 0] == 0
        if not clear.any():
            return np.full(len(self.thresholds), np.nan)
        return self.predicted[clear].sum(axis=0) / self.pixels[clear].sum(axis=0)

    def tolerant_f1(self) -> NDArray[np.float64]:
        """(t,) harmonic mean of precision and recall within the tolerance."""
        return harmonic(
            _share(self.hit.sum(axis=0), self.predicted.sum(axis=0)),
            _share(self.found.sum(axis=0), self.real.sum(axis=0)),
        )

    def ois(self) -> float:
        """Mean of the best tolerant F1 of each picture that has a crack (OIS, optimal image scale); nan if none has."""
        cracked = self.real[:, 0] > 0
        each = harmonic(
            _share(self.hit[cracked], self.predicted[cracked]), _share(self.found[cracked], self.real[cracked])
        )
        return float(each.max(axis=1).mean()) if len(each) else float("nan")


def score(pairs: Iterable[tuple[NDArray[np.float32], NDArray[np.bool_]]], tolerance: float = 2.0) -> Scores:
    """Count how well probability maps find the cracks of masks.

    Parameters
    ----------
    pairs : iterable of (array (h, w) float32, array (h, w) bool)
        For each picture the probability of crack, 0 to 1, and the mask, True on cracks.
    tolerance : float
        Largest distance between pixel centers that still counts as a hit, pixels.

    Returns
    -------
    Scores
        The counts at 49 thresholds from 0.02 to 0.98, and the figures from them.

    Raises
    ------
    InputError
        If a map does not have the shape of its mask, or has a value outside 0 to 1, such as NaN. The message
        counts the pairs from 0.

    Examples
    --------
    A line that is found one pixel beside the truth:

    >>> import numpy as np
    >>> from blendmill import score
    >>> mask = np.zeros((9, 9), bool)
    >>> mask[4] = True
    >>> shifted = np.roll(mask, 1, axis=0).astype(np.float32)
    >>> found = score([(shifted, mask)], tolerance=2.0)
    >>> float(found.f1().max()), float(found.tolerant_f1().max())
    (0.0, 1.0)
    """
    rows = []
    for number, (probability, mask) in enumerate(pairs):
        check(f"pair {number}", probability, mask)
        rows.append(_counts(probability, mask, tolerance))
    table = np.array(rows, np.int64).reshape(len(rows), 6, len(THRESHOLDS))
    return Scores(THRESHOLDS, *table.transpose(1, 0, 2))


def check(name: str, probability: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
    """Raise InputError, which begins with `name`, unless every pixel of the mask has a probability."""
    if probability.shape != mask.shape:
        raise InputError(f"{name}: the map has the shape {probability.shape}, its mask {mask.shape}")
    # NaN is neither in nor out of a range, and sorts above 1: it would count as crack.
    wrong = ~((probability >= 0) & (probability <= 1))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise InputError(
            f"{name}: the probability at row {row}, column {column} is {probability[row, column]}, not 0 to 1; "
            f"{np.count_nonzero(wrong)} of {wrong.size} pixels are so"
        )


def _counts(probability: NDArray[np.float32], mask: NDArray[np.bool_], tolerance: float) -> list[NDArray[np.int64]]:
    disk = _disk(tolerance)
    near = cv2.dilate(mask.astype(np.uint8), disk) > 0
    # A crack pixel is found at all thresholds up to the highest probability within the tolerance.
    highest = cv2.dilate(np.asarray(probability, np.float32), disk)
    real, pixels = (np.full(len(THRESHOLDS), count) for count in (np.count_nonzero(mask), mask.size))
    hit, found, both = (_taken(values) for values in (probability[near], highest[mask], probability[mask]))
    return [_taken(probability), hit, real, found, both, pixels]


def _taken(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """(t,) number of values that are at least each threshold."""
    return values.size - np.searchsorted(np.sort(values, axis=None), THRESHOLDS.astype(np.float32))


def _disk(radius: float) -> NDArray[np.uint8]:
    """A square kernel: 1 where the distance to the middle pixel is at most `radius` pixels."""
    reach = np.arange(-int(radius), int(radius) + 1)
    return (reach[:, None] ** 2 + reach**2 <= radius**2).astype(np.uint8)


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=whole > 0)


def harmonic(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """The harmonic mean of two arrays, 0 where both are."""
    return np.divide(2 * a * b, a + b, out=np.zeros(a.shape), where=a + b > 0)
