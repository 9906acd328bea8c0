"""V7's Darwin JSON, versions 1 and 2: one file for each picture.

Polygons have several paths, of which a path within another is a hole, as `darwin` draws them. Raster layers have run
lengths, row by row, and the objects that they belong to. Ellipses have pixels. Boxes and lines do not say which.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.annotations import drawing
from segment.annotations.drawing import Size
from segment.annotations.listing import OfOne, Pictures, Shape, collected
from segment.annotations.objects import Mask, Objects
from segment.tree import Tree

_LARGEST, _VALUES = 1 << 28, 100_000_000


def darwin_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of files of Darwin. Raises InputError."""
    return collected(tree, files, OfOne(_load, _about, _shapes)).objects()


def _load(path: Path) -> Any:
    return parse_json(read_regular(path, _LARGEST), str(path), _VALUES)


def _about(pictures: Pictures, path: Path, data: Any) -> tuple[Path, Size]:
    """Raises ValueError for a video, and for several pictures in one item."""
    if "image" in data:
        image = data["image"]
        name, size = str(image.get("original_filename") or image["filename"]), image
    else:
        slots = data["item"]["slots"]
        if len(slots) != 1 or slots[0]["type"] != "image":
            raise ValueError("is no single picture; videos and items of several pictures are not read")
        name, size = str(data["item"]["name"]), slots[0]
    return pictures.find(name, path.parent), (int(size["height"]), int(size["width"]))


def _shapes(data: Any) -> Iterator[Shape]:
    for one in data["annotations"]:
        title = str(one["name"])
        if "raster_layer" in one:
            continue
        if "mask" in one:
            yield Shape(title, partial(_raster, data, str(one["id"])))
        elif "polygon" in one or "complex_polygon" in one:
            yield Shape(title, partial(_polygon, one.get("polygon") or one["complex_polygon"]))
        elif "ellipse" in one:
            yield Shape(title, partial(_ellipse, one["ellipse"]))
        elif "line" in one:
            yield Shape(title, partial(_line, one["line"]), vague=True)
        elif "bounding_box" in one:
            yield Shape(title, partial(_box, one["bounding_box"]), vague=True)


def _polygon(entry: Any, size: Size) -> Mask:
    paths = entry.get("paths") or entry.get("path")
    corners = [np.array(_points(path)) for path in (paths if isinstance(paths[0], list) else [paths])]
    ends = np.array(size[::-1]) - 1
    drawn = [np.clip(np.round(path), 0, ends).astype(np.int32) for path in corners]
    return np.asarray(cv2.fillPoly(np.zeros(size, np.uint8), drawn, 1)) > 0


def _points(path: Any) -> list[tuple[float, float]]:
    return [(float(point["x"]), float(point["y"])) for point in path]


def _ellipse(entry: Any, size: Size) -> Mask:
    (x, y), (across, down) = ((float(entry[name]["x"]), float(entry[name]["y"])) for name in ("center", "radius"))
    return drawing.ellipse(size, x, y, across, down, math.degrees(float(entry.get("angle", 0))))


def _line(entry: Any, size: Size) -> Mask:
    return drawing.line(_points(entry["path"]), size)


def _box(entry: Any, size: Size) -> Mask:
    return drawing.box(size, *(float(entry[name]) for name in ("x", "y", "w", "h")))


def _raster(data: Any, number: str, size: Size) -> Mask:
    """The pixels of a mask in the raster layers: pairs of a value and how often it comes, row by row."""
    mask = np.zeros(size, bool)
    for layer in (one["raster_layer"] for one in data["annotations"] if "raster_layer" in one):
        if number in layer["mask_annotation_ids_mapping"]:
            pairs = np.array(layer["dense_rle"], np.int64).reshape(-1, 2)
            if (pairs[:, 1] < 0).any() or pairs[:, 1].sum() != mask.size:
                raise ValueError(f"a raster layer of {pairs[:, 1].sum()} pixels in a picture of {size[1]} x {size[0]}")
            values = np.repeat(pairs[:, 0], pairs[:, 1]).reshape(size)
            mask |= values == int(layer["mask_annotation_ids_mapping"][number])
    return mask
