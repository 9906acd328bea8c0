"""CVAT's XML 1.1, for images and for video: `annotations.xml` beside images/.

A video has a track for each object, with its shape in each frame, and the pictures frame_000000.png and so on.
Polygons, masks (run lengths, row by row in their box) and ellipses have pixels; boxes, cuboids and polylines do not
say which. What has a higher z_order lies on top.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from scenes.errors import InputError, shortened
from segment.annotations import drawing
from segment.annotations.drawing import Size
from segment.annotations.listing import FAULTS, Collected, Shape
from segment.annotations.objects import Mask, Objects
from segment.annotations.xml import Element, root_of
from segment.tree import Tree

_FRAME = re.compile(r"frame_(\d+)", re.IGNORECASE)


class _Drawn(NamedTuple):
    """A shape in a picture. of: its attributes."""

    kind: str
    label: str
    of: dict[str, str]


def cvat_in(tree: Tree, files: Sequence[Path]) -> Objects:
    """The pictures of files of CVAT. Raises InputError."""
    found = Collected(tree)
    titles: list[str] = []
    for path in files:
        root = root_of(path)
        titles += [label.findtext("name", "") for label in root.iterfind("meta//labels/label")]
        if root.find("track") is not None:
            _take_frames(found, path, root)
        for image in root.iterfind("image"):
            try:
                picture = found.pictures.find(image.attrib["name"], path.parent)
                size = int(image.attrib["height"]), int(image.attrib["width"])
                shapes = list(_shapes([_Drawn(one.tag, one.attrib["label"], one.attrib) for one in image]))
            except FAULTS as error:
                found.leave_out(f"{path}", error)
                continue
            found.take(path, picture, size, shapes, shapes.copy)
    return found.objects([*titles, *sorted(found.titles)])


def _take_frames(found: Collected, path: Path, root: Element) -> None:
    """Note the pictures of a video. Raises InputError if none is there."""
    numbered: dict[int, Path] = {}
    for picture in found.pictures.near(path.parent):
        match = _FRAME.fullmatch(picture.stem)
        if match and numbered.setdefault(int(match[1]), picture) != picture:
            raise InputError(
                f"{path}: frame {match[1]} is there twice, as {numbered[int(match[1])]} and {picture}; put each video "
                "into a folder of its own, with its annotations.xml"
            )
    if not numbered:
        raise InputError(
            f"{path}: is of a video, and its pictures frame_000000.png, … are not there; export it with its images, or "
            "as 'CVAT for images 1.1'"
        )
    drawn: dict[int, list[_Drawn]] = {number: [] for number in numbered}
    unknown: dict[int, str] = {}
    try:
        for track in root.iterfind("track"):
            label, seen = track.attrib["label"], -1
            for one in sorted(track, key=lambda one: int(one.attrib["frame"])):
                number = int(one.attrib["frame"])
                if seen >= 0:
                    unknown |= {k: track.attrib.get("id", "") for k in numbered if seen < k < number}
                outside = one.attrib.get("outside") == "1"
                seen = -1 if outside else number
                if not outside:
                    drawn.setdefault(number, []).append(_Drawn(one.tag, label, one.attrib))
    except FAULTS as error:
        raise InputError(f"{path}: a track cannot be read: {error!r} is missing or wrong") from None
    for number, listed in sorted(drawn.items()):
        frame = numbered.get(number)
        if frame is None:
            found.left_out.append(f"{path}: names frame {number}, which is not there as a picture frame_{number:06d}")
        elif number in unknown:
            found.left_out.append(f"{path}: track {unknown[number]} goes through frame {number} without a shape there")
        else:
            shapes = list(_shapes(listed))
            found.take(path, frame, None, shapes, shapes.copy)


def _shapes(drawn: Sequence[_Drawn]) -> Iterator[Shape]:
    with_pixels = [one for one in drawn if one.kind in _DRAWN]
    for one in sorted(with_pixels, key=lambda one: int(one.of.get("z_order", 0))):
        yield Shape(one.label, partial(_DRAWN[one.kind], one.of), one.kind in _VAGUE)


def _points(of: dict[str, str]) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in of["points"].split(";"))
    return [(float(x), float(y)) for x, y in pairs]


def _numbers(of: dict[str, str], *names: str) -> list[float]:
    return [float(of[name]) for name in names]


def _box(of: dict[str, str], size: Size) -> Mask:
    left, top, right, bottom = _numbers(of, "xtl", "ytl", "xbr", "ybr")
    return drawing.box(size, left, top, right - left, bottom - top)


def _ellipse(of: dict[str, str], size: Size) -> Mask:
    x, y, across, down = _numbers(of, "cx", "cy", "rx", "ry")
    return drawing.ellipse(size, x, y, across, down, float(of.get("rotation", 0)))


def _mask(of: dict[str, str], size: Size) -> Mask:
    left, top, width, height = (int(float(of[name])) for name in ("left", "top", "width", "height"))
    if not (0 < width <= size[1] and 0 < height <= size[0]):
        raise ValueError(f"a mask of {shortened((width, height))} pixels in a picture of {size[::-1]}")
    return drawing.placed(drawing.runs([int(one) for one in of["rle"].split(",")], (height, width)), left, top, size)


def _cuboid(of: dict[str, str], size: Size) -> Mask:
    """The hull of the eight corners, (xtl1, ytl1) to (xbr2, ybr2)."""
    corners = [
        _numbers(of, f"x{corner}", f"y{corner}") for corner in map("".join, product(("tl", "tr", "bl", "br"), "12"))
    ]
    return drawing.polygon(cv2.convexHull(np.array(corners, np.float32))[:, 0], size)


_DRAWN: dict[str, Callable[[dict[str, str], Size], Mask]] = {
    "polygon": lambda of, size: drawing.polygon(_points(of), size),
    "polyline": lambda of, size: drawing.line(_points(of), size),
    "mask": _mask,
    "ellipse": _ellipse,
    "box": _box,
    "cuboid": _cuboid,
}
_VAGUE = ("box", "polyline", "cuboid")
