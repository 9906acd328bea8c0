"""One way in to pictures, wherever they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from render.dataset.dataset import MANIFEST
from scenes.errors import InputError, choices
from training.data.files import class_folders, listed
from training.data.pictures import ImageDataset, relabeled, unlabeled
from training.data.rendered import Rendered
from training.data.s2rda import is_s2rda, s2rda
from training.data.splits import ALL, halves, parted, split_named


def open_pictures(
    where: str | Path,
    classes: Sequence[str] | None = None,
    *,
    split: str = ALL,
    labels: bool = True,
    rename: Mapping[str, str] | None = None,
    margin: float | None = None,
    seed: int = 0,
) -> ImageDataset:
    """The pictures of a data set of ours, class folders, a folder of photos, a list file, or S2RDA's layout.

    classes: which, in the order of their labels; None for all there are. split: `all`; `adapt` and `test`, halves of
    each class; of S2RDA's layout `synthetic`, `real`, or a list in its splits/ (`real_val`, `real_test`). After a
    slash a share of that in percent, `adapt/25%`: a share lies within all larger ones. seed: of the halves and shares.
    labels: False for pictures whose classes are not to be known; of folders none of which is called like a class, all
    pictures are taken then. rename: names there, and what they are in `classes`. margin: of what is cut out around the
    main object (`rendered.Rendered`). Raises InputError: one line.
    """
    path = Path(where)
    part, share = split_named(split)
    if not path.exists():
        raise InputError(f"{path}: no such data; give a data set, a folder of pictures, or a list file")
    if path.is_dir() and is_s2rda(path):
        pictures: ImageDataset = s2rda(path, part)
        part = ALL
    else:
        pictures = _opened(path, classes, margin)
    if part != ALL:
        pictures = _half(pictures, part, seed)
    if classes is not None and (labels or _shared(pictures, classes, rename or {})):
        pictures = relabeled(pictures, classes, rename)
    if share < 1:
        pictures = parted(pictures, share, seed=seed)[0]
    if not len(pictures):
        raise InputError(f"{pictures.name}: no pictures are left of split '{split}'")
    return pictures if labels else unlabeled(pictures, classes or ())


def _opened(path: Path, classes: Sequence[str] | None, margin: float | None) -> ImageDataset:
    if path.is_dir():
        return Rendered(path, margin=margin) if (path / MANIFEST).exists() else class_folders(path)
    return listed(path, classes)


def _shared(pictures: ImageDataset, classes: Sequence[str], rename: Mapping[str, str]) -> bool:
    return not {rename.get(name, name) for name in pictures.classes}.isdisjoint(classes)


def _half(pictures: ImageDataset, part: str, seed: int) -> ImageDataset:
    if part not in ("adapt", "test"):
        raise InputError(f"{pictures.name}: no split '{part}', {choices(part, [ALL, 'adapt', 'test'])}")
    adapt, test = halves(pictures, seed=seed)
    return adapt if part == "adapt" else test
