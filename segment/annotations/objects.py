"""Pictures whose objects are listed, whatever the format, and what cracks among them are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError, shortened


class WithoutOutlines(InputError):
    """Annotations that do not say which pixels an object has."""


BACKGROUND = "background"
"""The name of class 0 where a set labels objects only."""

Mask = NDArray[np.bool_]


class Thing(NamedTuple):
    """An object of a picture.

    category: the number of its class. number: from 1 on within the picture. inside: (h, w) True on its pixels. crowd:
    it is several that are not told apart. box: `inside` is a box around it, and nobody says which pixels it has.
    """

    category: int
    number: int
    inside: Mask
    crowd: bool = False
    box: bool = False


class Listed(NamedTuple):
    """The objects of a picture of a size (h, w). Each lies over those before it."""

    size: tuple[int, int]
    things: Iterable[Thing]


@dataclass(frozen=True)
class Objects:
    """classes: the names, `BACKGROUND` first. pictures: the files by name. read: the objects of the picture of a name;
    it, or going through its objects, raises InputError. left_out: a line for each file that is not used. notes: what a
    user should know about the choice of files."""

    classes: tuple[str, ...]
    pictures: dict[str, Path]
    read: Callable[[str], Listed]
    left_out: tuple[str, ...]
    notes: tuple[str, ...] = ()


def classes_of(titles: Iterable[str]) -> tuple[str, ...]:
    """The classes of a set that labels objects of these titles."""
    return (BACKGROUND, *dict.fromkeys(title for title in titles if title != BACKGROUND))


def crack_classes(name: str, classes: Sequence[str], number: int | None) -> tuple[int, ...]:
    """The numbers of the classes that are cracks: those named so, or the only class, or the one that the user says.

    name: of the set, for messages. Raises InputError if none is meant.
    """
    if number is not None:
        if not 0 < number < len(classes):
            raise InputError(f"{name}: has no class {number} of --mask-value; it has {_numbered(classes)}")
        return (number,)
    found = tuple(k for k, title in enumerate(classes) if is_crack(title))
    # Exports of Roboflow have a class of the project's name above the others, which no object has.
    if not found and len(classes) == 2:
        found = (1,)
    if not found:
        raise InputError(
            f"{name}: none of its classes is called crack; give the number of one with --mask-value: "
            f"{_numbered(classes)}"
        )
    return found


def is_crack(title: str) -> bool:
    """Whether the name of a class is that of cracks."""
    return re.search("crack|fissure", title, re.IGNORECASE) is not None


def crack_mask(listed: Listed, cracks: Sequence[int], where: str) -> Mask:
    """(h, w) True where any crack lies, even one below another object. Raises InputError for a crack without pixels."""
    mask = np.zeros(listed.size, bool)
    for thing in listed.things:
        if thing.category in cracks:
            if thing.box:
                raise InputError(f"{where}: has a crack that is a box or a line, which does not say its pixels")
            mask |= thing.inside
    return mask


def _numbered(classes: Sequence[str]) -> str:
    listed = ", ".join(f"{number} for {shortened(title)}" for number, title in enumerate(classes[:13]) if number)
    return listed + (", …" if len(classes) > 13 else "")
