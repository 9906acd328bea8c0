"""Finds photographs and style references in folders, and reads them as 8-bit RGB."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from render.composite.texture_synthesis import continued
from scenes.assets.texture_sets import find_texture_sets
from scenes.errors import InputError
from scenes.streams import Streams

Picture = NDArray[np.uint8]

_SMALLEST = 16
# Photographs with longer sides (pixels) are read at a reduced size.
_LARGEST = 4096
_MEMORY = 512 << 20
_HDR = (".exr", ".hdr")


class Photographs:
    """Photographs by asset id, which is the path below their folder. The last used ones stay decoded.

    paths: file by asset id.
    """

    def __init__(self, paths: Mapping[str, Path]):
        self.paths = dict(paths)
        self._kept: OrderedDict[tuple[str, int], Picture] = OrderedDict()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.paths)

    def checksums(self) -> dict[str, str]:
        """sha256 of each file, by asset id."""
        return {name: _sha256(path) for name, path in self.paths.items()}

    def picture(self, name: str) -> Picture:
        """Read a picture as (H, W, 3) uint8 sRGB. Raises InputError if the file can no longer be read."""
        return self._remembered((name, 0), lambda: self._read(name))

    def continued(self, name: str, side: int) -> Picture:
        """(H, W, 3) uint8 sRGB: the picture enlarged by `texture_synthesis.continued`, with the same result each time.

        Raises InputError as `picture` does.
        """

        def made() -> Picture:
            # The random numbers depend only on the name, not on earlier pictures.
            return continued(self.picture(name), side, Streams(0, side).generator(name))

        return self._remembered((name, side), made)

    def _read(self, name: str) -> Picture:
        try:
            return read_picture(self.paths[name])
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise InputError(f"{self.paths[name]}: can no longer be read: {error}") from error

    def _remembered(self, key: tuple[str, int], make: Callable[[], Picture]) -> Picture:
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
            while len(self._kept) > 1 and sum(one.nbytes for one in self._kept.values()) > _MEMORY:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found


def find_photographs(field: str, folders: Iterable[Path]) -> tuple[Photographs, dict[str, str]]:
    """Find the pictures in folders and their subfolders; returns also the rejected files, with the reason for each.

    A scanned texture set counts as one picture, its color map. Raises InputError if a folder does not exist or contains
    no usable picture.
    """
    found: dict[str, Path] = {}
    rejected: dict[str, str] = {}
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"field {field}: {folder} is not a folder")
        before = len(found)
        sets, faulty = find_texture_sets(folder)
        reasons = {str(path): reason for path, reason in faulty.items()}
        for one in sets:
            path = one.maps["color"]
            reason = _fault(path)
            if reason:
                reasons[str(path)] = reason
            else:
                found[_free(f"{folder.resolve().name}/{one.name}", found)] = path
        rejected |= reasons
        if len(found) == before:
            why = f": {next(iter(reasons))} {next(iter(reasons.values()))}" if reasons else ""
            raise InputError(f"field {field}: {folder} contains no usable picture{why}")
    return Photographs(found), rejected


def read_picture(path: Path) -> Picture:
    """Read a picture file of any mode as (H, W, 3) uint8 sRGB.

    16-bit pictures are scaled down, and CMYK is converted. Transparent parts get the mean color of the opaque parts.
    Raises OSError, ValueError or SyntaxError if the file cannot be decoded or is fully transparent.
    """
    with Image.open(path) as file:
        shrink = max(file.size) // _LARGEST
        if shrink > 1:
            file.draft("RGB", (file.width // shrink, file.height // shrink))
        image: Image.Image = ImageOps.exif_transpose(file)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = Image.fromarray(_eight_bit(np.asarray(image, dtype=np.float32)))
    if max(image.size) > 2 * _LARGEST:
        image = image.reduce(max(image.size) // _LARGEST)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        return _filled(np.asarray(image.convert("RGBA")))
    return np.asarray(image.convert("RGB"))


def _eight_bit(values: NDArray[np.float32]) -> Picture:
    """Convert integers of 8 or 16 bits, or floats up to 1, to 8 bits."""
    top = float(values.max(initial=0))
    full = 1.0 if top <= 1 else 255.0 if top <= 255 else 65535.0
    return np.clip(values * (255.0 / full) + 0.5, 0, 255).astype(np.uint8)


def _filled(rgba: Picture) -> Picture:
    opacity = rgba[..., 3:].astype(np.float32) / 255
    if not opacity.any():
        raise ValueError("is fully transparent")
    mean = (rgba[..., :3] * opacity).sum(axis=(0, 1)) / opacity.sum()
    return np.clip(rgba[..., :3] * opacity + mean * (1 - opacity) + 0.5, 0, 255).astype(np.uint8)


def _fault(path: Path) -> str:
    if path.suffix.lower() in _HDR:
        return "is a high dynamic range picture: convert it to JPEG or PNG"
    with Image.open(path) as image:
        width, height = image.size
        transparent = "A" in image.getbands() or "transparency" in image.info
    if min(width, height) < _SMALLEST:
        return f"has {width} x {height} pixels; each side needs at least {_SMALLEST}"
    if transparent:
        try:
            read_picture(path)
        except ValueError as error:
            return str(error)
    return ""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _free(name: str, taken: Mapping[str, object]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}~{number}", number + 1
    return free
