"""Finds the pictures of a folder and their masks, in the layouts of public sets of cracks.

Folders of masks stand beside folders of pictures: img/ and mask/, Images/ and Masks/ (CrackSeg9k), train_img/ and
train_lab/ (DeepCrack), train/ and trainannot/ (CamVid), croppedimg/ and croppedgt/ (GAPs384), image/ and gt/ (CFD),
image/ and groundTruth/ with .mat files (CrackForest), JPEGImages/ and SegmentationClass/, images/ and category/
(blendmill's export), rgb/ and BW/, Original/ and Ground Truth/, img/ and masks_machine/, CrackLS315/ and
CrackLS315_gt/, each also below train/ and test/. Or a mask lies beside its picture: `a.jpg` and `a.png` (Crack500),
`a.jpg` and `a_mask.png`, `a.mask.png` or `a.jpg.png`. Where no name tells, masks are known by their few values, see
`segment.pairing`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scenes.assets.formats import ARCHIVES
from scenes.assets.image_files import IMAGE_SUFFIXES
from scenes.errors import InputError
from segment import matlab
from segment.pairing import paired
from segment.tree import Tree

# Folders of these names hold pictures beside masks, or a whole set beside altered copies of it.
_EITHER = ("original", "originals")
PICTURES = (
    "img", "imgs", "image", "images", "jpegimages", "rgb", "photo", "photos", "picture", "pictures", *_EITHER,
)  # fmt: skip
MASKS = (
    "mask", "masks", "gt", "groundtruth", "ground_truth", "ground truth", "ground-truth",
    "label", "labels", "lab", "ann", "annot", "annotation", "annotations",
    "seg", "segment", "segmentation", "segmentationclass", "segmentationclasspng", "bw",
    "category",
)  # fmt: skip
CITYSCAPES = ("gtFine", "gtCoarse")
"""Folders of Cityscapes with pictures of labels, beside leftImg8bit/."""
OTHERS = frozenset({
    "segmentationobject", "segmentationclassvisualization", "segmentationobjectvisualization", "instance_masks",
    "instances", "masks_instances", "masks_human", "semantic_rgb", "panoptic",
})  # fmt: skip
"""Folders, in lower case, of other pictures of the same labels: which object it is, or colors for the eye."""
_LOSSY = (".jpg", ".jpeg")


@dataclass(frozen=True)
class Layout:
    """pictures, masks: the files by the name that a picture and its mask share. masks: empty if there are none.
    left_out: a line for each file that is not used, with the reason. bare: the pictures among them, which have no mask.
    notes: what a user should know.
    """

    pictures: dict[str, Path]
    masks: dict[str, Path]
    left_out: tuple[str, ...]
    bare: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def layout_of(tree: Tree, looks_like_mask: Callable[[Path], bool]) -> Layout:
    """Find the pictures and masks in a folder. looks_like_mask: whether a file without a telling name is a mask.

    Raises InputError if there is no picture, or if there are masks but no picture has one.
    """
    folder, fault = tree.folder, None
    try:
        pairs = list(_pairs(tree))
    except InputError as error:
        pairs, fault = [], error
    left_out: list[str] = []
    pictures: dict[str, Path] = {}
    masks: dict[str, Path] = {}
    without: list[Path] = []
    for name, pictures_of, masks_of in pairs:
        prefix = f"{name}/" if len(pairs) > 1 and name else ""
        beside = masks_of in pictures_of.folders
        found = filter(_is_picture, pictures_of.here) if beside else _all(pictures_of)
        files, labels = _by_name(found, pictures_of, left_out), _by_name(_masks(masks_of), masks_of, left_out)
        without += _match(prefix, files, labels, pictures, masks, left_out)
    if pairs:
        if not pictures:
            raise InputError(f"{folder}: no picture has a mask of its name: {(left_out or ['it is empty'])[0]}")
        return Layout(pictures, masks, tuple(left_out), tuple(without))
    bare, named = _apart(_all(tree), folder, looks_like_mask)
    if named:
        without += _match("", _by_name(bare, tree, left_out), named, pictures, masks, left_out)
        return Layout(pictures, masks, tuple(left_out), tuple(without))
    by_looks = paired(bare, folder, looks_like_mask)
    if by_looks:
        used = {*by_looks.pictures.values(), *by_looks.masks.values()}
        left_out += [f"{path}: belongs to no pair of a picture and a mask" for path in bare if path not in used]
        return Layout(by_looks.pictures, by_looks.masks, tuple(left_out), by_looks.bare, by_looks.notes)
    if fault:
        raise fault
    pictures = _by_name(bare, tree, left_out)
    left_out += [
        f"{one.folder}: holds no masks that can be read; they must be pictures such as PNG, or .mat files"
        for one in tree.folders
        if _role(one.name)[1] in MASKS
    ]
    if not pictures:
        packed = tree.ending(ARCHIVES)
        remedy = f"unpack {packed[0].name}" if packed else f"accepted: {', '.join(IMAGE_SUFFIXES)}"
        raise InputError(f"{folder}: holds no picture; {remedy}")
    return Layout(pictures, {}, tuple(left_out))


def label_folders(tree: Tree) -> tuple[Path, ...]:
    """Folders in a set of Cityscapes' or COCO's layout whose pictures are labels: they are known by their names."""
    known = CITYSCAPES if tree.at("leftImg8bit") else ()
    annotations = tree.at("annotations")
    inside = [*tree.folders, *(annotations.folders if annotations else ())]
    return tuple(one.folder for one in inside if one.name in known or one.name.startswith("panoptic_"))


def _pairs(tree: Tree, depth: int = 4) -> Iterator[tuple[str, Tree, Tree]]:
    """Name, folder of pictures and folder of masks of each pair, at most so many folders deep."""
    inside = {one.name: one for one in tree.folders}
    roles = {name: _role(name) for name in inside}
    labels = [name for name in inside if roles[name][1] in MASKS]
    taken: set[str] = set()
    for name in sorted(labels, key=lambda name: MASKS.index(roles[name][1])):
        rest = roles[name][0]
        if not _masks(inside[name]) or any(roles[done][0] == rest for done in taken):
            continue
        beside = [inside[p] for p in inside if roles[p][0] == rest and roles[p][1] in PICTURES]
        beside += [inside[p] for p in inside if rest and p.lower() == rest]
        if not beside and len(labels) == 1:  # such as img/ and masks_machine/
            beside = [inside[p] for p in inside if not roles[p][0] and roles[p][1] in PICTURES]
        if not beside and not rest and any(map(_is_picture, tree.here)):
            beside = [tree]
        if not beside:
            wanted = " or ".join(f"{rest}{'_' * bool(rest)}{word}/" for word in ("img", "images"))
            raise InputError(f"{tree.folder}: has {name}/ but no {wanted} next to it")
        taken.add(name)
        if beside[0] is not tree:
            taken.add(beside[0].name)
        yield rest, beside[0], inside[name]
    for name, one in inside.items():
        if depth and name not in taken and (roles[name][1] in _EITHER or roles[name][1] not in (*PICTURES, *MASKS)):
            for below, pictures, masks in _pairs(one, depth - 1):
                yield "/".join(part for part in (name, below) if part), pictures, masks


def _role(name: str) -> tuple[str, str]:
    """What a name says beside its word for pictures or masks, and this word; without one ("", "")."""
    lower = name.lower()
    for word in sorted((*PICTURES, *MASKS), key=len, reverse=True):
        if lower.endswith(word):
            return lower.removesuffix(word).rstrip("_-. "), word
        if re.match(rf"{word}[_\-. ]", lower):
            return lower[len(word) + 1 :], word
    return "", ""


def _match(
    prefix: str,
    files: dict[str, Path],
    labels: dict[str, Path],
    pictures: dict[str, Path],
    masks: dict[str, Path],
    left_out: list[str],
) -> list[Path]:
    """Add the files of pictures and masks that belong together: of the same name, or else of the same bare name.

    Returns the pictures that have no mask.
    """
    counts = Counter(map(_bare, labels))
    bare = {_bare(name): name for name in labels if counts[_bare(name)] == 1}
    used, without = set(), []
    for name, path in files.items():
        label = name if name in labels else bare.get(_bare(name))
        if label is None or label in used:
            left_out.append(f"{path}: has no mask")
            without.append(path)
            continue
        used.add(label)
        pictures[prefix + name], masks[prefix + name] = path, labels[label]
    left_out += [f"{path}: has no picture" for name, path in labels.items() if name not in used]
    return without


def _apart(
    files: list[Path], folder: Path, looks_like_mask: Callable[[Path], bool]
) -> tuple[list[Path], dict[str, Path]]:
    """Pictures, and the masks beside them by the name of their picture."""
    there = {path.with_suffix(""): path for path in sorted(files, key=lambda p: p.suffix.lower() in _LOSSY)}
    named = {path: _picture_of(path, there) for path in files}
    twins = [path for path in files if path.suffix.lower() not in _LOSSY and there[path.with_suffix("")] != path]
    if twins and 2 * len(twins) >= len(files) - len(twins) and looks_like_mask(twins[0]):
        named |= {path: path.with_suffix("") for path in twins}
    masks = {of.relative_to(folder).as_posix(): path for path, of in named.items() if of is not None}
    taken = set(masks.values())
    return [path for path in files if path not in taken], masks


def _picture_of(path: Path, there: dict[Path, Path]) -> Path | None:
    """The path without suffix of the picture that a file's name calls it the mask of."""
    if _without_suffix(path.stem) != path.stem and path.with_name(path.stem).is_file():
        return path.with_name(_without_suffix(path.stem))
    rest, word = _role(path.stem)
    if word not in MASKS or not rest or not path.stem.lower().startswith(rest):
        return None
    picture = path.with_name(path.stem[: len(rest)])
    return picture if picture in there else None


