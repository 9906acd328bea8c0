"""COCO's layout as masks of classes: `annotations/instances*.json` with polygons or run lengths, and the pictures.

Where objects lie over each other, the one with the smaller area is seen. Pixels of crowds count nowhere. Class 0 is the
background; the others follow in the order of the category ids.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from scenes.errors import InputError, shortened
from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.classes.layouts import Found, Labels
from segment.logits import IGNORED

BACKGROUND = "background"
"""The name of class 0 where a set labels objects only."""

LARGEST, VALUES = 1 << 31, 200_000_000
"""Limits of annotation files, in bytes and in values. COCO's own file for training has 448 MB."""


def annotations_of(folder: Path) -> list[Path]:
    """The annotation files of a folder in COCO's layout; empty if it has none."""
    found = sorted((folder / "annotations").glob("instances*.json"))
    # The exporter writes the same objects a second time as polygons.
    return [path for path in found if not path.stem.endswith("_polygons")]


def coco_in(folder: Path) -> Found:
    """The pictures of all annotation files of a folder. Raises InputError."""
    classes: tuple[str, ...] = ()
    pictures: dict[str, Path] = {}
    sizes: dict[str, tuple[int, int]] = {}
    objects: dict[str, list[Any]] = {}
    numbers: dict[int, int] = {}
    for path in annotations_of(folder):
        data = parse_json(read_regular(path, LARGEST), str(path), VALUES)
        try:
            categories = sorted((int(entry["id"]), str(entry["name"])) for entry in data["categories"])
            of_image = defaultdict(list)
            for entry in data["annotations"]:
                of_image[int(entry["image_id"])].append(entry)
            images = [(str(e["file_name"]), int(e["id"]), int(e["height"]), int(e["width"])) for e in data["images"]]
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path}: not COCO's annotations of instances: {error!r} is missing or wrong") from None
        names = (BACKGROUND, *(name for _, name in categories))
        if classes and names != classes:
            raise InputError(f"{path}: has other categories than {annotations_of(folder)[0].name}")
        classes, numbers = names, {number: k + 1 for k, (number, _) in enumerate(categories)}
        if len(classes) > IGNORED:
            raise InputError(f"{path}: has {len(classes)} categories, at most {IGNORED - 1} can be told apart")
        for file, number, height, width in images:
            name = Path(file).with_suffix("").as_posix()
            pictures[name], sizes[name] = picture_of(folder, path, file), (height, width)
            objects[name] = of_image[number]

    def read(name: str) -> Labels:
        return _painted(objects[name], sizes[name], numbers, f"{folder}: picture {name}")

    return Found(classes, pictures, read, ())


def picture_of(folder: Path, annotations: Path, file: str) -> Path:
    """Where a picture lies: in images/, in a folder named like the end of the annotation file, or beside it."""
    part = annotations.stem.partition("_")[2]
    for root in (folder / "images", folder / part, folder / "images" / part, folder):
        path = root / file
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return path
    raise InputError(f"{annotations}: names the picture '{shortened(file)}', which is not in images/ or {part or '.'}/")


def _painted(objects: list[Any], size: tuple[int, int], numbers: dict[int, int], where: str) -> Labels:
    ids, instances = np.zeros(size, np.uint8), np.zeros(size, np.uint16)
    try:
        shapes = [(_shape(entry["segmentation"], size), entry) for entry in objects]
        placed = sorted(enumerate(shapes, start=1), key=lambda item: -np.count_nonzero(item[1][0]))
        for number, (inside, entry) in placed:
            crowd = bool(entry.get("iscrowd", 0))
            ids[inside] = IGNORED if crowd else numbers[int(entry["category_id"])]
            instances[inside] = 0 if crowd else number
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{where}: an annotation cannot be read: {error!r}") from None
    return Labels(ids, instances)


def _shape(segmentation: Any, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(h, w) True in polygons, run lengths or compressed run lengths. Raises ValueError for another size."""
    height, width = size
    if isinstance(segmentation, list):
        # Of no polygon with a surface nothing is seen.
        polygons = [polygon for polygon in segmentation if len(polygon) >= 6]
        if not polygons:
            return np.zeros(size, bool)
        runs = rle.merge(rle.frPyObjects(polygons, height, width))
    else:
        packed = isinstance(segmentation["counts"], str)
        runs = segmentation if packed else rle.frPyObjects(segmentation, height, width)
        if list(runs["size"]) != [height, width]:
            raise ValueError(f"size {runs['size']} in a picture of {[height, width]}")
    return np.asarray(rle.decode(runs)).astype(bool)
