"""Finds pictures and their masks of classes, in the layouts of public sets, and reads the masks.

- Cityscapes: leftImg8bit/ and gtFine/ (or gtCoarse/), with `*_labelIds.png`; its 19 classes for training.
- ADE20K's scene parsing: images/, annotations/ and objectInfo150.txt; 0 in a mask counts nowhere.
- Objects in JSON files: COCO, also of Roboflow and Label Studio, and Supervisely, see `segment.annotations`.
- COCO's annotations/panoptic*.json without instances*.json, see `segment.classes.coco_panoptic`.
- img/ and mask/ and the other folders of `segment.layouts`: a mask has the number of the class, as gray values or as
  indices of a palette. The file classes.txt beside them has a name on each line, that of class 0 first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenes.assets.image_files import opened
from scenes.assets.walking import below
from scenes.errors import InputError, LoadError
from scenes.files import read_regular
from segment.annotations.objects import Objects, objects_in
from segment.layouts import CITYSCAPES, layout_of
from segment.logits import IGNORED

Ids = NDArray[np.uint8]
Values = NDArray[np.int64]

NAMES = "classes.txt"
"""The file with the names of a folder's classes."""

# Names and the number in the masks of Cityscapes' classes for training: labels.py of its scripts.
_CITYSCAPES = {
    "road": 7, "sidewalk": 8, "building": 11, "wall": 12, "fence": 13, "pole": 17, "traffic light": 19,
    "traffic sign": 20, "vegetation": 21, "terrain": 22, "sky": 23, "person": 24, "rider": 25, "car": 26, "truck": 27,
    "bus": 28, "train": 31, "motorcycle": 32, "bicycle": 33,
}  # fmt: skip
_ADE = "objectInfo150.txt"
# Bytes of a file of names.
_LONGEST = 1 << 20
# With more values than this in one channel, a picture is a gray photograph. Mapillary has 124 classes.
_FEW = 128


class Labels(NamedTuple):
    """ids: (h, w) uint8, the number of the class, or IGNORED. instances: (h, w) uint16, from 1 on within the picture, 0
    for what is no single thing; None if nobody knows."""

    ids: Ids
    instances: NDArray[np.uint16] | None


@dataclass(frozen=True)
class Found:
    """classes: the names, in the order of the ids; empty if the set names none. pictures: the files by name. read:
    the labels of the picture of a name; None if there are none. left_out: a line for each file that is not used. notes:
    what a user should know about the choice."""

    classes: tuple[str, ...]
    pictures: dict[str, Path]
    read: Callable[[str], Labels] | None
    left_out: tuple[str, ...]
    notes: tuple[str, ...] = ()


def found_in(folder: Path, names: tuple[str, ...], ignore: int) -> Found:
    """Find the pictures and masks of classes in a folder. names: of the classes, if the user gives them. ignore: the
    value of pixels that count nowhere, in masks of folders without a format of their own. Raises InputError."""
    from segment.classes.coco_panoptic import panoptic_files, panoptic_in

    if (folder / "leftImg8bit").is_dir():
        return _cityscapes(folder)
    if (folder / _ADE).is_file():
        return _ade(folder)
    if (objects := objects_in(folder)) is not None:
        return _of_objects(folder, objects)
    if panoptic_files(folder):
        return panoptic_in(folder)
    return _plain(folder, names, ignore)


def _of_objects(folder: Path, objects: Objects) -> Found:
    if len(objects.classes) > IGNORED:
        raise InputError(f"{folder}: has {len(objects.classes) - 1} classes, at most {IGNORED - 1} can be told apart")

    def read(name: str) -> Labels:
        size, things = objects.read(name)
        ids, instances = np.zeros(size, np.uint8), np.zeros(size, np.uint16)
        for thing in things:
            apart = not (thing.crowd or thing.box)
            ids[thing.inside] = thing.category if apart else IGNORED
            instances[thing.inside] = thing.number if apart else 0
        return Labels(ids, instances)

    return Found(objects.classes, objects.pictures, read, objects.left_out)


def read_values(path: Path) -> Values:
    """(h, w) gray values or indices of a palette of a mask. Raises InputError."""
    try:
        with opened(path) as image:
            if image.mode not in ("1", "L", "P", "I") and not image.mode.startswith("I;16"):
                raise InputError(
                    f"{path}: is a picture in {image.mode}; a mask of classes has one number for each pixel, as gray "
                    "values or as indices of a palette"
                )
            return np.asarray(image).astype(np.int64)
    except LoadError as error:
        raise InputError(f"{path}: {error}") from error


