"""The report of a segmenter's run: one HTML file that opens from disk, with all pictures in it and no script."""

from __future__ import annotations

import base64
import io
from html import escape

import cv2
import numpy as np
from PIL import Image

from scenes.files import replacing
from segment.datasets import CrackPictures
from segment.models import probabilities
from training.method import TrainingMethod
from training.run_folder import Folder

_SHOWN, _SIDE = 8, 256


def write_report(folder: Folder, method: TrainingMethod, pictures: CrackPictures) -> None:
    """Write the report of a run that is done: its figures, and some pictures beside their masks and what is found."""
    results = folder.results() or {}
    chosen, test = results["selected"], results["test"] or {}
    rows = "".join(
        f"<tr><td>{escape(name.replace('_', ' '))}</td><td>{'none' if value is None else f'{value:.4f}'}</td></tr>"
        for name, value in test.items()
    )
    sheet = base64.b64encode(_sheet(method, pictures)).decode()
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(folder.path.name)}</title></head>'
        f"<body><h1>{escape(folder.path.name)}</h1><p>Checkpoint of step {chosen['step']}: "
        f"{escape(chosen['statement'])}.</p><table>{rows}</table>"
        f"<p>{escape(pictures.name)}: picture, cracks as labeled, chance of crack as found.</p>"
        f'<img alt="" src="data:image/png;base64,{sheet}"></body></html>\n'
    )
    with replacing(folder.report) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _sheet(method: TrainingMethod, pictures: CrackPictures) -> bytes:
    """A PNG: a row for each of some pictures, evenly over the set."""
    rows = []
    for i in np.linspace(0, len(pictures) - 1, min(_SHOWN, len(pictures))).round().astype(int):
        picture = pictures.read(int(i))
        mask = np.zeros(picture.rgb.shape[:2]) if picture.mask is None else picture.mask
        maps = (mask, probabilities(method, picture.rgb))
        tiles = [picture.rgb, *(np.dstack([(255 * values).astype(np.uint8)] * 3) for values in maps)]
        rows.append(np.hstack([cv2.resize(tile, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for tile in tiles]))
    with io.BytesIO() as file:
        Image.fromarray(np.vstack(rows)).save(file, "PNG")
        return file.getvalue()
