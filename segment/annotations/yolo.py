"""YOLO's outlines, as Ultralytics and Roboflow write them: data.yaml, and a .txt file for each picture.

The pictures are in images/ and the .txt files in labels/, in the same folders below or above (images/train and
labels/train, or train/images and train/labels), or beside each other. A line has the number of the class and the
corners of an outline, in shares of the width and height. A line of four shares is a box, which does not say its pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from scenes.errors import InputError, shortened
from scenes.files import read_regular
from scenes.plain_yaml import read_yaml
from segment.annotations import drawing
from segment.annotations.drawing import Size
from segment.annotations.listing import Entry, Pictures, Shape, objects_of, refuse_vague
from segment.annotations.objects import Mask, Objects
from segment.tree import Tree

_LARGEST = 1 << 26
# So many files are looked at to see whether there are outlines.
_LOOKED_AT = 64


def yolo_files(tree: Tree) -> list[Path]:
    """The file that names the classes of a folder of YOLO, there or in the folder around; empty for other folders."""
    if not _labels(tree):
        return []
    around = sorted(tree.folder.resolve().parent.glob("*.y*ml"))
    named = [*tree.beside((".yaml", ".yml")), *(path for path in around if path.is_file())]
    return [path for path in named if b"names:" in read_regular(path, _LARGEST)][:1]


def yolo_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of a folder of YOLO. files: the one that names the classes. Raises InputError."""
    (file,), folder = files, tree.folder
    names, pose = _names(file), b"kpt_shape:" in read_regular(file, _LARGEST)
    pictures, left_out = Pictures.of(tree), []
    labels = _labels(tree)
    entries: dict[str, Entry] = {}
    for picture in tree.pictures:
        label = labels.pop(_key(folder, picture), None)
        name = pictures.name(picture)
        if label is None or name in entries:
            left_out.append(f"{picture}: {'has no .txt file of labels' if label is None else 'has a name twice'}")
            continue
        entries[name] = Entry(picture, None, partial(_shapes, label, names, pose))
    left_out += [f"{path}: has no picture" for path in labels.values()]
    some = [label for entry in list(entries.values())[:_LOOKED_AT] for label in _kinds(entry)]
    refuse_vague(file, some)
    return objects_of(folder, entries, names, left_out)


def _labels(tree: Tree) -> dict[tuple[str, ...], Path]:
    """The .txt files of labels by what they share with their pictures."""
    found = tree.ending((".txt",))
    inside = [path for path in found if "labels" in path.relative_to(tree.folder).parts]
    return {_key(tree.folder, path): path for path in inside or found}


def _key(folder: Path, path: Path) -> tuple[str, ...]:
    parts = path.relative_to(folder).with_suffix("").parts
    return tuple(part for part in parts if part not in ("images", "labels"))


def _names(file: Path) -> list[str]:
    data: Any = read_yaml(file)
    names = data.get("names") if isinstance(data, dict) else None
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not names:
        raise InputError(
            f"{file}: names: is {shortened(names)}; give a list of the classes, or their numbers from 0 on"
        )
    return [str(name) for name in names]


def _kinds(entry: Entry) -> list[bool]:
    try:
        return [shape.vague for shape in entry.shapes()]
    except InputError:
        return []


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
