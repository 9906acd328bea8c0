"""Pictures and labels as the page takes them. Each is one item, which a browser decodes alone.

Pictures are JPEG files. Labels keep their values, so that the page can color them and tell them: ids as they are,
lengths as 8 bits between two ends, normals as 8 bits for each axis. Where a label is made smaller, each pixel has the
label of the pixel at its center. A picture is the mean of the pixels that it covers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gallery.columns import Described, row_of
from gallery.scripts import Json, encoded, listed, packed, written
from render.dataset.dataset import Dataset
from render.dataset.shard import Shard
from render.false_color import as_it_is, flow_colors
from render.frame import PICTURES
from render.label import Label
from render.object_label import ObjectLabel
from scenes.errors import InputError
from scenes.record.record import Factor

RGB, INSTANCE, OBJECTS, FACTORS = "rgb", "instance", "objects", "factors"

_KEPT = 64
"""Pictures that were asked for last."""

_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 90, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


_DIGITS = ".5g"
"""How numbers are told."""


def how_drawn(label: Label) -> str:
    """How the page draws a label: "picture", "normals", "length", "gray" or "ids"."""
    if label.shape[2:]:
        return "normals" if label.element.kind == "f" and label.shape[2] == 3 else "picture"
    if label.element.kind == "f":
        return "length"
    return "gray" if label.show is as_it_is else "ids"


class Tiles:
    """The items of a data set; a `gallery.sets.Source`.

    side: pixels of the longest side of a picture on the page. Larger pictures are made smaller, smaller ones are kept.
    """

    def __init__(self, dataset: Dataset, side: int):
        self.dataset, self._side = dataset, side

    @cached_property
    def kinds(self) -> Mapping[str, Mapping[str, str]]:
        present = self.dataset.present()
        if not present:
            return {}
        with self.dataset.shard(present[0]) as shard:
            there = {name: label for name, label in PICTURES.items() if shard.has(label.path)}
        return {name: {"drawn": how_drawn(label), "meaning": label.meaning} for name, label in there.items()}

    def items(self, index: int, kinds: Collection[str]) -> dict[str, Json]:
        picture = self._picture(index)
        return {kind: picture.item(kind) for kind in kinds}

    def described(self, index: int) -> Described:
        picture = self._picture(index)
        return Described(row_of(picture.category, picture.objects, picture.factors), picture.rgb)

    @cached_property
    def _picture(self) -> Callable[[int], _Picture]:
        # A picture is asked for its items and its row, one after the other.
        return lru_cache(_KEPT)(self._found)

    def _found(self, index: int) -> _Picture:
        shard = self.dataset.opened(index // self.dataset.manifest.shard_size)
        places = np.flatnonzero(shard.arrays("index") == index)
        if not len(places):
            raise InputError(f"{shard.path}: does not hold picture {index}; delete the file and rerun")
        return _Picture(shard, int(places[0]), self.dataset.manifest.classes, self._side)


@dataclass(frozen=True)
class _Picture:
    """The picture at a place in a shard. What several items need is read once."""

    shard: Shard
    place: int
    classes: Sequence[str]
    side: int

    @cached_property
    def category(self) -> str | None:
        label = int(self.shard.arrays("label")[self.place])
        return self.classes[label] if label >= 0 else None

    @cached_property
    def objects(self) -> tuple[ObjectLabel, ...]:
        return self.shard.objects(self.place)

    @cached_property
    def factors(self) -> list[Factor]:
        return list(self.shard.record(self.place).factors())

    @cached_property
    def rgb(self) -> NDArray[np.uint8]:
        return smaller(self.shard.picture(RGB, self.place), self.side)

    @cached_property
    def instance(self) -> NDArray[np.uint16]:
        return nearest(self.shard.picture(INSTANCE, self.place), self.side)

    def item(self, kind: str) -> Json:
        if kind == RGB:
            return jpeg(self.rgb)
        if kind == OBJECTS:
            return written(objects_item(self.objects, self.shard.size))
        if kind == FACTORS:
            return packed(listed(_factor(name, value) for name, value in self.factors).encode())
        if kind == INSTANCE:
            return _ids(self.instance)
        drawn, array = how_drawn(PICTURES[kind]), self.shard.picture(PICTURES[kind].path, self.place)
        if drawn == "picture":
            return jpeg(smaller(flow_colors(array)[0] if array.shape[2] == 2 else array, self.side))
        small = nearest(array, self.side)
        if drawn == "length":
            return _length(small, self.instance > 0)
        if drawn == "normals":
            return _values(_normals(small))
        return _ids(small)


def objects_item(objects: tuple[ObjectLabel, ...], size: tuple[int, int]) -> dict[str, Any]:
    """What the page draws and tells of objects, in pixels of the full picture of (height, width) `size`."""
    return {
        "size": [size[1], size[0]],
        "objects": [
            {
                "instance": label.instance, "category": label.category, "purpose": label.purpose,
                "box": _rounded(label.box), "amodal": _rounded(label.amodal_box),
                "visibility": round(label.visibility, 3), "share": round(label.share, 5),
                "points": [[name, round(point.x, 1), round(point.y, 1), int(point.visible)]
                           for name, point in label.keypoints.items()],
                "parts": label.parts,
            }
            for label in objects
        ],
    }  # fmt: skip


def jpeg(picture: NDArray[np.uint8]) -> Json:
    """A JPEG file in base64. picture: (h, w, 3) uint8 sRGB."""
    return encoded(cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), _QUALITY)[1].tobytes())


def smaller(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture (H, W, 3), at most `side` pixels wide and high."""
    height, width = _fitted(*picture.shape[:2], side)
    if (height, width) == picture.shape[:2]:
        return picture
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


