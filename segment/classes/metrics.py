"""How well predicted classes agree with labels: confusion matrix, IoU of each class, and IoU of the borders."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segment.ignored import IGNORED

Ids = NDArray[np.uint8]
Counts = NDArray[np.int64]
Shares = NDArray[np.float64]

DILATION = 0.02
"""Width of a border, as a share of the picture's diagonal: that of Cheng et al. for COCO and LVIS."""


@dataclass(frozen=True)
class ClassScores:
    """Pixel counts of some pictures for k classes. Pixels whose label is IGNORED are in none.

    Attributes
    ----------
    confusion : array (k, k) int64
        Pixels by their true class (rows) and their predicted class (columns).
    border : array (k, 2) int64
        Of each class, pixels in the borders of both truth and prediction, and in either.
    pictures : int
        Number of pictures.

    Examples
    --------
    >>> import numpy as np
    >>> from blendmill import score_classes
    >>> truth = np.repeat(np.uint8([[0, 1]]), 8, axis=0).repeat(8, axis=1)
    >>> found = score_classes(truth, truth, 2)
    >>> found.mean_iou(), found.accuracy()
    (1.0, 1.0)
    """

    confusion: Counts
    border: Counts
    pictures: int = 1

    @staticmethod
    def none(classes: int) -> ClassScores:
        """The scores of no picture."""
        return ClassScores(np.zeros((classes, classes), np.int64), np.zeros((classes, 2), np.int64), 0)

    def __add__(self, other: ClassScores) -> ClassScores:
        return ClassScores(self.confusion + other.confusion, self.border + other.border, self.pictures + other.pictures)

    def iou(self) -> Shares:
        """(k,) intersection over union of each class; nan for a class that is neither there nor predicted."""
        both = self.confusion.diagonal()
        return _share(both, self.confusion.sum(0) + self.confusion.sum(1) - both)

    def mean_iou(self) -> float:
        """Mean of `iou` over the classes that are there or predicted; nan without any pixel."""
        return mean_of(self.iou())

    def recall(self) -> Shares:
        """(k,) share of each class's pixels that are predicted as it; nan for a class that is not there."""
        return _share(self.confusion.diagonal(), self.confusion.sum(1))

    def accuracy(self) -> float:
        """Share of all pixels that are predicted right; nan without any pixel."""
        return float(_share(np.array([self.confusion.trace()]), np.array([self.confusion.sum()]))[0])

    def boundary_iou(self) -> Shares:
        """(k,) IoU of the borders of each class: boundary IoU of Cheng et al., CVPR 2021, eq. 1, all pictures together.

        nan for a class that is neither there nor predicted.
        """
        return _share(self.border[:, 0], self.border[:, 1])

    def mean_boundary_iou(self) -> float:
        """Mean of `boundary_iou` over the classes that are there or predicted; nan without any pixel."""
        return mean_of(self.boundary_iou())


def score_classes(predicted: Ids, truth: Ids, classes: int, dilation: float = DILATION) -> ClassScores:
    """Count how well a picture's predicted classes agree with its labels.

    Parameters
    ----------
    predicted : array (h, w) uint8
        The predicted class of each pixel, 0 to classes - 1.
    truth : array (h, w) uint8
        The true class, or 255 for pixels that count nowhere.
    classes : int
        Number of classes.
    dilation : float
        Width of the borders, as a share of the picture's diagonal.

    Returns
    -------
    ClassScores
        The counts of this picture. Sum those of all pictures.

    Examples
    --------
    A quarter of the pixels counts nowhere, and a third of the others is wrong:

    >>> import numpy as np
    >>> from blendmill import score_classes
    >>> truth = np.array([[0, 0], [1, 255]], np.uint8)
    >>> found = score_classes(np.zeros((2, 2), np.uint8), truth, classes=2)
    >>> found.confusion.tolist(), found.iou().round(3).tolist()
    ([[2, 0], [1, 0]], [0.667, 0.0])
    """
    counts = truth != IGNORED
    pairs = truth[counts].astype(np.int64) * classes + predicted[counts]
    confusion = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    width = max(1, round(dilation * float(np.hypot(truth.shape[0], truth.shape[1]))))
    border = np.zeros((classes, 2), np.int64)
    for number in np.flatnonzero(confusion.sum(0) + confusion.sum(1)):
        theirs, ours = (_border(ids == number, width) & counts for ids in (truth, predicted))
        border[number] = np.count_nonzero(theirs & ours), np.count_nonzero(theirs | ours)
    return ClassScores(confusion, border)


def _border(mask: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """(h, w) True in the pixels of a mask that are within `width` pixels of its outline, or of the picture's edge.

    As in the authors' code, the distance is that of steps to the eight neighbors.
    """
    solid = np.pad(mask.astype(np.uint8), 1)
    inner = cv2.erode(solid, np.ones((3, 3), np.uint8), iterations=width, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return mask & (inner[1:-1, 1:-1] == 0)


def _share(part: Counts, whole: Counts) -> Shares:
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)


def mean_of(values: Shares) -> float:
    """Mean of the figures of classes, without those that are nan; nan if all are."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")
