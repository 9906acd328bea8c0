"""Evaluate a run on pictures with masks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.classes import evaluation
from segment.contours import Contours, contours
from segment.datasets import Classes, open_part
from segment.evaluation import figures_at, scores_of
from segment.load import Loaded, load
from segment.metrics import THRESHOLDS, Scores
from segment.shapes import Shapes, shapes
from training.config import PartConfig
from training.devices import device_of
from training.progress import Progress


def evaluated(
    run: Path,
    data: str,
    split: str = "all",
    *,
    threshold: float | None = None,
    scales: Sequence[float] | None = None,
    device: str = "auto",
    mask_value: int | None = None,
    mm: float | None = None,
) -> dict[str, Any]:
    """All figures of a run or a checkpoint on labeled pictures, as JSON data.

    Of cracks they are those of `figures_at`, those of `Shapes` and `Contours`, the curves over all thresholds, and what
    was evaluated; of many classes those of `segment.classes.evaluation`. threshold: of cracks; None for the one that
    the run chose. scales: sizes at which the pictures are seen; None for those of the run. mm: the side of a pixel in
    millimeters, for widths. Raises InputError if the run or the data cannot be used.
    """
    found = load(run, device_of(device)).seeing(scales)
    part = PartConfig(where=data, split=split, mask_value=mask_value)
    asked = {"checkpoint": str(run), "data": data, "split": split}
    if len(found.classes) > 1:
        return {**_of_classes(found, part), **asked}
    pictures = open_part(part)
    at = found.threshold if threshold is None else threshold
    lines, middles = Shapes(), Contours.none()
    with Progress("picture", len(pictures), every=2) as progress:

        def seen(place: int, probability: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
            nonlocal lines, middles
            lines += shapes(probability >= at, mask)
            middles += contours(probability, mask)
            progress.update(place + 1)

        scores = scores_of(found.method, pictures, found.config.inference, seen)
    return {
        **figures_at(scores, at),
        "cl_dice": lines.cl_dice(),
        "skeleton_recall": lines.skeleton_recall(),
        "width_error": lines.width_error(),
        "width_excess": lines.width_excess(),
        **_in_mm(lines, mm),
        "contour_f1": float(middles.f1()[int(np.abs(THRESHOLDS - at).argmin())]),
        "oracle_contour_ods": middles.ods(),
        "oracle_contour_ois": middles.ois(),
        "pictures": len(scores.real),
        "counts": _counts(scores, at),
        "curves": {
            "threshold": THRESHOLDS.tolist(),
            **{name: getattr(scores, name)().tolist() for name in ("iou", "f1", "tolerant_f1", "precision", "recall")},
        },
        **asked,
    }


def _counts(scores: Scores, threshold: float) -> list[list[list[int]]]:
    """Of each picture the pixels of both cracks, of predicted and of true ones, as of classes."""
    k = int(np.abs(THRESHOLDS - threshold).argmin())
    return np.stack([scores.both, scores.predicted, scores.real], axis=-1)[:, k, None].tolist()


def _in_mm(lines: Shapes, mm: float | None) -> dict[str, float | None]:
    """Errors of the width in millimeters; none if nobody says how large a pixel is."""
    if mm is None:
        return {}
    figures = {"width_error_mm": lines.width_error(), "width_excess_mm": lines.width_excess()}
    return {name: None if pixels is None else mm * pixels for name, pixels in figures.items()}


def _of_classes(found: Loaded, part: PartConfig) -> dict[str, Any]:
    classes = Classes(found.classes, found.classes, found.config.ignore, found.config.colors)
    pictures = open_part(part, classes=classes)
    with Progress("picture", len(pictures), every=2) as progress:

        def seen(place: int) -> None:
            progress.update(place + 1)

        return evaluation.evaluated(found.method, found.classes, pictures, found.config.inference, seen)
