"""What a label of a picture is: the one thing that storage, sheets, checks and exports know about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

H, W = "H", "W"
"""Height and width of the picture, in a label's shape."""

Shown = tuple[NDArray[np.uint8], str]
"""A label as a picture to look at, (H, W) or (H, W, 3), and what its caption adds to the label's name."""

Show = Callable[[NDArray[Any], NDArray[np.bool_], Sequence[str]], Shown]
"""Makes a `Shown` from the label's array, the (H, W) mask of the objects and the class names."""

Valid = Callable[[NDArray[Any]], NDArray[np.bool_]]
"""Tells which values of a label's array are possible at all."""


@dataclass(frozen=True)
class Text:
    """How a label that is no array becomes JSON text, and how it is read back from it."""

    encode: Callable[[Any], str]
    decode: Callable[[str | bytes], Any]


@dataclass(frozen=True)
class Label:
    """The declaration of one field of a `render.frame.Frame`.

    dtype: numpy's name of the element type, byte order included; "text" for JSON text. shape: of one picture's array,
    where H and W stand for the picture's size; (H, W, …) makes it a picture, stored one compressed chunk each. meaning:
    what it says, with the unit. path: in the shard, where it is not the field's own name. show: the tile on a label
    sheet, if it has one. valid: which values are possible. blenderproc: key in an export `hdf5-per-image`, if it is
    part of one. text: for dtype "text". optional: whether a frame may be without it, as the field's default None says.

    The exports `folder` and `webdataset` have all labels, under the field's name: pictures that a PNG file can hold as
    PNG files (folder) or in the .npz file (webdataset), other pictures in the .npz file, everything else in the JSON.
    `coco`, `s2rda` and `masks` are made of fixed labels: the picture, the masks and the objects.
    """

    dtype: str
    shape: tuple[int | str, ...]
    meaning: str
    path: str = ""
    show: Show | None = None
    valid: Valid | None = None
    blenderproc: str = ""
    text: Text | None = None
    optional: bool = False

    @property
    def is_picture(self) -> bool:
        return self.shape[:2] == (H, W)

    @property
    def fits_png(self) -> bool:
        """Whether a PNG file holds it without loss: bytes, or single-channel numbers of 16 bits."""
        return self.dtype in {(H, W): ("<u1", "<u2"), (H, W, 3): ("<u1",)}.get(self.shape, ())

    @property
    def element(self) -> np.dtype[Any]:
        """The element type of an array."""
        return np.dtype(self.dtype)

    def shape_at(self, height: int, width: int) -> tuple[int, ...]:
        """The shape of the array in a picture of a size."""
        sides = {H: height, W: width}
        return tuple(sides[side] if isinstance(side, str) else side for side in self.shape)

    def encoded(self, value: Any) -> Any:
        """A value that is no picture as a number, nested lists of numbers, or text."""
        return self.text.encode(value) if self.text else np.asarray(value, self.element).tolist()

    def decoded(self, stored: Any) -> Any:
        """The value that `encoded` was given, from what it returned or from the same in a shard."""
        if self.text:
            return self.text.decode(stored)
        array = np.asarray(stored, self.element)
        return array if self.shape else array.item()

    def data(self, value: Any) -> Any:
        """A value that is no picture as JSON data."""
        encoded = self.encoded(value)
        return json.loads(encoded) if self.text else encoded


def above_zero(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Positive numbers and infinity."""
    return array > 0


def finite_lengths(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Finite numbers from 0 on."""
    return np.isfinite(array) & (array >= 0)


def zero_or_one(array: NDArray[Any]) -> NDArray[np.bool_]:
    """The two values of a mask."""
    return array <= 1
