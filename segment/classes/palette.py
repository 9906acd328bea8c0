"""Colors of classes: pictures with a palette, and overlays for the eye."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from render.false_color import id_colors
from segment.ignored import IGNORED

Ids = NDArray[np.uint8]


def colors(ids: Ids) -> NDArray[np.uint8]:
    """Color (h, w) classes as (h, w, 3): class 0 is black, and pixels that count nowhere are white."""
    return _table()[ids]


def overlay(rgb: NDArray[np.uint8], ids: Ids) -> NDArray[np.uint8]:
    """The picture (h, w, 3) under the colors of its classes (h, w). Class 0 leaves it as it is."""
    mixed = (rgb.astype(np.uint16) + colors(ids)) // 2
    return np.where((ids > 0)[..., None], mixed, rgb).astype(np.uint8)


def indexed_png(ids: Ids) -> bytes:
    """A PNG of (h, w) classes whose values are their numbers, and whose palette has the colors of `colors`."""
    image = Image.fromarray(ids)
    image.putpalette(_table().tobytes())
    with BytesIO() as file:
        image.save(file, "PNG")
        return file.getvalue()


def _table() -> NDArray[np.uint8]:
    table = id_colors(np.arange(256)[None])[0]
    table[IGNORED] = 255
    return table
