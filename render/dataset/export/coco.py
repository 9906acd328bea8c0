"""COCO: `images/000000.png` and `annotations/instances.json` with boxes, RLE masks and keypoints.

Give readers `images` as the image folder. Category ids are the category mask's values. One annotation for each object
of a listed class with at least one visible pixel. Boxes are [x, y, width, height] around visible pixels; masks are
compressed RLE; keypoints are (x, y, v) with pixel centers at +0.5, in the category's order: v is 2 seen, 1 hidden but
inside the picture, 0 (with x = y = 0) outside it or unknown for the object. Beyond COCO: `amodal_bbox`, `visibility`,
`truncation`, `asset`, `purpose` ("clutter" for objects of no interest); of images `intrinsics`, `world_to_camera`
and, where the lens has one, `distortion` with OpenCV's `model` and `coefficients`.

`annotations/instances_polygons.json` is the same with polygons instead of masks: one for each part. Bridges without
area cut out the holes, so pycocotools makes the same masks of them.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as rle

from render.dataset.export.outline import outlines
from render.dataset.export.parts import Classes, Lines, stem, write_png
from render.frame import Frame
from render.object_label import Box, Keypoint, ObjectLabel
from scenes.record.scene import Scene

_NAMES = "keypoints "
"""How the line begins that has the names of the keypoints of each category in a piece."""


def write_coco(frames: Iterable[Frame], classes: Classes, out: Path, piece: int) -> list[str]:
    """Write pictures into `out`. A line is the entry of a picture and those of its objects; the first has the names of
    the keypoints that are in them."""
    lines, names = [], dict[str, set[str]]()
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
        for entry, points, _ in objects:
            names.setdefault(str(entry["category_id"]), set()).update(points)
        lines.append(json.dumps({"image": image, "objects": objects}))
    return [_NAMES + json.dumps({category: sorted(found) for category, found in names.items()}), *lines]


def finish_coco(lines: Lines, classes: Classes, out: Path) -> None:
    """Write the annotations, entry by entry: all of them may be larger than memory. Each line is parsed once.

    An object has a place for each keypoint that any object of its class shows, which is known at the end only. So what
    comes after the entries of the pictures waits in a file of its own.
    """
    names = _keypoint_names(lines)
    categories = [_category(number, name, names.get(number, [])) for number, name in enumerate(classes, start=1)]
    (out / "annotations").mkdir(exist_ok=True)
    with ExitStack() as stack:
        files = [
            stack.enter_context((out / "annotations" / f"{name}.json").open("w", encoding="utf-8"))
            for name in ("instances", "instances_polygons")
        ]
        objects = [stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", dir=out)) for _ in files]
        for file in files:
            info = json.dumps({"description": "rendered by blendmill", "version": "1.0"})
            file.write(f'{{"info": {info}, "licenses": [], "images": [')
        number = 0
        for count, line in enumerate(line for line in lines() if not line.startswith(_NAMES)):
            found = json.loads(line)
            for file in files:
                file.write((", " if count else "") + json.dumps(found["image"]))
            for entry, points, polygons in found["objects"]:
                number += 1
                known = _keypoints(points, names.get(entry["category_id"], []))
                for file, shape in zip(objects, ({}, {"segmentation": polygons}), strict=True):
                    text = json.dumps({"id": number, **entry, **shape, **known})
                    file.write((", " if number > 1 else "") + text)
        for file, rest in zip(files, objects, strict=True):
            file.write('], "annotations": [')
            rest.seek(0)
            shutil.copyfileobj(rest, file)
            file.write(f'], "categories": {json.dumps(categories)}}}')


def _keypoints(points: Mapping[str, list[float]], names: list[str]) -> dict[str, Any]:
    triplets = [points.get(name, [0, 0, 0]) for name in names]
    values = [value for triplet in triplets for value in triplet]
    return {"keypoints": values, "num_keypoints": sum(v > 0 for _, _, v in triplets)} if triplets else {}


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
    known = {"intrinsics": frame.intrinsics.tolist(), "world_to_camera": frame.world_to_camera.tolist()}
    bent = frame.scene.camera.distortion if isinstance(frame.scene, Scene) else None
    return known if bent is None else {**known, "distortion": {"model": bent.model, "coefficients": bent.coefficients}}


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
    for line in lines():
        if line.startswith(_NAMES):
            for category, some in json.loads(line.removeprefix(_NAMES)).items():
                names.setdefault(int(category), set()).update(some)
    return {category: sorted(found) for category, found in names.items()}


def _category(number: int, name: str, keypoints: list[str]) -> dict[str, Any]:
    category: dict[str, Any] = {"id": number, "name": name, "supercategory": "object"}
    # The points stand alone: nothing is known of lines between them.
    return {**category, "keypoints": keypoints, "skeleton": []} if keypoints else category
