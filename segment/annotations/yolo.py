"""YOLO's outlines, as Ultralytics and Roboflow write them: data.yaml, and a .txt file for each picture.

The pictures are in images/ and the .txt files in labels/, in the same folders below or above (images/train and
labels/train, or train/images and train/labels), or beside each other. A line has the number of the class and the
corners of an outline, in shares of the width and height. A line of four shares is a box, which does not say its pixels.
data.yaml may name lists of pictures, such as train.txt; its splits are those lists. Without it, classes.txt names the
classes, as Label Studio writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PureWindowsPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError, shortened
from scenes.files import first_of, read_regular
from scenes.plain_yaml import read_yaml
from segment.annotations import drawing
from segment.annotations.drawing import Size
from segment.annotations.listing import (
    Entry,
    Pictures,
    Shape,
    lines_of,
    objects_of,
    refuse_vague,
    size_of,
    without_objects,
)
from segment.annotations.objects import Mask, Objects, WithoutOutlines
from segment.tree import Tree

_LARGEST = 1 << 26
# So many files are looked at to see whether there are outlines.
_LOOKED_AT, _NEARLY_ALL, _NEARLY_A_BOX = 64, 0.95, 0.9
_SPLITS = ("train", "val", "test")
# Files with the names of the classes, one on each line, as Label Studio, LabelImg and Darknet write them.
_LISTS_OF_NAMES = ("classes.txt", "obj.names")
_NAMED = re.compile(rb"^[\"']?names[\"']?\s*:", re.MULTILINE)
_LABEL = re.compile(rb"\s*\d+([ \t]+-?[\d.]+(e-?\d+)?){4}", re.IGNORECASE)


def yolo_files(tree: Tree) -> list[Path]:
    """The file that names the classes of a folder of YOLO, there or in the folder around; empty for other folders."""
    labels = _labels(tree)
    if not labels or not any(_key(tree.folder, picture) in labels for picture in tree.pictures):
        return []
    around = [path for path in sorted(tree.folder.resolve().parent.glob("*.y*ml")) if path.is_file()]
    for path in (*tree.beside((".yaml", ".yml")), *around):
        if _NAMED.search(read_regular(path, _LARGEST)):
            return [path]
    listed = next(filter(None, map(tree.file, _LISTS_OF_NAMES)), None)
    return [listed] if listed and any(map(_is_label, list(labels.values())[:_LOOKED_AT])) else []


def yolo_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of a folder of YOLO. files: the one that names the classes. Raises InputError."""
    (file,), pictures = files, Pictures.of(tree)
    data = read_yaml(file) if file.suffix in (".yaml", ".yml") else {"names": lines_of(file)}
    names = _names(file, data)
    labels, left_out = _labels(tree), []
    splits = _splits(tree, file, data, pictures)
    entries: dict[str, Entry] = {}
    for picture in tree.pictures:
        label = labels.pop(_key(tree.folder, picture), None)
        name = pictures.name(picture)
        if splits is not None and label is not None:
            split = splits.get(picture)
            if split is None:
                left_out.append(f"{picture}: is in no list of {file.name}")
                continue
            name = name if name.startswith(f"{split}/") else f"{split}/{name}"
        if label is None or name in entries:
            left_out.append(f"{picture}: {'has no .txt file of labels' if label is None else 'has a name twice'}")
            continue
        entries[name] = Entry(picture, None, partial(_shapes, label, names, "kpt_shape" in data))
    left_out += [f"{path}: has no picture" for path in labels.values() if _is_label(path)]
    found = objects_of(tree.folder, entries, names, left_out)
    return replace(found, notes=_notes_on_boxes(file, list(entries.values())[:_LOOKED_AT]))


def _splits(tree: Tree, file: Path, data: Any, pictures: Pictures) -> dict[Path, str] | None:
    """The split of each picture, if data.yaml names lists of pictures (train.txt) instead of folders. A list has a
    path on each line, seen from the list, or of another machine."""
    texts = {path.name: path for path in tree.ending((".txt",))}
    found: dict[Path, str] = {}
    lists = [(split, one) for split in _SPLITS for one in _listed(data.get(split)) if one.lower().endswith(".txt")]
    for split, one in lists:
        path = texts.get(PureWindowsPath(one).name)
        if path is None:
            raise InputError(f"{file}: {split}: names the list '{shortened(one)}', which is not there")
        for number, line in enumerate(filter(None, map(str.strip, lines_of(path))), start=1):
            try:
                picture = pictures.at(path.parent, line) or pictures.find(line)
            except ValueError as error:
                raise InputError(f"{path}: line {number}: {error}") from None
            if found.setdefault(picture, split) != split:
                raise InputError(f"{path}: line {number}: names {picture.name}, which is in {found[picture]}, too")
    return found if lists else None


