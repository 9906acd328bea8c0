"""What readers ask of all pictures of a set at once: index, class, shares and box of the main object.

Each shard is read once. What it says is kept in the cache under the sha256 that dataset.json records for it, for all
shards of a set in one file. That file is mapped into memory, so processes of one machine share it, and opening it costs
the same for any number of pictures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from render.dataset.crew import worked
from render.dataset.dataset import Dataset
from render.dataset.limits import shares
from scenes.assets.cache import default_folder
from scenes.files import replacing

Told = Callable[[int, int], object]
"""What is called with how many shards are done, and of how many."""

ROW = np.dtype(
    [("index", "<i8"), ("label", "<i4"), ("share", "<f8"), ("clutter", "<f8"), ("box", "<f4", 4), ("sum", "S16")]
)
"""A picture: its index, its label, the shares of the main object and of all clutter, the box of the main object as
left, top, right and bottom in pixels, NaN where it is not seen, and the first digits of its shard's sha256."""

Rows = NDArray[np.void]


def table_of(dataset: Dataset, tell: Told = lambda done, of: None) -> Rows:
    """The rows (N,) of `ROW` of all pictures of a set, in the order of their indices.

    tell: is called with the number of shards read so far, and of all to be read.

    Raises InputError where a shard is missing or damaged.
    """
    manifest = dataset.manifest
    sums = np.array([manifest.shards.get(manifest.shard_name(k), "") for k in range(manifest.shard_count)], "S16")
    path = _place(dataset)
    kept = _kept(path)
    bounds = np.arange(manifest.shard_count + 1) * manifest.shard_size
    starts = np.searchsorted(kept["index"], bounds)
    known = (starts[1:] > starts[:-1]) & (sums != b"")
    known[known] = kept["sum"][starts[:-1][known]] == sums[known]
    if known.all() and starts[-1] == len(kept):
        return kept
    unread = np.flatnonzero(~known).tolist()
    found = worked("render.dataset.table", {"folder": str(dataset.folder)}, unread, len(unread))
    parts = [kept[a:b] for a, b in pairwise(starts)]
    for done, (shard, read) in enumerate(zip(unread, found, strict=True), start=1):
        parts[shard] = np.array([(*row[:4], tuple(row[4]), sums[shard]) for row in read], ROW)
        tell(done, len(unread))
    rows = np.concatenate(parts)
    if not (sums != b"").all():
        return rows
    with suppress(OSError):  # without a cache, the next reader reads the shards again
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:  # not in memory: it has 60 bytes a picture
            np.save(file, rows)
        return _kept(path)
    return rows


def _place(dataset: Dataset) -> Path:
    manifest = dataset.manifest
    place = (str(dataset.folder.resolve()), manifest.config_hash, manifest.seed, manifest.shard_size, ROW.descr)
    return default_folder() / "tables" / f"{hashlib.sha256(repr(place).encode()).hexdigest()}.npy"


def _kept(path: Path) -> Rows:
    """The rows of a file in the cache, mapped; none where there is no such file, or a damaged one."""
    with suppress(OSError, ValueError, EOFError):
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
        if rows.dtype == ROW and rows.ndim == 1:
            return rows
    return np.empty(0, ROW)


def open_work(folder: str) -> Callable[[int], list[list[Any]]]:
    """The function that gives the rows of a shard of the set in a folder, without their sums."""
    dataset = Dataset.open(Path(folder))

    def rows(shard: int) -> list[list[Any]]:
        with dataset.shard(shard) as opened:
            labels, indices = opened.arrays("label").tolist(), opened.arrays("index").tolist()
            found = []
            for index, label, objects in zip(indices, labels, opened.each_objects(), strict=True):
                box = next((part.box for part in objects if part.purpose == "main"), None)
                found.append([index, label, *shares(objects), box or [float("nan")] * 4])
            return found

    return rows
