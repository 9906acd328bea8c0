"""The file of a shard: its arrays and texts by their paths, each checked when it is read. `render.dataset.shard` says
what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from render.dataset.admission import admitted, attribute
from render.dataset.chunks import inflated
from render.frame import LABELS, PICTURES, VALUES
from scenes.errors import InputError, choices

FORMAT = 2
"""Version of the layout of shards, the attribute `format` of every one. 2: objects have a `share`."""

TOGETHER = 256
"""Texts that are read at once. To read one takes 0.07 ms, and to read a hundred 0.2 ms."""

_PATHS = tuple(label.path for label in LABELS.values())
_PICTURE_PATHS = frozenset(label.path for label in PICTURES.values())
_TEXT_PATHS = frozenset(label.path for label in VALUES.values() if label.text)
_VALID = {label.path: label.valid for label in LABELS.values() if label.valid is not None}


class ShardFile:
    """A shard's file that is open for reading; see `render.dataset.shard.Shard`."""

    def __init__(self, path: str | Path, *, classes: int | None = None):
        self.path, self._classes = Path(path), classes
        self._values: dict[str, NDArray[Any]] = {}
        self._forms: dict[str, tuple[h5py.Dataset, tuple[int, ...], np.dtype[Any]]] = {}
        self._file = _open(self.path)
        try:
            self.attributes, self._datasets = self._admitted()
        except InputError:
            self.close()
            raise

    def _admitted(self) -> tuple[dict[str, str | int], dict[str, h5py.Dataset]]:
        where = str(self.path)
        found = {name: attribute(self._file, name, where) for name in ("format", "config_hash", "seed")}
        version = found["format"]
        if version is None:
            raise InputError(f"{where}: not a blendmill shard, it has no format attribute")
        if version != FORMAT:
            raise InputError(f"{where}: shard format {version}, this version reads {FORMAT}; use the one that wrote it")
        attributes = {name: value for name, value in found.items() if value is not None}
        return attributes, admitted(self._file, where)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._form("index")[1][0])

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def has(self, name: str) -> bool:
        """Whether the pictures have the label at a path."""
        return name in self._datasets

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures in pixels."""
        height, width = self._dataset("rgb").shape[1:3]
        return int(height), int(width)

    def picture(self, name: str, i: int) -> NDArray[Any]:
        """One label of the i-th picture (0-based): (H, W) or (H, W, 3). Raises IndexError outside the shard."""
        dataset, (count, *shape), dtype = self._form(name)
        if not 0 <= i < count:
            raise IndexError(f"{self.path} holds {count} pictures, there is no number {i}")
        try:
            _, chunk = dataset.id.read_direct_chunk((i,) + (0,) * len(shape))
            array = inflated(chunk, dtype, tuple(shape))
        except MemoryError as error:
            raise InputError(f"{self.path}: there is not enough memory for {name} of picture {i}") from error
        except (ValueError, OSError, RuntimeError, IsalError) as error:  # type: ignore[misc]  # the stub is wrong
            raise self._damaged(name, i) from error
        valid = _VALID.get(name)
        if valid is not None and not valid(array).all():
            raise self._damaged(name, i)
        if name == "category" and self._classes is not None and array.max() > self._classes:
            raise self._damaged(name, i)
        return array

    def arrays(self, name: str) -> NDArray[Any]:
        """The label at a path of all N pictures: an array (N, …). Texts are an (N,) array of str objects."""
        if name in _PICTURE_PATHS:
            return np.stack([self.picture(name, i) for i in range(len(self))])
        if name in _TEXT_PATHS:
            return np.array(list(self._texts(name)), object)
        return self._all(name).copy()

    def _all(self, name: str) -> NDArray[Any]:
        """The numbers of all pictures, read once. What is handed out is a copy."""
        if name not in self._values:
            self._values[name] = self._read(name)
        return self._values[name]

    def _read(self, name: str) -> NDArray[Any]:
        try:
            found = np.asarray(self._dataset(name)[:])
        except (OSError, RuntimeError) as error:
            raise self._damaged(name, 0) from error
        valid = _VALID.get(name)
        if valid is not None and not valid(found).all():
            raise self._damaged(name, int(np.argwhere(~valid(found))[0, 0]))
        return found

    def _texts(self, name: str) -> Iterator[str]:
        """All texts as they are stored. Together they are no longer than the file, see `render.dataset.admission`."""
        for first in range(0, len(self), TOGETHER):
            yield from self._block(name, first)

    def _block(self, name: str, first: int) -> list[str]:
        """The texts from `first` on, at most as many as are read at once."""
        count = min(TOGETHER, len(self) - first)
        try:
            return self._read_texts(name, first, count)
        except InputError:  # one by one, the damaged one is found
            return [self._text(name, i) for i in range(first, first + count)]

    def _text(self, name: str, i: int) -> str:
        """A text as it is stored."""
        return self._read_texts(name, i, 1)[0]

    def _read_texts(self, name: str, first: int, count: int) -> list[str]:
        dataset, _, dtype = self._form(name)
        try:
            # The lower of h5py's two levels: the higher one takes five times as long.
            found, place = np.empty(count, dtype), dataset.id.get_space()
            place.select_hyperslab((first,), (count,))
            dataset.id.read(h5py.h5s.create_simple((count,)), place, found)
            return [bytes(text).decode() for text in found]
        except (OSError, RuntimeError, ValueError, MemoryError) as error:
            raise self._damaged(name, first) from error

    def _damaged(self, name: str, i: int) -> InputError:
        return InputError(f"{self.path}: {name} of picture {i} is damaged; delete the file and rerun")

    def _form(self, name: str) -> tuple[h5py.Dataset, tuple[int, ...], np.dtype[Any]]:
        """A dataset, its shape and its type. HDF5 is asked once: it takes longer than to inflate a small picture."""
        found = self._forms.get(name)
        if found is None:
            dataset = self._dataset(name)
            found = self._forms[name] = (dataset, dataset.shape, dataset.dtype)
        return found

    def _dataset(self, name: str) -> h5py.Dataset:
        found = self._datasets.get(name)
        if found is None:
            raise InputError(f"{self.path}: no dataset '{name}', {choices(name, _PATHS)}")
        return found


def _open(path: Path) -> h5py.File:
    if not path.is_file():  # a folder, or a pipe or device, which may never end
        reason = "is not a regular file" if path.exists() else "no such shard; rerun the render command to draw it"
        raise InputError(f"{path}: {reason}")
    try:
        # Chunks are read past HDF5's cache of them. It would take a fifth of the memory of an open shard.
        return h5py.File(path, "r", locking=False, rdcc_nbytes=0, rdcc_nslots=1)
    except (OSError, RuntimeError, ValueError) as error:
        if "truncated" in str(error):
            raise InputError(f"{path}: truncated; delete it and rerun the render command") from error
        if "signature not found" in str(error):
            raise InputError(f"{path}: not an HDF5 file; delete it and rerun the render command") from error
        raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from error
