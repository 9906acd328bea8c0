"""Cityscapes, KITTI and BDD100K, whose masks have the same classes.

Cityscapes has leftImg8bit/ and gtFine/ (or gtCoarse/), KITTI has training/image_2/ and training/semantic/. Numbers of
labels (`*_labelIds.png`) come before those of training (`*_labelTrainIds.png`), and these before colors
(`*_color.png`), in which license plates are cars and groups of poles are poles. BDD100K has images/10k/ and
labels/sem_seg/masks/, with numbers of training.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from scenes.errors import InputError
from segment.classes.found import Found, Ids, Labels, by_stem, counted, matched, read_values
from segment.classes.legend import Color, Row, legend_of
from segment.classes.masks import ids_of
from segment.ignored import IGNORED
from segment.layouts import CITYSCAPES
from segment.tree import Tree

# Names, number in the masks and color of the classes for training: labels.py of Cityscapes' scripts.
_CLASSES: dict[str, tuple[int, Color]] = {
    "road": (7, (128, 64, 128)), "sidewalk": (8, (244, 35, 232)), "building": (11, (70, 70, 70)),
    "wall": (12, (102, 102, 156)), "fence": (13, (190, 153, 153)), "pole": (17, (153, 153, 153)),
    "traffic light": (19, (250, 170, 30)), "traffic sign": (20, (220, 220, 0)), "vegetation": (21, (107, 142, 35)),
    "terrain": (22, (152, 251, 152)), "sky": (23, (70, 130, 180)), "person": (24, (220, 20, 60)),
    "rider": (25, (255, 0, 0)), "car": (26, (0, 0, 142)), "truck": (27, (0, 0, 70)), "bus": (28, (0, 60, 100)),
    "train": (31, (0, 80, 100)), "motorcycle": (32, (0, 0, 230)), "bicycle": (33, (119, 11, 32)),
}  # fmt: skip
# Colors of labels that are no classes for training.
_OTHERS: tuple[Color, ...] = (
    (0, 0, 0), (20, 20, 20), (111, 74, 0), (81, 0, 81), (250, 170, 160), (230, 150, 140), (180, 165, 180),
    (150, 100, 100), (150, 120, 90), (0, 0, 90), (0, 0, 110),
)  # fmt: skip
_NAMES = tuple(_CLASSES)
_COLORS = legend_of("Cityscapes", [Row(name, None, color) for name, (_, color) in _CLASSES.items()], _OTHERS)


def cityscapes(folder: Path) -> Found:
    """The pictures of a folder with leftImg8bit/. Raises InputError."""
    pictures = by_stem(folder / "leftImg8bit", "_leftImg8bit.png")
    kinds = [kind for kind in CITYSCAPES if (folder / kind).is_dir()]
    if not kinds:
        return Found(_NAMES, pictures, None, ())
    ends = [f"_{kinds[0]}_{kind}.png" for kind in ("labelIds", "labelTrainIds", "color")]
    masks = by_stem(folder / kinds[0], *ends)
    colored = sum(path.name.endswith(ends[2]) for path in masks.values())
    notes = (
        f"{folder}: {colored} masks have colors alone, in which license plates are cars and groups of poles are poles; "
        "the files *_labelIds.png are exact",
    ) * (colored > 0)
    return matched(folder, _NAMES, pictures, masks, lambda name: _labels(masks[name]), notes)


def kitti(folder: Path) -> Found:
    """The pictures of a folder in which, or in whose training/, are image_2/ and semantic/. Raises InputError."""
    root = kitti_root(folder)
    assert root is not None
    pictures, masks = (by_stem(root / part, ".png") for part in ("image_2", "semantic"))
    return matched(folder, _NAMES, pictures, masks, lambda name: _labels(masks[name]))


def kitti_root(folder: Path) -> Path | None:
    """Where image_2/ and semantic/ of KITTI lie; None for other folders."""
    roots = [at for at in (folder, folder / "training") if (at / "image_2").is_dir() and (at / "semantic").is_dir()]
    return roots[0] if roots else None


def bdd100k(tree: Tree) -> Found | None:
    """The pictures of images/10k/ with labels/sem_seg/masks/; None for other folders. Raises InputError."""
    images, labels = tree.at("images", "10k"), tree.at("labels", "sem_seg", "masks")
    if not images or not labels:
        return None
    pictures, masks = by_stem(images.folder, ".jpg"), by_stem(labels.folder, "_train_id.png", ".png")
    return matched(tree.folder, _NAMES, pictures, masks, lambda name: Labels(_of_training(masks[name]), None))


def _of_training(mask: Path) -> Ids:
    """The classes of a mask with numbers of training."""
    values, known = read_values(mask), range(len(_NAMES))
    # Some tools write 19 where nothing is labeled.
    if wrong := set(np.unique(values).tolist()) - {*known, len(_NAMES), IGNORED}:
        raise InputError(f"{mask}: has the value {min(wrong)}, which is no class of Cityscapes for training")
    return np.where(values < len(_NAMES), values, IGNORED).astype(np.uint8)


def _labels(mask: Path) -> Labels:
    if mask.name.endswith("_color.png"):
        return Labels(ids_of(mask, _COLORS, IGNORED), None)
    if mask.name.endswith("_labelTrainIds.png"):
        return Labels(_of_training(mask), _instances(mask))
    values, known = read_values(mask), [number for number, _ in _CLASSES.values()]
    if wrong := set(np.unique(values).tolist()) - {*range(34), IGNORED}:
        raise InputError(f"{mask}: has the value {min(wrong)}, which is no label of Cityscapes")
    table = np.full(256, IGNORED, np.uint8)
    table[known] = range(len(_NAMES))
    return Labels(table[values], _instances(mask))


def _instances(mask: Path) -> np.ndarray | None:
    """The things of a mask: Cityscapes numbers them 1000 times their class plus their place among them, from 0 on;
    KITTI 256 times their class plus their place, from 1 on. None if there is no file of them."""
    if mask.parent.name == "semantic":
        things = mask.parent.with_name("instance") / mask.name
        whole = 256
    else:
        things = mask.with_name(mask.name.rpartition("_")[0] + "_instanceIds.png")
        whole = 1000
    if not things.is_file():
        return None
    numbers = read_values(things)
    single = numbers >= 1000 if whole == 1000 else numbers % whole > 0
    return counted(np.where(single, numbers, 0))
