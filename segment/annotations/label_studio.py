"""Label Studio's JSON (also JSON-MIN): brushes, polygons, ellipses and boxes, in percent of the picture.

Of several annotations of a task, the first that was not cancelled is read. Boxes do not say which pixels are meant. Its
exports to COCO are read by `segment.annotations.coco`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.annotations import drawing
from segment.annotations.drawing import Size
from segment.annotations.listing import FAULTS, Collected, Pictures, Shape
from segment.annotations.objects import Mask, Objects
from segment.tree import Tree

_LARGEST, _VALUES = 1 << 31, 200_000_000
_SHAPES = ("brushlabels", "polygonlabels", "ellipselabels", "rectanglelabels", "labels")
_Region = dict[str, Any]


def label_studio_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of files of Label Studio. Raises InputError."""
    found = Collected(tree)
    for path in files:
        for task in parse_json(read_regular(path, _LARGEST), str(path), _VALUES):
            try:
                regions = _regions(task)
                if regions is None:
                    found.left_out.append(f"{path}: task {task.get('id')} has no annotation")
                    continue
                picture = _picture(task, found.pictures, path.parent)
                size = next(((int(r["original_height"]), int(r["original_width"])) for r in regions), None)
                shapes = list(_shapes(regions))
            except FAULTS as error:
                found.leave_out(f"{path}: a task", error)
                continue
            found.take(path, picture, size, shapes, partial(_shapes, regions))
    return found.objects()


def _regions(task: Any) -> list[_Region] | None:
    """What is marked in a task, with its values and its size; None if nobody has annotated it."""
    if "annotations" in task or "completions" in task:
        given = [one for one in task.get("annotations", task.get("completions")) if not one.get("was_cancelled")]
        if not given:
            return None
        return [{**one, **one["value"]} for one in given[0]["result"] if "original_width" in one]
    # JSON-MIN: the regions of each control stand under its name.
    lists = [value for value in task.values() if isinstance(value, list)]
    return [one for value in lists for one in value if isinstance(one, dict) and "original_width" in one]


def _picture(task: Any, pictures: Pictures, near: Path) -> Path:
    """The picture of a task. Uploads have a random prefix, which a copy of the picture may lack. Raises ValueError."""
    data = task.get("data", task)
    given = [task.get("file_upload"), *(value for value in data.values() if isinstance(value, str))]
    fault: ValueError | None = None
    for value in filter(None, given):
        parts = urlsplit(value)
        path = unquote(parse_qs(parts.query).get("d", [parts.path])[0])
        name = PurePosixPath(path).name
        for form in (path, name.partition("-")[2] if len(name.partition("-")[0]) == 8 else path):
            try:
                return pictures.find(form, near)
            except ValueError as error:
                fault = fault or error
    raise fault or ValueError("names no picture")


def _shapes(regions: list[_Region]) -> Iterator[Shape]:
    named = {one["id"]: one[kind][0] for one in regions for kind in _SHAPES if one.get(kind) and "id" in one}
    for region in regions:
        kind = next((kind for kind in _SHAPES if region.get(kind)), None)
        title = region[kind][0] if kind else named.get(region.get("id"))
        drawn = "rle" in region or "points" in region or "radiusX" in region
        if title is not None and (drawn or ("width" in region and "rotation" in region)):
            yield Shape(str(title), partial(_drawn, region), vague=not drawn)


def _drawn(region: _Region, size: Size) -> Mask:
    height, width = size
    if region.get("image_rotation"):
        raise ValueError("the picture was turned in Label Studio; turn it back, and export again")
    if "rle" in region:
        return _brush(region["rle"], size)
    if "points" in region:
        return drawing.polygon([(x * width / 100, y * height / 100) for x, y in region["points"]], size)
    x, y, turn = region["x"] * width / 100, region["y"] * height / 100, float(region.get("rotation", 0))
    if "radiusX" in region:
        return drawing.ellipse(size, x, y, region["radiusX"] * width / 100, region["radiusY"] * height / 100, turn)
    return drawing.box(size, x, y, region["width"] * width / 100, region["height"] * height / 100, turn)


def _brush(packed: list[int], size: Size) -> Mask:
    """The opacity of a brush: its RGBA levels are packed by rle-pack (thi.ng/umbrella), as Label Studio's `brush`."""
    bits = np.unpackbits(np.array(packed, np.uint8))
    at = 0

    def number(count: int) -> int:
        nonlocal at
        at += count
        if at > len(bits):
            raise ValueError("a brush ends too early")
        return int("".join(map(str, bits[at - count : at])), 2)

    total, word = number(32), number(5) + 1
    lengths = [number(4) + 1 for _ in range(4)]
    if total != size[0] * size[1] * 4:
        raise ValueError(f"a brush of {total} levels in a picture of {size[1]} x {size[0]}")
    levels, done = np.zeros(total, np.int64), 0
    weights = 1 << np.arange(word)[::-1]
    while done < total:
        repeated = number(1)
        end = done + 1 + number(lengths[number(2)])
        if repeated:
            levels[done:end] = number(word)
        else:
            count = min(end, total) - done
            part = bits[at : at + count * word]
            levels[done : done + count] = part.reshape(count, word) @ weights
            at += count * word
        done = end
    return levels.reshape(*size, 4)[..., 3] > 0
