"""Evaluate a run on pictures with masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segment.classes import evaluation
from segment.datasets import Classes, open_part
from segment.evaluation import figures_at, scores_of
from segment.load import Loaded, load
from segment.metrics import THRESHOLDS
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
    device: str = "auto",
    mask_value: int | None = None,
) -> dict[str, Any]:
    """All figures of a run or a checkpoint on labeled pictures, as JSON data.

    Of cracks they are those of `figures_at`, those of `Shapes`, the curves over all thresholds, and what was evaluated;
    of many classes those of `segment.classes.evaluation`. threshold: of cracks; None for the one that the run chose.
    Raises InputError if the run or the data cannot be used.
    """
    found = load(run, device_of(device))
    part = PartConfig(where=data, split=split, mask_value=mask_value)
    asked = {"checkpoint": str(run), "data": data, "split": split}
    if len(found.classes) > 1:
        return {**_of_classes(found, part), **asked}
    pictures = open_part(part)
    at = found.threshold if threshold is None else threshold
    lines = Shapes()
    with Progress("picture", len(pictures), every=2) as progress:

        def seen(place: int, probability: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
            nonlocal lines
            lines += shapes(probability >= at, mask)
            progress.update(place + 1)

        scores = scores_of(found.method, pictures, found.config.window, seen)
    return {
        **figures_at(scores, at),
        "cl_dice": lines.cl_dice(),
        "skeleton_recall": lines.skeleton_recall(),
        "width_error": lines.width_error(),
        "width_excess": lines.width_excess(),
        "pictures": len(scores.real),
        "curves": {
            "threshold": THRESHOLDS.tolist(),
            **{name: getattr(scores, name)().tolist() for name in ("iou", "f1", "tolerant_f1", "precision", "recall")},
        },
        **asked,
    }


def _of_classes(found: Loaded, part: PartConfig) -> dict[str, Any]:
    classes = Classes(found.classes, found.classes, found.config.ignore)
    pictures = open_part(part, classes=classes)
    with Progress("picture", len(pictures), every=2) as progress:

        def seen(place: int) -> None:
            progress.update(place + 1)

        return evaluation.evaluated(found.method, found.classes, pictures, found.config.window, seen)
