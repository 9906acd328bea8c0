"""Labelbox's export: a line of JSON for each picture (`*.ndjson`, `*.jsonl`).

Polygons have pixels; boxes and lines do not say which. Masks are at URLs that only Labelbox can open, so such pictures
cannot be used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from scenes.errors import InputError
from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.annotations import drawing
from segment.annotations.drawing import Size
from segment.annotations.listing import FAULTS, Collected, Shape
from segment.annotations.objects import Mask, Objects
from segment.tree import Tree

_LARGEST = 1 << 31
_KINDS = ("polygon", "bounding_box", "line", "mask", "composite_mask")
_VAGUE = ("bounding_box", "line")


def labelbox_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of files of Labelbox. Raises InputError."""
    found = Collected(tree)
    for path in files:
        for number, line in enumerate(read_regular(path, _LARGEST).split(b"\n"), start=1):
            if not line.strip():
                continue
            try:
                row = parse_json(line, f"{path}: line {number}")
                objects = _objects(row)
                if objects is None:
                    found.left_out.append(f"{path}: line {number}: has no label")
                    continue
                media = row["media_attributes"]
                given = str(row["data_row"].get("external_id") or row["data_row"]["row_data"])
                picture = found.pictures.find(given, path.parent)
                size = int(media["height"]), int(media["width"])
                shapes = list(_shapes(objects))
            except InputError as error:
                found.left_out.append(str(error))
                continue
            except FAULTS as error:
                found.leave_out(f"{path}: line {number}", error)
                continue
            found.take(path, picture, size, shapes, partial(_shapes, objects))
    return found.objects()


def _objects(row: Any) -> list[Any] | None:
    """The objects of the first label of a picture; None without a label."""
    for project in row["projects"].values():
        for label in project["labels"]:
            return list(label["annotations"]["objects"])
    return None


def _shapes(objects: list[Any]) -> Iterator[Shape]:
    for entry in objects:
        kind = next((kind for kind in _KINDS if entry.get(kind)), None)
        if kind is not None:
            yield Shape(str(entry["name"]), partial(_drawn, kind, entry[kind]), kind in _VAGUE)


def _drawn(kind: str, value: Any, size: Size) -> Mask:
    if kind == "bounding_box":
        return drawing.box(size, *(float(value[name]) for name in ("left", "top", "width", "height")))
    if kind not in ("polygon", "line"):
        raise ValueError("its mask is at a URL that needs an account; export polygons, or masks as pictures")
    points = [(float(point["x"]), float(point["y"])) for point in value]
    return drawing.polygon(points, size) if kind == "polygon" else drawing.line(points, size)
