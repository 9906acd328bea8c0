"""What the page shows, set by set: data sets, then photographs."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gallery.columns import Described
from gallery.photos import Photos, left_out, photographs
from gallery.scripts import Json
from gallery.tiles import Tiles
from render.dataset.dataset import Dataset
from render.dataset.store import open_store
from scenes.errors import InputError
from scenes.files import file_stat
from scenes.plain_yaml import yaml_text
from training.data.pictures import ImageDataset
from training.data.sources import open_pictures

SHOWN = 200
"""Failed pictures and files left out that the page lists."""


class Source(Protocol):
    """A set that gives pictures, labels and factors to the page, by the indices of its pictures. Threads may share it.

    kinds: what there is for each pixel, with how it is drawn and what it means; the picture comes first.
    """

    @property
    def kinds(self) -> Mapping[str, Mapping[str, str]]: ...

    def items(self, index: int, kinds: Collection[str]) -> dict[str, Json]:
        """Items as JSON. kinds: of `kinds`, or `OBJECTS` or `FACTORS`. Raises InputError for a damaged picture."""
        ...

    def described(self, index: int) -> Described:
        """The factors of a picture, and the picture. Raises InputError for a damaged one of a data set."""
        ...


@dataclass(frozen=True)
class Chosen:
    """A set on the page. name: how the page calls it. indices: of its pictures, ascending. first: its first place."""

    name: str
    where: Path
    photos: bool
    indices: NDArray[np.int64]
    first: int

    def source(self, side: int) -> Source:
        """side: pixels of the longest side of a picture on the page."""
        return Photos(self.where, side) if self.photos else Tiles(Dataset.open(self.where), side)

    def pictures(self) -> ImageDataset:
        """The pictures in the order of the page, without labels, in the form that training reads them."""
        return photographs(self.where) if self.photos else open_pictures(self.where, labels=False)

    def spec(self) -> dict[str, Any]:
        """What a helper process opens the set by."""
        return {"where": str(self.where.resolve()), "photos": self.photos}

    def told(self, side: int) -> dict[str, Any]:
        """What the page knows of the set."""
        breaks = np.flatnonzero(np.diff(self.indices) != 1) + 1
        runs = [[int(run[0]), len(run)] for run in np.split(self.indices, breaks)]
        told = {"name": self.name, "first": self.first, "count": len(self.indices), "runs": runs, "photos": self.photos}
        facts = _facts_of_photos(self.where) if self.photos else _facts(self.where)
        return {**told, "kinds": self.source(side).kinds, **facts}

    def config(self) -> str | None:
        """The config of the set as YAML; None for photographs."""
        if self.photos:
            return None
        return yaml_text(Dataset.open(self.where).manifest.config)

    def digest(self) -> str:
        """What tells the pictures of the set from others."""
        if self.photos:
            return Photos(self.where, 1).pictures.digest
        dataset = Dataset.open(self.where)
        manifest = dataset.manifest
        unfinished = [] if manifest.shards else [file_stat(dataset.shard_path(shard)) for shard in dataset.present()]
        sums = sorted(manifest.shards.items())
        facts = (manifest.config_hash, manifest.seed, self.indices.tobytes(), sums, unfinished)
        return hashlib.sha256(repr(facts).encode()).hexdigest()


def choose(sets: Collection[Path], photos: Collection[Path]) -> list[Chosen]:
    """The sets and photographs for a page. Raises InputError where one is not there, or has no picture yet."""
    found: list[Chosen] = []
    for where in (*sets, *photos):
        first = found[-1].first + len(found[-1].indices) if found else 0
        is_photos = len(found) >= len(sets)
        indices = np.arange(len(Photos(where, 1).pictures)) if is_photos else Dataset.open(where).drawn()
        if not len(indices):
            raise InputError(f"{where}: no picture is there yet; rerun the render command")
        found.append(Chosen(_free(where, found), where, is_photos, indices, first))
    return found


def _free(where: Path, others: Collection[Chosen]) -> str:
    name, taken = where.resolve().name, {each.name for each in others}
    return name if name not in taken else str(where)


def _facts_of_photos(where: Path) -> dict[str, Any]:
    found = left_out(where)
    unused = [pair for pair in found if pair[1] is not None]
    numbers = {"failed": 0, "left_out": len(unused), "labels": len(found) - len(unused)}
    return {"failed": [], "left_out": unused[:SHOWN], "numbers": numbers}


def _facts(where: Path) -> dict[str, Any]:
    manifest, store = Dataset.open(where).manifest, open_store(str(where))
    failed = [[index, str(record.get("reason", ""))] for index, record in store.failures().items()]
    noted = {index for index, _ in failed}
    failed += [[index, "given up"] for index in manifest.skipped if index not in noted]
    unused = sorted(manifest.left_out.items())
    warned = [[name, "; ".join(lines)] for name, lines in sorted(manifest.warnings.items())]
    return {
        "seed": manifest.seed,
        "wanted": manifest.count,
        "classes": manifest.classes,
        "failed": sorted(failed)[:SHOWN],
        "left_out": [list(pair) for pair in unused[:SHOWN]],
        "warnings": warned[:SHOWN],
        "numbers": {"failed": len(failed), "left_out": len(unused), "warnings": len(warned)},
    }