def _plain(folder: Path, names: tuple[str, ...], ignore: int) -> Found:
    found = layout_of(folder, _looks_like_numbers)
    classes = _named(folder / NAMES) or names
    if not found.masks:
        return Found(classes, found.pictures, None, found.left_out)
    if not classes:
        raise InputError(
            f"{folder}: nobody names its classes; write {NAMES} there, a name on each line, that of class 0 first, or "
            "list the names in the config's field classes"
        )

    def read(name: str) -> Labels:
        values = read_values(found.masks[name])
        wrong = (values >= len(classes)) & (values != ignore)
        if wrong.any():
            raise InputError(
                f"{found.masks[name]}: has the value {values[wrong][0]}, but there are {len(classes)} classes, "
                f"{classes[0]} to {classes[-1]}; values that count nowhere are {ignore} (field ignore)"
            )
        return Labels(np.where(values == ignore, IGNORED, values).astype(np.uint8), None)

    return Found(classes, found.pictures, read, found.left_out, found.notes)


def _looks_like_numbers(path: Path) -> bool:
    """Whether a picture has one channel and few values."""
    try:
        return len(np.unique(read_values(path))) <= _FEW
    except InputError:
        return False


def _cityscapes(folder: Path) -> Found:
    pictures = _by_stem(folder / "leftImg8bit", "_leftImg8bit.png")
    kinds = [kind for kind in CITYSCAPES if (folder / kind).is_dir()]
    if not kinds:
        return Found(tuple(_CITYSCAPES), pictures, None, ())
    of = kinds[0]
    masks = _by_stem(folder / of, f"_{of}_labelIds.png")
    table = np.full(256, IGNORED, np.uint8)
    table[list(_CITYSCAPES.values())] = range(len(_CITYSCAPES))

    def read(name: str) -> Labels:
        values = read_values(masks[name])
        things = masks[name].with_name(masks[name].name.replace("_labelIds", "_instanceIds"))
        numbers = read_values(things) if things.is_file() else None
        # A thing has the number 1000 times its class plus its place among them.
        instances = None if numbers is None else _counted(np.where(numbers >= 1000, numbers, 0))
        return Labels(table[values.clip(0, 255)], instances)

    return _paired(folder, tuple(_CITYSCAPES), pictures, masks, read)


def _ade(folder: Path) -> Found:
    lines = _lines(folder / _ADE)
    # The first line names the columns; the last column has the names, divided by commas where there are several.
    classes = tuple(line.split("\t")[-1].split(",")[0].strip() for line in lines[1:])
    pictures, masks = (_by_stem(folder / part, end) for part, end in (("images", ".jpg"), ("annotations", ".png")))

    def read(name: str) -> Labels:
        values = read_values(masks[name])
        if values.max() > len(classes):
            raise InputError(f"{masks[name]}: has the value {values.max()}, but {_ADE} has {len(classes)} classes")
        return Labels(np.where(values > 0, values - 1, IGNORED).astype(np.uint8), None)

    return _paired(folder, classes, pictures, masks, read)


def _paired(
    folder: Path,
    classes: tuple[str, ...],
    pictures: dict[str, Path],
    masks: dict[str, Path],
    read: Callable[[str], Labels],
) -> Found:
    both = {name: path for name, path in pictures.items() if name in masks}
    if not both:
        raise InputError(f"{folder}: no picture has a mask of its name")
    return Found(classes, both, read, tuple(f"{path}: has no mask" for n, path in pictures.items() if n not in masks))


def _by_stem(folder: Path, end: str) -> dict[str, Path]:
    """The files in a folder and below whose names have this end, by their path without it."""
    return {
        path.relative_to(folder).as_posix().removesuffix(end): path
        for path in below(folder)
        if path.name.endswith(end) and path.is_file()
    }


def _named(path: Path) -> tuple[str, ...]:
    """The names in a file; empty if it is not there."""
    if not path.is_file():
        return ()
    names = tuple(line.strip() for line in _lines(path))
    if len(set(names)) != len(names) or not all(names):
        raise InputError(f"{path}: names a class twice, or has an empty line between the names")
    return names


def _lines(path: Path) -> list[str]:
    try:
        return read_regular(path, _LONGEST).decode().rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not text in UTF-8: {error}") from None


def _counted(numbers: Values) -> NDArray[np.uint16]:
    """The numbers above 0 as 1, 2, …, in their order."""
    return np.searchsorted(np.unique(numbers[numbers > 0]), numbers, side="left").astype(np.uint16) + (numbers > 0)