@lru_cache(maxsize=64)
def _fitted(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width of a picture made smaller."""
    scale = min(1.0, side / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def nearest(array: NDArray[Any], side: int) -> NDArray[Any]:
    """The label made as small as `smaller` makes its picture: each pixel has the value at its center."""
    size = _fitted(*array.shape[:2], side)
    if size == array.shape[:2]:
        return array
    rows, columns = (((np.arange(new) + 0.5) * array.shape[k] / new).astype(int) for k, new in enumerate(size))
    return array[rows][:, columns]


def _length(values: NDArray[np.floating], objects: NDArray[np.bool_]) -> Json:
    """0 where nothing is; else 1 to 255 between two ends, those of the objects, and a quarter more.

    A floor that reaches the horizon would use up all values.
    """
    values = values.astype(np.float32, copy=False)
    there = (values > 0) & (values < np.inf)
    if not there.any():
        return _values(np.zeros(values.shape, np.uint8))
    spanned = there & objects
    near, far, _, _ = cv2.minMaxLoc(values, (spanned if spanned.any() else there).view(np.uint8))
    near, far = max(near - (far - near) / 4, 0.0), far + (far - near) / 4
    span = max(far - near, 1e-6)
    levels = cv2.convertScaleAbs(np.clip(values - near, 0, span), alpha=254 / span, beta=1)
    return _values(np.asarray(levels, np.uint8) * there, more=(f"{near:{_DIGITS}}", f"{far:{_DIGITS}}"))


def _normals(normals: NDArray[np.float16]) -> NDArray[np.int8]:
    """Parts of the unit vectors (h, w, 3) in steps of 1/127."""
    # For half numbers, numpy takes ten times as long.
    wide = np.asarray(cv2.convertFp16(np.ascontiguousarray(normals)), np.float32)
    return np.rint(np.multiply(wide, 127, out=wide), out=wide).astype(np.int8)


def _ids(array: NDArray[Any]) -> Json:
    """Whole numbers, in bytes where they fit."""
    return _values(array.astype(np.uint8) if array.max(initial=0) < 256 else array)


def _values(array: NDArray[Any], more: Sequence[str] = ()) -> Json:
    """Width, height, channels, bytes of a value, and the values; then what else there is to tell."""
    height, width, *channels = array.shape
    told = (width, height, *(channels or (1,)), array.dtype.itemsize, packed(array.tobytes()), *more)
    return Json(f"[{','.join(map(str, told))}]")


@lru_cache(maxsize=4096)
def _name(name: str) -> Json:
    """The name of a factor; all pictures have about the same."""
    return written(name)


def _factor(name: str, value: float | str) -> Json:
    """Name and value of a factor. Raises ValueError for a number that is not finite."""
    if isinstance(value, str):
        return Json(f"[{_name(name)},{written(value)}]")
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}")
    return Json(f"[{_name(name)},{value:{_DIGITS}}]")


def _rounded(box: tuple[float, ...] | None) -> list[float] | None:
    return None if box is None else [round(side, 1) for side in box]
