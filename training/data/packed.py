"""Pictures that lie packed in larger files, each as the content of a picture file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from scenes.errors import InputError
from training.data.decode import decoded_bytes
from training.data.pictures import NONE, fingerprint


class Packed:
    """Pictures in larger files; a `training.data.pictures.ImageDataset`.

    name: for messages. keys: names of the pictures in the set. labels: of each an index into `classes`, or -1. content:
    the picture file of a place. sizes: what tells one content from another without reading it, for the digest. Raises
    InputError if there is no picture.
    """

    def __init__(
        self,
        name: str,
        keys: Sequence[str],
        labels: Sequence[int],
        classes: Sequence[str],
        content: Callable[[int], bytes],
        sizes: object,
    ):
        if not keys:
            raise InputError(f"{name}: no pictures")
        self.name, self.classes = name, tuple(classes)
        self.labels: NDArray[np.int64] = np.array(labels, np.int64)
        self._keys, self._content = list(keys), content
        self.digest = fingerprint(self.classes, self._keys, list(labels), sizes)

    def __len__(self) -> int:
        return len(self._keys)

    def read(self, i: int, short: int | None = None) -> NDArray[np.uint8]:
        return decoded_bytes(self._content(i), self.where(i), short)

    def where(self, i: int) -> str:
        return f"{self.name}: picture {self._keys[i]}"

    def key(self, i: int) -> str:
        return self._keys[i]


def numbered(name: str, labels: Sequence[object], classes: Sequence[str] | None) -> tuple[list[int], tuple[str, ...]]:
    """Indices into the classes, and the classes. labels: numbers, names, or None for a picture without a class.

    classes: the names of numbers, if they are known. Raises InputError for numbers without names.
    """
    if all(label is None for label in labels):
        return [NONE] * len(labels), ()
    if all(isinstance(label, int) or label is None for label in labels):
        numbers = [NONE if label is None else int(str(label)) for label in labels]
        if classes is None:
            raise InputError(f"{name}: its classes are numbers without names; give the names as `classes`")
        wrong = next((number for number in numbers if not NONE <= number < len(classes)), None)
        if wrong is not None:
            raise InputError(f"{name}: has the class {wrong}, but there are {len(classes)} names, numbered from 0")
        return numbers, tuple(classes)
    names = tuple(sorted({str(label) for label in labels if label is not None}))
    index = {title: number for number, title in enumerate(names)}
    return [NONE if label is None else index[str(label)] for label in labels], names
