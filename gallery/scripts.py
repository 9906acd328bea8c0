"""Data for the page as classic scripts. A page that is opened from disk may load scripts, but may not fetch files."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray


class Base64(str):
    """Text that JSON need not escape. Nearly all of a page is such text, and looking for escapes took a third of it."""


def script(name: str, data: Any) -> bytes:
    """The script that hands data to the page under a name. data: JSON; numbers that are not finite are refused."""
    return f"gallery.take({json.dumps(name)},{_text(data)});\n".encode()


def _text(data: Any) -> str:
    if isinstance(data, Base64):
        return f'"{data}"'
    if isinstance(data, list) and any(isinstance(each, Base64 | list) for each in data):
        return f"[{','.join(map(_text, data))}]"
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def encoded(data: bytes) -> Base64:
    """Bytes in base64."""
    return Base64(base64.b64encode(data), "ascii")


def packed(data: bytes) -> Base64:
    """Bytes in base64, as a zlib stream; a browser inflates it with `DecompressionStream("deflate")`."""
    return encoded(isal_zlib.compress(data, 1))


def column(values: NDArray[Any]) -> dict[str, str]:
    """Numbers as the page takes them: their type as numpy writes it, and their bytes, little endian, packed."""
    return {"type": values.dtype.str[1:], "data": packed(np.ascontiguousarray(values).tobytes())}
