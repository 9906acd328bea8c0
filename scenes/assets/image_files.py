"""Reads image files of any kind within limits. Whatever is wrong with a file is a LoadError of one line.

The header is judged before a pixel is decoded, so a file cannot ask for more memory than the limits allow. The kind of
a file is told by its content, not by its name.
"""

from __future__ import annotations

import contextlib
import re
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from scenes.errors import LoadError
from scenes.files import POINTER, POINTER_START

Picture = NDArray[np.uint8]
Light = NDArray[np.float32]

MAX_BYTES = 1 << 30
MAX_PIXELS = 1 << 27
"""As many as 16384 x 8192."""
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "TGA")
"""Pillow's names of the formats that are read. Others, such as EPS, would start programs. A TGA file has no mark by
which it is known, so it comes last."""
IMAGE_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".tga",
)  # fmt: skip
"""Of the names of picture files, in lower case."""

# What is wrong with a file is told once, in words of ours. Pillow would add lines about damage that does no harm.
for _category in (UserWarning, Image.DecompressionBombWarning):
    warnings.filterwarnings("ignore", category=_category, module=r"PIL\.")

# Photographs with longer sides (pixels) are read at a reduced size.
_LARGEST = 4096
FAULTS = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error,
          zlib.error, MemoryError)  # fmt: skip
"""What Pillow's decoders raise for damaged files."""
_EXR, _RADIANCE = b"v/1\x01", b"#?"
_IS_LIGHT = "is a high dynamic range picture: convert it to JPEG or PNG"
_RESOLUTION = re.compile(rb"\n\n([-+][XY]) (\d+) ([-+][XY]) (\d+)\n")


def is_light(path: Path) -> bool:
    """Whether a file holds linear light: OpenEXR or Radiance. Raises LoadError if it cannot be read."""
    return first_bytes(path).startswith((_EXR, _RADIANCE))


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A picture whose header is right. Whatever fails while it is decoded in the block is a LoadError, too."""
    if is_light(path):
        raise LoadError(_IS_LIGHT)
    with _opened(path) as image:
        yield image


@contextlib.contextmanager
def opened_bytes(content: bytes) -> Iterator[Image.Image]:
    """The same for the content of a file."""
    if content.startswith((_EXR, _RADIANCE)):
        raise LoadError(_IS_LIGHT)
    with _opened(BytesIO(content)) as image:
        yield image


@contextlib.contextmanager
def _opened(file: Path | BytesIO) -> Iterator[Image.Image]:
    try:
        with Image.open(file, formats=FORMATS) as image:
            check_size(*image.size)
            yield image
    except LoadError:
        raise
    except UnidentifiedImageError:
        raise LoadError("is not a picture of a known format (PNG, JPEG, WebP, TIFF, BMP, GIF, PPM, TGA)") from None
    except Image.DecompressionBombError:
        # Pillow's own limit comes first. It is higher.
        raise LoadError(f"has more than {MAX_PIXELS >> 20} Mi pixels: reduce it") from None
    except FAULTS as error:
        raise LoadError(f"cannot be decoded: {fault(error)}") from None


def check_size(width: int, height: int) -> None:
    """Raise LoadError for a picture that is empty or larger than MAX_PIXELS."""
    if width < 1 or height < 1 or width * height > MAX_PIXELS:
        raise LoadError(f"has {width} x {height} pixels, the limit is {MAX_PIXELS >> 20} Mi pixels: reduce it")


def read_picture(path: Path) -> Picture:
    """Read a picture file of any mode as (H, W, 3) uint8 sRGB, upright as its EXIF orientation says.

    16-bit pictures are scaled down, and CMYK is converted. Transparent parts get the mean color of the opaque parts.
    Of an animation it is the first picture. Raises LoadError if the file cannot be decoded or is fully transparent.
    """
    with opened(path) as file:
        shrink = max(file.size) // _LARGEST
        if shrink > 1:
            file.draft("RGB", (file.width // shrink, file.height // shrink))
        image: Image.Image = ImageOps.exif_transpose(file)
        if image.mode in ("I", "F") or image.mode.startswith("I;16"):
            image = Image.fromarray(_eight_bit(np.asarray(image, dtype=np.float32)))
        if max(image.size) > 2 * _LARGEST:
            image = image.reduce(max(image.size) // _LARGEST)
        if is_transparent(image):
            return _filled(np.asarray(image.convert("RGBA")))
        return np.asarray(image.convert("RGB"))


def is_transparent(image: Image.Image) -> bool:
    """Whether some pixels of a picture may be transparent."""
    return image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info


def read_light(path: Path) -> Light:
    """Read an OpenEXR or Radiance file as (H, W, 3) float32 linear light. Raises LoadError."""
    start = first_bytes(path)
    if start.startswith(_EXR):
        # Imported here: most processes that read pictures never read light.
        from scenes.assets.exr import read_exr

        pixels = read_exr(path)[0]
    elif start.startswith(_RADIANCE):
        pixels = _read_radiance(path)
    else:
        raise LoadError("is not a high dynamic range picture: an environment map is a .hdr or .exr file")
    if not np.isfinite(pixels).all():
        raise LoadError(f"has {np.count_nonzero(~np.isfinite(pixels))} values that are no finite numbers")
    return pixels


def _read_radiance(path: Path) -> Light:
    import cv2

    with path.open("rb") as file:
        found = _RESOLUTION.search(file.read(1 << 16))
    if found is None:
        raise LoadError("is not a Radiance picture: its header has no resolution")
    (first, height, second, width) = found.groups()
    if (first, second) != (b"-Y", b"+X"):
        raise LoadError("is a Radiance picture that is turned or mirrored: save it with the resolution -Y … +X …")
    check_size(int(width), int(height))
    loaded = cv2.imread(str(path), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_COLOR)
    if loaded is None:
        raise LoadError("cannot be decoded: a Radiance picture that is cut off or damaged")
    return np.ascontiguousarray(loaded[..., ::-1], dtype=np.float32)


def first_bytes(path: Path) -> bytes:
    """The first bytes of a file that may be read. Raises LoadError for one that is empty, too large or no file."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise LoadError("is not a file")
        if found.st_size == 0:
            raise LoadError("is empty")
        if found.st_size > MAX_BYTES:
            raise LoadError(f"has {found.st_size >> 20} MiB, the limit is {MAX_BYTES >> 20}")
        with path.open("rb") as file:
            start = file.read(len(POINTER_START))
    except OSError as error:
        raise LoadError(f"cannot be read: {error.strerror or error}") from None
    if start == POINTER_START:
        raise LoadError(POINTER)
    return start


def _eight_bit(values: NDArray[np.float32]) -> Picture:
    """Convert integers of 8 or 16 bits, or floats up to 1, to 8 bits."""
    top = float(values.max(initial=0))
    full = 1.0 if top <= 1 else 255.0 if top <= 255 else 65535.0
    return np.clip(values * (255.0 / full) + 0.5, 0, 255).astype(np.uint8)


def _filled(rgba: Picture) -> Picture:
    opacity = rgba[..., 3:].astype(np.float32) / 255
    if not opacity.any():
        raise LoadError("is fully transparent")
    mean = (rgba[..., :3] * opacity).sum(axis=(0, 1)) / opacity.sum()
    return np.clip(rgba[..., :3] * opacity + mean * (1 - opacity) + 0.5, 0, 255).astype(np.uint8)


def fault(error: BaseException) -> str:
    """What a decoder says of a file, on one line."""
    said = " ".join(str(error).split()) or type(error).__name__
    return "it is damaged, or compressed in a way that is not known" if said.startswith("decoder error") else said[:160]
