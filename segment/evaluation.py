"""Evaluation of crack segmenters: on held-out labeled pictures, on unlabeled pictures of the target, and on a test."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError
from segment.config import SegmentConfig
from segment.datasets import LabeledPictures
from segment.inference import Inference
from segment.load import THRESHOLD
from segment.methods.supervised import Supervised
from segment.metrics import THRESHOLDS, Scores, check, score
from segment.models import PLAIN, probabilities
from segment.report import write_report
from segment.unlabeled import Unlabeled, judged
from training.batches import DomainBatches
from training.config import ORACLE
from training.run_folder import Folder
from training.selection import COLLAPSED
from training.task import Assessment

# So many pictures of the target are looked at.
_LOOKED_AT = 48
_LOG = logging.getLogger("blendmill")


def scores_of(
    method: Supervised,
    pictures: LabeledPictures,
    inference: Inference = PLAIN,
    seen: Callable[[int, NDArray[np.float32], NDArray[np.bool_]], None] | None = None,
) -> Scores:
    """Score a method on labeled pictures. Pictures that cannot be used are left out.

    inference: as for `probabilities`. seen: called with the place, the probabilities and the mask of each picture.
    Raises InputError for a picture without a mask, one for which the network gives no probability (NaN), or if no
    picture is left.
    """

    def pairs() -> Any:
        for i, picture in pictures.usable(range(len(pictures))):
            if picture.mask is None:
                raise InputError(f"{pictures.where(i)}: has no mask to compare with")
            probability = probabilities(method, picture.rgb, inference)
            check(pictures.where(i), probability, picture.mask)
            if seen is not None:
                seen(i, probability, picture.mask)
            yield probability, picture.mask

    scores = score(pairs())
    if not len(scores.real):
        raise InputError(f"{pictures.name}: no picture can be used")
    return scores


def judged_on(method: Supervised, pictures: LabeledPictures, inference: Inference = PLAIN) -> Unlabeled:
    """Judge a method without labels, on up to 48 pictures, evenly over the set.

    The changed copy of a picture is its mirror image with a gamma of 1.3.
    """

    def pairs() -> Iterator[tuple[Any, Any]]:
        places = np.linspace(0, len(pictures) - 1, min(_LOOKED_AT, len(pictures))).round().astype(int).tolist()
        for _, picture in pictures.usable(places):
            changed = (255 * (picture.rgb[:, ::-1] / 255) ** 1.3).round().astype(np.uint8)
            yield probabilities(method, picture.rgb, inference), probabilities(method, changed, inference)[:, ::-1]

    return judged(pairs())


def best_threshold(scores: Scores) -> float:
    """The threshold with the highest IoU; the lowest one if there are several."""
    return float(THRESHOLDS[int(scores.iou().argmax())])


def figures_at(scores: Scores, threshold: float) -> dict[str, float | None]:
    """Figures as JSON data: IoU, F1 and F1 within 2 px at the threshold, and figures over all thresholds.

    Those that begin with `oracle` are chosen on the test pictures: for the set (ODS), or for each picture (OIS). A
    figure is None if no picture has a crack, or for `false_positive_share` if all have one.
    """
    k = int(np.abs(THRESHOLDS - threshold).argmin())
    pictures = scores.picture_iou()
    quantiles = np.quantile(pictures[:, k], (0.1, 0.5, 0.9)) if len(pictures) else [math.nan] * 3
    figures = {
        "threshold": THRESHOLDS[k],
        "iou": scores.iou()[k],
        "f1": scores.f1()[k],
        "precision": scores.precision()[k],
        "recall": scores.recall()[k],
        "f1_within_2_px": scores.tolerant_f1()[k],
        "average_precision": scores.average_precision(),
        "aiu": scores.aiu(),
        "picture_aiu": scores.picture_aiu(),
        **{f"picture_iou_{name}": value for name, value in zip(("low", "median", "high"), quantiles, strict=True)},
        "false_positive_share": scores.false_share()[k],
        "mean_iou_with_background": scores.mean_iou()[k],
        "oracle_iou": scores.iou().max(),
        "oracle_threshold": best_threshold(scores),
        "oracle_f1_within_2_px": scores.tolerant_f1().max(),
        "oracle_ois_within_2_px": scores.ois(),
    }
    return {name: None if math.isnan(value) else float(value) for name, value in figures.items()}


class SegmentEvaluator:
    """A `training.task.Evaluator`.

    Its validators are `source`, the IoU on held-out source pictures, and, on pictures of the target without their
    labels, `expected` and `stable`, see `segment.unlabeled`.
    """

    def __init__(self, config: SegmentConfig, supply: DomainBatches[LabeledPictures]):
        self._config, self._data = config, supply.data

    def assess(self, method: Supervised) -> Assessment:
        inference, asked = self._config.inference, self._config.threshold
        figures: dict[str, float] = {}
        found: dict[str, float] = {}
        test = None
        if self._data.validation is not None:
            held = scores_of(method, self._data.validation, inference)
            found["source"] = best_threshold(held)
            figures["source"] = float(held.iou().max())
        if self._data.target is not None:
            target = judged_on(method, self._data.target, inference)
            found["target"] = target.threshold
            figures |= {"expected": float(target.expected.max()), "stable": target.stable}
            figures[COLLAPSED] = float(bool(target.collapse))
            if target.collapse:
                _LOG.warning("the network has collapsed: %s; no validator chooses such a checkpoint", target.collapse)
        threshold = asked if isinstance(asked, float) else found.get(asked, 0.5)
        figures |= {THRESHOLD: threshold, **{f"{THRESHOLD}_{name}": value for name, value in found.items()}}
        if self._data.test is not None:
            test = figures_at(scores_of(method, self._data.test, inference), threshold)
            figures[ORACLE] = float(test["iou"] or 0.0)
        return Assessment(figures, test)

    def report(self, folder: Folder, method: Supervised, found: Assessment) -> None:
        shown = self._data.test or self._data.validation or self._data.source[0].pictures
        write_report(folder, method, shown, self._config.inference)
