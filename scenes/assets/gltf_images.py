"""The pictures of a glTF file, taken out of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from scenes.assets.gltf import Buffers, Tree, as_dict, as_list
from scenes.assets.model_maps import Maps

# What is raised for an address or a buffer view that is no such thing.
_DAMAGE = (LookupError, TypeError, ValueError, OSError)


class Images:
    """Hands each picture that is asked for to `maps`."""

    def __init__(self, tree: Tree, buffers: Buffers, found: Mapping[str, Path], maps: Maps):
        self._images = as_list(tree.get("images"))
        self._buffers, self._found, self._maps = buffers, found, maps
        self._kept: dict[Any, Path | None] = {}

    def __call__(self, number: Any) -> Path | None:
        """The file of an image, or None if it cannot be drawn."""
        if not isinstance(number, int) or not 0 <= number < len(self._images):
            self._maps.lost.append("a map names a picture that is not there")
            return None
        if number not in self._kept:
            self._kept[number] = self._saved(number, as_dict(self._images[number]))
        return self._kept[number]

    def _saved(self, number: int, image: Tree) -> Path | None:
        uri = image.get("uri")
        if isinstance(uri, str) and not uri.startswith("data:"):
            return self._maps.beside(unquote(uri)[:80], self._found.get(unquote(uri)))
        name = str(image.get("name") or f"picture {number}")[:80]
        try:
            data = self._buffers.bytes_of(uri) if isinstance(uri, str) else self._buffers.view(image["bufferView"])
        except _DAMAGE:
            self._maps.lost.append(f"'{name}' cannot be read")
            return None
        return self._maps.inside(name, data)
