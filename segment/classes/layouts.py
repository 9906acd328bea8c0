"""Finds pictures and their masks of classes, in the layouts of public sets, and reads the masks.

- Cityscapes, KITTI and BDD100K, see `segment.classes.cityscapes`; Mapillary Vistas, see `segment.classes.vistas`.
- ADE20K's scene parsing: images/, annotations/ and objectInfo150.txt; 0 in a mask counts nowhere.
- Objects in files of COCO, Supervisely, CVAT, LabelMe and other tools, see `segment.annotations`.
- COCO's annotations/panoptic*.json without instances*.json, see `segment.classes.coco_panoptic`.
- img/ and mask/ and the other folders of `segment.layouts`: a mask has the number of the class, as gray values or as
  indices of a palette, or its color. A file of `segment.classes.legend_files` says what they mean, or the user does.
  The colors of some public sets are known (`segment.classes.public`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError
from segment.annotations.formats import objects_in, unknown_in
from segment.annotations.kinds import Kinds, kinds_in
from segment.annotations.objects import BACKGROUND, Objects, WithoutOutlines
from segment.classes.cityscapes import bdd100k, cityscapes, kitti, kitti_root
from segment.classes.coco_panoptic import panoptic_files, panoptic_in
from segment.classes.colors import packed
from segment.classes.found import Found, Ids, Labels, by_stem, counted, lines_of, matched, read_values
from segment.classes.legend import NO_COLORS, Colors, Legend, Row, legend_of
from segment.classes.legend_files import legend_in
from segment.classes.masks import ids_of, looks_like_classes, notes_on, public_legend, read_pixels
from segment.classes.public import VOC, placed
from segment.classes.vistas import vistas_in
from segment.ignored import IGNORED
from segment.layouts import layout_of
from segment.tree import Tree

_ADE = "objectInfo150.txt"


def found_in(tree: Tree, names: tuple[str, ...], ignore: int, colors: Colors = NO_COLORS) -> Found:
    """Find the pictures and masks of classes in a folder. Raises InputError.

    names, colors: of the classes, if the user gives them. ignore: the value of pixels that count nowhere. The three are
    for masks of folders without a format of their own.
    """
    folder = tree.folder
    if tree.at("leftImg8bit"):
        return cityscapes(folder)
    if kitti_root(folder) is not None:
        return kitti(folder)
    if (bdd := bdd100k(tree)) is not None:
        return bdd
    if (vistas := vistas_in(folder)) is not None:
        return vistas
    if tree.file(_ADE):
        return _ade(folder)
    kinds = kinds_in(tree)
    try:
        objects = objects_in(tree, kinds)
    except WithoutOutlines as error:
        return _masks_instead(tree, kinds, names, ignore, colors, error)
    if objects is not None:
        return _of_objects(folder, objects)
    if files := panoptic_files(tree):
        return panoptic_in(tree, files)
    return _plain(tree, kinds, names, ignore, colors)


def _masks_instead(
    tree: Tree, kinds: Kinds, names: tuple[str, ...], ignore: int, colors: Colors, error: WithoutOutlines
) -> Found:
    """The masks beside annotations that have no outlines. Raises the error if there are none."""
    try:
        found = _plain(tree, kinds, names, ignore, colors)
    except InputError:
        raise error from None
    if found.read is None:
        raise error
    return replace(found, notes=(*found.notes, f"{error}; the masks of the folder are read instead"))


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

    return Found(objects.classes, objects.pictures, read, objects.left_out, objects.notes)


def _plain(tree: Tree, kinds: Kinds, names: tuple[str, ...], ignore: int, colors: Colors) -> Found:
    found = layout_of(tree, looks_like_classes)
    if not found.masks:
        return Found(names, found.pictures, None, (*found.left_out, *unknown_in(kinds)))
    masks = list(found.masks.values())
    legend, notes = _legend(tree, masks, names, colors)

    def read(name: str) -> Labels:
        ids = ids_of(found.masks[name], legend, ignore)
        return Labels(ids, _voc_objects(found.masks[name], ids, legend))

    notes = (*found.notes, *notes, *legend.notes, *notes_on(masks, legend, ignore))
    return Found(legend.classes, found.pictures, read, found.left_out, notes)


def _voc_objects(mask: Path, ids: Ids, legend: Legend) -> NDArray[np.uint16] | None:
    """Which object each pixel belongs to, by the picture of the same name in SegmentationObject/; None without one."""
    path = mask.parent.with_name("SegmentationObject") / mask.name
    if mask.parent.name != "SegmentationClass" or not path.is_file():
        return None
    pixels = read_pixels(path)
    numbers = packed(pixels.rgb) if pixels.values is None and pixels.rgb is not None else pixels.values
    if numbers is None or numbers.shape != ids.shape:
        raise InputError(f"{path}: has other pixels than {mask}")
    nothing = (ids == IGNORED) | ((ids == 0) & (legend.classes[0] == BACKGROUND))
    return counted(np.where(nothing, 0, numbers.astype(np.int64)))


def _legend(tree: Tree, masks: list[Path], names: tuple[str, ...], colors: Colors) -> tuple[Legend, tuple[str, ...]]:
    """What the values of masks mean, and what a user should know about it. Raises InputError if nobody says it."""
    if colors:
        rows = [Row(name, None, (r, g, b)) for name, (r, g, b) in colors.items()]
        return legend_of("the config's field colors", rows), ()
    if (legend := legend_in(tree)) is not None:
        return legend, ()
    legend = placed(masks) or public_legend(masks)
    if legend is not None and set(names) <= {*legend.classes, *VOC}:
        return legend, (
            f"{tree.folder}: its classes are taken to be those of {legend.where}; if this is wrong, name them in "
            "classes.txt there, or in the config's field colors",
        )
    if names:
        return legend_of("the config's field classes", [Row(name, number) for number, name in enumerate(names)]), ()
    raise InputError(
        f"{tree.folder}: nobody names its classes; write classes.txt there, a name on each line, that of class 0 "
        "first, or with colors, such as `128 64 128 road`; or name them in the config's fields classes or colors"
    )


def _ade(folder: Path) -> Found:
    lines = lines_of(folder / _ADE)
    # The first line names the columns; the last column has the names, divided by commas where there are several.
    classes = tuple(line.split("\t")[-1].split(",")[0].strip() for line in lines[1:])
    pictures, masks = (by_stem(folder / part, end) for part, end in (("images", ".jpg"), ("annotations", ".png")))

    def read(name: str) -> Labels:
        values = read_values(masks[name])
        if values.max() > len(classes):
            raise InputError(f"{masks[name]}: has the value {values.max()}, but {_ADE} has {len(classes)} classes")
        return Labels(np.where(values > 0, values - 1, IGNORED).astype(np.uint8), None)

    return matched(folder, classes, pictures, masks, read)
