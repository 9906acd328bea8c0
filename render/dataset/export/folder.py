"""Folders by class, as torchvision's ImageFolder reads them, with the labels in parallel trees.

    images/<class>/000000.png      what ImageFolder is given
    instance/<class>/000000.png    16 bit, the instance mask; a tree for each label that a PNG file can hold
    category/<class>/000000.png    the class of each pixel; classes.txt names the classes, a line each, that of 0 first
    geometry/<class>/000000.npz    the other pictures, exact: depth (float32 meters, inf where nothing is hit), …
    meta/<class>/000000.json       camera, objects, keypoints, the Scene

Pictures without a main object are under the class "unlabelled".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from render.dataset.export.parts import (
    BACKGROUND,
    Classes,
    Lines,
    class_folder,
    metadata,
    npz,
    stem,
    write_file,
    write_png,
)
from render.frame import PICTURES, Frame, pictures


def write_folder(frames: Iterable[Frame], classes: tuple[str, ...], out: Path, piece: int) -> list[str]:
    """Write the trees above into `out`."""
    for frame in frames:
        name = Path(class_folder(frame, classes)) / stem(frame)
        geometry = {}
        for label, array in pictures(frame).items():
            if PICTURES[label].fits_png:
                write_png(out / ("images" if label == "rgb" else label) / f"{name}.png", array)
            else:
                geometry[label] = array
        write_file(out / "geometry" / f"{name}.npz", npz(geometry))
        write_file(out / "meta" / f"{name}.json", json.dumps(metadata(frame, classes)).encode())
    return []


def finish_folder(lines: Lines, classes: Classes, out: Path) -> None:
    """Name the classes."""
    (out / "classes.txt").write_text("".join(f"{name}\n" for name in (BACKGROUND, *classes)), encoding="utf-8")
