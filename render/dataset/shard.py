"""The HDF5 shard: N frames stacked, written whole or not at all, readable by any HDF5 reader without plugins.

It holds a dataset for each label in `render.frame.LABELS`, at the label's path: of N frames an array (N, …) of the
label's dtype and shape, or N JSON texts in UTF-8. Labels that frames may be without are in it where the frames have
them. Every picture is one chunk, as `render.dataset.chunks` makes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
from isal.igzip_lib import IsalError
from numpy.typing import NDArray

from render.dataset.admission import admitted, attribute
from render.dataset.chunks import inflated
from render.dataset.limits import NO_LIMITS, Limits
from render.frame import LABELS, PICTURES, VALUES, Frame, ObjectLabel
from render.label import Label
from scenes.errors import InputError, choices
from scenes.record.record import Record

FORMAT = 2
"""Version of the layout above, the attribute `format` of every shard. 2: objects have a `share`."""

_TOGETHER = 256
"""Texts that are read at once. To read one takes 0.07 ms, and to read a hundred 0.2 ms."""

_PATHS = tuple(label.path for label in LABELS.values())
_PICTURE_PATHS = frozenset(label.path for label in PICTURES.values())
_TEXT_PATHS = frozenset(label.path for label in VALUES.values() if label.text)
_ENDLESS = re.compile(r"[:,\[]\s*-?\d{40,}")
"""A whole number of over 128 bits in JSON."""
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_VALID = {label.path: label.valid for label in LABELS.values() if label.valid is not None}


class Shard:
    """A shard that is open for reading, and a context manager. `attributes` holds the attributes of the file.

    Parameters
    ----------
    path : Path
        The HDF5 file.
    classes : int, optional
        Number of classes of the data set. A category mask with more is an error.

    Raises
    ------
    InputError
        The file is missing, truncated, damaged, not HDF5, of another format version, or not as `write_shard` makes it:
        other names or types, links to other files, arrays of other shapes.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from PIL import Image
    >>> import blendmill
    >>> Path("walls").mkdir()
    >>> Image.fromarray(np.full((64, 64, 3), 150, np.uint8)).save("walls/wall.png")
    >>> text = "renderer: composite\\nassets: {textures: [walls]}\\nresolution: [32, 32]\\n"
    >>> _ = Path("cracks.yaml").write_text(text)
    >>> config = blendmill.load_config("cracks.yaml")
    >>> sampler, renderer = blendmill.open_renderer(config)
    >>> frames = (renderer.draw(sampler.sample(0, index)) for index in range(2))
    >>> digest = blendmill.write_shard("cracks.h5", frames, attributes={"seed": 0})
    >>> with blendmill.Shard("cracks.h5") as shard:
    ...     len(shard), shard.frame(1).rgb.shape, shard.arrays("index").tolist()
    (2, (32, 32, 3), [0, 1])
    """

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

    def frame(self, i: int) -> Frame:
        """The i-th frame of the shard, 0-based. Raises IndexError outside the shard."""
        return Frame(**{name: self._value(name, i, self._text) for name in LABELS})

    def lazy_frames(self, places: Iterable[int]) -> Iterator[Frame]:
        """The frames at some places, 0-based. Each label is read when it is first asked for, so the shard must still be
        open then. A damaged label that nobody asks for is not noticed.

        Texts are read many at a time, so this is for places that lie close together.
        """
        blocks: dict[str, tuple[int, list[str]]] = {}

        def text(path: str, i: int) -> str:
            first = i - i % _TOGETHER
            if path not in blocks or blocks[path][0] != first:
                blocks[path] = first, self._block(path, first)
            return blocks[path][1][i - first]

        for i in places:
            yield _LazyFrame(partial(self._value, i=i, text=text))

    def _value(self, name: str, i: int, text: Callable[[str, int], str]) -> Any:
        """A label of the i-th picture as a frame has it. text: reads the text at a path of a picture."""
        label = LABELS[name]
        if label.optional and not self.has(label.path):
            return None
        if label.is_picture:
            return self.picture(label.path, i)
        if name == "objects":
            return self._objects(i, text(label.path, i))
        if label.text:
            return self._decoded(label, i, text(label.path, i))
        return label.decoded(self._all(label.path)[i].copy())

    def of(self, index: int) -> Frame:
        """The frame of a picture by its index in the data set. Raises InputError where the shard does not hold it."""
        return self.frame(self.places([index])[0])

    def places(self, indices: Iterable[int]) -> list[int]:
        """The places of pictures, 0-based, by their indices in the data set. Raises InputError where one is missing."""
        held = {int(index): i for i, index in enumerate(self._all("index"))}
        wanted = [int(index) for index in indices]
        if missing := [index for index in wanted if index not in held]:
            raise InputError(f"{self.path}: does not hold picture {missing[0]}; delete the file and rerun")
        return [held[index] for index in wanted]

    def objects(self, i: int) -> tuple[ObjectLabel, ...]:
        """The labels of the objects of the i-th picture, 0-based. No box reaches out of the picture."""
        return self._objects(i, self._text(LABELS["objects"].path, i))

    def each_objects(self) -> Iterator[tuple[ObjectLabel, ...]]:
        """`objects` of all pictures, one after the other. The file is read many at a time, which is far quicker."""
        for i, text in enumerate(self._texts(LABELS["objects"].path)):
            yield self._objects(i, text)

    def _objects(self, i: int, text: str) -> tuple[ObjectLabel, ...]:
        objects: tuple[ObjectLabel, ...] = self._decoded(LABELS["objects"], i, text)
        height, width = self.size
        for x0, y0, x1, y1 in (label.box for label in objects if label.box is not None):
            if not (0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height):
                raise self._damaged("objects", i)
        return objects

    def record(self, i: int) -> Record:
        """The record that the i-th picture was drawn from, 0-based."""
        record: Record = self._decoded(LABELS["scene"], i, self._text(LABELS["scene"].path, i))
        return record

    def within(self, limits: Limits) -> list[int]:
        """The places of the pictures that are within limits, 0-based and in order."""
        if limits == NO_LIMITS:
            return list(range(len(self)))
        return [i for i, objects in enumerate(self.each_objects()) if limits.keep(objects)]

    def _decoded(self, label: Label, i: int, text: str) -> Any:
        try:
            # The pattern takes as long as all else; few texts have so many digits in a row.
            if b"0" * 40 in text.encode().translate(_DIGITS) and _ENDLESS.search(text):
                raise ValueError("a whole number is too large to calculate with")
            return label.decoded(text)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise self._damaged(label.path, i) from error

    def _texts(self, name: str) -> Iterator[str]:
        """All texts as they are stored. Together they are no longer than the file, see `render.dataset.admission`."""
        for first in range(0, len(self), _TOGETHER):
            yield from self._block(name, first)

    def _block(self, name: str, first: int) -> list[str]:
        """The texts from `first` on, at most as many as are read at once."""
        count = min(_TOGETHER, len(self) - first)
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


class _LazyFrame(Frame):
    """A frame that reads each label when it is first asked for, and keeps it. read: reads the label of a name."""

    def __init__(self, read: Callable[[str], Any]):
        vars(self)["_read"] = read  # a frame is frozen


def _kept(name: str) -> cached_property[Any]:
    found = cached_property[Any](lambda frame: frame._read(name))
    found.__set_name__(_LazyFrame, name)
    return found


for _name in LABELS:
    setattr(_LazyFrame, _name, _kept(_name))


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
