"""Panoptic quality: how well single objects and surfaces are found, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segment.ignored import IGNORED

Shares = NDArray[np.float64]


@dataclass(frozen=True)
class PanopticScores:
    """Counts of some pictures for k classes.

    matched, wrong, missed: (k,) int64, segments that are found, found but not there, and there but not found. overlap:
    (k,) float64, the sum of the IoU of those that are found.
    """

    matched: NDArray[np.int64]
    wrong: NDArray[np.int64]
    missed: NDArray[np.int64]
    overlap: Shares

    @staticmethod
    def none(classes: int) -> PanopticScores:
        """The scores of no picture."""
        counts = np.zeros(classes, np.int64)
        return PanopticScores(counts, counts, counts, np.zeros(classes))

    def __add__(self, other: PanopticScores) -> PanopticScores:
        return PanopticScores(
            self.matched + other.matched,
            self.wrong + other.wrong,
            self.missed + other.missed,
            self.overlap + other.overlap,
        )

    def segmentation(self) -> Shares:
        """(k,) SQ, the mean IoU of the segments that are found; nan where the class is neither there nor predicted."""
        return np.where(self._there(), self.overlap / np.maximum(1, self.matched), np.nan)

    def recognition(self) -> Shares:
        """(k,) RQ, the F1 of finding segments; nan as above."""
        whole = self.matched + (self.wrong + self.missed) / 2
        return np.where(self._there(), self.matched / np.maximum(0.5, whole), np.nan)

    def quality(self) -> Shares:
        """(k,) PQ = SQ times RQ (Kirillov et al., CVPR 2019, eq. 1); nan as above."""
        return self.segmentation() * self.recognition()

    def _there(self) -> NDArray[np.bool_]:
        return self.matched + self.wrong + self.missed > 0


def score_segments(
    predicted: NDArray[np.int32],
    kinds: Sequence[int],
    ids: NDArray[np.uint8],
    instances: NDArray[np.uint16],
    classes: int,
) -> PanopticScores:
    """Compare the segments of a picture with its labels.

    A true segment is an object (a number in `instances`) of a class, or all other pixels of a class. It is found by a
    segment of its class with an IoU above 0.5; there is at most one. Pixels that count nowhere are in no union, and a
    segment that lies in them by more than half is not counted.

    Parameters
    ----------
    predicted : array (h, w) int32
        The number of the segment of each pixel, 0 for none.
    kinds : sequence of int
        The class of each segment, that of number 1 first.
    ids, instances : array (h, w)
        The true class, or 255, and the number of the object, or 0.
    classes : int
        Number of classes.
    """
    counts = ids != IGNORED
    truth, true_of = np.unique(ids.astype(np.int64) + 256 * instances.astype(np.int64), return_inverse=True)
    kind_of_truth = truth % 256
    table = np.zeros((len(kinds) + 1, len(truth)), np.int64)
    np.add.at(table, (predicted.ravel(), true_of.ravel()), 1)
    counted = kind_of_truth != IGNORED
    inside = table[:, counted]
    size, true_size = inside.sum(1), table.sum(0)[counted]
    unions = size[:, None] + true_size - inside
    overlaps = inside / np.maximum(1, unions)
    same = np.array([-1, *kinds])[:, None] == kind_of_truth[counted]
    found, theirs = np.nonzero(same & (overlaps > 0.5))
    whole = np.bincount(predicted.ravel(), minlength=len(kinds) + 1)
    lost = 2 * np.bincount(predicted[~counts].ravel(), minlength=len(kinds) + 1) > whole
    wrong = np.array([k for k in range(1, len(kinds) + 1) if k not in found and not lost[k]], np.int64)
    missed = np.setdiff1d(np.arange(len(true_size)), theirs)
    matched = kind_of_truth[counted][theirs]
    return PanopticScores(
        np.bincount(matched, minlength=classes),
        np.bincount(np.array(kinds, np.int64)[wrong - 1], minlength=classes),
        np.bincount(kind_of_truth[counted][missed], minlength=classes),
        np.bincount(matched, weights=overlaps[found, theirs], minlength=classes).astype(np.float64),
    )
