"""COCO: `images/000000.png` and `annotations/instances.json` with boxes, RLE masks and keypoints.

Give readers `images` as the image folder. Category ids are the category mask's values. One annotation for each object
of a listed class with at least one visible pixel. Boxes are [x, y, width, height] around visible pixels; masks are
compressed RLE; keypoints are (x, y, v) with pixel centers at +0.5, in the category's order: v is 2 seen, 1 hidden but
inside the picture, 0 (with x = y = 0) outside it or unknown for the object. Beyond COCO: `amodal_bbox`, `visibility`,
`truncation`, `asset`, `purpose` ("clutter" for objects of no interest); of images `intrinsics` and `world_to_camera`.

`annotations/instances_polygons.json` is the same with polygons instead of masks. They are less exact: holes are filled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from render.dataset.export.outline import outlines
from render.dataset.export.parts import Classes, Lines, stem, write_png
from render.frame import Box, Frame, Keypoint, ObjectLabel


def write_coco(frames: Iterable[Frame], classes: Classes, out: Path, piece: int) -> list[str]:
    """Write pictures into `out`. A line is the entry of a picture and those of its objects."""
    lines = []
    for frame in frames:
        name = f"{stem(frame)}.png"
        write_png(out / "images" / name, frame.rgb)
        height, width = frame.instance.shape
        image = {"id": frame.index, "file_name": name, "width": width, "height": height, **_camera(frame)}
        shown = [label for label in frame.objects if label.box is not None and label.category in classes]
        objects = [
            (_annotation(frame, label, classes), _inside(label.keypoints, width, height), _polygons(frame, label))
            for label in shown
        ]
        lines.append(json.dumps({"image": image, "objects": objects}))
    return lines


def finish_coco(lines: Lines, classes: Classes, out: Path) -> None:
    """Write the annotations, entry by entry: all of them may be larger than memory."""
    names = _keypoint_names(lines)
    categories = [_category(number, name, names.get(number, [])) for number, name in enumerate(classes, start=1)]
    (out / "annotations").mkdir(exist_ok=True)
    for name, outlined in (("instances", False), ("instances_polygons", True)):
        _write_annotations(out / "annotations" / f"{name}.json", lines, names, categories, outlined)


def _write_annotations(
    path: Path, lines: Lines, names: Mapping[int, list[str]], categories: list[dict[str, Any]], outlined: bool
) -> None:
    with path.open("w", encoding="utf-8") as file:
        info = json.dumps({"description": "rendered by blendmill", "version": "1.0"})
        file.write(f'{{"info": {info}, "licenses": [], "images": [')
        _write_all(file, (json.loads(line)["image"] for line in lines()))
        file.write('], "annotations": [')
        _write_all(file, _annotations(lines, names, outlined))
        file.write(f'], "categories": {json.dumps(categories)}}}')


def _write_all(file: TextIO, entries: Iterable[dict[str, Any]]) -> None:
    for number, entry in enumerate(entries):
        file.write((", " if number else "") + json.dumps(entry))


def _annotations(lines: Lines, names: Mapping[int, list[str]], outlined: bool) -> Iterator[dict[str, Any]]:
    """The entries of all objects, numbered from 1."""
    for number, (entry, points, polygons) in enumerate(_objects(lines), start=1):
        shape = {"segmentation": polygons} if outlined else {}
        triplets = [points.get(name, [0, 0, 0]) for name in names.get(entry["category_id"], [])]
        known = {
            "keypoints": [value for triplet in triplets for value in triplet],
            "num_keypoints": sum(v > 0 for _, _, v in triplets),
        }
        yield {"id": number, **entry, **shape, **(known if triplets else {})}


def _objects(lines: Lines) -> Iterator[tuple[dict[str, Any], dict[str, list[float]], list[list[float]]]]:
    for line in lines():
        yield from json.loads(line)["objects"]


def encoded(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """A mask (H, W) as COCO's compressed run lengths, fit for JSON."""
    found = rle.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(side) for side in found["size"]], "counts": found["counts"].decode("ascii")}


def _annotation(frame: Frame, label: ObjectLabel, classes: Classes) -> dict[str, Any]:
    assert label.box is not None
    return {
        "image_id": frame.index,
        "category_id": 1 + classes.index(label.category),
        "bbox": _sized(label.box),
        "area": label.pixels,
        "segmentation": encoded(frame.instance == label.instance),
        "iscrowd": 0,
        "amodal_bbox": label.amodal_box and _sized(label.amodal_box),
        "visibility": label.visibility,
        "truncation": label.truncation,
        "asset": label.asset,
        "purpose": label.purpose,
    }


def _camera(frame: Frame) -> dict[str, Any]:
    return {"intrinsics": frame.intrinsics.tolist(), "world_to_camera": frame.world_to_camera.tolist()}


def _polygons(frame: Frame, label: ObjectLabel) -> list[list[float]]:
    return [polygon.round(2).ravel().tolist() for polygon in outlines(frame.instance == label.instance)]


def _sized(box: Box) -> list[float]:
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]


def _inside(points: Mapping[str, Keypoint], width: int, height: int) -> dict[str, tuple[float, float, int]]:
    """The keypoints in the picture, as COCO has them."""
    inside = {name: p for name, p in points.items() if 0 <= p.x < width and 0 <= p.y < height}
    return {name: (p.x, p.y, 2 if p.visible else 1) for name, p in inside.items()}


def _keypoint_names(lines: Lines) -> dict[int, list[str]]:
    """The keypoints that any object of each category shows, in alphabetical order."""
    names: dict[int, set[str]] = {}
    for entry, points, _ in _objects(lines):
        names.setdefault(entry["category_id"], set()).update(points)
    return {category: sorted(found) for category, found in names.items()}


def _category(number: int, name: str, keypoints: list[str]) -> dict[str, Any]:
    category: dict[str, Any] = {"id": number, "name": name, "supercategory": "object"}
    # The points stand alone: nothing is known of lines between them.
    return {**category, "keypoints": keypoints, "skeleton": []} if keypoints else category
