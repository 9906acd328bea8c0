"""Open pictures from any kind of source."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from render.dataset.limits import NO_LIMITS, Limits
from render.dataset.manifest import MANIFEST, RECEIPT
from scenes.errors import InputError, choices
from scenes.files import read_regular
from scenes.plain_json import parse_json
from training.data.files import class_folders
from training.data.lists import listed, metadata_of
from training.data.parquet import table_files, table_pictures
from training.data.pictures import ImageDataset, chosen, relabeled, unlabeled
from training.data.rendered import Rendered
from training.data.s2rda import is_s2rda, s2rda
from training.data.splits import ALL, halves, parted, split_named
from training.data.tars import tar_files, tar_pictures

# Folders of sets whose pictures have labels of pixels or boxes, and no class of their own.
_KINDS = frozenset({
    "images", "img", "imgs", "image", "labels", "label", "masks", "mask", "gt", "annotations", "annotation", "ann",
    "jpegimages", "segmentationclass", "segmentationobject", "leftimg8bit", "gtfine",
})  # fmt: skip
_PARTS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing", "eval"})


def open_pictures(
    where: str | Path,
    classes: Sequence[str] | None = None,
    *,
    split: str = ALL,
    labels: bool = True,
    rename: Mapping[str, str] | None = None,
    margin: float | None = None,
    limits: Limits = NO_LIMITS,
    seed: int = 0,
) -> ImageDataset:
    """Open a set of pictures for training or evaluation.

    The pictures may lie in a data set rendered by blendmill, in class folders, in one folder of photos, in a list
    file, in the folder layout of S2RDA, in WebDataset's tar files, or in parquet files of the Hugging Face Hub.

    Parameters
    ----------
    where : str or Path
        The data set, folder or list file.
    classes : sequence of str, optional
        The classes to keep. Their order gives the labels 0, 1, … By default all classes of the set are kept.
    split : str
        The part to open. `all` is the whole set. `adapt` and `test` are the two halves of each class. In the S2RDA
        layout it is `synthetic`, `real`, or the name of a list in splits/ (`real_val`, `real_test`); of parquet files
        it may be a split of the set, such as `train`. A percentage may follow a slash: `adapt/25%`. A smaller
        percentage is always contained in a larger one.
    labels : bool
        False hides the labels: all of them become -1. If then no folder has the name of a class, all pictures of the
        set are taken.
    rename : mapping of str to str, optional
        From class names of the set to names in `classes`.
    margin : float, optional
        Only for rendered data sets: crop a square around the main object. The margin on each side is this share of
        the side of the object's box. By default the picture is not cropped.
    limits : Limits
        Only for rendered data sets: the pictures to keep, by the share of the main object and of the clutter.
    seed : int
        Decides which pictures belong to a half or a percentage.

    Returns
    -------
    ImageDataset
        The pictures, with `len()`, `classes`, `labels` (N,) int64 and `read(i, short)`, which returns (h, w, 3)
        uint8 sRGB.

    Raises
    ------
    InputError
        If the data do not exist, if the split or a class is unknown, or if no pictures are left.

    Examples
    --------
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from blendmill import open_pictures
    >>> for name in ("cat", "dog"):
    ...     Path("photos", name).mkdir(parents=True)
    ...     for number in range(2):
    ...         Image.new("RGB", (40, 30)).save(f"photos/{name}/{number}.png")
    >>> pictures = open_pictures("photos")
    >>> pictures.classes, pictures.labels.tolist()
    (('cat', 'dog'), [0, 0, 1, 1])
    >>> pictures.read(0, 24).shape
    (24, 32, 3)
    >>> len(open_pictures("photos", split="adapt"))
    2
    """
    path = Path(where)
    part, share = split_named(split)
    if not path.exists():
        raise InputError(f"{path}: does not exist; give a data set, a folder of pictures, or a list file")
    if path.is_dir() and is_s2rda(path):
        pictures: ImageDataset = s2rda(path, part)
        part = ALL
    elif table_files(path):
        pictures, part = table_pictures(path, part, classes, labels or classes is not None)
    else:
        # Without labels and classes it does not matter in which folder a picture lies.
        mixed, known = not labels and classes is None, [*(classes or ()), *(rename or ())]
        pictures = _opened(path, classes, margin, limits, known=known, mixed=mixed)
        if labels:
            named = classes is not None and _shared(pictures, classes, rename or {})
            _require_classes(path, pictures, named)
    if part != ALL:
        pictures = _half(pictures, part, seed)
    if classes is not None and (labels or _shared(pictures, classes, rename or {})):
        pictures = relabeled(pictures, classes, rename)
    if share < 1:
        pictures = parted(pictures, share, seed=seed)[0]
    if not len(pictures):
        raise InputError(f"{pictures.name}: no pictures are left of split '{split}'")
    return pictures if labels else unlabeled(pictures, classes or ())


def _opened(
    path: Path,
    classes: Sequence[str] | None,
    margin: float | None,
    limits: Limits,
    *,
    known: Sequence[str],
    mixed: bool,
) -> ImageDataset:
    if (path / MANIFEST).exists():
        pictures = Rendered(path, margin=margin)
        return pictures if limits == NO_LIMITS else chosen(pictures, pictures.within(limits), str(limits))
    if limits != NO_LIMITS:
        raise InputError(f"{path}: not a rendered data set, so nobody knows the shares; leave out {limits}")
    _refuse_unread(path)
    if tar_files(path):
        return tar_pictures(path, classes, labeled=not mixed)
    if path.is_dir():
        if _is_export(path, "folder"):
            return class_folders(path / "images", name=str(path))
        metadata = metadata_of(path)
        return listed(metadata, classes) if metadata else class_folders(path, known=known, mixed=mixed)
    return listed(path, classes)


def _is_export(path: Path, kind: str) -> bool:
    """Whether a folder is an export of blendmill of this kind."""
    receipt = path / RECEIPT
    return receipt.is_file() and parse_json(read_regular(receipt, 1 << 20), str(receipt)).get("export") == kind


def _refuse_unread(path: Path) -> None:
    """Raise InputError for pictures in files that are not read."""
    there = [path] if path.is_file() else sorted(path.iterdir())
    names = {file.name for file in there}
    if {"data_batch_1", "batches.meta"} <= names or ({"train", "test", "meta"} <= names and (path / "meta").is_file()):
        raise InputError(
            f"{path}: holds CIFAR as pickles, which are not read, because they can run any code; write pictures with "
            "torchvision: for k, (image, label) in enumerate(cifar): image.save(f'{cifar.classes[label]}/{k}.png')"
        )
    tfrecord = next((file for file in there if re.search(r"\.tfrecords?(\W|$)", file.name)), None)
    if tfrecord is not None:
        raise InputError(
            f"{tfrecord}: TFRecord files are not read; write the pictures into class folders, into WebDataset's tar "
            "files, or into a parquet file with `datasets`"
        )


def _require_classes(path: Path, pictures: ImageDataset, named: bool) -> None:
    """Raise InputError if the folders of a set are its parts, as in ImageNet's train/<class>/ and val/<class>/, or its
    pictures and their masks. named: whether the caller has named one of them as a class."""
    if len(pictures.classes) > 1 and {name.lower() for name in pictures.classes} <= _PARTS:
        raise InputError(
            f"{path}: its folders {', '.join(pictures.classes)} are parts of a set, and no classes; give one of them: "
            f"{path / pictures.classes[0]}"
        )
    if not named and len(pictures.classes) > 1 and {name.lower() for name in pictures.classes} <= _KINDS:
        raise InputError(
            f"{path}: its folders {', '.join(pictures.classes)} have pictures and labels of their parts, and no class "
            "for each picture; put the pictures of a class into a folder of its name"
        )


def _shared(pictures: ImageDataset, classes: Sequence[str], rename: Mapping[str, str]) -> bool:
    return not {rename.get(name, name) for name in pictures.classes}.isdisjoint(classes)


def _half(pictures: ImageDataset, part: str, seed: int) -> ImageDataset:
    if part not in ("adapt", "test"):
        raise InputError(f"{pictures.name}: no split '{part}', {choices(part, [ALL, 'adapt', 'test'])}")
    adapt, test = halves(pictures, seed=seed)
    return adapt if part == "adapt" else test
