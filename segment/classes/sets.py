"""Sets of pictures whose pixels are labeled with classes: data sets of blendmill, and folders in public layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from render.dataset.dataset import Dataset
from render.dataset.manifest import MANIFEST
from scenes.assets.image_files import read_picture
from scenes.errors import InputError, LoadError, choices
from segment.annotations.objects import BACKGROUND
from segment.classes.blenderproc import blenderproc_files, blenderproc_set
from segment.classes.found import Found, Labels
from segment.classes.layouts import found_in
from segment.classes.legend import NO_COLORS, Colors
from segment.ignored import IGNORED
from segment.sets import Picture, PictureSet, check_size, finished, shown_name
from segment.tree import listed
from training.data.pictures import fingerprint

_LOOKED_AT = 3


def open_classes(
    folder: str | Path, names: Sequence[str] = (), ignore: int = IGNORED, colors: Colors = NO_COLORS
) -> PictureSet:
    """Open a set of pictures whose pixels are labeled with classes.

    Parameters
    ----------
    folder : str or Path
        A data set of blendmill, whose label `category` is read, or a folder in a layout of `segment.classes.layouts`:
        Cityscapes, KITTI, Mapillary Vistas, ADE20K, COCO (also panoptic), objects in files of annotation tools,
        BlenderProc's .hdf5 files, or img/ and mask/ with the numbers or colors of the classes.
    names : sequence of str
        Names of the classes, for masks of numbers that no file names.
    ignore : int
        The value of pixels that count nowhere, in such masks.
    colors : mapping of str to (int, int, int)
        The color of each class, sRGB from 0 to 255, for masks in colors that no file names. It comes before such files.

    Returns
    -------
    PictureSet
        The pictures. `classes` has the names of all classes of the set. `read(k)` returns a `Picture` with `rgb`
        (H, W, 3) uint8 sRGB, `ids` (H, W) uint8, and `instances` (H, W) uint16 or None; `ids` is 255 where a pixel
        counts nowhere.

    Raises
    ------
    InputError
        If the folder does not exist or holds no picture, or if nobody names the classes.

    Examples
    --------
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from blendmill import open_classes
    >>> for kind in ("img", "mask"):
    ...     Path("scenes", kind).mkdir(parents=True)
    ...     Image.new("L", (48, 32), 1).save(f"scenes/{kind}/street.png")
    >>> pictures = open_classes("scenes", names=("road", "sky"))
    >>> pictures.classes[pictures.read(0).ids[0, 0]]
    'sky'
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: {'not a folder' if folder.exists() else 'does not exist'}")
    if (folder / MANIFEST).is_file():
        return _of_dataset(folder)
    if blenderproc_files(folder):
        return blenderproc_set(folder)
    return _of_folder(folder, tuple(names), ignore, colors)


def renumbered(pictures: PictureSet, classes: tuple[str, ...]) -> PictureSet:
    """The pictures with the numbers of other classes, by their names. Pixels of classes that are not listed count
    nowhere. Raises InputError if the set has none of the classes."""
    if pictures.classes == classes or not pictures.labeled:
        return replace(pictures, classes=classes)
    table = np.full(256, IGNORED, np.uint8)
    for number, name in enumerate(pictures.classes):
        if name in classes:
            table[number] = classes.index(name)
    if (table == IGNORED).all():
        raise InputError(f"{pictures.name}: has no class '{classes[0]}', {choices(classes[0], pictures.classes)}")

    def read(k: int) -> Picture:
        picture = pictures.read(k)
        assert picture.ids is not None
        return replace(picture, ids=table[picture.ids])

    return replace(pictures, classes=classes, read=read, digest=fingerprint(pictures.digest, classes))


def _of_dataset(folder: Path) -> PictureSet:
    dataset = Dataset.open(folder)
    there, digest = finished(dataset)
    classes = (BACKGROUND, *dataset.manifest.classes)
    if len(classes) > IGNORED:
        raise InputError(f"{folder}: has {len(classes) - 1} classes, at most {IGNORED - 1} can be told apart")

    def read(k: int) -> Picture:
        frame = dataset.frame(there[k])
        check_size(f"{folder}: picture {there[k]}", frame.rgb)
        return Picture(str(there[k]), frame.rgb, None, frame.category.astype(np.uint8), frame.instance)

    return PictureSet(shown_name(folder), True, tuple(map(str, there)), (), read, digest, classes=classes)


def _of_folder(folder: Path, given: tuple[str, ...], ignore: int, colors: Colors) -> PictureSet:
    tree = listed(folder)
    found = found_in(tree, given, ignore, colors)
    names = tuple(found.pictures)

    def read(k: int) -> Picture:
        path = found.pictures[names[k]]
        try:
            rgb = read_picture(path)
        except LoadError as error:
            raise InputError(f"{path}: {error}") from error
        check_size(str(path), rgb)
        if found.read is None:
            return Picture(names[k], rgb, None)
        labels: Labels = found.read(names[k])
        if labels.ids.shape != rgb.shape[:2]:
            sizes = ", its picture ".join(f"{shape[1]} x {shape[0]}" for shape in (labels.ids.shape, rgb.shape))
            raise InputError(f"{path}: its mask has {sizes} pixels; scale it to the picture")
        return Picture(names[k], rgb, None, *labels)

    sizes = [(name, path.stat().st_size) for name, path in found.pictures.items()]
    digest = fingerprint(sizes, found.classes, ignore, *([sorted(colors.items())] if colors else []))
    labeled = found.read is not None
    notes = (*found.notes, *_of_nothing(found, names))
    return PictureSet(
        shown_name(folder), labeled, names, (*found.left_out, *tree.lost), read, digest, notes, found.classes
    )


def _of_nothing(found: Found, names: Sequence[str]) -> tuple[str, ...]:
    """A note if no pixel of the first labels counts: their numbers are those of other classes."""
    if found.read is None:
        return ()
    for name in names[:_LOOKED_AT]:
        try:
            if (found.read(name).ids != IGNORED).any():
                return ()
        except InputError:  # reading the picture says so
            return ()
    first = found.pictures[names[0]]
    return (f"{first}: no pixel of its labels has a class that counts; see whether the classes are those of the set",)
