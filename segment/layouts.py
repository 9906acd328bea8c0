"""Finds the pictures of a folder and their masks, in the layouts of public sets of cracks.

Folders of masks stand beside folders of pictures: img/ and mask/, Images/ and Masks/ (CrackSeg9k), train_img/ and
train_lab/ (DeepCrack), croppedimg/ and croppedgt/ (GAPs384), image/ and gt/ (CFD), image/ and groundTruth/ with .mat
files (CrackForest), JPEGImages/ and SegmentationClass/, images/ and category/ (blendmill's export), rgb/ and BW/,
Original/ and Ground Truth/, img/ and masks_machine/, CrackLS315/ and CrackLS315_gt/, each also below train/ and test/.
Or a mask lies beside its picture: `a.jpg` and `a.png` (Crack500), `a.jpg` and `a_mask.png`, `a.mask.png` or
`a.jpg.png`. Where no name tells, masks are known by their few values, see `segment.pairing`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scenes.assets.image_files import IMAGE_SUFFIXES
from scenes.assets.walking import below
from scenes.errors import InputError
from scenes.files import is_hidden
from segment import matlab
from segment.pairing import paired

# Folders of these names hold pictures beside masks, or a whole set beside altered copies of it.
_EITHER = ("original", "originals")
PICTURES = (
    "img", "imgs", "image", "images", "jpegimages", "rgb", "photo", "photos", "picture", "pictures", *_EITHER,
)  # fmt: skip
MASKS = (
    "mask", "masks", "gt", "groundtruth", "ground_truth", "ground truth", "ground-truth",
    "label", "labels", "lab", "ann", "annotation", "annotations",
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


def layout_of(folder: Path, looks_like_mask: Callable[[Path], bool]) -> Layout:
    """Find the pictures and masks in a folder. looks_like_mask: whether a file without a telling name is a mask.

    Raises InputError if there is no picture, or if there are masks but no picture has one.
    """
    fault = None
    try:
        pairs = list(_pairs(folder))
    except InputError as error:
        pairs, fault = [], error
    left_out: list[str] = []
    pictures: dict[str, Path] = {}
    masks: dict[str, Path] = {}
    without: list[Path] = []
    for name, pictures_of, masks_of in pairs:
        prefix = f"{name}/" if len(pairs) > 1 and name else ""
        beside = pictures_of == masks_of.parent
        files = _files(pictures_of, left_out, deep=not beside)
        without += _match(prefix, files, _by_name(_masks(masks_of), masks_of, left_out), pictures, masks, left_out)
    if pairs:
        if not pictures:
            raise InputError(f"{folder}: no picture has a mask of its name: {(left_out or ['it is empty'])[0]}")
        return Layout(pictures, masks, tuple(left_out), tuple(without))
    bare, named = _apart(_all(folder), folder, looks_like_mask)
    if named:
        without += _match("", _by_name(bare, folder, left_out), named, pictures, masks, left_out)
        return Layout(pictures, masks, tuple(left_out), tuple(without))
    found = paired(bare, folder, looks_like_mask)
    if found:
        used = {*found.pictures.values(), *found.masks.values()}
        left_out += [f"{path}: belongs to no pair of a picture and a mask" for path in bare if path not in used]
        return Layout(found.pictures, found.masks, tuple(left_out), found.bare, found.notes)
    if fault:
        raise fault
    pictures = _by_name(bare, folder, left_out)
    for path in sorted(folder.iterdir()):
        if path.is_dir() and _role(path.name)[1] in MASKS:
            left_out.append(
                f"{path}: holds no masks that can be read; they must be pictures such as PNG, or .mat files"
            )
    if not pictures:
        raise InputError(f"{folder}: holds no picture; accepted: {', '.join(IMAGE_SUFFIXES)}")
    return Layout(pictures, {}, tuple(left_out))


def label_folders(folder: Path) -> tuple[Path, ...]:
    """Folders in a set of Cityscapes' or COCO's layout whose pictures are labels: they are known by their names."""
    known = CITYSCAPES if (folder / "leftImg8bit").is_dir() else ()
    inside = [*folder.iterdir(), *((folder / "annotations").iterdir() if (folder / "annotations").is_dir() else ())]
    return tuple(p for p in inside if p.is_dir() and (p.name in known or p.name.startswith("panoptic_")))


def _pairs(folder: Path, depth: int = 4) -> Iterator[tuple[str, Path, Path]]:
    """Name, folder of pictures and folder of masks of each pair, at most so many folders deep: links may go round."""
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and not is_hidden(path.name)]
    roles = {path: _role(path.name) for path in inside}
    taken: set[Path] = set()
    for path in sorted((p for p in inside if roles[p][1] in MASKS), key=lambda p: MASKS.index(roles[p][1])):
        rest = roles[path][0]
        if not _masks(path) or any(roles[done][0] == rest for done in taken):
            continue
        beside = [p for p in inside if roles[p][0] == rest and roles[p][1] in PICTURES]
        beside += [p for p in inside if rest and p.name.lower() == rest]
        if not beside and sum(roles[p][1] in MASKS for p in inside) == 1:  # such as img/ and masks_machine/
            beside = [p for p in inside if not roles[p][0] and roles[p][1] in PICTURES]
        if not beside and not rest and any(_is_picture(p) for p in folder.iterdir()):
            beside = [folder]
        if not beside:
            wanted = " or ".join(f"{rest}{'_' * bool(rest)}{word}/" for word in ("img", "images"))
            raise InputError(f"{folder}: has {path.name}/ but no {wanted} next to it")
        taken |= {path, beside[0]}
        yield rest, beside[0], path
    for path in inside:
        if depth and path not in taken and (roles[path][1] in _EITHER or roles[path][1] not in (*PICTURES, *MASKS)):
            for name, pictures, masks in _pairs(path, depth - 1):
                yield "/".join(part for part in (path.name, name) if part), pictures, masks


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
    return [path for path in files if path not in masks.values()], masks


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


def _files(folder: Path, left_out: list[str], deep: bool = True) -> dict[str, Path]:
    """The picture files in a folder, by relative path without suffix. deep: also those in folders below."""
    return _by_name(_all(folder) if deep else [p for p in sorted(folder.iterdir()) if _is_picture(p)], folder, left_out)


def _by_name(files: Iterable[Path], folder: Path, left_out: list[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        name = path.relative_to(folder).with_suffix("").as_posix()
        if not path.is_file():
            left_out.append(f"{path}: is a link to nothing, or no file")
        elif name in found:
            left_out.append(f"{path}: has the same name as {found[name].name}")
        else:
            found[name] = path
    return found


def _all(folder: Path) -> list[Path]:
    """The pictures in a folder and below it, without those of `OTHERS`, unless there are no more."""
    found = [path for path in below(folder) if _is_picture(path)]
    return [path for path in found if OTHERS.isdisjoint(map(str.lower, path.relative_to(folder).parts))] or found


def _masks(folder: Path) -> list[Path]:
    """The pictures in a folder of masks, or else its files of MATLAB."""
    return _all(folder) or [path for path in below(folder) if path.suffix.lower() == matlab.SUFFIX]


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not is_hidden(path.name)
