"""The report of a segmenter's run: the values of the sections in `templates/report.html`."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from segment.datasets import LabeledPictures
from segment.inference import Inference
from segment.models import probabilities
from training.method import TrainingMethod
from training.report import finished, html, save
from training.run_folder import Folder

_SHOWN, _SIDE = 8, 256


def write_report(folder: Folder, method: TrainingMethod, pictures: LabeledPictures, inference: Inference) -> None:
    """Write the report of a finished run: its figures, and some pictures with their masks and predictions."""
    config, results = finished(folder.path)
    sheet = _sheet(method, pictures, inference)
    name = folder.path.resolve().name
    page = html("segment", name, config, results, figures=results["test"], shown=pictures.name, sheet=sheet)
    save(page, folder.report)


def _sheet(method: TrainingMethod, pictures: LabeledPictures, inference: Inference) -> bytes:
    """A PNG with one row for each of some pictures, evenly over the set: picture, mask, predicted probability."""
    rows = []
    places = np.linspace(0, len(pictures) - 1, min(_SHOWN, len(pictures))).round().astype(int).tolist()
    for _, picture in pictures.usable(places):
        mask = np.zeros(picture.rgb.shape[:2]) if picture.mask is None else picture.mask
        maps = (mask, probabilities(method, picture.rgb, inference))
        tiles = [picture.rgb, *(np.dstack([(255 * values).astype(np.uint8)] * 3) for values in maps)]
        rows.append(np.hstack([cv2.resize(tile, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for tile in tiles]))
    with io.BytesIO() as file:
        Image.fromarray(np.vstack(rows)).save(file, "PNG")
        return file.getvalue()
