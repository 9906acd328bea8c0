"""Data for the page as classic scripts. A page that is opened from disk may load scripts, but may not fetch files."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray


def script(name: str, data: Any) -> bytes:
    """The script that hands data to the page under a name. data: JSON; numbers that are not finite are refused."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return f"gallery.take({json.dumps(name)},{text});\n".encode()


def encoded(data: bytes) -> str:
    """Bytes in base64."""
    return base64.b64encode(data).decode("ascii")


def packed(data: bytes) -> str:
    """Bytes in base64, as a zlib stream; a browser inflates it with `DecompressionStream("deflate")`."""
    return encoded(isal_zlib.compress(data, 1))


def column(values: NDArray[Any]) -> dict[str, str]:
    """Numbers as the page takes them: their type as numpy writes it, and their bytes, little endian, packed."""
    return {"type": values.dtype.str[1:], "data": packed(np.ascontiguousarray(values).tobytes())}
