"""The report of a run with many classes: the values of the sections in `templates/classes.html`."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from segment.classes.palette import colors
from segment.datasets import LabeledPictures
from segment.ignored import IGNORED
from segment.inference import Inference
from segment.models import probabilities
from training.method import TrainingMethod
from training.report import finished, html, save
from training.run_folder import Folder

_SHOWN, _SIDE = 8, 256
# A larger table of confusions is not read by anybody; results.json has all of it.
_WIDEST = 40


def write_report(
    folder: Folder, method: TrainingMethod, pictures: LabeledPictures, inference: Inference, classes: tuple[str, ...]
) -> None:
    """Write the report of a finished run: figures of each class, confusions, and some pictures with their labels."""
    config, results = finished(folder.path)
    test = results["test"]
    legend = {name: "#" + colors(np.array([[k]], np.uint8)).tobytes().hex() for k, name in enumerate(classes)}
    page = html(
        "segment",
        folder.path.resolve().name,
        config,
        results,
        template="classes.html",
        figures=test,
        confusion=_rows(test["confusion"]) if test and len(classes) <= _WIDEST else [],
        legend=legend,
        shown=pictures.name,
        sheet=_sheet(method, pictures, inference),
    )
    save(page, folder.report)


def _rows(confusion: list[list[int]]) -> list[list[float]]:
    """Each row of the confusion matrix as shares of its sum; 0 for a class that is not there."""
    return [[count / max(1, sum(row)) for count in row] for row in confusion]


def _sheet(method: TrainingMethod, pictures: LabeledPictures, inference: Inference) -> bytes:
    """A PNG with one row for each of some pictures, evenly over the set: picture, classes, predicted classes."""
    rows = []
    places = np.linspace(0, len(pictures) - 1, min(_SHOWN, len(pictures))).round().astype(int).tolist()
    for _, picture in pictures.usable(places):
        nothing = np.full(picture.rgb.shape[:2], IGNORED, np.uint8)
        found = probabilities(method, picture.rgb, inference).argmax(0).astype(np.uint8)
        maps = (nothing if picture.ids is None else picture.ids, found)
        tiles = [picture.rgb, *(colors(ids) for ids in maps)]
        rows.append(np.hstack([cv2.resize(tile, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for tile in tiles]))
    with io.BytesIO() as file:
        Image.fromarray(np.vstack(rows)).save(file, "PNG")
        return file.getvalue()
