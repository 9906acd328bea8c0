"""COCO's layout: a JSON file with polygons or run lengths, and the pictures.

The file is `annotations/instances*.json`, `_annotations.coco.json` beside the pictures of each split (Roboflow),
`result.json` (Label Studio), `labels.json` beside data/ (FiftyOne), or has any other name: it is known by what it
holds. LVIS and COCO-stuff write the same. Two files may name the same picture only if they say the same of it. Of two
objects, the one with the smaller area lies on top. The classes follow in the order of the category ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

import numpy as np
from pycocotools import mask as rle

from scenes.errors import InputError, shortened
from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.annotations.kinds import UNKNOWN, Kinds
from segment.annotations.listing import Pictures, contradiction, without_objects
from segment.annotations.objects import Listed, Mask, Objects, Thing, WithoutOutlines, classes_of
from segment.tree import Tree

LARGEST, VALUES = 1 << 31, 200_000_000
"""Limits of annotation files, in bytes and in values. COCO's own file for training has 448 MB."""

_BESIDE = "_annotations.coco.json"
# Files of other tasks, which lie beside those of outlines.
_OTHER_TASKS, _LESS = ("captions", "image_info", "panoptic"), ("person_keypoints", "stuff", "labels")
# Names of files that say nothing of a split.
_PLAIN = ("annotations", "labels", "result", "coco", "instances", "default", "instances_default")


def coco_files(tree: Tree, kinds: Kinds) -> list[Path]:
    """The annotation files of a folder in COCO's layout; empty if it has none.

    Of COCO's own files, those of instances have the outlines of the others, too.
    """
    found = [path for path in kinds.get("COCO", ()) if not path.name.startswith(_OTHER_TASKS)]
    # Damaged files have the usual names.
    unknown = (path for path in kinds.get(UNKNOWN, ()) if path.suffix.lower() == ".json")
    found += [path for path in unknown if path.name == _BESIDE or path.name.startswith("instances")]
    if any(path.name.startswith("instances") for path in found):
        found = [path for path in found if not path.name.startswith(_LESS)]
    # The exporter of Label Studio's brushes writes the same objects a second time as polygons.
    twice = {path.with_name(f"{path.stem}_polygons.json") for path in found}
    # By their stems, so that an original comes before its copy.
    return sorted((path for path in found if path not in twice), key=lambda path: (path.parent, path.stem))


class _Picture(NamedTuple):
    """A picture as an annotation file lists it."""

    path: Path
    size: tuple[int, int]
    objects: list[Any]
    source: Path


