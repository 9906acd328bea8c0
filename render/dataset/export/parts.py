"""What the export formats have in common: names, PNG files, and a frame's labels as JSON and as arrays.

Which labels there are, and of what kind, is read from the table in `render.frame`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from render.frame import VALUES, Frame, present
from scenes.errors import InputError

UNLABELED = "unlabelled"
BACKGROUND = "background"
"""The name of class 0 of the pixels."""

Classes = tuple[str, ...]
Lines = Callable[[], Iterator[str]]
"""The lines of all pieces in their order, once for each call."""
Write = Callable[..., list[str]]
"""Writes pictures into a folder, given the class names and the number of the piece. Returns lines for `Finish`."""
Finish = Callable[..., None]
"""Completes an export in a folder, given the `Lines` and the class names."""


def nothing_more(lines: Lines, classes: Classes, out: Path, **more: Any) -> None:
    """The end of an export whose pictures are all of it."""


def stem(frame: Frame) -> str:
    """The file name of a frame without its suffix."""
    return f"{frame.index:06d}"


def class_folder(frame: Frame, classes: tuple[str, ...]) -> str:
    """The class of a frame as a folder name, "unlabelled" without a main object.

    Raises InputError for a class name that is no folder name.
    """
    if frame.label < 0:
        return UNLABELED
    name = classes[frame.label]
    if name in ("", ".", "..") or any(c in name for c in "/\\\0"):
        raise InputError(f"class '{name}' cannot be a folder's name; rename it in the config's classes")
    return name


def png(array: NDArray[Any]) -> bytes:
    """A PNG file of (H, W) uint8 or uint16, or (H, W, 3) uint8."""
    buffer = BytesIO()
    # Level 6 takes three times as long for 3 % less.
    Image.fromarray(array).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def write_png(path: Path, array: NDArray[Any]) -> None:
    """Write a PNG file, and the folder it is in where that is not there."""
    write_file(path, png(array))


def write_file(path: Path, content: bytes) -> None:
    """Write a file, and the folder it is in where that is not there."""
    try:
        path.write_bytes(content)
    except FileNotFoundError:  # seldom: to look each time takes a tenth of the time of a small picture
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def metadata(frame: Frame, classes: tuple[str, ...]) -> dict[str, Any]:
    """The labels of a frame that are not pictures, and the name of its class, as JSON data."""
    values = {name: label.data(getattr(frame, name)) for name, label in present(frame, VALUES).items()}
    return {"class": classes[frame.label] if frame.label >= 0 else None, **values}


def npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """An .npz file of arrays by name."""
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
