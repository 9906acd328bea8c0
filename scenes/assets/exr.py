"""Reads the colors of OpenEXR files: any compression, tiles, parts, layers, luminance and chroma, windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray

from scenes.assets.image_files import FAULTS, Light, check_size, fault
from scenes.errors import LoadError

# Layers that hold the finished picture have such names.
_FINISHED = ("combined", "beauty", "rgba", "rgb", "color")
# The corners of a window, (x, y): the last pixel belongs to it.
_Window = tuple[NDArray[np.integer], NDArray[np.integer]]
# The primaries and the white of Rec. ITU-R BT.709, (x, y) each. A file that names none has these.
_REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)


def read_exr(path: Path) -> tuple[Light, bool]:
    """(H, W, 3) float32 of the color channels of an OpenEXR file, and whether they are all that it has.

    Colors are the channels R, G and B of the first part that has them. Where there are only layers, it is the layer
    whose name says that it is the finished picture, or the first. Y, RY and BY are luminance and chroma. A lone channel
    is gray. The picture is the display window; it is black where the file has no pixels. Raises LoadError.
    """
    try:
        for part in OpenEXR.File(str(path), header_only=True).parts:
            for name in ("dataWindow", "displayWindow"):
                low, high = part.header[name]
                check_size(*(int(b) - int(a) + 1 for a, b in zip(low, high, strict=True)))
            if part.type() not in (OpenEXR.scanlineimage, OpenEXR.tiledimage):
                raise LoadError("is a deep OpenEXR file: flatten it")
            if part.header.get("envmap") == OpenEXR.ENVMAP_CUBE:
                raise LoadError("is a cube map: save the environment by latitude and longitude, twice as wide as high")
        file = OpenEXR.File(str(path), separate_channels=True)
        parts = [{name: one for name, one in part.channels.items() if one.pixels is not None} for part in file.parts]
    except LoadError:
        raise
    # OpenEXR reports damage as a RuntimeError.
    except (RuntimeError, *FAULTS) as error:
        raise LoadError(f"cannot be decoded: {fault(error)}") from None
    number, names = _colors(parts)
    header, channels = file.parts[number].header, parts[number]
    if names == ["Y", "RY", "BY"]:
        y, ry, by = (np.asarray(channels[name].pixels, dtype=np.float32) for name in names)
        pixels = from_chroma(y, ry, by, header)
    elif any((channels[name].xSampling, channels[name].ySampling) != (1, 1) for name in names):
        raise LoadError("has colors of a lower resolution than the picture: save it as RGB")
    else:
        pixels = np.stack([channels[name].pixels for name in names], axis=-1).astype(np.float32)
    shown = _shown(pixels, header["dataWindow"], header["displayWindow"])
    plain = len(parts) == 1 and names == ["R", "G", "B"] and channels.keys() <= {"R", "G", "B", "A"}
    return shown, plain and shown is pixels


def _colors(parts: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """The number of the part that has the colors, and the names of its red, green and blue, or of its Y, RY and BY."""
    layers = []
    for number, channels in enumerate(parts):
        for red in channels:
            layer, end = red[:-1], red[-1]
            names = [layer + ("RGB" if end == "R" else "rgb")[k] for k in range(3)]
            if end in "Rr" and layer[-1:] in ("", ".") and all(name in channels for name in names):
                layers.append((layer, number, names))
    if layers:
        finished = [one for one in layers if one[0].rstrip(".").split(".")[-1].lower() in _FINISHED]
        plain = [one for one in layers if not one[0]]
        _, number, names = (plain or finished or layers)[0]
        return number, names
    for number, channels in enumerate(parts):
        if {"Y", "RY", "BY"} <= channels.keys():
            return number, ["Y", "RY", "BY"]
    lone = [(number, next(iter(one))) for number, one in enumerate(parts) if len(one.keys() - {"A"}) == 1]
    gray = [(number, "Y") for number, one in enumerate(parts) if "Y" in one] or lone
    if not gray:
        found = ", ".join(sorted({name for channels in parts for name in channels})[:8])
        raise LoadError(f"has no channels R, G and B, only {found}" if found else "cannot be decoded: no channels")
    number, name = gray[0]
    return number, [name] * 3


def from_chroma(y: Light, ry: Light, by: Light, header: dict[str, Any]) -> Light:
    """(H, W, 3) from luminance (H, W) and chroma at every second pixel: RY = (R - Y) / Y, BY = (B - Y) / Y."""
    red, blue = ((_spread(chroma, y.shape) + 1) * y for chroma in (ry, by))
    of_red, of_green, of_blue = _luminance(header.get("chromaticities") or _REC709)
    green = (y - of_red * red - of_blue * blue) / of_green
    return np.stack([red, green, blue], axis=-1).astype(np.float32)


def _spread(values: Light, shape: tuple[int, ...]) -> Light:
    """Values at even rows and columns, between them their means."""
    for axis, length in enumerate(shape):
        at = np.arange(length)
        low = at // 2
        high = np.minimum(low + at % 2, values.shape[axis] - 1)
        values = (np.take(values, low, axis) + np.take(values, high, axis)) / 2
    return values


def _luminance(chromaticities: tuple[float, ...]) -> NDArray[np.float64]:
    """(3,) the luminance of red, green and blue, of primaries and a white (x, y) one after another; the sum is 1."""
    x, y = np.array(chromaticities, dtype=np.float64).reshape(4, 2).T
    primaries = np.array([x, y, 1 - x - y])
    white = primaries[:, 3] / y[3]
    return np.asarray(np.linalg.solve(primaries[:, :3], white) * y[:3])


def _shown(pixels: Light, data: _Window, display: _Window) -> Light:
    """The pixels of the display window; the same array if it is the data window."""
    if np.array_equal(data, display):
        return pixels
    (left, top), (right, bottom) = (np.asarray(corner, dtype=np.int64) - np.asarray(display[0]) for corner in data)
    width, height = np.asarray(display[1], dtype=np.int64) - np.asarray(display[0]) + 1
    shown = np.zeros((int(height), int(width), 3), dtype=np.float32)
    rows, columns = slice(max(top, 0), min(bottom + 1, height)), slice(max(left, 0), min(right + 1, width))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise LoadError("has no pixels inside of its display window")
    part = pixels[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    shown[rows, columns] = part
    return shown