def _listed(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [value] if isinstance(value, str) else []


def _is_label(path: Path) -> bool:
    return _LABEL.match(first_of(path, 256)) is not None


def _notes_on_boxes(file: Path, entries: list[Entry]) -> tuple[str, ...]:
    """What is told of a set that may have no outlines. Raises WithoutOutlines if all objects are boxes.

    A turned box (YOLO-OBB) is written like an outline of four corners. Where people draw them, angles are nearly right.
    """
    upright: list[bool] = []
    corners: list[NDArray[np.float64]] = []
    for entry in entries:
        try:
            shapes, (height, width) = list(entry.shapes()), size_of(entry.picture)
        except InputError:
            continue
        upright += [shape.vague for shape in shapes]
        corners += [_corners(shape) * (width, height) for shape in shapes]
    refuse_vague(file, upright)
    if not corners:
        return (without_objects(file),)
    turned = [_rectangularity(one) >= _NEARLY_A_BOX for one in corners if len(one) in (2, 4)]
    if len(turned) < _NEARLY_ALL * len(corners):
        return ()
    if 2 * sum(turned) >= len(turned):
        raise WithoutOutlines(
            f"{file}: its objects are turned boxes (YOLO-OBB), rectangles of four corners; a mask needs the outlines "
            "of its objects"
        )
    return (f"{file}: its outlines have four corners each; if they are turned boxes (YOLO-OBB), they are no masks",)


def _corners(shape: Shape) -> NDArray[np.float64]:
    """(n, 2) the shares of an object."""
    assert isinstance(shape.draw, partial)
    return np.array(shape.draw.args[0]).reshape(-1, 2)


def _rectangularity(corners: NDArray[np.float64]) -> float:
    """The area of an outline, as a share of that of the smallest rectangle around it. 1 for a box of two points."""
    if len(corners) == 2:
        return 1.0
    points = corners.astype(np.float32)
    width, height = cv2.minAreaRect(points)[1]
    return cv2.contourArea(points) / max(width * height, 1e-6)


def _labels(tree: Tree) -> dict[tuple[str, ...], Path]:
    """The .txt files of labels by what they share with their pictures."""
    found = [path for path in tree.ending((".txt",)) if path.name not in _LISTS_OF_NAMES]
    inside = [path for path in found if "labels" in path.relative_to(tree.folder).parts]
    return {_key(tree.folder, path): path for path in inside or found}


def _key(folder: Path, path: Path) -> tuple[str, ...]:
    parts = path.relative_to(folder).with_suffix("").parts
    return tuple(part for part in parts if part not in ("images", "labels"))


def _names(file: Path, data: Any) -> list[str]:
    names = data.get("names") if isinstance(data, dict) else None
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not names:
        raise InputError(
            f"{file}: names: is {shortened(names)}; give a list of the classes, or their numbers from 0 on"
        )
    return [str(name) for name in names]


def _shapes(path: Path, names: list[str], pose: bool) -> Iterator[Shape]:
    """pose: keypoints follow the box of each object."""
    for number, line in enumerate(read_regular(path, _LARGEST).decode("utf-8", "replace").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            kind, *shares = (float(word) for word in line.split())
        except ValueError:
            raise InputError(f"{path}: line {number}: '{shortened(line)}' has words that are no numbers") from None
        if not 0 <= kind < len(names) or kind % 1:
            raise InputError(f"{path}: line {number}: has the class {kind:g}, there are {len(names)}, from 0 on")
        shares = shares[:4] if pose else shares
        if len(shares) % 2 or len(shares) < 4:
            raise InputError(f"{path}: line {number}: has {len(shares)} shares; an outline has pairs of x and y")
        yield Shape(names[int(kind)], partial(_drawn, shares), vague=len(shares) == 4)


def _drawn(shares: list[float], size: Size) -> Mask:
    height, width = size
    points = np.array(shares).reshape(-1, 2) * (width, height)
    if len(points) == 2:
        (x, y), (across, down) = points
        return drawing.box(size, x - across / 2, y - down / 2, across, down)
    return drawing.polygon(points, size)
