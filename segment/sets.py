"""Sets of crack pictures: data sets of blendmill, and folders with or without masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from render.dataset.dataset import Dataset
from render.dataset.export.masks import foreground
from render.dataset.manifest import MANIFEST
from scenes.assets.image_files import read_picture
from scenes.errors import InputError, LoadError
from segment.annotations.formats import notes_beside_masks, objects_in, unknown_in
from segment.annotations.kinds import kinds_in
from segment.annotations.objects import Objects, crack_classes, crack_mask, is_crack
from segment.annotations.supervisely import supervisely_files
from segment.classes.legend import Legend
from segment.classes.legend_files import legend_in
from segment.classes.masks import ids_of, notes_on
from segment.ignored import IGNORED
from segment.layouts import Layout, layout_of
from segment.masks import looks_like_mask, rule_of
from segment.statistics.lines import Mask
from segment.tree import Tree, listed
from training.data.pictures import fingerprint
from training.data.rendered import check_sums

# Smallest side in pixels. Dark lines are measured from a length of 32 px on.
_SMALLEST = 32


@dataclass(frozen=True)
class Picture:
    """rgb: (H, W, 3) uint8 sRGB. mask: (H, W) bool, True on cracks. ids: (H, W) uint8, the number of the class, see
    `segment.logits`. instances: (H, W) uint16, which object it is, 0 for none. What is not labeled is None."""

    name: str
    rgb: NDArray[np.uint8]
    mask: Mask | None
    ids: NDArray[np.uint8] | None = None
    instances: NDArray[np.uint16] | None = None

    def unlabeled(self) -> Picture:
        """The picture without its labels."""
        return Picture(self.name, self.rgb, None)


@dataclass(frozen=True)
class PictureSet:
    """Pictures that are read one by one.

    name: shown to users. labeled: whether the pictures have masks. names: the names of the pictures. left_out: one line
    for each file that is not used, with the reason. read: returns picture k, counted from 0; raises InputError if it
    cannot be used. digest: hash of the names and file sizes, not of the pixels; it does not depend on where the set
    lies. notes: what a user should know about the masks, a line each. classes: the names of the classes in `ids`; empty
    for a set of cracks.
    """

    name: str
    labeled: bool
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    read: Callable[[int], Picture]
    digest: str
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of pictures."""
        return len(self.names)

    def spread(self, count: int | None) -> list[int]:
        """Indices of up to `count` pictures, evenly from the first to the last; None for all."""
        if count is None or count >= self.size:
            return list(range(self.size))
        return np.linspace(0, self.size - 1, count).round().astype(int).tolist()


