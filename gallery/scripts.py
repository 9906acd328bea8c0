"""Data for the page as classic scripts. A page that is opened from disk may load scripts, but may not fetch files."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any, NewType

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

Json = NewType("Json", str)
"""JSON text. Nearly all of a page is such text; it is put together without another look at it."""

_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def script(name: str, data: Json) -> bytes:
    """The script that hands data to the page under a name."""
    return f"gallery.take({written(name)},{data});\n".encode()


def written(data: Any) -> Json:
    """Data as JSON. Raises ValueError for numbers that are not finite."""
    return Json(_ENCODER.encode(data))


def listed(items: Iterable[Json]) -> Json:
    """A list of items."""
    return Json(f"[{','.join(items)}]")


def encoded(data: bytes) -> Json:
    """Bytes in base64."""
    return Json(f'"{base64.b64encode(data).decode("ascii")}"')


def packed(data: bytes) -> Json:
    """Bytes in base64, as a zlib stream; a browser inflates it with `DecompressionStream("deflate")`."""
    return encoded(isal_zlib.compress(data, 1))


def column(values: NDArray[Any]) -> Json:
    """Numbers as the page takes them: their type as numpy writes it, and their bytes, little endian, packed."""
    return Json(f'{{"type":"{values.dtype.str[1:]}","data":{packed(np.ascontiguousarray(values).tobytes())}}}')
