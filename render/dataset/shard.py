"""The HDF5 shard: N frames stacked, written whole or not at all, readable by any HDF5 reader without plugins.

It holds a dataset for each label in `render.frame.LABELS`, at the label's path: of N frames an array (N, …) of the
label's dtype and shape, or N JSON texts in UTF-8. Labels that frames may be without are in it where the frames have
them. Every picture is one chunk, as `render.dataset.chunks` makes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from render.dataset.lazy_frame import LazyFrame
from render.dataset.limits import NO_LIMITS, Limits
from render.dataset.shard_file import TOGETHER, ShardFile
from render.frame import LABELS, Frame
from render.label import Label
from render.object_label import ObjectLabel
from scenes.errors import InputError
from scenes.record.record import Record

_ENDLESS = re.compile(r"[:,\[]\s*-?\d{40,}")
"""A whole number of over 128 bits in JSON."""
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)


class Shard(ShardFile):
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
            first = i - i % TOGETHER
            if path not in blocks or blocks[path][0] != first:
                blocks[path] = first, self._block(path, first)
            return blocks[path][1][i - first]

        for i in places:
            yield LazyFrame(partial(self._value, i=i, text=text))

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
