"""Evaluation of segmenters of many classes: on held-out pictures, on unlabeled ones of the target, and on a test."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError
from segment.classes.metrics import ClassScores, mean_of, score_classes
from segment.classes.panoptic import PanopticScores, score_segments
from segment.classes.report import write_report
from segment.classes.unlabeled import LOOKED_AT, judged
from segment.config import SegmentConfig
from segment.datasets import LabeledPictures
from segment.inference import Inference
from segment.methods.supervised import Supervised
from segment.models import PLAIN, probabilities, segments_of
from segment.sets import Picture
from training.batches import DomainBatches
from training.config import ORACLE
from training.run_folder import Folder
from training.selection import COLLAPSED
from training.task import Assessment

_LOG = logging.getLogger("blendmill")


def predicted(method: Supervised, picture: Picture, inference: Inference, where: str) -> NDArray[np.float32]:
    """Probabilities (k, h, w) of the classes in a picture. Raises InputError, which begins with `where`, for NaN."""
    found = probabilities(method, picture.rgb, inference)
    if not np.isfinite(found).all():
        raise InputError(f"{where}: the network gives no probabilities (NaN): it has diverged; lower optimizer.lr")
    return found


class Scores(NamedTuple):
    """pixels: of the classes. segments: of objects; None if the network does not tell them apart, or a picture has no
    labels of objects."""

    pixels: ClassScores
    segments: PanopticScores | None


def scores_of(
    method: Supervised,
    pictures: LabeledPictures,
    inference: Inference = PLAIN,
    seen: Callable[[int, ClassScores], None] | None = None,
) -> Scores:
    """Score a method on labeled pictures. Pictures that cannot be used are left out.

    inference: as for `probabilities`. seen: called with the place and the scores of each picture. Raises InputError for
    a picture without labels, or if no picture is left.
    """
    total = ClassScores.none(method.classes)
    segments = PanopticScores.none(method.classes) if method.network.segmenting else None
    for i, picture in pictures.usable(range(len(pictures))):
        if picture.ids is None:
            raise InputError(f"{pictures.where(i)}: has no mask to compare with")
        found = predicted(method, picture, inference, pictures.where(i)).argmax(0).astype(np.uint8)
        one = score_classes(found, picture.ids, method.classes)
        total += one
        if segments is not None and picture.instances is not None:
            objects = segments_of(method, picture.rgb)
            labels = (picture.ids, picture.instances)
            segments += score_segments(objects.numbers, objects.classes, *labels, method.classes)
        else:
            segments = None
        if seen is not None:
            seen(i, one)
    if not total.pictures:
        raise InputError(f"{pictures.name}: no picture can be used")
    return Scores(total, segments)


def figures_of(found: Scores, classes: tuple[str, ...]) -> dict[str, Any]:
    """Figures as JSON data: means over the classes, those of each class by its name, and the confusion matrix.

    Those of objects are there if the network tells them apart and the pictures have labels of objects. A figure is None
    where a class is neither there nor predicted.
    """
    scores = found.pixels
    each = {"iou": scores.iou(), "boundary_iou": scores.boundary_iou(), "recall": scores.recall()}
    if found.segments is not None:
        each["panoptic_quality"] = found.segments.quality()
        each["segmentation_quality"] = found.segments.segmentation()
        each["recognition_quality"] = found.segments.recognition()
    share = scores.confusion.sum(1) / max(1, scores.confusion.sum())
    return {
        "mean_iou": _known(scores.mean_iou()),
        "mean_boundary_iou": _known(scores.mean_boundary_iou()),
        "pixel_accuracy": _known(scores.accuracy()),
        **{f"mean_{name}": _known(mean_of(values)) for name, values in each.items() if name.endswith("quality")},
        "classes": {
            name: {"share": float(share[k]), **{figure: _known(values[k]) for figure, values in each.items()}}
            for k, name in enumerate(classes)
        },
        "confusion": scores.confusion.tolist(),
    }


class ClassEvaluator:
    """A `training.task.Evaluator`.

    Its validators are `source`, the mean IoU on held-out source pictures, and, on pictures of the target without their
    labels, `expected` and `stable`, see `segment.classes.unlabeled`.
    """

    def __init__(self, config: SegmentConfig, supply: DomainBatches[LabeledPictures]):
        self._config, self._data = config, supply.data

    def assess(self, method: Supervised) -> Assessment:
        inference, data = self._config.inference, self._data
        figures: dict[str, float] = {}
        test = None
        if data.validation is not None:
            figures["source"] = _or_zero(scores_of(method, data.validation, inference).pixels.mean_iou())
        if data.target is not None:
            found = judged(_pairs(method, data.target, inference))
            figures |= {"expected": found.expected, "stable": found.stable, COLLAPSED: float(found.single is not None)}
            if found.single is not None:
                name = data.classes[found.single]
                _LOG.warning("the network has collapsed: all pixels of the target are '%s'", name)
        if data.test is not None:
            test = figures_of(scores_of(method, data.test, inference), data.classes)
            figures[ORACLE] = float(test["mean_iou"] or 0.0)
        return Assessment(figures, test)

    def report(self, folder: Folder, method: Supervised, found: Assessment) -> None:
        shown = self._data.test or self._data.validation or self._data.source[0].pictures
        write_report(folder, method, shown, self._config.inference, self._data.classes)


def evaluated(
    method: Supervised,
    classes: tuple[str, ...],
    pictures: LabeledPictures,
    inference: Inference,
    seen: Callable[[int], None],
) -> dict[str, Any]:
    """All figures of a method on labeled pictures, as JSON data: those of `figures_of`, and the number of pictures.

    counts: of each picture and class, the pixels of both truth and prediction, of the prediction, and of the truth.
    """
    counts: list[list[list[int]]] = []

    def one(place: int, found: ClassScores) -> None:
        table = found.confusion
        counts.append(np.stack([table.diagonal(), table.sum(0), table.sum(1)], axis=1).tolist())
        seen(place)

    scores = scores_of(method, pictures, inference, one)
    return {**figures_of(scores, classes), "pictures": scores.pixels.pictures, "counts": counts}


def lines(figures: dict[str, Any]) -> list[str]:
    """The figures of `figures_of` for a terminal."""
    told = [
        f"{name.replace('_', ' ')}  {_shown(figures[name])}" for name in figures if name.startswith(("mean", "pixel"))
    ]
    width = max(map(len, figures["classes"]))
    columns = list(next(iter(figures["classes"].values())))
    heads = [f"{column.replace('_', ' '):>6}" for column in columns]
    told.append("  ".join([" " * width, *heads]))
    for name, each in figures["classes"].items():
        cells = [f"{_shown(each[column]):>{len(head)}}" for column, head in zip(columns, heads, strict=True)]
        told.append("  ".join([f"{name:<{width}}", *cells]))
    return told


def _pairs(method: Supervised, pictures: LabeledPictures, inference: Inference) -> Iterator[tuple[Any, Any]]:
    """Probabilities on some pictures, and on their mirror images with a gamma of 1.3, turned back."""
    places = np.linspace(0, len(pictures) - 1, min(LOOKED_AT, len(pictures))).round().astype(int).tolist()
    for _, picture in pictures.usable(places):
        changed = (255 * (picture.rgb[:, ::-1] / 255) ** 1.3).round().astype(np.uint8)
        yield probabilities(method, picture.rgb, inference), probabilities(method, changed, inference)[..., ::-1]


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"
