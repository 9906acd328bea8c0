"""Supervisely's projects: `meta.json` names the classes, and each data set has `img/a.jpg` and `ann/a.jpg.json`.

An object is a bitmap (a PNG file, packed by zlib, in base64), a polygon with holes, several polygons, a line of one
pixel, or a box. Each lies over those before it in the list. Points, graphs and all else have no pixels. Data sets may
lie within others, below `datasets/`. A data set alone is read, too: its project's `meta.json` then lies above it.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from scenes.assets.image_files import IMAGE_SUFFIXES, check_size
from scenes.errors import InputError, shortened
from scenes.files import read_regular
from scenes.plain_json import parse_json
from segment.annotations.objects import Listed, Mask, Objects, Thing, classes_of
from segment.tree import Tree

_META, _PICTURES, _ANNOTATIONS, _WITHIN = "meta.json", "img", "ann", "datasets"
# Bytes of an annotation file, and of a bitmap's PNG file.
_LARGEST, _LARGEST_PNG = 1 << 28, 1 << 26
# What wrong annotations raise.
_FAULTS = (KeyError, TypeError, ValueError, AttributeError, OverflowError, zlib.error, binascii.Error, OSError,
           SyntaxError, Image.DecompressionBombError, cv2.error)  # fmt: skip


def supervisely_files(tree: Tree) -> list[Path]:
    """The file that names the classes of a project, or of a data set in one; empty for other folders."""
    around = tree.folder.resolve().parent / _META
    found = tree.file(_META) or (around if around.is_file() else None)
    return [found] if found and any(_sets(tree)) else []


def supervisely_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of all data sets of a project, those of several with the names of their sets as prefixes.

    files: the one that names the classes. Raises InputError.
    """
    (meta,), folder = files, tree.folder
    data = parse_json(read_regular(meta, _LARGEST), str(meta))
    try:
        kinds = {str(entry["title"]): str(entry["shape"]) for entry in data["classes"]}
    except (KeyError, TypeError) as error:
        raise InputError(f"{meta}: not the classes of a project: {error!r} is missing or wrong") from None
    pictures: dict[str, Path] = {}
    annotations: dict[str, Path] = {}
    left_out: list[str] = []
    sets = list(_sets(tree))
    for place in sets:
        prefix = "".join(f"{part}/" for part in place.folder.relative_to(folder).parts if part != _WITHIN)
        seen, listed = place.at(_PICTURES), place.at(_ANNOTATIONS)
        assert seen is not None and listed is not None
        there = {path.name: path for path in listed.here}
        for picture in seen.beside(IMAGE_SUFFIXES):
            name = (prefix if len(sets) > 1 else "") + picture.stem
            # Early projects wrote a.json.
            found = there.get(f"{picture.name}.json") or there.get(f"{picture.stem}.json")
            if found is None or name in pictures:
                why = "has no annotation" if found is None else f"has the same name as {pictures[name].name}"
                left_out.append(f"{picture}: {why}")
                continue
            pictures[name], annotations[name] = picture, found
    if not pictures:
        raise InputError(f"{folder}: no picture of its img/ has an annotation in ann/")
    classes = classes_of(kinds)

    def read(name: str) -> Listed:
        path = annotations[name]
        entry = parse_json(read_regular(path, _LARGEST), str(path))
        try:
            size = int(entry["size"]["height"]), int(entry["size"]["width"])
            check_size(*size)
            objects = list(entry["objects"])
        except _FAULTS as error:
            raise InputError(f"{path}: not an annotation of Supervisely: {error!r} is missing or wrong") from None
        return Listed(size, _things(objects, size, classes, kinds, path))

    return Objects(classes, pictures, read, tuple(left_out))


def _sets(tree: Tree) -> Iterator[Tree]:
    """The data sets in a folder and below it."""
    annotations = tree.at(_ANNOTATIONS)
    if tree.at(_PICTURES) and annotations and annotations.beside((".json",)):
        yield tree
    for one in tree.folders:
        if one.name not in (_PICTURES, _ANNOTATIONS):
            yield from _sets(one)


def _things(
    objects: list[Any], size: tuple[int, int], classes: tuple[str, ...], kinds: dict[str, str], path: Path
) -> Iterator[Thing]:
    for number, entry in enumerate(objects, start=1):
        try:
            title = str(entry["classTitle"])
            if title not in kinds:
                raise InputError(f"{path}: has the class '{shortened(title)}', which {_META} does not name")
            kind = str(entry.get("geometryType") or entry.get("shape") or kinds[title])
            inside = _inside(kind, entry, size)
        except _FAULTS as error:
            raise InputError(f"{path}: object {number} cannot be read: {shortened(repr(error), 160)}") from None
        if inside is not None:
            yield Thing(classes.index(title), number, inside, box=kind == "rectangle")


def _inside(kind: str, entry: dict[str, Any], size: tuple[int, int]) -> Mask | None:
    """(h, w) True on the pixels of an object; None for one of a kind that has none."""
    if kind in ("bitmap", "alpha_mask"):
        return _bitmap(entry["bitmap"], size, least=128 if kind == "alpha_mask" else 1)
    drawn = np.zeros(size, np.uint8)
    if kind == "rectangle":
        (left, top), (right, bottom) = _points(entry["points"]["exterior"])
        cv2.rectangle(drawn, (int(left), int(top)), (int(right), int(bottom)), 1, cv2.FILLED)
    elif kind == "line":
        cv2.polylines(drawn, [_points(entry["points"]["exterior"])], isClosed=False, color=1)
    elif kind in ("polygon", "multipolygon"):
        for part in entry["parts"] if kind == "multipolygon" else [entry["points"]]:
            alone = cv2.fillPoly(np.zeros(size, np.uint8), [_points(part["exterior"])], 1)
            drawn |= np.asarray(cv2.fillPoly(alone, [_points(hole) for hole in part.get("interior", [])], 0))
    else:
        return None
    return drawn > 0


def _points(points: Any) -> np.ndarray[Any, np.dtype[np.int32]]:
    """(n, 2) x and y, whole pixels. Raises ValueError for none."""
    found = np.round(np.array(points, np.float64)).astype(np.int32)
    if found.ndim != 2 or found.shape[1] != 2:
        raise ValueError("points are pairs of x and y")
    return found


def _bitmap(entry: dict[str, Any], size: tuple[int, int], least: int) -> Mask:
    """(h, w) True where a bitmap has this value at least. Parts outside of the picture are cut off."""
    left, top = (int(value) for value in entry["origin"])
    packed = base64.b64decode(str(entry["data"]))
    unpack = zlib.decompressobj()
    try:
        content = unpack.decompress(packed, _LARGEST_PNG)
    except zlib.error:
        content = packed  # some are not packed
    with Image.open(BytesIO(content), formats=("PNG",)) as image:
        check_size(*image.size)
        # Where colors have an opacity it is the mask, as Supervisely reads it.
        values = np.asarray(image.getchannel("A") if image.mode in ("RGBA", "LA") else image.convert("L")) >= least
    mask = np.zeros(size, bool)
    height, width = values.shape
    rows, columns = slice(max(0, top), max(0, top + height)), slice(max(0, left), max(0, left + width))
    part = mask[rows, columns]
    part |= values[max(0, -top) :, max(0, -left) :][: part.shape[0], : part.shape[1]]
    return mask
