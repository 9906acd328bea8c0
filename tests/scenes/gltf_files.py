"""Builds small glTF files for tests."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
CORNERS = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
_KINDS = {np.dtype(np.float32): 5126, np.dtype(np.uint16): 5123, np.dtype(np.uint8): 5121}
_SHAPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class Builder:
    """A glTF tree with its buffer. `tree` can be changed before it is written."""

    def __init__(self) -> None:
        self.tree: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "accessors": [],
            "bufferViews": [],
            "scene": 0,
            "scenes": [{"nodes": [0]}],
        }
        self._data = b""

    def view(self, data: bytes) -> int:
        self.tree["bufferViews"].append({"buffer": 0, "byteOffset": len(self._data), "byteLength": len(data)})
        self._data += data + b"\0" * (-len(data) % 4)
        return len(self.tree["bufferViews"]) - 1

    def accessor(self, values: np.ndarray, **more: Any) -> int:
        wide = 1 if values.ndim == 1 else int(np.prod(values.shape[1:]))
        row = {"bufferView": self.view(values.tobytes()), "componentType": _KINDS[values.dtype], "count": len(values)}
        self.tree["accessors"].append({**row, "type": _SHAPES[wide], **more})
        return len(self.tree["accessors"]) - 1

    def square(self, **attributes: np.ndarray) -> dict[str, Any]:
        """A primitive: the unit square with UVs, and more attributes."""
        arrays = {"POSITION": SQUARE, "TEXCOORD_0": CORNERS, **attributes}
        indices = self.accessor(np.array([0, 1, 2, 0, 2, 3], np.uint16))
        return {"attributes": {name: self.accessor(array) for name, array in arrays.items()}, "indices": indices}

    def image(self, color: tuple[int, ...] = (10, 200, 10), size: tuple[int, int] = (4, 4), **more: Any) -> int:
        """A texture of one color. Returns its number."""
        data = io.BytesIO()
        Image.new("RGB" if len(color) == 3 else "RGBA", size, color).save(data, "PNG")
        return self.texture(
            {"bufferView": self.view(data.getvalue()), "mimeType": "image/png", "name": "paint"}, **more
        )

    def texture(self, image: dict[str, Any], **more: Any) -> int:
        self.tree.setdefault("images", []).append(image)
        self.tree.setdefault("textures", []).append({"source": len(self.tree["images"]) - 1, **more})
        return len(self.tree["textures"]) - 1

    def of(self, material: dict[str, Any] | None = None, **attributes: np.ndarray) -> Builder:
        """One square in one node, with a material."""
        primitive = self.square(**attributes)
        if material is not None:
            self.tree["materials"] = [material]
            primitive["material"] = 0
        self.tree["meshes"] = [{"primitives": [primitive]}]
        self.tree["nodes"] = [{"mesh": 0}]
        return self

    def write(self, path: Path) -> Path:
        """The file, .glb or .gltf with the buffer beside it."""
        if path.suffix == ".gltf":
            path.with_suffix(".bin").write_bytes(self._data)
            self.tree["buffers"] = [{"uri": path.with_suffix(".bin").name, "byteLength": len(self._data)}]
            path.write_text(json.dumps(self.tree))
            return path
        self.tree["buffers"] = [{"byteLength": len(self._data)}]
        text = json.dumps(self.tree).encode()
        text += b" " * (-len(text) % 4)
        total = 12 + 8 + len(text) + 8 + len(self._data)
        head = struct.pack("<4sIIII", b"glTF", 2, total, len(text), 0x4E4F534A)
        path.write_bytes(head + text + struct.pack("<I4s", len(self._data), b"BIN\0") + self._data)
        return path
