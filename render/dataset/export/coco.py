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
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from render.dataset.export.outline import outlines
from render.dataset.export.parts import stem, write_png
from render.frame import Box, Frame, Keypoint, ObjectLabel


def write_coco(frames: Iterable[Frame], classes: tuple[str, ...], out: Path) -> None:
    """Write pictures and annotations into `out`."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    polygons: list[list[list[float]]] = []
    points: list[Mapping[str, Keypoint]] = []
    for frame in frames:
        name = f"{stem(frame)}.png"
        write_png(out / "images" / name, frame.rgb)
        height, width = frame.instance.shape
        images.append({"id": frame.index, "file_name": name, "width": width, "height": height, **_camera(frame)})
        for label in frame.objects:
            if label.box is not None and label.category in classes:
                annotations.append(_annotation(len(annotations) + 1, frame, label, classes))
                found = outlines(frame.instance == label.instance)
                polygons.append([polygon.round(2).ravel().tolist() for polygon in found])
                points.append(_inside(label.keypoints, width, height))
    names = _keypoint_names(annotations, points)
    for annotation, own in zip(annotations, points, strict=True):
        triplets = [_triplet(own.get(name)) for name in names.get(annotation["category_id"], [])]
        if triplets:
            annotation["keypoints"] = [number for triplet in triplets for number in triplet]
            annotation["num_keypoints"] = sum(v > 0 for _, _, v in triplets)
    content = {
        "info": {"description": "rendered by blendmill", "version": "1.0"},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [_category(number, name, names.get(number, [])) for number, name in enumerate(classes, start=1)],
    }
    (out / "annotations").mkdir()
    (out / "annotations" / "instances.json").write_text(json.dumps(content), encoding="utf-8")
    outlined = [{**one, "segmentation": own} for one, own in zip(annotations, polygons, strict=True)]
    text = json.dumps({**content, "annotations": outlined})
    (out / "annotations" / "instances_polygons.json").write_text(text, encoding="utf-8")


def encoded(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """A mask (H, W) as COCO's compressed run lengths, fit for JSON."""
    found = rle.encode(np.asfortranarray(mask, dtype=np.uint8))
    return {"size": [int(side) for side in found["size"]], "counts": found["counts"].decode("ascii")}


def _annotation(number: int, frame: Frame, label: ObjectLabel, classes: tuple[str, ...]) -> dict[str, Any]:
    assert label.box is not None
    return {
        "id": number,
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


def _sized(box: Box) -> list[float]:
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]


def _inside(points: Mapping[str, Keypoint], width: int, height: int) -> dict[str, Keypoint]:
    return {name: p for name, p in points.items() if 0 <= p.x < width and 0 <= p.y < height}


def _keypoint_names(annotations: list[dict[str, Any]], points: list[Mapping[str, Keypoint]]) -> dict[int, list[str]]:
    """The keypoints that any object of each category shows, in alphabetical order."""
    names: dict[int, set[str]] = {}
    for annotation, own in zip(annotations, points, strict=True):
        names.setdefault(annotation["category_id"], set()).update(own)
    return {category: sorted(found) for category, found in names.items()}


def _triplet(point: Keypoint | None) -> tuple[float, float, int]:
    return (0, 0, 0) if point is None else (point.x, point.y, 2 if point.visible else 1)


def _category(number: int, name: str, keypoints: list[str]) -> dict[str, Any]:
    category: dict[str, Any] = {"id": number, "name": name, "supercategory": "object"}
    # The points stand alone: nothing is known of lines between them.
    return {**category, "keypoints": keypoints, "skeleton": []} if keypoints else category
