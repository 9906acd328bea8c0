"""COCO's layout: a JSON file with polygons or run lengths, and the pictures.

The file is `annotations/instances*.json`, `_annotations.coco.json` beside the pictures of each split (Roboflow), or
`result.json` (Label Studio). Of two objects, the one with the smaller area lies on top. The classes follow in the order
of the category ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
from pycocotools import mask as rle

from scenes.errors import InputError, shortened
from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.annotations.objects import Listed, Mask, Objects, Thing, classes_of
from segment.tree import Tree

LARGEST, VALUES = 1 << 31, 200_000_000
"""Limits of annotation files, in bytes and in values. COCO's own file for training has 448 MB."""

_BESIDE = "_annotations.coco.json"


def coco_files(tree: Tree) -> list[Path]:
    """The annotation files of a folder in COCO's layout; empty if it has none."""
    annotations = tree.at("annotations")
    found = [path for path in (annotations.here if annotations else ()) if fnmatch(path.name, "instances*.json")]
    if not found:
        found = [path for one in (tree, *tree.folders) if (path := one.file(_BESIDE))]
    if not found and (path := tree.file("result.json")) and tree.at("images"):
        found = [path]
    # The exporter writes the same objects a second time as polygons.
    return [path for path in found if not path.stem.endswith("_polygons")]


def coco_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of annotation files; of several files, those of each have its name as a prefix.

    Raises InputError.
    """
    folder = tree.folder
    titles: list[tuple[int, str]] = []
    pictures: dict[str, Path] = {}
    sizes: dict[str, tuple[int, int]] = {}
    objects: dict[str, list[Any]] = {}
    left_out: list[str] = []
    for path in files:
        data = parse_json(read_regular(path, LARGEST), str(path), VALUES)
        try:
            categories = sorted((int(entry["id"]), str(entry["name"])) for entry in data["categories"])
            of_image = defaultdict(list)
            for entry in data["annotations"]:
                of_image[str(entry["image_id"])].append(entry)
            images = [(str(e["file_name"]), str(e["id"]), int(e["height"]), int(e["width"])) for e in data["images"]]
            boxes = [not entry.get("segmentation") and "bbox" in entry for entry in data["annotations"]]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{path}: not COCO's annotations of instances: {error!r} is missing or wrong") from None
        if boxes and all(boxes):
            raise InputError(f"{path}: has boxes only; a mask needs the outlines of its objects")
        if titles and categories != titles:
            raise InputError(f"{path}: has other categories than {files[0].name}")
        titles = categories
        for file, number, height, width in images:
            name = (f"{_part(path)}/" if len(files) > 1 else "") + Path(file).with_suffix("").as_posix()
            found = picture_of(folder, path, file)
            if isinstance(found, str) or name in pictures:
                left_out.append(found if isinstance(found, str) else f"{found}: has the same name as {pictures[name]}")
                continue
            pictures[name], sizes[name], objects[name] = found, (height, width), of_image[number]
    if not pictures:
        raise InputError((left_out or [f"{files[0]}: names no picture"])[0])
    classes = classes_of(title for _, title in titles)
    numbers = {number: classes.index(title) for number, title in titles}

    def read(name: str) -> Listed:
        return Listed(sizes[name], _things(objects[name], sizes[name], numbers, f"{folder}: picture {name}"))

    return Objects(classes, pictures, read, tuple(left_out))


def picture_of(folder: Path, annotations: Path, file: str) -> Path | str:
    """Where a picture lies: in images/, in a folder named like the end of the annotation file, or beside it. Or a line
    that says that it lies in none of them.

    Programs of other machines write whole paths; the file's name alone then says which it is.
    """
    part = _part(annotations)
    given = file.replace("\\", "/")
    for root in (annotations.parent, folder / "images", folder / part, folder / "images" / part, folder):
        for path in (root / given, root / PureWindowsPath(given).name):
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                return path
    return f"{annotations}: names the picture '{shortened(file)}', which is not in images/ or {part or '.'}/"


def _part(annotations: Path) -> str:
    """The name of the split that a file is about."""
    return annotations.parent.name if annotations.name == _BESIDE else annotations.stem.partition("_")[2]


def _things(objects: list[Any], size: tuple[int, int], numbers: dict[int, int], where: str) -> Iterator[Thing]:
    try:
        things = [_thing(entry, number, size, numbers) for number, entry in enumerate(objects, start=1)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{where}: an annotation cannot be read: {error!r}") from None
    yield from sorted(things, key=lambda thing: -np.count_nonzero(thing.inside))


def _thing(entry: dict[str, Any], number: int, size: tuple[int, int], numbers: dict[int, int]) -> Thing:
    category = numbers[int(entry["category_id"])]
    if not entry.get("segmentation") and "bbox" in entry:
        left, top, width, height = map(float, entry["bbox"])
        corners = [left, top, left + width, top, left + width, top + height, left, top + height]
        return Thing(category, number, _shape([corners], size), box=True)
    return Thing(category, number, _shape(entry["segmentation"], size), crowd=bool(entry.get("iscrowd", 0)))


def _shape(segmentation: Any, size: tuple[int, int]) -> Mask:
    """(h, w) True in polygons, run lengths or compressed run lengths. Raises ValueError for another size."""
    height, width = size
    if isinstance(segmentation, list):
        # Of no polygon with a surface nothing is seen.
        polygons = [polygon for polygon in segmentation if len(polygon) >= 6]
        if not polygons:
            return np.zeros(size, bool)
        runs = rle.merge(rle.frPyObjects(polygons, height, width))
    else:
        packed = isinstance(segmentation["counts"], str)
        runs = segmentation if packed else rle.frPyObjects(segmentation, height, width)
        if list(runs["size"]) != [height, width]:
            raise ValueError(f"size {runs['size']} in a picture of {[height, width]}")
    return np.asarray(rle.decode(runs)).astype(bool)
