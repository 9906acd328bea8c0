"""The process in which image files are decoded on trial: `python -m scenes.assets.image_judge`.

`scenes.assets.image_gate` asks it through `scenes.assets.reader`. A request has the arguments of `judge`.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from scenes.assets.image_files import is_light, is_transparent, opened, read_light, read_picture
from scenes.assets.reader import serve
from scenes.errors import LoadError
from scenes.files import replacing

# Smallest side in pixels of a photograph that is drawn on.
_SMALLEST = 16
# What Blender reads right, by Pillow's name of the format.
_MODES = {
    "PNG": {"1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16"},
    "JPEG": {"L", "RGB"},
    "MPO": {"RGB"},
    "WEBP": {"RGB", "RGBA"},
    "TIFF": {"L", "RGB", "RGBA", "I;16", "I;16B", "F"},
    "BMP": {"L", "RGB", "RGBA"},
}
_ORIENTATION = 0x0112


def judge(path: Path, use: str, plain: str) -> str:
    """Decode a file whole. Returns the name of the file written in its place, or an empty string if it needs none.

    use: as in `scenes.assets.image_gate`, or "model" for the maps of model files, which no viewer turns upright.
    plain: path without suffix for a file that says the same in a way that Blender reads right. Raises LoadError if the
    file cannot be used.
    """
    if use == "light" or (use in ("map", "model") and is_light(path)):
        return _light(path, plain)
    if use in ("photo", "surface"):
        _photo(path, _SMALLEST if use == "surface" else 1)
        return ""
    return _map(path, plain, upright=use == "map")


def _light(path: Path, plain: str) -> str:
    # Imported here, because most processes judge photographs.
    import OpenEXR

    from scenes.assets.exr import read_exr

    pixels = read_light(path)
    with path.open("rb") as file:
        if file.read(2) == b"#?" or read_exr(path)[1]:
            return ""

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with replacing(Path(f"{plain}.exr")) as temporary:
        OpenEXR.File(header, {"RGB": pixels}).write(str(temporary))
    return f"{plain}.exr"


def _photo(path: Path, smallest: int) -> None:
    with opened(path) as image:
        if min(image.size) < smallest:
            width, height = image.size
            raise LoadError(f"has {width} x {height} pixels; each side needs at least {smallest}")
        if not is_transparent(image):
            _decode(image, path)
            return
    read_picture(path)


def _map(path: Path, plain: str, upright: bool) -> str:
    with opened(path) as image:
        several = image.format != "MPO" and getattr(image, "n_frames", 1) > 1
        turned = upright and image.getexif().get(_ORIENTATION, 1) != 1
        if not several and not turned and image.mode in _MODES.get(image.format or "", ()):
            _decode(image, path)
            return ""
        picture: Image.Image = ImageOps.exif_transpose(image) if upright else image.copy()
        if picture.mode.startswith("I;16") or picture.mode == "I":
            picture = Image.fromarray(np.asarray(picture).astype(np.uint16))
        elif picture.mode not in ("L", "RGB", "RGBA"):
            picture = picture.convert("RGBA" if is_transparent(picture) else "RGB")
    # The color profile and the orientation are those of the old file.
    picture.info.clear()
    with replacing(Path(f"{plain}.png")) as temporary:
        picture.save(temporary, "PNG", compress_level=1)
    return f"{plain}.png"


def _decode(image: Image.Image, path: Path) -> None:
    # At an eighth of its size a JPEG file is still read to its end, in less time.
    image.draft(image.mode, (image.width // 8, image.height // 8))
    image.load()
    if image.format in ("JPEG", "MPO"):
        _hear_jpeg(path)


def _hear_jpeg(path: Path) -> None:
    """Raise LoadError for a JPEG file without its end, even if it was closed in order. Decoders fill what is missing
    with gray. Pillow does not tell; OpenCV lets the decoder write a warning to standard error."""
    import cv2

    before = os.dup(2)
    with tempfile.TemporaryFile() as words:
        os.dup2(words.fileno(), 2)
        try:
            cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_8)
        finally:
            os.dup2(before, 2)
            os.close(before)
        heard = os.pread(words.fileno(), 4000, 0).decode(errors="replace").lower()
    if "premature end" in heard or "bad huffman" in heard:
        raise LoadError("is cut off or damaged: a part of its pixels is missing")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    serve(lambda request: judge(*request))
