"""Evaluation figures of a classifier on labeled pictures.

torchmetrics is not used: it has neither recall over chance nor intervals, and its updates could change the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenes.errors import InputError

BINS = 15
LEVEL = 0.95

# The meaning of the figures, and their names in the tables of S2RDA.
NAMES = {
    "accuracy": "share of correctly classified pictures (S2RDA: Acc.)",
    "mean_recall": "mean of the recalls of all classes (S2RDA: Mean, class precision)",
    "accuracy_over_chance": "(accuracy - 1/classes) / (1 - 1/classes): 0 is guessing, 1 is perfect",
    "mean_recall_over_chance": "(mean recall - 1/classes) / (1 - 1/classes): 0 is guessing, 1 is perfect",
    "ece": f"expected calibration error, {BINS} bins of equal width",
}


def softmax(logits: ArrayLike) -> NDArray[np.float64]:
    """Probabilities (n, k) from logits (n, k)."""
    z = np.asarray(logits, dtype=np.float64)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def confusion(predicted: ArrayLike, labels: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Number of pictures (k, k) by true class (row) and predicted class (column)."""
    flat = np.asarray(labels) * classes + np.asarray(predicted)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


def accuracy(matrix: NDArray[np.int64]) -> float:
    """Share of correct predictions in a confusion matrix."""
    return float(np.trace(matrix) / matrix.sum())


def recalls(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Recall (k,) by class; nan for a class without pictures."""
    return _ratio(np.diagonal(matrix), matrix.sum(axis=1))


def precisions(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Precision (k,) by class; nan for a class that was never predicted."""
    return _ratio(np.diagonal(matrix), matrix.sum(axis=0))


def mean_recall(matrix: NDArray[np.int64]) -> float:
    """Mean recall over the classes that have pictures."""
    return float(np.nanmean(recalls(matrix)))


def over_chance(figure: float, classes: int) -> float:
    """(figure - c) / (1 - c) with chance c = 1/classes: 0 is guessing, 1 is perfect. 0 with a single class."""
    chance = 1 / classes
    return (figure - chance) / (1 - chance) if classes > 1 else 0.0


def reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = BINS) -> list[dict[str, float]]:
    """The non-empty bins (i/bins, (i+1)/bins] of confidence (n,): from, to, pictures, mean confidence and accuracy."""
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return [
        {
            "from": i / bins,
            "to": (i + 1) / bins,
            "pictures": int((place == i).sum()),
            "confidence": float(confidence[place == i].mean()),
            "accuracy": float(right[place == i].mean()),
        }
        for i in np.unique(place).tolist()
    ]


def ece(bins: Sequence[dict[str, float]]) -> float:
    """Expected calibration error (Naeini et al., AAAI 2015) of bins from `reliability`.

    It is the mean over pictures of the difference between confidence and accuracy in their bin.
    """
    total = sum(b["pictures"] for b in bins)
    return sum(b["pictures"] * abs(b["confidence"] - b["accuracy"]) for b in bins) / total


def bootstrap(
    matrix: NDArray[np.int64], *, level: float = LEVEL, draws: int = 2000, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Bootstrap percentile intervals of accuracy and mean recall, by resampling pictures within each class.

    If a share r of n pictures is correct, the number of correct ones in a resample is Binomial(n, r), which is drawn
    directly. A class with only correct or only wrong pictures adds no width. So the intervals are too narrow if
    classes have very few pictures.
    """
    count = matrix.sum(axis=1)
    seen = count > 0
    count = count[seen]
    right = np.random.default_rng(seed).binomial(count, recalls(matrix)[seen], (draws, len(count)))
    drawn = {"accuracy": right.sum(axis=1) / count.sum(), "mean_recall": (right / count).mean(axis=1)}
    intervals = {}
    for name, values in drawn.items():
        low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
        intervals[name] = (float(low), float(high))
    return intervals


@dataclass(frozen=True)
class Evaluation:
    """Results of a classifier on labeled pictures.

    Attributes
    ----------
    classes : tuple of str
        The k class names, in the order of the labels.
    confusion : array (k, k) int64
        Number of pictures by true class (row) and predicted class (column).
    reliability : tuple of dict
        The bins of confidence that hold pictures: `from`, `to`, `pictures`, mean `confidence` and `accuracy`.

    Examples
    --------
    >>> from blendmill import Evaluation
    >>> found = Evaluation.from_logits([[2, 0], [1, 0], [0, 3]], [0, 1, 1], ["cat", "dog"])
    >>> found.confusion.tolist()
    [[1, 0], [1, 1]]
    >>> found.mean_recall
    0.75
    """

    classes: tuple[str, ...]
    confusion: NDArray[np.int64]
    reliability: tuple[dict[str, float], ...]

    @classmethod
    def from_logits(cls, logits: ArrayLike, labels: ArrayLike, classes: Sequence[str]) -> Evaluation:
        """Evaluate logits (n, k) against integer labels (n,). Pictures with a label below 0 are left out.

        Raises InputError if no picture is left, if a label is k or more, or if a logit is not finite.
        """
        labels = np.asarray(labels)
        known = labels >= 0
        logits, labels = np.asarray(logits, dtype=np.float64)[known], labels[known]
        if not len(labels):
            raise InputError("evaluation: no picture has a label: use labeled pictures")
        if labels.max() >= len(classes):
            raise InputError(f"evaluation: label {labels.max()}, but there are {len(classes)} classes")
        if not np.isfinite(logits).all():
            bad = int(np.flatnonzero(~np.isfinite(logits).all(axis=1))[0])
            raise InputError(f"evaluation: picture {bad} has logits that are not finite: the weights are broken")
        probabilities = softmax(logits)
        predicted = logits.argmax(axis=1)
        return cls(
            tuple(classes),
            confusion(predicted, labels, len(classes)),
            tuple(reliability(probabilities.max(axis=1), predicted == labels)),
        )

    @property
    def accuracy(self) -> float:
        """Share of pictures that are classified correctly, 0 to 1."""
        return accuracy(self.confusion)

    @property
    def mean_recall(self) -> float:
        """Mean recall over the classes that have pictures, 0 to 1."""
        return mean_recall(self.confusion)

    def table(self) -> list[dict[str, Any]]:
        """One row for each class: name, precision and recall (0 to 1, or None), and support, its number of pictures."""
        columns = (precisions(self.confusion), recalls(self.confusion), self.confusion.sum(axis=1))
        return [
            {"class": name, "precision": _known(p), "recall": _known(r), "support": int(n)}
            for name, p, r, n in zip(self.classes, *columns, strict=True)
        ]

    def as_json(self) -> dict[str, Any]:
        """All figures as JSON data. `names` explains the single figures."""
        k = len(self.classes)
        return {
            "accuracy": self.accuracy,
            "mean_recall": self.mean_recall,
            "accuracy_over_chance": over_chance(self.accuracy, k),
            "mean_recall_over_chance": over_chance(self.mean_recall, k),
            "ece": ece(self.reliability),
            "intervals": {"level": LEVEL, **{n: list(ends) for n, ends in bootstrap(self.confusion).items()}},
            "table": self.table(),
            "confusion": self.confusion.tolist(),
            "reliability": list(self.reliability),
            "names": NAMES,
        }


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