def open_set(folder: str | Path, mask_value: int | None = None, *, masks: bool = True) -> PictureSet:
    """Open a set of crack pictures.

    Parameters
    ----------
    folder : str or Path
        A data set of blendmill, or a folder of pictures. Masks lie under the names of their pictures in a folder
        `mask/`, `masks/`, `gt/`, `lab/`, … beside `img/`, `images/`, …, or beside each picture as `<name>_mask.png`;
        see `segment.layouts`. Or files of COCO, Supervisely, CVAT, YOLO and other tools list its objects, see
        `segment.annotations`.
        Without masks, all pictures in the folder and below it are taken.
    mask_value : int, optional
        The value of cracks in the masks of a folder: a gray value, an index of the palette, or a color 0xrrggbb. By
        default it is that of the two values which covers fewer pixels, in all masks together. Where objects are listed,
        it is the number of their class, from 1 on; by default all classes that are called crack.
    masks : bool
        False leaves the masks of a folder unread.

    Returns
    -------
    PictureSet
        The pictures. `read(k)` returns a `Picture` with `rgb` (H, W, 3) uint8 sRGB and `mask` (H, W) bool or None.

    Raises
    ------
    InputError
        If the folder does not exist, if it holds no picture, if there are masks but no picture has one, or if the
        masks have more than two values and `mask_value` is not given.

    Examples
    --------
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from blendmill import open_set
    >>> for kind in ("img", "mask"):
    ...     Path("cracks", kind).mkdir(parents=True)
    ...     Image.new("L", (48, 32), 255).save(f"cracks/{kind}/wall.png")
    >>> pictures = open_set("cracks")
    >>> pictures.names, pictures.labeled
    (('wall',), True)
    >>> pictures.read(0).mask.shape
    (32, 48)
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: {'not a folder' if folder.exists() else 'does not exist'}")
    if (folder / MANIFEST).is_file():
        return _of_dataset(folder)
    tree = listed(folder)
    found = _found(tree, masks)
    opened = (
        _of_objects(folder, found, mask_value, masks)
        if isinstance(found, Objects)
        else _of_folder(tree, found, mask_value, masks)
    )
    return replace(opened, left_out=(*opened.left_out, *tree.lost))


def _of_dataset(folder: Path) -> PictureSet:
    dataset = Dataset.open(folder)
    classes = dataset.manifest.classes
    there, digest = finished(dataset)

    def read(k: int) -> Picture:
        frame = dataset.frame(there[k])
        check_size(f"{folder}: picture {there[k]}", frame.rgb)
        return Picture(str(there[k]), frame.rgb, foreground(frame, classes))

    return PictureSet(shown_name(folder), True, tuple(map(str, there)), (), read, digest)


def finished(dataset: Dataset) -> tuple[list[int], str]:
    """The indices of the pictures of a data set that are drawn, and their digest. Raises InputError without any."""
    check_sums(dataset, dataset.present())
    there, manifest = dataset.drawn().tolist(), dataset.manifest
    if not there:
        raise InputError(f"{dataset.folder}: no picture is finished yet; rerun the command that renders the data set")
    parts = (manifest.config_hash, manifest.seed, there, manifest.classes, sorted(manifest.shards.items()))
    return there, fingerprint(*parts)


def pictures_in(folder: Path) -> dict[str, Path]:
    """The files of the pictures of a folder, by their names in its `PictureSet`. Raises InputError."""
    return _found(listed(folder), masks=True).pictures


def _found(tree: Tree, masks: bool) -> Objects | Layout:
    """The pictures of a folder, with masks or with lists of objects. Masks come first: outlines are less exact.

    masks: False takes the pictures alone where the lists cannot be used. Where they can, names and splits are the same.
    """
    layout, fault = None, None
    if not supervisely_files(tree):
        try:
            layout = layout_of(tree, looks_like_mask)
        except InputError as error:  # a folder of annotations may be named like masks
            fault = error
    if layout and layout.masks and not masks:
        return layout
    kinds = kinds_in(tree)
    if layout and layout.masks:
        return replace(layout, notes=(*layout.notes, *notes_beside_masks(tree, kinds)))
    try:
        objects = objects_in(tree, kinds)
    except InputError:
        if masks:
            raise
        objects = None
    if fault and not objects:
        raise fault
    found = objects or layout or layout_of(tree, looks_like_mask)
    return found if objects or not masks else replace(found, left_out=(*found.left_out, *unknown_in(kinds)))


def _of_objects(folder: Path, objects: Objects, mask_value: int | None, masks: bool) -> PictureSet:
    names = tuple(objects.pictures)
    cracks = crack_classes(shown_name(folder), objects.classes, mask_value) if masks else ()

    def read(k: int) -> Picture:
        path = objects.pictures[names[k]]
        mask = crack_mask(objects.read(names[k]), cracks, f"{folder}: picture {names[k]}") if masks else None
        return Picture(names[k], *_fitting(path, path, mask))

    sizes = [(name, path.stat().st_size) for name, path in objects.pictures.items()]
    titles = ", ".join(f"'{objects.classes[number]}'" for number in cracks)
    several = masks and (len(objects.classes) > 2 or not all(is_crack(objects.classes[number]) for number in cracks))
    notes = (f"{shown_name(folder)}: cracks are the objects of {titles}; --mask-value takes another class",) * several
    notes += objects.notes
    digest = fingerprint(sizes, objects.classes, cracks)
    return PictureSet(shown_name(folder), masks, names, objects.left_out, read, digest, notes)


def _of_legend(folder: Path, found: Layout, legend: Legend) -> PictureSet:
    """Masks of several classes, of which a file says which is a crack."""
    names = tuple(found.pictures)
    cracks = [number for number, title in enumerate(legend.classes) if is_crack(title)]
    notes = notes_on([found.masks[name] for name in names], legend, IGNORED)

    def read(k: int) -> Picture:
        path, mask = found.pictures[names[k]], found.masks[names[k]]
        return Picture(names[k], *_fitting(path, mask, np.isin(ids_of(mask, legend, IGNORED), cracks)))

    sizes = [(name, found.pictures[name].stat().st_size, found.masks[name].stat().st_size) for name in names]
    titles = ", ".join(f"'{legend.classes[number]}'" for number in cracks)
    told = f"{shown_name(folder)}: cracks are {titles} of {Path(legend.where).name}; --mask-value takes another color"
    digest = fingerprint(sizes, legend.classes, cracks)
    return PictureSet(shown_name(folder), True, names, found.left_out, read, digest, (*found.notes, told, *notes))


def _of_folder(tree: Tree, found: Layout, mask_value: int | None, masks: bool) -> PictureSet:
    folder, names = tree.folder, tuple(found.pictures)
    legend: Legend | None = None
    unread: tuple[str, ...] = ()
    if masks and found.masks and mask_value is None:
        try:
            legend = legend_in(tree)
        except InputError as error:  # sets of cracks have lists of other kinds under such names
            unread = (str(error),)
    # Two values tell by themselves which is the crack.
    if legend is not None and len(legend.classes) > 2 and any(map(is_crack, legend.classes)):
        return _of_legend(folder, found, legend)
    rule = rule_of(shown_name(folder), [found.masks[k] for k in names], mask_value) if masks and found.masks else None

    def read(k: int) -> Picture:
        path = found.pictures[names[k]]
        if rule is None:
            return Picture(names[k], *_fitting(path, path, None))
        return Picture(names[k], *_fitting(path, found.masks[names[k]], rule.read(found.masks[names[k]])))

    parts = (found.pictures, found.masks)
    sizes = [(name, *(part[name].stat().st_size for part in parts if name in part)) for name in names]
    digest = fingerprint(sizes, *((rule.crack, rule.background) if rule else ()))
    notes = (*found.notes, *unread, *(rule.notes if rule else ()))
    return PictureSet(shown_name(folder), rule is not None, names, found.left_out, read, digest, notes)


def _fitting(path: Path, of_mask: Path, mask: Mask | None) -> tuple[NDArray[np.uint8], Mask | None]:
    """The pixels of a picture, and its mask. of_mask: the file of the mask. Raises InputError if they do not fit."""
    try:
        rgb = read_picture(path)
    except LoadError as error:
        raise InputError(f"{path}: {error}") from error
    check_size(str(path), rgb)
    if mask is not None and mask.shape != rgb.shape[:2]:
        sizes = " but its picture ".join(f"{shape[1]} x {shape[0]}" for shape in (mask.shape, rgb.shape))
        raise InputError(f"{of_mask}: has {sizes} pixels; scale it to the picture")
    return rgb, mask


def shown_name(folder: Path) -> str:
    """What users see: the names of the parent folder and the folder, such as `data/cracks`."""
    return "/".join(part for part in folder.resolve().parts[-2:] if part != "/")


def check_size(where: str, rgb: NDArray[np.uint8]) -> None:
    height, width = rgb.shape[:2]
    if min(height, width) < _SMALLEST:
        raise InputError(f"{where}: has {width} x {height} pixels; at least {_SMALLEST} on each side are needed")
