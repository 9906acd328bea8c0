"""Equal pictures of other data sets, which need not be drawn again.

A picture is a pure function of its record, its assets, the render settings, the classes, the device and the versions.
Where all of these are equal, the frame of another set is the frame that would be drawn. A record names its seed and its
index, so only the picture of the same index can be equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from render.dataset.dataset import Dataset
from render.dataset.manifest import Manifest
from render.dataset.provenance import AssetRecord
from render.frame import Frame
from scenes.record.record import Record


class EqualPictures:
    """Finds the frames of some data sets that equal the pictures of another one.

    Parameters
    ----------
    folders : iterable of str
        The folders of the data sets. One that is not finished is passed over, because its assets are not recorded yet.
    manifest : Manifest
        Of the set that is drawn. A set that was drawn in another way is passed over.

    Raises
    ------
    InputError
        A folder holds no data set.
    """

    def __init__(self, folders: Iterable[str], manifest: Manifest):
        found = [Dataset.open(Path(folder)) for folder in folders]
        self._sets = [each for each in found if each.manifest.shards and _way(each.manifest) == _way(manifest)]
        self._checked: set[Path] = set()

    def find(self, record: Record, assets: Mapping[str, AssetRecord]) -> Frame | None:
        """The frame of a record, if a set has it, else None. assets: all that the picture shows, by id.

        Raises InputError where a shard of another set is missing or damaged.
        """
        return next((frame for each in self._sets if (frame := self._of(each, record, assets)) is not None), None)

    def _of(self, dataset: Dataset, record: Record, assets: Mapping[str, AssetRecord]) -> Frame | None:
        manifest, index = dataset.manifest, record.index
        shard = index // manifest.shard_size
        if index >= manifest.count or index in manifest.skipped_in(shard):
            return None
        if any(name not in manifest.assets or not _same(manifest.assets[name], one) for name, one in assets.items()):
            return None
        path = dataset.shard_path(shard)
        if path not in self._checked:
            dataset.check_sum(shard)
            self._checked.add(path)
        opened, place = dataset.opened(shard), manifest.pictures(shard).index(index)
        return opened.frame(place) if opened.record(place) == record else None


def _same(first: AssetRecord, second: AssetRecord) -> bool:
    """Whether two records are of one content. An earlier version did not count triangles."""
    return (first.sha256, first.license) == (second.sha256, second.license)


def _way(manifest: Manifest) -> tuple[Any, ...]:
    """All that decides the pictures of records, beside the records and their assets."""
    config = manifest.config
    return (
        manifest.seed,
        config.get("renderer"),
        config.get("render"),
        manifest.classes,
        manifest.device,
        dict(manifest.versions),
    )
