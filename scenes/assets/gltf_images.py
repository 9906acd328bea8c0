"""The pictures of a glTF file, taken out of it and checked."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from PIL import Image

from scenes.assets.gltf import Buffers, Tree, as_dict, as_list

_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}
_UNREAD = {b"\xabKTX 20\xbb": "KTX2", b"\xabKTX 11\xbb": "KTX", b"DDS ": "DDS"}


class Images:
    """Saves each picture that is asked for into `scratch`. lost: takes a line for each that is missing or unusable."""

    def __init__(self, tree: Tree, buffers: Buffers, found: Mapping[str, Path], scratch: Path, lost: list[str]):
        self._images = as_list(tree.get("images"))
        self._buffers, self._found, self._scratch, self._lost = buffers, found, scratch, lost
        self._kept: dict[Any, Path | None] = {}

    def __call__(self, number: Any) -> Path | None:
        """The file of an image, or None if it cannot be drawn."""
        if not isinstance(number, int) or not 0 <= number < len(self._images):
            self._lost.append("a map names a picture that is not there")
            return None
        if number not in self._kept:
            self._kept[number] = self._saved(number, as_dict(self._images[number]))
        return self._kept[number]

    def _saved(self, number: int, image: Tree) -> Path | None:
        uri = image.get("uri")
        outside = isinstance(uri, str) and not uri.startswith("data:")
        name = unquote(uri)[:80] if outside else str(image.get("name") or f"picture {number}")[:80]  # type: ignore[arg-type]
        if outside and unquote(uri) not in self._found:  # type: ignore[arg-type]
            self._lost.append(f"'{name}' is missing")
            return None
        try:
            data = self._buffers.bytes_of(uri) if isinstance(uri, str) else self._buffers.view(image["bufferView"])
            return self._checked(data)
        # A decoder raises any kind of exception for a broken picture.
        except Exception as error:
            self._lost.append(f"'{name}' {_reason(error)}")
            return None

    def _checked(self, data: bytes) -> Path:
        """Save a picture as it is if Blender reads its format, else as PNG."""
        unread = next((format for start, format in _UNREAD.items() if data.startswith(start)), None)
        if unread:
            raise _Refused(f"is {unread}, which is not read")
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data))
            picture.load()
        suffix = _SUFFIXES.get(picture.format or "")
        path = self._scratch / f"map{len(list(self._scratch.iterdir()))}{suffix or '.png'}"
        if suffix:
            path.write_bytes(data)
        else:
            picture.convert("RGBA" if "A" in picture.getbands() else "RGB").save(path)
        return path


class _Refused(Exception):
    """A picture that is left out; the message says why."""


def _reason(error: Exception) -> str:
    if isinstance(error, _Refused):
        return str(error)
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"is left out: it has more than {(Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} million pixels"
    return "cannot be read"
