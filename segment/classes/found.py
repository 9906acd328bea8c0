"""What a reader of a layout hands over: the pictures, the names of their classes, and how labels are read."""

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

Ids = NDArray[np.uint8]
Values = NDArray[np.int64]

# Bytes of a file of names.
_LONGEST = 1 << 20


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


def matched(
    folder: Path,
    classes: tuple[str, ...],
    pictures: dict[str, Path],
    masks: dict[str, Path],
    read: Callable[[str], Labels],
    notes: tuple[str, ...] = (),
) -> Found:
    """The pictures that have a mask of their name. Raises InputError if none has."""
    both = {name: path for name, path in pictures.items() if name in masks}
    if not both:
        raise InputError(f"{folder}: no picture has a mask of its name")
    without = tuple(f"{path}: has no mask" for name, path in pictures.items() if name not in masks)
    return Found(classes, both, read, without, notes)


def by_stem(folder: Path, *ends: str) -> dict[str, Path]:
    """The files in a folder and below whose names have one of these ends, by their path without it. The earlier end
    wins."""
    return {
        path.relative_to(folder).as_posix().removesuffix(end): path
        for end in reversed(ends)
        for path in below(folder)
        if path.name.endswith(end) and path.is_file()
    }


def read_values(path: Path) -> Values:
    """(h, w) gray values or indices of a palette of a mask. Raises InputError."""
    try:
        with opened(path) as image:
            if image.mode not in ("1", "L", "P", "I") and not image.mode.startswith("I;16"):
                raise InputError(
                    f"{path}: is a picture in {image.mode}; here a mask has one number for each pixel, as gray values "
                    "or as indices of a palette"
                )
            return np.asarray(image).astype(np.int64)
    except LoadError as error:
        raise InputError(f"{path}: {error}") from error


def counted(numbers: Values) -> NDArray[np.uint16]:
    """The numbers above 0 as 1, 2, …, in their order."""
    return np.searchsorted(np.unique(numbers[numbers > 0]), numbers, side="left").astype(np.uint16) + (numbers > 0)


def lines_of(path: Path) -> list[str]:
    """The lines of a short text file. Raises InputError."""
    try:
        return read_regular(path, _LONGEST).decode("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not text in UTF-8: {error}") from None
