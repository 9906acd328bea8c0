"""The protocol of a set of pictures, and operations on sets."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError, choices

NONE = -1
"""The label of a picture without a known class."""


class SampleSet(Protocol):
    """A numbered set of pictures with targets of any kind.

    name: for messages. digest: a hash of paths, sizes and labels, not of pixels. It does not depend on where the set
    lies.
    """

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str: ...

    def __len__(self) -> int: ...

    def where(self, i: int) -> str:
        """The location of the picture, for messages."""
        ...


class ImageDataset(SampleSet, Protocol):
    """A numbered set of pictures, each with or without a class. Several threads may read it at once.

    classes: names in the order of the labels. labels: (N,) int64, -1 for no known class.
    """

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def labels(self) -> NDArray[np.int64]: ...

    def read(self, i: int, short: int | None = None) -> NDArray[np.uint8]:
        """(h, w, 3) uint8 sRGB. short: pixels to which the short side is resized; None to keep the size.

        Raises InputError if the picture cannot be read.
        """
        ...

    def key(self, i: int) -> str:
        """The name of the picture in its set. Splits depend on it, not on the order or location of the set."""
        ...


def fingerprint(*parts: object) -> str:
    """Hexadecimal hash of values. Their `repr` must show their whole content."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class _View:
    """Some pictures of a set in a given order, with the same or other labels."""

    base: ImageDataset
    places: NDArray[np.int64]
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    name: str
    digest: str

    def __len__(self) -> int:
        return len(self.places)

    def read(self, i: int, short: int | None = None) -> NDArray[np.uint8]:
        return self.base.read(int(self.places[i]), short)

    def where(self, i: int) -> str:
        return self.base.where(int(self.places[i]))

    def key(self, i: int) -> str:
        return self.base.key(int(self.places[i]))


def chosen(pictures: ImageDataset, places: NDArray[np.int64], part: str) -> ImageDataset:
    """The pictures at some places, in that order. part: name of this selection, for messages."""
    digest = fingerprint(pictures.digest, hashlib.sha256(places.astype("<i8").tobytes()).hexdigest())
    return _View(pictures, places, pictures.classes, pictures.labels[places], f"{pictures.name} ({part})", digest)


def relabeled(pictures: ImageDataset, classes: Sequence[str], rename: Mapping[str, str] | None = None) -> ImageDataset:
    """The pictures of the given classes, labeled in the order of `classes`.

    Pictures of other classes are left out. Pictures without a class are kept without one. rename: from class names of
    the set to names in `classes`. The set may lack some of `classes`. But if it also has classes that are not in
    `classes`, a name is probably misspelled: then InputError is raised, with the most similar name.
    """
    known = [(rename or {}).get(name, name) for name in pictures.classes]
    wanted = tuple(classes)
    if missing := [name for name in wanted if name not in known]:
        _refuse_other_names(pictures, missing, [name for name in known if name not in wanted])
    if tuple(known) == wanted:
        return _View(pictures, np.arange(len(pictures)), wanted, pictures.labels, pictures.name, pictures.digest)
    table = np.array([wanted.index(name) if name in wanted else NONE - 1 for name in known] + [NONE], np.int64)
    labels = table[pictures.labels]  # -1 finds the last entry
    places = np.flatnonzero(labels >= NONE)
    digest = fingerprint(pictures.digest, tuple(known), wanted)
    return _View(pictures, places, wanted, labels[places], pictures.name, digest)


def _refuse_other_names(pictures: ImageDataset, missing: list[str], extra: list[str]) -> None:
    if extra:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise InputError(
            f"{pictures.name}: no class '{missing[0]}'{more}, but other classes: use `rename`, or choose only classes "
            f"that all domains have; {choices(missing[0], extra)}"
        )


def unlabeled(pictures: ImageDataset, classes: Sequence[str] = ()) -> ImageDataset:
    """The same pictures without their labels."""
    labels = np.full(len(pictures), NONE, np.int64)
    # Digests of old runs contain this spelling.
    digest = fingerprint(pictures.digest, "unlabelled")
    return _View(pictures, np.arange(len(pictures)), tuple(classes), labels, pictures.name, digest)


def require_labels(pictures: ImageDataset) -> None:
    """Raise InputError unless every picture has a class. Training and test pictures need one."""
    without = np.flatnonzero(pictures.labels < 0)
    if len(without):
        raise InputError(
            f"{pictures.name}: {len(without)} of {len(pictures)} pictures have no class, {pictures.where(without[0])} "
            "first; move them into class folders, or use them as a target"
        )


def class_labels(pictures: ImageDataset) -> NDArray[np.int64]:
    """The labels (N,) of the pictures. Raises InputError unless every picture has a class."""
    require_labels(pictures)
    return pictures.labels


class _Joined:
    """Several sets in a row, as one set."""

    def __init__(self, parts: Sequence[ImageDataset]):
        self._parts = tuple(parts)
        self.starts = [0, *np.cumsum([len(part) for part in parts]).tolist()]
        self.name = " + ".join(part.name for part in parts)
        self.classes = parts[0].classes
        self.labels = np.concatenate([part.labels for part in parts])
        self.digest = fingerprint(*(part.digest for part in parts))

    def __len__(self) -> int:
        return self.starts[-1]

    def _at(self, i: int) -> tuple[ImageDataset, int, int]:
        part = bisect_right(self.starts, i) - 1
        return self._parts[part], i - self.starts[part], part

    def read(self, i: int, short: int | None = None) -> NDArray[np.uint8]:
        pictures, place, _ = self._at(i)
        return pictures.read(place, short)

    def where(self, i: int) -> str:
        pictures, place, _ = self._at(i)
        return pictures.where(place)

    def key(self, i: int) -> str:
        pictures, place, part = self._at(i)
        return f"{part}:{pictures.key(place)}"


def joined(parts: Sequence[ImageDataset]) -> ImageDataset:
    """Join sets with the same classes, one after another. Raises InputError if the classes differ."""
    for part in parts[1:]:
        if part.classes != parts[0].classes:
            theirs, ours = set(part.classes), set(parts[0].classes)
            name = min(theirs ^ ours, default=None)
            detail = "in another order" if name is None else f"'{name}' is in only one of them"
            raise InputError(
                f"{part.name}: its classes differ from those of {parts[0].name}: {detail}; "
                "choose the common ones with `classes`"
            )
    return parts[0] if len(parts) == 1 else _Joined(parts)