def _bare(name: str) -> str:
    """A name without the words for pictures and masks, and without the suffix of the picture, as in a.jpg.png."""
    folder, _, stem = _without_suffix(name).rpartition("/")
    rest, word = _role(stem)
    # CamVid calls the mask of a.png a_L.png.
    return f"{folder}/{rest if word and rest else stem.lower().removesuffix('_l')}"


def _without_suffix(name: str) -> str:
    """A name without the suffix of a picture, if it has one."""
    stem, dot, suffix = name.rpartition(".")
    return stem if f"{dot}{suffix}".lower() in IMAGE_SUFFIXES else name


def _by_name(files: Iterable[Path], tree: Tree, left_out: list[str]) -> dict[str, Path]:
    """Files of a folder, by relative path without suffix."""
    found: dict[str, Path] = {}
    for path in files:
        name = path.relative_to(tree.folder).with_suffix("").as_posix()
        if name in found:
            left_out.append(f"{path}: has the same name as {found[name].name}")
        else:
            found[name] = path
    return found


def _all(tree: Tree) -> list[Path]:
    """The pictures in a folder and below it, without those of `OTHERS`, unless there are no more."""
    below = (path.relative_to(tree.folder).parts for path in tree.pictures)
    found = [path for path, parts in zip(tree.pictures, below, strict=True) if OTHERS.isdisjoint(map(str.lower, parts))]
    return found or list(tree.pictures)


def _masks(tree: Tree) -> list[Path]:
    """The pictures in a folder of masks, or else its files of MATLAB."""
    return _all(tree) or tree.ending((matlab.SUFFIX,))


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES
