"""The pictures inside or beside model files. They pass the judge of the image gate, in the process that reads the
model, which has limits too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from scenes.assets.image_files import first_bytes, opened
from scenes.assets.image_judge import judge
from scenes.errors import LoadError

_STARTS = {
    b"\x89PNG": ".png",
    b"\xff\xd8\xff": ".jpg",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    b"BM": ".bmp",
    b"RIFF": ".webp",
    b"v/1\x01": ".exr",
    b"#?": ".hdr",
}
_UNREAD = {b"\xabKTX 20\xbb": "KTX2", b"\xabKTX 11\xbb": "KTX", b"DDS ": "DDS"}


class Maps:
    """Keeps the pictures of one model file in `scratch`. lost: takes a line for each that cannot be drawn."""

    def __init__(self, scratch: Path, lost: list[str]):
        self._scratch, self.lost = scratch, lost
        self._kept: dict[Path, Path | None] = {}

    def beside(self, name: str, path: Path | None) -> Path | None:
        """A picture in a file of its own, or None if it is missing or cannot be drawn."""
        if path is None:
            self.lost.append(f"'{name}' is missing")
            return None
        if path not in self._kept:
            try:
                first_bytes(path)
                self._kept[path] = self.inside(name, path.read_bytes())
            except (LoadError, OSError) as error:
                self.lost.append(f"'{name}' {error}")
                self._kept[path] = None
        return self._kept[path]

    def inside(self, name: str, data: bytes) -> Path | None:
        """A picture in the model file, or None if it cannot be drawn."""
        path = self._new("")
        path.write_bytes(data)
        try:
            unread = next((format for start, format in _UNREAD.items() if data.startswith(start)), None)
            if unread:
                raise LoadError(f"is {unread}, which is not read: convert it to PNG")
            plain = judge(path, "model", str(path))
        except LoadError as error:
            path.unlink()
            self.lost.append(f"'{name}' {error}")
            return None
        if plain:
            path.unlink()
            return Path(plain)
        suffix = next((suffix for start, suffix in _STARTS.items() if data.startswith(start)), ".png")
        return path.rename(path.with_suffix(suffix))

    def opacity(self, picture: Path, sources: Sequence[str] = ("alpha",)) -> Path | None:
        """The opacity in a kept picture, as a gray PNG file; None if it is opaque everywhere.

        sources: where it may be, "alpha" or "brightness"; the first that is not opaque everywhere counts.
        """
        try:
            with opened(picture) as image:
                grays = (_alpha(image) if source == "alpha" else _brightness(image) for source in sources)
                gray = next((gray for gray in grays if gray.getextrema() != (255, 255)), None)
        except LoadError as error:
            self.lost.append(f"an opacity map {error}")
            return None
        if gray is None:
            return None
        path = self._new(".png")
        gray.save(path)
        return path

    def _new(self, suffix: str) -> Path:
        return self._scratch / f"map{len(list(self._scratch.iterdir()))}{suffix}"


def _alpha(image: Image.Image) -> Image.Image:
    return image.convert("RGBA").getchannel("A")


def _brightness(image: Image.Image) -> Image.Image:
    # Pillow cuts numbers of 16 bits off at 255 when it converts them.
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    return image.convert("RGB").convert("L")