def coco_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of annotation files; of several files, those of each have its name as a prefix.

    Raises InputError.
    """
    folder, there = tree.folder, Pictures.of(tree)
    titles: list[tuple[int, str]] = []
    found: dict[str, _Picture] = {}
    names: dict[Path, str] = {}
    copies: set[Path] = set()
    left_out: list[str] = []
    for path, prefix in (prefixes := dict(zip(files, _prefixes(files), strict=True))).items():
        categories, listed = _listed(path)
        if titles and categories != titles:
            raise InputError(f"{path}: has other categories than {files[0].name}")
        titles = categories
        for file, size, objects in listed:
            picture = picture_of(there, path, file, alone=len(files) == 1)
            name = prefix + Path(file).with_suffix("").as_posix()
            if isinstance(picture, str):
                left_out.append(picture)
            elif picture in names:
                known = found[names[picture]]
                if list(map(_content, known.objects)) != list(map(_content, objects)):
                    raise InputError(contradiction(path, picture, known.source))
                copies.add(path)
            elif name in found:
                left_out.append(f"{picture}: has the same name as {found[name].path}")
            else:
                names[picture], found[name] = name, _Picture(picture, size, objects, path)
    if not found:
        raise InputError((left_out or [f"{files[0]}: names no picture"])[0])
    if len(originals := set(files) - copies) == 1:
        prefix = prefixes[originals.pop()]
        found = {name.removeprefix(prefix): picture for name, picture in found.items()}
    classes = classes_of(title for _, title in titles)
    numbers = {number: classes.index(title) for number, title in titles}

    def read(name: str) -> Listed:
        size = found[name].size
        return Listed(size, _things(found[name].objects, size, numbers, f"{folder}: picture {name}"))

    notes = () if any(picture.objects for picture in found.values()) else (without_objects(files[0]),)
    return Objects(classes, {name: picture.path for name, picture in found.items()}, read, tuple(left_out), notes)


def _listed(path: Path) -> tuple[list[tuple[int, str]], list[tuple[str, tuple[int, int], list[Any]]]]:
    """The numbers and titles of a file's categories, in order, and of each picture the file, size and objects."""
    data = parse_json(read_regular(path, LARGEST), str(path), VALUES)
    try:
        categories = sorted((int(entry["id"]), str(entry["name"])) for entry in data["categories"])
        of_image = defaultdict(list)
        for entry in data["annotations"]:
            of_image[str(entry["image_id"])].append(entry)
        images = [(_file_of(e), (int(e["height"]), int(e["width"])), of_image[str(e["id"])]) for e in data["images"]]
        _refuse_without_outlines(path, data["annotations"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: not COCO's annotations of instances: {error!r} is missing or wrong") from None
    return categories, images


def _refuse_without_outlines(path: Path, entries: list[Any]) -> None:
    """Raise WithoutOutlines if no object has an outline."""
    if not entries or any(entry.get("segmentation") for entry in entries):
        return
    has = [
        word
        for key, word in (("bbox", "boxes"), ("keypoints", "keypoints"))
        if any(entry.get(key) for entry in entries)
    ]
    if not has and any("segmentation" in entry for entry in entries):
        return
    raise WithoutOutlines(
        f"{path}: has {' and '.join(has) or 'names of classes'} only; a mask needs the outlines of its objects"
    )


def _content(entry: Any) -> tuple[object, ...]:
    """What a file says of an object."""
    return entry.get("category_id"), entry.get("segmentation"), entry.get("bbox"), entry.get("iscrowd", 0)


def _file_of(entry: Any) -> str:
    """The file of a picture. LVIS gives its address: the last two parts are those of COCO's folders."""
    return str(entry["file_name"]) if "file_name" in entry else "/".join(str(entry["coco_url"]).split("/")[-2:])


def picture_of(pictures: Pictures, annotations: Path, file: str, alone: bool = False) -> Path | str:
    """Where a picture lies: in images/ or data/, in a folder named like the end of the annotation file, or beside it.
    Or a line that says that it lies in none of them. alone: there is no other annotation file, so that the picture may
    lie anywhere.

    Programs of other machines write whole paths; the file's name alone then says which it is.
    """
    part, folder = _part(annotations), pictures.folder
    roots = (annotations.parent, folder / "images", folder / part, folder / "images" / part, folder,
             annotations.parent / "data")  # fmt: skip
    for root in roots:
        for given in (file, PureWindowsPath(file).name):
            if (found := pictures.at(root, given)) is not None:
                return found
    try:
        if alone:
            return pictures.find(file)
    except ValueError as error:
        return f"{annotations}: {error}"
    return f"{annotations}: names the picture '{shortened(file)}', which is not in images/ or {part or '.'}/"


def _prefixes(files: Sequence[Path]) -> list[str]:
    """What stands before the names of the pictures of each file."""
    if len(files) == 1:
        return [""]
    parts = [_part(path) or (path.parent.name if path.stem in _PLAIN else path.stem) for path in files]
    if len(set(parts)) < len(parts):
        parts = [f"{path.parent.name}/{path.stem}" for path in files]
    return [f"{part}/" for part in parts]


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
        return Thing(category, number, shape_of([corners], size), box=True)
    return Thing(category, number, shape_of(entry["segmentation"], size), crowd=bool(entry.get("iscrowd", 0)))


def shape_of(segmentation: Any, size: tuple[int, int]) -> Mask:
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
