"""From a picture's file to its pixels, the way torchvision's `Resize` on a PIL image makes them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from scenes.errors import InputError

EXTENSIONS = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
"""What counts as a picture's file, in lower case."""

# What Pillow raises for damaged files, depending on format and damage.
_FAULTS = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error,
           zlib.error, Image.DecompressionBombError)  # fmt: skip
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
_LONGEST = 50


def decoded(path: Path, short: int | None = None) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 sRGB of a file, upright by its EXIF, its short side resized to `short` pixels (None: as it is).

    Transparency is dropped, 16 bits become 8. A JPEG of more than twice the size asked for is decoded at a half, a
    quarter or an eighth of its size (never below twice that asked for) before it is resized; all others give Pillow's
    antialiased bilinear pixels exactly. Raises InputError where the file is missing or no whole picture.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(_upright(image, short))
    except FileNotFoundError:
        raise InputError(f"{path}: no such picture") from None
    except _FAULTS as error:
        reason = "not a picture of a known format" if isinstance(error, UnidentifiedImageError) else error
        raise InputError(f"{path}: cannot be decoded: {reason}; mend or delete the file") from error


def resized(picture: NDArray[np.uint8], short: int | None) -> NDArray[np.uint8]:
    """A picture (h, w, 3) with its short side at `short` pixels, like `decoded`."""
    height, width = picture.shape[:2]
    if short is None or (size := _sides(width, height, short)) == (width, height):
        return picture
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))


def _upright(image: Image.Image, short: int | None) -> Image.Image:
    size = _sides(*image.size, short) if short else image.size
    drafted = image.draft(None, (2 * short, 2 * short)) if short else None
    # What the decoder left out of the last pixels is said by the box: it may end within one.
    box = drafted[1] if drafted else None
    picture = _rgb(image)
    if size != picture.size:
        picture = picture.resize(size, Image.Resampling.BILINEAR, box)
    turned = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    return picture if turned is None else picture.transpose(turned)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "I" or image.mode.startswith("I;16"):
        gray = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255)
        return Image.fromarray(gray.astype(np.uint8)).convert("RGB")
    if "transparency" in image.info and image.mode == "P":
        image = image.convert("RGBA")
    return image.convert("RGB")


def _sides(width: int, height: int, short: int) -> tuple[int, int]:
    """Width and height with the short side at `short`, rounded as torchvision's Resize does."""
    if max(width, height) > _LONGEST * min(width, height):
        raise ValueError(f"{width} x {height} pixels are too long and thin")
    if width <= height:
        return short, int(short * height / width)
    return int(short * width / height), short
