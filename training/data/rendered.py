"""Pictures of a data set of blendmill, read from its shards when they are needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from render.dataset.dataset import Dataset
from render.dataset.limits import Limits
from render.dataset.local import Folder
from render.dataset.store import Store
from scenes.errors import InputError
from training.data.decode import resized
from training.data.pictures import fingerprint
from training.progress import Progress

_EVERY = 10.0
"""Seconds between two lines on the progress of opening a set."""

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
        self._dataset, self._margin = dataset, margin
        check_sums(dataset, range(manifest.shard_count))
        with Progress(f"{folder}: reading labels, shard", manifest.shard_count, _EVERY) as progress:
            # It is mapped into memory, so that all trainers of a machine share it.
            self._rows = dataset.table(lambda done, of: progress.update(manifest.shard_count - of + done))
        if not len(self._rows):
            raise InputError(f"{folder}: no pictures; render the set again")
        self.labels: NDArray[np.int64] = self._rows["label"].astype(np.int64)
        self._starts = np.searchsorted(self._rows["index"], np.arange(manifest.shard_count) * manifest.shard_size)
        sums = sorted(manifest.shards.items())
        indices = self._rows["index"].tolist()
        self.digest = fingerprint(manifest.config_hash, manifest.seed, indices, self.classes, sums, margin)

    def within(self, limits: Limits) -> NDArray[np.int64]:
        """The places of the pictures within limits, in order."""
        return np.flatnonzero(limits.allow(self._rows["share"], self._rows["clutter"])).astype(np.int64)

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, i: int, short: int | None = None) -> NDArray[np.uint8]:
        row = self._rows[i]
        shard = int(row["index"]) // self._dataset.manifest.shard_size
        picture = self._dataset.opened(shard).picture("rgb", i - int(self._starts[shard]))
        if self._margin is not None and not np.isnan(row["box"][0]):
            left, top, right, bottom = _square(row["box"].tolist(), self._margin)
            picture = picture[max(top, 0) : bottom, max(left, 0) : right]
        return resized(picture, short)

    def where(self, i: int) -> str:
        index = int(self._rows["index"][i])
        return f"{self._dataset.shard_path(index // self._dataset.manifest.shard_size)}: picture {index}"

    def key(self, i: int) -> str:
        return str(self._rows["index"][i])


def check_sums(dataset: Dataset, shards: Iterable[int]) -> None:
    """Compare shards with their recorded sha256. Raises InputError for the first that differs.

    A shard that this machine has found sound is read again only if its file has changed since.
    """
    manifest, present = dataset.manifest, set(dataset.present())
    recorded = [shard for shard in shards if shard in present and manifest.shard_name(shard) in manifest.shards]
    with Progress(f"{dataset.folder}: checking shard", len(recorded), _EVERY) as progress:
        broken = Store(Folder(dataset.folder)).check(
            recorded, lambda done, of: progress.update(len(recorded) - of + done)
        )
    for lines in broken.values():
        fault, _, remedy = lines[0].partition("; ")
        raise InputError(f"{fault}; {remedy or 'delete the file and rerun the render command'}")


def _square(box: Sequence[float], margin: float) -> Box:
    """Left, top, right and bottom in pixels of the crop around the main object of a picture, given its box."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half = max(box[2] - box[0], box[3] - box[1]) * (0.5 + margin)
    return round(x - half), round(y - half), round(x + half), round(y + half)
