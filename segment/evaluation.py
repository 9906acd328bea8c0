"""Evaluation of crack segmenters on held-out labeled pictures and on test pictures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.errors import InputError
from segment.datasets import CrackPictures
from segment.methods.supervised import Supervised
from segment.metrics import THRESHOLDS, Scores, check, score
from segment.models import probabilities
from segment.report import write_report
from training.batches import DomainBatches
from training.config import ORACLE
from training.run_folder import Folder
from training.task import Assessment


def scores_of(method: Supervised, pictures: CrackPictures) -> Scores:
    """Score a method on labeled pictures. Pictures that cannot be used are left out.

    Raises InputError for a picture without a mask, one for which the network gives no probability (NaN), or if no
    picture is left.
    """

    def pairs() -> Any:
        for i, picture in pictures.usable(range(len(pictures))):
            if picture.mask is None:
                raise InputError(f"{pictures.where(i)}: has no mask to compare with")
            probability = probabilities(method, picture.rgb)
            check(pictures.where(i), probability, picture.mask)
            yield probability, picture.mask

    scores = score(pairs())
    if not len(scores.real):
        raise InputError(f"{pictures.name}: no picture can be used")
    return scores


def best_threshold(scores: Scores) -> float:
    """The threshold with the highest IoU; the lowest one if there are several."""
    return float(THRESHOLDS[int(scores.iou().argmax())])


def figures_at(scores: Scores, threshold: float) -> dict[str, float | None]:
    """Figures as JSON data: IoU, F1 and F1 within 2 px at the threshold, the best IoU of all thresholds, and OIS.

    The best IoU is an oracle, because it is chosen on the test pictures. OIS is None if no picture has a crack.
    """
    k = int(np.abs(THRESHOLDS - threshold).argmin())
    ois = scores.ois()
    return {
        "threshold": float(THRESHOLDS[k]),
        "iou": float(scores.iou()[k]),
        "f1": float(scores.f1()[k]),
        "f1_within_2_px": float(scores.tolerant_f1()[k]),
        "iou_at_best_threshold": float(scores.iou().max()),
        "ois_within_2_px": None if math.isnan(ois) else ois,
    }


class SegmentEvaluator:
    """A `training.task.Evaluator`.

    The test uses the threshold that is best on the held-out source pictures, or 0.5 without held-out pictures.
    """

    def __init__(self, supply: DomainBatches[CrackPictures]):
        self._data = supply.data

    def assess(self, method: Supervised) -> Assessment:
        figures: dict[str, float] = {}
        threshold, test = 0.5, None
        if self._data.validation is not None:
            held = scores_of(method, self._data.validation)
            threshold = best_threshold(held)
            figures["source"] = float(held.iou().max())
        if self._data.test is not None:
            test = figures_at(scores_of(method, self._data.test), threshold)
            figures[ORACLE] = float(test["iou"] or 0.0)
        return Assessment(figures, test)

    def report(self, folder: Folder, method: Supervised, found: Assessment) -> None:
        shown = self._data.test or self._data.validation or self._data.source[0].pictures
        write_report(folder, method, shown)
