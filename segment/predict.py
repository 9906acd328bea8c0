"""Write what a run finds in photographs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from render.dataset.export.parts import png
from scenes.errors import InputError
from scenes.files import write_atomically
from segment.classes import palette
from segment.classes.legend_files import NAMES
from segment.load import Loaded, load
from segment.models import probabilities, segments_of
from segment.sets import open_set
from segment.statistics.lines import Mask
from training.devices import device_of
from training.progress import Progress

KINDS = ("probability", "overlay", "mask")
"""The folders that are written. The mask comes last: where it is, the picture is done.

Of many classes, the mask has their numbers and a palette, and the probability is that of the likeliest one.
"""

_RED = np.array([255, 32, 32], np.uint8)


@dataclass(frozen=True)
class Predicted:
    """pictures: number of pictures in the folder. left_out: a line for each file that cannot be used. threshold: from
    which probability on a pixel is crack; None of many classes. note: what a user should know; empty if nothing."""

    pictures: int
    left_out: tuple[str, ...]
    threshold: float | None
    note: str


def predict_folder(
    run: Path,
    photos: Path,
    out: Path,
    *,
    threshold: float | None = None,
    scales: Sequence[float] | None = None,
    device: str = "auto",
) -> Predicted:
    """Write mask/, probability/ and overlay/ for each picture of `photos` into `out`. Pictures that are there stay.

    Of many classes, classes.txt has their names. A network that tells objects apart also writes instance/: their
    numbers as PNG of 16 bits, and the class and the score of each as JSON. threshold: of cracks; None for the one that
    the run chose. scales: sizes at which the pictures are seen; None for those of the run. Raises InputError if the run
    or the folder cannot be used, or if no picture can.
    """
    found = load(run, device_of(device)).seeing(scales)
    pictures = open_set(photos, masks=False)
    at = found.threshold if threshold is None else threshold
    left_out, shares = list(pictures.left_out), []
    if len(found.classes) > 1:
        write_atomically(out / NAMES, "".join(f"{name}\n" for name in found.classes).encode())
    with Progress("picture", pictures.size, every=2) as progress:
        for k, name in enumerate(pictures.names):
            paths = {kind: out / kind / f"{name}.png" for kind in (*KINDS, "instance")}
            try:
                if not paths["mask"].is_file():
                    shares.append(_one(found, pictures.read(k).rgb, at, paths))
            except InputError as error:
                left_out.append(str(error))
            progress.update(k + 1)
    done = pictures.size + len(pictures.left_out) - len(left_out)
    if not done:
        raise InputError(f"{photos}: no picture can be used: {left_out[0]}")
    note = ""
    if shares and not any(shares) and len(found.classes) == 1:
        note = f"no crack was found in any of {len(shares)} pictures; try a lower --threshold"
    return Predicted(done, tuple(left_out), at if len(found.classes) == 1 else None, note)


def _one(found: Loaded, rgb: NDArray[np.uint8], threshold: float, paths: dict[str, Path]) -> float:
    """Write the files of one picture. Returns the share of its pixels that are crack, or not of class 0."""
    probability = probabilities(found.method, rgb, found.config.inference)
    if found.method.network.segmenting:
        _write_objects(found, rgb, paths["instance"])
    if len(found.classes) > 1:
        ids = probability.argmax(0).astype(np.uint8)
        probability, mask = probability.max(0), ids > 0
        made = {"overlay": png(palette.overlay(rgb, ids)), "mask": palette.indexed_png(ids)}
    else:
        mask = probability >= threshold
        made = {"overlay": png(overlay(rgb, mask)), "mask": png(np.where(mask, 255, 0).astype(np.uint8))}
    made["probability"] = png(np.round(255 * probability).astype(np.uint8))
    for kind in KINDS:
        write_atomically(paths[kind], made[kind])
    return float(mask.mean())


def _write_objects(found: Loaded, rgb: NDArray[np.uint8], path: Path) -> None:
    """Write the numbers of the objects and surfaces of one picture, and beside them what they are."""
    objects = segments_of(found.method, rgb)
    listed = [
        {"number": number, "class": found.classes[kind], "score": score}
        for number, (kind, score) in enumerate(zip(objects.classes, objects.scores, strict=True), start=1)
    ]
    write_atomically(path.with_name(f"{path.stem}.json"), json.dumps(listed, indent=1).encode())
    write_atomically(path, png(objects.numbers.astype(np.uint16)))


def overlay(rgb: NDArray[np.uint8], mask: Mask) -> NDArray[np.uint8]:
    """The picture (h, w, 3) with the outline of the mask (h, w) in red, just outside of it."""
    around = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where((around & ~mask)[..., None], _RED, rgb)
