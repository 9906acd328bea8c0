"""Reads masks of classes, whose values are numbers, indices of a palette, or colors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenes.assets.image_files import opened
from scenes.errors import InputError, LoadError
from segment.classes.colors import Classified, classified, packed
from segment.classes.found import Ids, Values
from segment.classes.legend import Legend
from segment.classes.public import called, colored
from segment.ignored import IGNORED

# A mask is refused if areas of colors of no class, apart from edges, cover more of it.
_MOST_SOLID = 0.03
# So many masks are looked at when a set is opened.
_LOOKED_AT = 16
# With more values than this in one channel, a picture is a gray photograph. Mapillary has 124 classes.
_FEW = 128
# Colors in VOC's palette that it does not use for classes are 0 to 255 in steps of 64 or 32: photographs have far more.
_FEW_COLORS = 512


class Pixels(NamedTuple):
    """values: (h, w) numbers or indices of a palette; None if the picture has neither. rgb: (h, w, 3) the colors; None
    if it has none. kind: what the file has, one channel, indices of a palette, or channels of colors. lossy: the values
    are not those that were saved."""

    values: Values | None
    rgb: NDArray[np.uint8] | None
    kind: Literal["gray", "indexed", "colored"]
    lossy: bool = False


def read_pixels(path: Path) -> Pixels:
    """The numbers and the colors of a mask. Equal channels are one number. Raises InputError."""
    try:
        with opened(path) as image:
            lossy = image.format in ("JPEG", "MPO")
            if image.mode == "I" or image.mode.startswith("I;16"):
                return Pixels(np.asarray(image).astype(np.int64), None, "gray")
            if image.mode == "F":
                raise InputError(f"{path}: has fractions as values; a mask of classes has whole numbers or colors")
            if image.mode in ("1", "L", "P"):
                rgb = np.asarray(image.convert("RGB"))
                kind: Literal["gray", "indexed"] = "indexed" if image.mode == "P" else "gray"
                return Pixels(np.asarray(image).astype(np.int64), rgb, kind, lossy)
            rgba = np.asarray(image.convert("RGBA"))
    except LoadError as error:
        raise InputError(f"{path}: {error}") from error
    rgb = np.where(rgba[..., 3:] > 0, rgba[..., :3], 0).astype(np.uint8)
    gray = (rgb == rgb[..., :1]).all()
    return Pixels(rgb[..., 0].astype(np.int64) if gray else None, rgb, "colored", lossy)


def looks_like_classes(path: Path) -> bool:
    """Whether a picture has few numbers or few colors."""
    try:
        pixels = read_pixels(path)
    except InputError:
        return False
    if pixels.values is not None:
        return len(np.unique(pixels.values)) <= _FEW
    return len(_colors(pixels)) <= _FEW_COLORS


def ids_of(path: Path, legend: Legend, ignore: int) -> Ids:
    """(h, w) the classes of a mask. ignore: the number of pixels that count nowhere.

    Raises InputError for a number that the legend does not have, and where too many pixels have a color of no class.
    """
    return _read(path, legend, ignore).ids


def notes_on(masks: Sequence[Path], legend: Legend, ignore: int) -> tuple[str, ...]:
    """What some masks of a set, evenly spread, say of its colors. Raises InputError if none of them can be read."""
    found: list[Classified] = []
    fault = ""
    for path in _some(masks):
        try:
            found.append(_read(path, legend, ignore))
        except InputError as error:
            fault = fault or str(error)
    if not found:
        raise InputError(fault)
    near, lost = (float(np.mean([getattr(one, share) for one in found])) for share in ("near", "lost"))
    most = next((f", such as {list(one.most)}," for one in found if one.most), "")
    if not near and not lost:
        there = set(np.unique(np.concatenate([np.unique(one.ids) for one in found])).tolist())
        if len(there - {IGNORED}) > 1 or IGNORED not in there or len(legend.classes) < 2:
            return ()
        share = np.mean([(one.ids == IGNORED).mean() for one in found])
        return (
            f"{masks[0].parent}: {share:.1%} of the pixels of {len(found)} masks count nowhere, and all others are of "
            f"one class; if {ignore} is the number of a class, choose another field ignore",
        )
    return (
        f"{masks[0].parent}: of the pixels of {len(found)} masks, {near:.2%} have a color near that of a class and are "
        f"taken for it; {lost:.2%} have other colors{most} and count nowhere",
    )


def public_legend(masks: Sequence[Path]) -> Legend | None:
    """The legend of the public set that has all colors of some masks; None if there are no colors, or none fits.

    Raises InputError if several fit.
    """
    there: set[int] = set()
    for path in _some(masks):
        pixels = read_pixels(path)
        if pixels.kind != "colored":
            return None
        there.update(_colors(pixels))
    fitting = [one for one in colored() if there <= set(packed(np.array(list(one.colors))).tolist())]
    fitting = [one for one in fitting if called(one, masks[0])] or fitting
    if len(fitting) > 1:
        raise InputError(
            f"{masks[0].parent}: its masks have colors of {' and of '.join(one.where for one in fitting)}; say "
            "what they mean in a file such as label_colors.txt, or in the config's field colors"
        )
    return fitting[0] if fitting else None


def _colors(pixels: Pixels) -> list[int]:
    """The colors that a mask has, as 0xrrggbb."""
    assert pixels.rgb is not None
    return np.unique(packed(pixels.rgb)).tolist()


def _some(masks: Sequence[Path]) -> list[Path]:
    places = np.unique(np.linspace(0, len(masks) - 1, min(_LOOKED_AT, len(masks))).round().astype(int))
    return [masks[k] for k in places]


def _read(path: Path, legend: Legend, ignore: int) -> Classified:
    pixels = read_pixels(path)
    if not _by_color(pixels, legend, ignore):
        return Classified(_ids_of_numbers(path, pixels, legend, ignore))
    if legend.clash:
        raise InputError(f"{legend.where}: {legend.clash}; the masks are in colors, such as {path.name}")
    assert pixels.rgb is not None
    found = classified(pixels.rgb, legend.colors)
    if pixels.kind == "indexed" and pixels.values is not None:
        found.ids[pixels.values == ignore] = IGNORED
    if found.solid > _MOST_SOLID:
        raise InputError(
            f"{path}: {found.lost:.1%} of its pixels have colors that {legend.where} does not list, most of them "
            f"{list(found.most or ())}; add them there or in the config's field colors, with the name void if they "
            "count nowhere"
        )
    return found


def _by_color(pixels: Pixels, legend: Legend, ignore: int) -> bool:
    """Whether the colors of a mask tell its classes, not its numbers.

    Those of a palette do where each is a color of the legend, but not that of its own number. Numbers in one channel
    come before colors, unless all colors of the legend are gray; in three equal channels it is the other way round.
    """
    if not legend.colors or pixels.rgb is None:
        return False
    if pixels.values is None or pixels.lossy:
        return True
    indexed = pixels.kind == "indexed"
    numbers, first = np.unique(pixels.values, return_index=True)
    shown = [tuple(color) for color in pixels.rgb.reshape(-1, 3)[first].tolist()]
    used = [(n, color) for n, color in zip(numbers.tolist(), shown, strict=True) if n != ignore or not indexed]
    listed = all(color in legend.colors for _, color in used)
    if indexed:
        return listed and any(legend.colors[color] != legend.numbers.get(n) for n, color in used)
    numbered = all(n in legend.numbers or n == ignore for n, _ in used)
    gray = all(r == g == b for r, g, b in legend.colors)
    return listed and (gray or pixels.kind == "colored" or not numbered)


def _ids_of_numbers(path: Path, pixels: Pixels, legend: Legend, ignore: int) -> Ids:
    values = pixels.values
    if values is None:
        raise InputError(f"{path}: has colors, and {legend.where} gives none; list them in the config's field colors")
    if pixels.lossy:
        raise InputError(
            f"{path}: is a JPEG, which does not keep the numbers of classes; take the PNG that it is made of"
        )
    if not legend.numbers:
        raise InputError(f"{path}: has numbers, and {legend.where} gives colors of classes only; write classes.txt")
    table = np.full(max(*legend.numbers, 0) + 2, -1)
    table[list(legend.numbers)] = list(legend.numbers.values())
    ids = np.where(values == ignore, IGNORED, table[values.clip(0, len(table) - 1)])
    if (ids < 0).any():
        raise InputError(
            f"{path}: has the value {values[ids < 0][0]}, but there are {len(legend.classes)} classes, "
            f"{legend.classes[0]} to {legend.classes[-1]}; values that count nowhere are {ignore} (field ignore)"
        )
    return ids.astype(np.uint8)
