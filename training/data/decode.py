"""Decode picture files to pixels, with the same resizing as torchvision's `Resize` on a PIL image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scenes.assets.image_files import opened, opened_bytes
from scenes.errors import InputError, LoadError

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
_LONGEST = 50


def decoded(path: Path, short: int | None = None) -> NDArray[np.uint8]:
    """Decode a file to (h, w, 3) uint8 sRGB, rotated by its EXIF orientation.

    short: pixels to which the short side is resized; None to keep the size. Transparency is dropped, and 16 bits become
    8. A JPEG of more than twice the requested size is first decoded at 1/2, 1/4 or 1/8 of its size, but never below
    twice the requested size. All other pictures have exactly Pillow's antialiased bilinear pixels. Raises InputError
    if the file is missing or damaged.
    """
    if not path.is_file():  # a link to nothing, or a pipe, on which reading would wait forever
        raise InputError(f"{path}: no such picture")
    try:
        with opened(path) as image:
            return np.asarray(_upright(image, short))
    except LoadError as error:
        raise InputError(f"{path}: {error}; repair or delete the file") from error


def decoded_bytes(content: bytes, where: str, short: int | None = None) -> NDArray[np.uint8]:
    """The same for the content of a file. where: for messages."""
    try:
        with opened_bytes(content) as image:
            return np.asarray(_upright(image, short))
    except LoadError as error:
        raise InputError(f"{where}: {error}; repair or leave out the picture") from error


def resized(picture: NDArray[np.uint8], short: int | None) -> NDArray[np.uint8]:
    """Resize a picture (h, w, 3) so that its short side has `short` pixels, as in `decoded`."""
    height, width = picture.shape[:2]
    if short is None or (size := _sides(width, height, short)) == (width, height):
        return picture
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))


def _upright(image: Image.Image, short: int | None) -> Image.Image:
    size = _sides(*image.size, short) if short else image.size
    drafted = image.draft(None, (2 * short, 2 * short)) if short else None
    # The box is the exact size of the picture after drafting. It may end inside the last pixel.
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
    """Width and height with a short side of `short` pixels, rounded as in torchvision's Resize."""
    if max(width, height) > _LONGEST * min(width, height):
        raise ValueError(f"{width} x {height} pixels are too long and thin")
    if width <= height:
        return short, int(short * height / width)
    return int(short * width / height), short
