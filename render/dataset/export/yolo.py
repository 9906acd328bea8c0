"""YOLO, as Ultralytics reads it: `images/train/000000.png`, `labels/train/000000.txt`, and `data.yaml`.

A line of a .txt file is an object of a listed class with at least one visible pixel; clutter counts as an object. All
numbers are shares of the picture's width and height. `yolo` has the class and the box (center and size). `yolo-segment`
has the class and the outline, in which bridges without area join the parts and cut out the holes. `yolo-pose` has the
class, the box, and x, y and v of each keypoint: v is 2 seen, 1 hidden but inside the picture, 0 outside it or not of
this class. All classes share one list of keypoints; `keypoints` in data.yaml names them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from render.dataset.export.outline import joined, outlines
from render.dataset.export.parts import Classes, Lines, stem, write_file, write_png
from render.frame import Frame
from render.object_label import Box, ObjectLabel
from scenes.errors import InputError
from scenes.plain_yaml import yaml_text

Point = tuple[float, float, int]
Shares = NDArray[np.float64]

_DIGITS = 6


def _write(kind: str, frames: Iterable[Frame], classes: Classes, out: Path, piece: int) -> list[str]:
    """Write pictures and their labels. Labels with keypoints are the lines, until all keypoints are known."""
    lines = []
    for frame in frames:
        write_png(out / "images" / "train" / f"{stem(frame)}.png", frame.rgb)
        found = list(_lines(kind, frame, classes))
        if kind == "pose":
            lines.append(json.dumps([stem(frame), found]))
        else:
            _write_labels(out, stem(frame), (line for line, _ in found))
    return lines


def _finish(kind: str, lines: Lines, classes: Classes, out: Path) -> None:
    # No path: Ultralytics then takes the folder of the file.
    data = {"train": "images/train", "val": "images/train", "names": dict(enumerate(classes))}
    if kind == "pose":
        names = sorted({name for line in lines() for _, points in json.loads(line)[1] for name in points})
        if not names:
            raise InputError("no object shows a keypoint, yolo-pose needs some; use --format yolo")
        for line in lines():
            picture, found = json.loads(line)
            _write_labels(out, picture, (f"{text}{_points(points, names)}" for text, points in found))
        data |= {"kpt_shape": [len(names), 3], "flip_idx": list(range(len(names))), "keypoints": names}
    (out / "data.yaml").write_text(yaml_text(data), encoding="utf-8")


def _write_labels(out: Path, picture: str, lines: Iterable[str]) -> None:
    write_file(out / "labels" / "train" / f"{picture}.txt", "".join(f"{line}\n" for line in lines).encode())


write_yolo, finish_yolo = partial(_write, "detect"), partial(_finish, "detect")
write_yolo_segment, finish_yolo_segment = partial(_write, "segment"), partial(_finish, "segment")
write_yolo_pose, finish_yolo_pose = partial(_write, "pose"), partial(_finish, "pose")


def _lines(kind: str, frame: Frame, classes: Classes) -> Iterator[tuple[str, dict[str, Point]]]:
    """Of each object, its line without keypoints, and its keypoints in shares of the picture, with v."""
    height, width = frame.rgb.shape[:2]
    for label in frame.objects:
        if label.box is None or label.category not in classes:
            continue
        number = classes.index(label.category)
        if kind == "segment":
            polygons = outlines(frame.instance == label.instance)
            yield f"{number} {_numbers(joined(polygons) / (width, height))}", {}
            continue
        points = _inside(label, width, height) if kind == "pose" else {}
        yield f"{number} {_numbers(_centered(label.box, width, height))}", points


def _centered(box: Box, width: int, height: int) -> Shares:
    """(4,) center and size of a box. Some readers refuse a box that its rounded numbers take out of the picture."""
    low, high = np.array(box[:2]) / (width, height), np.array(box[2:]) / (width, height)
    center = ((low + high) / 2).round(_DIGITS)
    return np.concatenate([center, np.minimum(high - low, 2 * np.minimum(center, 1 - center))])


def _inside(label: ObjectLabel, width: int, height: int) -> dict[str, Point]:
    return {
        name: (point.x / width, point.y / height, 1 + point.visible)
        for name, point in label.keypoints.items()
        if 0 <= point.x < width and 0 <= point.y < height
    }


def _points(points: dict[str, Point], names: list[str]) -> str:
    triplets = [points.get(name) for name in names]
    return "".join(f" {_numbers(np.array(p[:2]))} {p[2]}" if p else " 0 0 0" for p in triplets)


def _numbers(values: Shares) -> str:
    return " ".join(f"{value:.{_DIGITS}f}" for value in values.ravel())
