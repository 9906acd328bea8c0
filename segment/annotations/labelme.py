"""LabelMe's files: one JSON for each picture, beside it or in another folder.

Polygons, circles and masks are drawn as `labelme.utils.shape_to_mask` draws them (LabelMe 5 and 6). Boxes and lines do
not say which pixels are meant; `__ignore__` counts nowhere. A labels.txt names the classes; without one, all files are
looked through.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from scenes.assets.image_files import check_size
from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.annotations import drawing
from segment.annotations.drawing import Size
from segment.annotations.listing import OfOne, Pictures, Shape, collected
from segment.annotations.objects import BACKGROUND, Mask, Objects
from segment.tree import Tree

_LARGEST = 1 << 28
_IGNORED = ("__ignore__", "_background_")


def labelme_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of files of LabelMe. Raises InputError."""
    found = collected(tree, files, OfOne(_load, _about, _shapes))
    return found.objects(_named(tree.folder, found.titles))


def _named(folder: Path, titles: set[str]) -> list[str]:
    """The classes: in the order of labels.txt where it has all, else in alphabetical order."""
    file = folder / "labels.txt"
    listed = read_regular(file, 1 << 20).decode("utf-8", "replace").split("\n") if file.is_file() else []
    names = [line.strip() for line in listed if line.strip() and line.strip() not in _IGNORED]
    return names if titles <= set(names) else sorted(titles)


def _load(path: Path) -> Any:
    return parse_json(read_regular(path, _LARGEST), str(path))


def _about(pictures: Pictures, path: Path, data: Any) -> tuple[Path, Size]:
    """The picture is seen from the file, has the name of the file, or is elsewhere in the folder."""
    given, size = str(data["imagePath"]), (int(data["imageHeight"]), int(data["imageWidth"]))
    for beside in (given, f"{path.stem}.jpg", f"{path.stem}.png"):
        if (found := pictures.at(path.parent, beside)) is not None:
            return found, size
    return pictures.find(given), size


def _shapes(data: Any) -> Iterator[Shape]:
    for shape in data["shapes"]:
        kind = shape.get("shape_type") or "polygon"
        title = BACKGROUND if shape["label"] in _IGNORED else str(shape["label"])
        vague = kind in ("rectangle", "line", "linestrip") or shape["label"] == _IGNORED[0]
        if kind != "point":
            yield Shape(title, partial(_drawn, kind, shape), vague)


def _drawn(kind: str, shape: Any, size: Size) -> Mask:
    points = [(float(x), float(y)) for x, y in shape["points"]]
    if kind == "mask":
        return _mask(shape["mask"], points[0], size)
    if kind in ("line", "linestrip"):
        return drawing.line(points, size)
    image = Image.new("L", (size[1], size[0]))
    draw = ImageDraw.Draw(image)
    if kind == "circle":
        (x, y), edge = points
        radius = math.dist((x, y), edge)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=1, fill=1)
    elif kind == "rectangle":
        (x0, y0), (x1, y1) = points
        draw.rectangle((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), outline=1, fill=1)
    elif kind in ("polygon", "oriented_rectangle"):
        draw.polygon(points, outline=1, fill=1)
    else:
        raise ValueError(f"shape_type {kind!r} is not known")
    return np.asarray(image) > 0


def _mask(packed: str, corner: tuple[float, float], size: Size) -> Mask:
    with Image.open(BytesIO(base64.b64decode(packed)), formats=("PNG",)) as image:
        check_size(*image.size)
        part = np.asarray(image.convert("L")) > 0
    return drawing.placed(part, round(corner[0]), round(corner[1]), size)
