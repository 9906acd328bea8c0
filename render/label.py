"""The declaration of a label. Storage, sheets, checks and exports use nothing else about it."""

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
"""A label as a picture to look at, (H, W) or (H, W, 3) uint8, and a note for its caption."""

Show = Callable[[NDArray[Any], NDArray[np.bool_], Sequence[str]], Shown]
"""Function that makes a `Shown` from the label's array, the (H, W) mask of the objects and the class names."""

Valid = Callable[[NDArray[Any]], NDArray[np.bool_]]
"""Function that marks the valid values of a label's array."""

_NO_SIGN, _INFINITE, _MINUS_ZERO = (np.uint16(bits) for bits in (0x7FFF, 0x7C00, 0x8000))
"""Bits of a half number (IEEE 754 binary16): all but the sign; infinity, above which all is NaN; and -0."""


@dataclass(frozen=True)
class Text:
    """How a label that is not an array is converted to JSON text and back."""

    encode: Callable[[Any], str]
    decode: Callable[[str | bytes], Any]


@dataclass(frozen=True)
class Label:
    """The declaration of one field of a `render.frame.Frame`.

    dtype: numpy's name of the element type with its byte order, or "text" for JSON text. shape: shape of the array of
    one picture, where H and W stand for the size of the picture. A label of shape (H, W, …) has a value for each pixel;
    each picture is stored as one compressed chunk. meaning: what the values mean, with the unit. path: path in the
    shard; empty for the name of the field. show: function that makes the tile on a label sheet, or None for no tile.
    valid: function that marks the valid values. blenderproc: key in the export `hdf5-per-image`; empty if it is not
    exported there. text: the conversion for dtype "text". optional: whether a frame may lack the label (its default is
    None).

    The exports `folder` and `webdataset` contain all labels under the names of their fields. In `folder`, labels that
    fit into a PNG file become PNG files. Other per-pixel labels go into the .npz file, and the rest goes into the JSON
    file. In `webdataset`, all per-pixel labels go into the .npz file. `coco`, `s2rda` and `masks` use a fixed choice of
    labels: the picture, the masks and the objects.
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
        """Whether the label has a value for each pixel."""
        return self.shape[:2] == (H, W)

    @property
    def fits_png(self) -> bool:
        """Whether a PNG file can hold the label without loss: 8 bits, or 16 bits with a single channel."""
        return self.dtype in {(H, W): ("<u1", "<u2"), (H, W, 3): ("<u1",)}.get(self.shape, ())

    @property
    def element(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return np.dtype(self.dtype)

    def shape_at(self, height: int, width: int) -> tuple[int, ...]:
        """The shape of the array for a picture of the given size in pixels."""
        sides = {H: height, W: width}
        return tuple(sides[side] if isinstance(side, str) else side for side in self.shape)

    def encoded(self, value: Any) -> Any:
        """Encode a value that is not per pixel as a number, nested lists of numbers, or text."""
        return self.text.encode(value) if self.text else np.asarray(value, self.element).tolist()

    def decoded(self, stored: Any) -> Any:
        """Invert `encoded`. stored: its result, or the value as read from a shard."""
        if self.text:
            return self.text.decode(stored)
        array = np.asarray(stored, self.element)
        return array if self.shape else array.item()

    def data(self, value: Any) -> Any:
        """Convert a value that is not per pixel to JSON data."""
        encoded = self.encoded(value)
        return json.loads(encoded) if self.text else encoded


def above_zero(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Positive numbers and infinity."""
    return array > 0


def finite(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Numbers that are not infinite."""
    if array.dtype == np.float16:  # by its bits: numpy converts each half number, which takes ten times as long
        return (array.view(np.uint16) & _NO_SIGN) < _INFINITE
    return np.isfinite(array)


def poses(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Finite numbers of matrices (…, 4, 4) that can be inverted, as all that turn and move can."""
    known = np.isfinite(array).all(axis=(-2, -1), keepdims=True)
    volume = np.linalg.det(np.where(known, array, np.eye(4)))
    return known & (np.abs(volume) > 0.5)[..., None, None]


def finite_lengths(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Finite numbers of at least 0."""
    if array.dtype == np.float16:
        bits = array.view(np.uint16)
        return (bits < _INFINITE) | (bits == _MINUS_ZERO)
    return np.isfinite(array) & (array >= 0)


def zero_or_one(array: NDArray[Any]) -> NDArray[np.bool_]:
    """The values 0 and 1."""
    return array <= 1


def not_infinite(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Finite numbers, and NaN for what is not known."""
    return ~np.isinf(array)


def lengths_if_known(array: NDArray[Any]) -> NDArray[np.bool_]:
    """Finite numbers of at least 0, and NaN for what is not known."""
    return np.isnan(array) | (np.isfinite(array) & (array >= 0))
