"""Pictures of a data set of blendmill, read from its shards when they are needed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from render.dataset.dataset import Dataset
from render.dataset.limits import Limits
from render.dataset.shard import Shard
from render.frame import ObjectLabel
from scenes.errors import InputError
from training.data.decode import resized
from training.data.pictures import fingerprint

OPEN = 256
"""Shards of a data set that are kept open. To open one takes as long as to read a picture."""

_READERS = 4
Box = tuple[int, int, int, int]


class Rendered:
    """The pictures of a rendered data set in the order of their indices; a `training.data.pictures.ImageDataset`.

    The label is the class of the main object. margin: None for whole pictures. Otherwise each picture is cropped to a
    square around the box of its main object. The square is larger than the box by this share of the box's longer side,
    on each side, and ends at the border of the picture. A picture whose main object is not visible stays whole. Raises
    InputError if a shard is missing, incomplete, of another format or data set, or holds a label that is not a class.
    """

    def __init__(self, folder: Path, *, margin: float | None = None):
        dataset = Dataset.open(folder)
        self.name, manifest = str(folder), dataset.manifest
        self.classes = manifest.classes
        self._shards = [dataset.shard_path(shard) for shard in range(manifest.shard_count)]
        self._starts, labels, indices, self._boxes = [0], [], [], list[Box | None]()
        check_sums(dataset, range(manifest.shard_count))
        for shard in range(manifest.shard_count):
            with dataset.shard(shard) as opened:
                labels.append(opened.arrays("label").astype(np.int64))
                indices.append(opened.arrays("index"))
                if margin is not None:
                    self._boxes += [_square(opened.objects(i), margin) for i in range(len(opened))]
            self._starts.append(self._starts[-1] + len(labels[-1]))
        self.labels: NDArray[np.int64] = np.concatenate(labels)
        self._indices = np.concatenate(indices).tolist()
        if not self._indices:
            raise InputError(f"{folder}: no pictures; render the set again")
        sums = sorted(manifest.shards.items())
        self.digest = fingerprint(manifest.config_hash, manifest.seed, self._indices, self.classes, sums, margin)
        # A shard that leaves the cache is closed when the last thread has finished reading it.
        self._opened = lru_cache(OPEN)(Shard)

    def within(self, limits: Limits) -> NDArray[np.int64]:
        """The places of the pictures within limits, in order."""
        places = [
            start + place
            for start, path in zip(self._starts, self._shards, strict=False)
            for place in self._opened(path).within(limits)
        ]
        return np.array(places, np.int64)

    def __len__(self) -> int:
        return len(self._indices)

    def read(self, i: int, short: int | None = None) -> NDArray[np.uint8]:
        shard = bisect_right(self._starts, i) - 1
        picture = self._opened(self._shards[shard]).picture("rgb", i - self._starts[shard])
        if self._boxes and (box := self._boxes[i]) is not None:
            left, top, right, bottom = box
            picture = picture[max(top, 0) : bottom, max(left, 0) : right]
        return resized(picture, short)

    def where(self, i: int) -> str:
        return f"{self._shards[bisect_right(self._starts, i) - 1]}: picture {self._indices[i]}"

    def key(self, i: int) -> str:
        return str(self._indices[i])


def check_sums(dataset: Dataset, shards: Iterable[int]) -> None:
    """Compare shards with their recorded sha256. Raises InputError for the first that differs.

    It reads all of them once. A training reads them many times.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        for _ in pool.map(dataset.check_sum, shards):
            continue


def _square(objects: Iterable[ObjectLabel], margin: float) -> Box | None:
    """Left, top, right and bottom in pixels of the crop around the main object of a picture."""
    box = next((label.box for label in objects if label.purpose == "main"), None)
    if box is None:
        return None
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half = max(box[2] - box[0], box[3] - box[1]) * (0.5 + margin)
    return round(x - half), round(y - half), round(x + half), round(y + half)
